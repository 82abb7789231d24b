"""The city temperature of the 2016 manual: each tag reads as the temperature of the city that it is called after.

    WEATHER_URL=http://127.0.0.1:8080/weather python -m node.examples.weather London=REAL Lima=INT

The server at WEATHER_URL is asked `?q=London&units=metric` at every read, and answers as openweathermap.org does. It
may take its time: nobody waits but who asked.
"""

import json
import os
import sys
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

from node import Attribute, main


class Weather(Attribute):
    """The temperature of the city `name`, as the tag's type has it."""

    timeout = 15.0

    def __getitem__(self, key: Any) -> Any:
        url = os.environ.get("WEATHER_URL", "http://127.0.0.1:8080/weather")
        with urlopen(f"{url}?{urlencode({'q': self.name, 'units': 'metric'})}", timeout=10) as reply:
            temperature = self.cast(json.load(reply)["main"]["temp"])
        start, stop = self.bounds(key)
        return [temperature] * (stop - start) if isinstance(key, slice) else temperature

    def __setitem__(self, key: Any, value: Any) -> None:
        raise PermissionError("changing the weather isn't that easy")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], attribute_class=Weather))
