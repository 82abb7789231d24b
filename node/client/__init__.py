"""Talking to a controller, ours or a real one. Nothing is imported until it is asked for: who wants one client does not
load the others."""

import typing

from node import lazy_names

if typing.TYPE_CHECKING:
    from node.client.aio import AsyncConnector as AsyncConnector
    from node.client.browsing import Tag as Tag
    from node.client.browsing import browse as browse
    from node.client.client import Client as Client
    from node.client.client import await_response as await_response
    from node.client.connector import Connector as Connector
    from node.client.discovery import Device as Device
    from node.client.discovery import discover as discover
    from node.client.dotted import dotdict as dotdict
    from node.client.drives import PowerFlex as PowerFlex
    from node.client.drives import PowerFlex750 as PowerFlex750
    from node.client.failure import BadAnswer as BadAnswer
    from node.client.failure import ConnectionLost as ConnectionLost
    from node.client.failure import NoAnswer as NoAnswer
    from node.client.failure import Refused as Refused
    from node.client.failure import TagError as TagError
    from node.client.failure import TimedOut as TimedOut
    from node.client.operations import Operation as Operation
    from node.client.operations import OperationError as OperationError
    from node.client.operations import parse_operations as parse_operations
    from node.client.parameters import Parameter as Parameter
    from node.client.poll import Poller as Poller
    from node.client.poll_aio import AsyncPoller as AsyncPoller
    from node.client.proxy import Proxy as Proxy
    from node.client.proxy import ProxySimple as ProxySimple
    from node.client.proxy_aio import AsyncProxy as AsyncProxy
    from node.client.replies import format_tree as format_tree

__all__ = [
    "AsyncConnector",
    "AsyncPoller",
    "AsyncProxy",
    "BadAnswer",
    "Client",
    "ConnectionLost",
    "Connector",
    "Device",
    "NoAnswer",
    "Operation",
    "OperationError",
    "Parameter",
    "Poller",
    "PowerFlex",
    "PowerFlex750",
    "Proxy",
    "ProxySimple",
    "Refused",
    "Tag",
    "TagError",
    "TimedOut",
    "await_response",
    "browse",
    "discover",
    "dotdict",
    "format_tree",
    "parse_operations",
]

_MODULES = {
    "AsyncConnector": "aio",
    "AsyncPoller": "poll_aio",
    "AsyncProxy": "proxy_aio",
    "BadAnswer": "failure",
    "Client": "client",
    "ConnectionLost": "failure",
    "Connector": "connector",
    "Device": "discovery",
    "NoAnswer": "failure",
    "Operation": "operations",
    "OperationError": "operations",
    "Parameter": "parameters",
    "Poller": "poll",
    "PowerFlex": "drives",
    "PowerFlex750": "drives",
    "Proxy": "proxy",
    "ProxySimple": "proxy",
    "Refused": "failure",
    "Tag": "browsing",
    "TagError": "failure",
    "TimedOut": "failure",
    "await_response": "client",
    "browse": "browsing",
    "discover": "discovery",
    "dotdict": "dotted",
    "format_tree": "replies",
    "parse_operations": "operations",
}
"""Where each public name lives."""

__getattr__, __dir__ = lazy_names(__name__, _MODULES)
