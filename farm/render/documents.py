"""YAML for people and for tools that read it: block style, keys in the order given, comments above."""

import re
from collections.abc import Sequence
from typing import Any

import yaml

WIDTH = 120
NO_TEXT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?0o[0-7]+|[yYnN]")
"""What readers in Go (kubectl, Compose) take for a number or a truth where it has no quotes, as a digest may look like
`12e7`, and PyYAML does not."""


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Without anchors: what stands twice is written twice."""

    def ignore_aliases(self, data: Any) -> bool:
        """Always."""
        return True

    def represent_list(self, data: Any) -> Any:
        """On a line where it holds plain values, as a person writes it."""
        plain = not any(isinstance(item, dict | list) for item in data)
        return self.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=plain)

    def represent_text(self, data: Any) -> Any:
        """As it stands, where it has lines of its own; in quotes, where it is no text to others without."""
        style = "|" if "\n" in data else "'" if NO_TEXT.fullmatch(data) else None
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)


_Dumper.add_representer(list, _Dumper.represent_list)
_Dumper.add_representer(str, _Dumper.represent_text)


def yaml_text(body: Any, comments: Sequence[str] = ()) -> str:
    """The document of `body`, which is plain JSON, with a line of comment for each of `comments` ("" is a blank)."""
    head = "".join(f"# {line}".rstrip() + "\n" for line in comments)
    text: str = yaml.dump(body, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=WIDTH)
    return head + text
