"""The node's image on every host: pulled there if the plant names one, else built once and copied, without a registry.

What makes two images the same is their id, which is a digest of what is in them: a host that has another image of that
name gets the right one. A host that does not answer is left out; it gets the image when it is to start a node.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from docker.errors import NotFound

from farm.backends.docker_engine import Engine, one_line
from farm.backends.docker_images import Images
from farm.backends.docker_recipes import context_files, node_tag
from farm.backends.swarm_hosts import Hosts
from farm.errors import BackendError

Say = Callable[[str], None]


class SpreadImages:
    """The image of one run's nodes."""

    def __init__(self, hosts: Hosts) -> None:
        self._hosts = hosts
        self._lock = threading.Lock()
        self._tag = ""
        self._there: set[tuple[str, str]] = set()

    @property
    def name(self) -> str:
        """What it is called, whether or not it is anywhere."""
        if not self._hosts.placement.image and not self._tag:
            self._tag = node_tag(context_files())
        return self._hosts.placement.image or self._tag

    def ready(self, say: Say = lambda line: None) -> str:
        """Its name, when every host has it that answers. Raises `BackendError` with the first that cannot have it."""
        with self._lock:
            name = self.name
            hosts = [host for host in self._hosts.wanted if not self._hosts.engine(host).lost]
            if any((host, name) not in self._there for host in hosts):
                if self._hosts.placement.image:
                    self._pull(name, hosts, say)
                else:
                    self._spread(name, hosts, say)
            return name

    def on(self, host: str) -> None:
        """Has a host have it, too, that was away when the others were given it. Raises `BackendError`."""
        if (host, self.name) not in self._there:
            self._hosts.engine(host).reach()
            try:
                self.ready()
            except BackendError:
                if (host, self.name) not in self._there:
                    raise

    def forget(self) -> None:
        """Look again when it is needed next."""
        self._there.clear()

    def _pull(self, name: str, hosts: Sequence[str], say: Say) -> None:
        def pull(host: str) -> None:
            engine = self._hosts.engine(host)
            if not image_id(engine, name):
                say(f"host {host}: pulling {name}")
                with engine.told(host, "pull"):
                    for line in engine.api.pull(name, stream=True, decode=True):
                        _refuse(host, "pull", line)
            self._there.add((host, name))

        _raise_first(self._hosts.each(pull, hosts).values())

    def _spread(self, tag: str, hosts: Sequence[str], say: Say) -> None:
        found = self._hosts.each(lambda host: image_id(self._hosts.engine(host), tag), hosts)
        _raise_first(found.values())
        source = next((host for host, image in found.items() if image), "")
        if not source:
            source = self._built(hosts, say)
            found[source] = image_id(self._hosts.engine(source), tag)
        lacking = [host for host, image in found.items() if image != found[source]]
        self._there |= {(host, tag) for host in found if host not in lacking}
        if lacking:
            say(f"copying {tag} from host {source} to {', '.join(lacking)}")
            done = self._hosts.each(lambda host: self._copy(tag, source, host, say), lacking)
            _raise_first(done.values())

    def _built(self, hosts: Sequence[str], say: Say) -> str:
        """The host that it was built on, the first with a base."""
        errors = []
        for host in hosts:
            say(f"host {host}: building the node's image")
            try:
                Images(self._hosts.engine(host)).ready()
            except BackendError as exc:
                errors.append(exc)
            else:
                return host
        raise errors[0]

    def _copy(self, tag: str, source: str, host: str, say: Say) -> None:
        taker = self._hosts.engine(host)
        with taker.told(host, "load the image"):
            lines = taker.api.load_image(_saved(self._hosts.engine(source), source, tag))  # type: ignore[no-untyped-call]
            for line in lines or ():
                _refuse(host, "load the image", line)
        if not image_id(taker, tag):
            raise BackendError(
                host, "load the image", f"its engine took {tag}, and does not have it: is its disk full?"
            )
        self._there.add((host, tag))
        say(f"host {host}: has {tag}")


def _saved(giver: Engine, host: str, tag: str) -> Iterator[bytes]:
    """An image as a tar file, in parts. Raises `BackendError` about the host that gives it, also half-way."""
    with giver.told(host, "save the image"):
        yield from giver.api.get_image(tag)


def image_id(engine: Engine, tag: str) -> str:
    """The id of an image, "" where the engine has none of that name."""
    with engine.told(tag, "look for"):
        try:
            return str(engine.api.inspect_image(tag)["Id"])  # type: ignore[no-untyped-call]
        except NotFound:
            return ""


def _refuse(host: str, operation: str, line: Any) -> None:
    """Raises what an engine says went wrong; `message` is how it refuses a whole image, which the SDK takes for a
    line."""
    said = (line.get("error") or line.get("message")) if isinstance(line, dict) else None
    if said:
        raise BackendError(host, operation, one_line(str(said)))


def _raise_first(results: Iterable[object]) -> None:
    for result in results:
        if isinstance(result, BackendError):
            raise result
