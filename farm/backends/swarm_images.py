"""The node's image on every host: pulled there if the plant names one, else built once and copied, without a registry.

What makes two images the same is their id, which is a digest of what is in them: a host that has another image of that
name gets the right one.
"""

from collections.abc import Callable, Iterable
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
        self._ready = ""
        self._name = ""

    @property
    def name(self) -> str:
        """What it is called, whether or not it is anywhere."""
        if not self._name:
            self._name = self._hosts.placement.image or node_tag(context_files())
        return self._name

    def ready(self, say: Say = lambda line: None) -> str:
        """Its name, when every host has it. Raises `BackendError` with the first host that cannot have it."""
        if not self._ready:
            wanted = self._hosts.placement.image
            self._ready = self._pulled(wanted, say) if wanted else self._copied(say)
        return self._ready

    def forget(self) -> None:
        """Look again when it is needed next."""
        self._ready = self._name = ""

    def _pulled(self, name: str, say: Say) -> str:
        def pull(host: str) -> None:
            engine = self._hosts.engine(host)
            with engine.told(host, "pull"):
                if image_id(engine, name):
                    return
                say(f"host {host}: pulling {name}")
                for line in engine.api.pull(name, stream=True, decode=True):
                    _refuse(host, "pull", line)

        _raise_first(self._hosts.each(pull, self._hosts.wanted).values())
        return name

    def _copied(self, say: Say) -> str:
        tag = node_tag(context_files())
        found = self._hosts.each(lambda host: image_id(self._hosts.engine(host), tag), self._hosts.wanted)
        _raise_first(found.values())
        source = next((host for host, image in found.items() if image), "")
        if not source:
            source, tag = self._built(say)
            found[source] = image_id(self._hosts.engine(source), tag)
        lacking = [host for host, image in found.items() if image != found[source]]
        if lacking:
            say(f"copying {tag} from host {source} to {', '.join(lacking)}")
            done = self._hosts.each(lambda host: self._copy(tag, source, host, say), lacking)
            _raise_first(done.values())
        return tag

    def _built(self, say: Say) -> tuple[str, str]:
        """The host that it was built on, the first with a base, and its name."""
        errors = []
        for host in self._hosts.wanted:
            say(f"host {host}: building the node's image")
            try:
                return host, Images(self._hosts.engine(host)).ready()
            except BackendError as exc:
                errors.append(exc)
        raise errors[0]

    def _copy(self, tag: str, source: str, host: str, say: Say) -> None:
        giver, taker = self._hosts.engine(source), self._hosts.engine(host)
        with giver.told(source, "save the image"):
            stream = giver.api.get_image(tag)
        with taker.told(host, "load the image"):
            for line in taker.api.load_image(stream) or ():  # type: ignore[no-untyped-call]
                _refuse(host, "load the image", line)
        say(f"host {host}: has {tag}")


def image_id(engine: Engine, tag: str) -> str:
    """The id of an image, "" where the engine has none of that name."""
    with engine.told(tag, "look for"):
        try:
            return str(engine.api.inspect_image(tag)["Id"])
        except NotFound:
            return ""


def _refuse(host: str, operation: str, line: Any) -> None:
    if isinstance(line, dict) and "error" in line:
        raise BackendError(host, operation, one_line(str(line["error"])))


def _raise_first(results: Iterable[object]) -> None:
    for result in results:
        if isinstance(result, BackendError):
            raise result
