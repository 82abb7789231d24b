"""The city temperature of the 2016 manual: each tag reads as the temperature of the city that it is called after.

    python -m node.examples.weather http://127.0.0.1:8080/weather London=REAL Lima=INT

The server is asked `?q=London&units=metric` at every read, and answers as openweathermap.org does. It
may take its time: nobody waits but who asked.
"""

import json
import sys
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

from node import Attribute, main


class Weather(Attribute):
    """The temperature of the city `name`, as the tag's type has it."""

    timeout = 15.0
    url = ""

    def __getitem__(self, key: Any) -> Any:
        with urlopen(f"{self.url}?{urlencode({'q': self.name, 'units': 'metric'})}", timeout=10) as reply:
            temperature = self.cast(json.load(reply)["main"]["temp"])
        start, stop = self.bounds(key)
        return [temperature] * (stop - start) if isinstance(key, slice) else temperature

    def __setitem__(self, key: Any, value: Any) -> None:
        raise PermissionError("changing the weather isn't that easy")


if __name__ == "__main__":
    Weather.url = sys.argv[1]
    sys.exit(main(sys.argv[2:], attribute_class=Weather))
