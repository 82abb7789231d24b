"""Time series of a plant: instants and spans of time, files of records, and playing them back. Nothing is imported
until it is asked for: time zones are not what a node needs to start."""

import typing

from node import lazy_names

if typing.TYPE_CHECKING:
    from node.history.abbreviations import AmbiguousAbbreviation as AmbiguousAbbreviation
    from node.history.duration import format_duration as format_duration
    from node.history.duration import format_offset as format_offset
    from node.history.duration import parse_duration as parse_duration
    from node.history.duration import parse_offset as parse_offset
    from node.history.history_files import HistoryError as HistoryError
    from node.history.loader import Loader as Loader
    from node.history.loader import State as State
    from node.history.player import Player as Player
    from node.history.reader import Reader as Reader
    from node.history.record_line import Record as Record
    from node.history.record_line import RecordError as RecordError
    from node.history.timestamp import Timestamp as Timestamp
    from node.history.writer import HistoryWriter as HistoryWriter
    from node.history.zones import AmbiguousTime as AmbiguousTime
    from node.history.zones import NonExistentTime as NonExistentTime
    from node.history.zones import ZoneError as ZoneError

__all__ = [
    "AmbiguousAbbreviation",
    "AmbiguousTime",
    "HistoryError",
    "HistoryWriter",
    "Loader",
    "NonExistentTime",
    "Player",
    "Reader",
    "Record",
    "RecordError",
    "State",
    "Timestamp",
    "ZoneError",
    "format_duration",
    "format_offset",
    "parse_duration",
    "parse_offset",
]

_MODULES = {
    "AmbiguousAbbreviation": "abbreviations",
    "AmbiguousTime": "zones",
    "HistoryError": "history_files",
    "HistoryWriter": "writer",
    "Loader": "loader",
    "NonExistentTime": "zones",
    "Player": "player",
    "Reader": "reader",
    "Record": "record_line",
    "RecordError": "record_line",
    "State": "loader",
    "Timestamp": "timestamp",
    "ZoneError": "zones",
    "format_duration": "duration",
    "format_offset": "duration",
    "parse_duration": "duration",
    "parse_offset": "duration",
}
"""Where each public name lives."""

__getattr__, __dir__ = lazy_names(__name__, _MODULES)
