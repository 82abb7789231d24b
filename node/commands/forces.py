"""Forces and errors of tags: what clients are shown whatever a tag holds, or are refused.

    tags/NAME/force        has a tag, an element or a member read as the value; {"Speed": 5} forces some members
    tags/NAME/release      ends what is forced there, or within; how many forces that were
    tags/release           ends all of them
    tags/NAME/error        the status that every access is refused with: 8, [255, 8453]; 0 for none, which it is set to

What clients write to a forced tag is taken, and is seen once the tag is released. A structure or an array is forced as
it is written: whole, in part, or by its elements.
"""

from collections.abc import Callable

from node.cip.status import CipError
from node.commands.errors import CommandError
from node.commands.tags import TagCommands, Target
from node.config.faults import CODE_WANTED, parse_code
from node.config.model import Json
from node.memory.attribute import Attribute
from node.memory.effects import Effected, Forced, Refused, put, take_away

MOST = 1000
"""Forces, and errors, of one node at a time."""

Key = tuple[Attribute, int, int]
"""A place, whatever it is called: its tag, and its bits there."""


class ForceCommands:
    """The forces and errors of the tags of one node. `changed` is called when there are others."""

    def __init__(self, tags: TagCommands, changed: Callable[[], None]) -> None:
        self._tags = tags
        self._changed = changed
        self._forced: dict[Key, Forced] = {}
        self._errors: dict[Key, Refused] = {}

    @property
    def count(self) -> int:
        """How many forces there are."""
        return len(self._forced)

    def run(self, path: str, value: Json = None) -> Json:
        """What `path`, behind `tags/`, says. Raises `CommandError`."""
        name, _, action = path.rpartition("/")
        if action == "force":
            return self._force(name, value)
        if action == "release":
            return self._release(name)
        return self.status(name) if value is None else self._refuse(name, value)

    def status(self, name: str) -> Json:
        """The status that accesses to a tag are refused with; 0 for none. Raises `CommandError`."""
        return self.status_of(self._tags.target(name))

    def status_of(self, target: Target) -> Json:
        """The same of a tag that was found."""
        found = self._errors.get(_key(target)) if self._errors else None
        return 0 if found is None else found.status[0] if len(found.status) == 1 else list(found.status)

    def _force(self, name: str, value: Json) -> Json:
        if value is None:
            raise CommandError(f"tags/{name}/force: give the value that it is to have")
        target, values = self._tags.parsed(name, value)
        key = _key(target)
        if len(self._forced) >= MOST and key not in self._forced:
            raise CommandError(f"{MOST} places are forced; release some of them")
        try:
            forced = Forced(target.attribute, target.start, target.stop, values)
        except CipError as exc:
            raise CommandError(f"{target.text}: a value that does not fit {target.attribute.type.name}") from exc
        self._end(self._forced.pop(key, None))
        self._forced[key] = forced
        put(forced)
        self._changed()
        return self._tags.read(name)

    def _release(self, name: str) -> int:
        if name:
            target = self._tags.target(name)
            place = Effected(target.attribute, target.start, target.stop)
            released = [key for key, forced in self._forced.items() if forced.meets(place)]
        else:
            released = list(self._forced)
        for key in released:
            self._end(self._forced.pop(key))
        if released:
            self._changed()
        return len(released)

    def _refuse(self, name: str, value: Json) -> Json:
        target = self._tags.target(name)
        key = _key(target)
        status = _status_of(name, value)
        self._end(self._errors.pop(key, None))
        if status:
            if len(self._errors) >= MOST:
                raise CommandError(f"{MOST} places are in error; clear some of them")
            self._errors[key] = error = Refused(target.attribute, target.start, target.stop, status)
            put(error)
        return self.status(name)

    def _end(self, effect: Effected | None) -> None:
        if effect is not None:
            take_away(effect)


def _key(target: Target) -> Key:
    place = Effected(target.attribute, target.start, target.stop)
    return place.root, place.begin, place.end


def _status_of(name: str, value: Json) -> tuple[int, ...]:
    """The status that is wanted, none for 0. Raises `CommandError`."""
    if value in (0, "0", False):
        return ()
    try:
        return parse_code(value)
    except ValueError:
        raise CommandError(f"{name}: {value!r:.80} is no status; wanted {CODE_WANTED}, or 0 for none") from None
