"""Many simulated controllers, started from one plant file and kept alive."""

from node import __version__ as __version__
