"""Numbers of bytes as people type them: `10MB`, `1.5 GB`, `500k`, `20000`."""

import re

from node.errors import ConfigError

_FORM = re.compile(r"(\d{1,15})(?:\.(\d{1,9}))?\s*([kMG]?)B?", re.ASCII)
_UNITS = {"": 1, "k": 1000, "M": 1000**2, "G": 1000**3}


def parse_size(text: str, source: str, least: int = 0) -> int:
    """Bytes, of a part of one as many as are whole. Raises `ConfigError` for what is no number of them, or is below
    `least`."""
    form = _FORM.fullmatch(text)
    unit = _UNITS[form[3]] if form else 0
    size = int(form[1]) * unit + int(form[2] or 0) * unit // 10 ** len(form[2] or "") if form else -1
    if size < least or form is None:
        bound = f", {least} at least" if least else ""
        raise ConfigError(source, 0, f"{text!r:.60}; wanted bytes, as 500kB or 10MB{bound}")
    return size
