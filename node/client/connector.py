"""A client that asks and waits for what was asked: the manual's `client.connector`, and values by name.

    with Connector("10.0.0.7") as plc:
        for idx, dsc, req, rpy, sts, val in plc.operate(parse_operations(["Tag[8-9]=88,99", "Tag[0-10]"]), depth=5):
            print(idx, dsc, sts, val)
        plc.read_tags(["SCADA", "Tag[0-99]"])
        plc.write_tag("SCADA", 12)

It registers a session when it is made. By itself it opens a connection (class 3) when that can be had, and sends what
fits together in one Multiple Service Packet; both can be told. Nothing takes longer than its time-out.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, cast

from node.cip.message import encode_request
from node.cip.status import SUCCESS, CipError, describe
from node.client.client import MESSAGE_LIMIT
from node.client.connected import ConnectedClient
from node.client.dotted import dotdict, latedict
from node.client.exchanges import checked_reply, kind_of
from node.client.failure import TagError
from node.client.operations import READ, WRITE, Operation, parse_operation, parse_range, tag_type_code
from node.client.paths import parse_target
from node.client.pipeline import Outcome
from node.client.replies import reply_tree, request_tree
from node.client.structures import as_members
from node.client.tag_values import Known
from node.client.tasks import SHORT, SLOW, Kinds, Means, Task, prepare
from node.errors import LocalProtocolError

Result = tuple[int, str, dotdict, dotdict, int | tuple[int, tuple[int, ...]], Any]
"""idx, dsc, req, rpy, sts, val: index of the request, what it was, request and reply as trees (made when looked into),
status (with extended words: a tuple), and the value, None after a fault."""

Operations = Iterable[Operation | Mapping[str, Any] | str]
"""Operations, or their texts."""

REMEMBERED = 10_000
"""Tags whose requests are kept ready."""


class Connector(ConnectedClient):
    """A session with one device that does operations, and reads and writes tags by name.

    Beside what `Client` raises: `TagError` from the methods that give values, for a fault that the device answers.
    """

    @cached_property
    def _tasks(self) -> dict[tuple[str, int], Task]:
        """Reads that are ready, by tag and elements."""
        return {}

    @cached_property
    def _kinds(self) -> Kinds:
        return {}

    # --- operations ---------------------------------------------------------------------------------------------

    def synchronous(
        self,
        operations: Operations,
        index: int = 0,
        fragment: bool = False,
        multiple: int | bool | None = 0,
        timeout: float | None = None,
    ) -> Iterator[Result]:
        """One request at a time, its reply before the next; `pipeline` says the rest."""
        return self.pipeline(operations, index, fragment, multiple, timeout, depth=1)

    def pipeline(
        self,
        operations: Operations,
        index: int = 0,
        fragment: bool = False,
        multiple: int | bool | None = 0,
        timeout: float | None = None,
        depth: int = 1,
    ) -> Iterator[Result]:
        """The results of `operations` in their order, with up to `depth` requests under way.

        `index` is the first sender context's; `fragment` forces Read and Write Tag Fragmented; `multiple` bundles
        requests into packets of so many bytes, with True or None of as many as the way takes, with 0 not at all;
        `timeout` is the seconds that each request may take. A fault is a result with its status; what ends the session
        is raised, and so is a `TimedOut`, after which late answers are dropped and the next call may go on.
        """
        tasks = self._prepared(operations, fragment, depth)
        for outcome in self.drive(tasks, index=index, multiple=multiple, timeout=timeout, depth=depth):
            yield self._result(outcome)

    def operate(
        self,
        operations: Operations,
        index: int = 0,
        fragment: bool = False,
        multiple: int | bool | None = 0,
        timeout: float | None = None,
        depth: int = 0,
        validating: bool = False,
        printing: bool = False,
    ) -> Iterator[Result]:
        """`pipeline` with a `depth`, else `synchronous`; through `validate` if `validating` or `printing`."""
        if depth:
            results = self.pipeline(operations, index, fragment, multiple, timeout, depth)
        else:
            results = self.synchronous(operations, index, fragment, multiple, timeout)
        return self.validate(results, printing) if validating or printing else results

    def validate(self, results: Iterable[Result], printing: bool = False) -> Iterator[Result]:
        """The results, with what was written as the value of a write that succeeded; printed, a line each, if told."""
        for idx, dsc, req, rpy, sts, val in results:
            written = _written(req) if val is True else None
            shown = val if written is None else written
            if printing:
                sys.stdout.write(f"{_line(dsc, req, shown, sts)}\n")
            yield idx, dsc, req, rpy, sts, shown

    def results(self, operations: Operations, **keywords: Any) -> Iterator[Any]:
        """The values alone, None for a fault; keywords are those of `operate`."""
        for _, _, _, _, _, val in self.operate(operations, **keywords):
            yield val

    def process(self, operations: Operations, **keywords: Any) -> tuple[int, list[Any]]:
        """(failures, values): how many of the values are None, and all of them."""
        values = list(self.results(operations, **keywords))
        return sum(value is None for value in values), values

    # --- values by name -----------------------------------------------------------------------------------------

    def read_tag(self, tag: str, elements: int | None = None, timeout: float | None = None) -> Any:
        """The value of a tag: bool, int, float, str, a dict of members; a list for a range (`Tag[0-9]`) or `elements`.
        A structure that is not known is its bytes: `browse` first."""
        task = self._tasks.get((tag, elements or 0)) or self._remembered(tag, elements)
        deadline = self._deadline(timeout)
        reply = self.transact_until(task.first, deadline)
        value = task.quick(reply)
        return value if value is not SLOW else self._the_long_way(task, reply, deadline)

    def read_tags(self, tags: Iterable[str], timeout: float | None = None, checking: bool = True) -> list[Any]:
        """The values of many tags, in as few requests as they fit. The first fault is raised as a `TagError`; with
        `checking` False each is in the place of its value."""
        known = self._tasks
        tasks = (known.get((tag, 0)) or self._remembered(tag, None) for tag in tags)
        values = []
        for outcome in self.drive(tasks, multiple=True, timeout=timeout):
            if outcome.status:
                error = self._tag_error(outcome)
                if checking:
                    raise error
                values.append(error)
            else:
                values.append(outcome.value)
        return values

    def write_tag(self, tag: str, value: Any, type: str | int | None = None, timeout: float | None = None) -> None:
        """Writes a value, or a list of them from `tag` on. `type` (`"DINT"`) is asked of the controller when not given.

        A structure is a dict of all its members, or a dataclass of them; a string a str.
        """
        self.write_tags([(tag, value)], type, timeout)

    def write_tags(
        self,
        values: Mapping[str, Any] | Iterable[tuple[str, Any]],
        type: str | int | None = None,
        timeout: float | None = None,
    ) -> None:
        """Writes many tags, in as few requests as fit. When all are done, the first fault is raised, a `TagError`."""
        pairs = values.items() if isinstance(values, Mapping) else values
        operations = [self._write(tag, value, type) for tag, value in pairs]
        faults = []
        for outcome in self.drive(self._prepared(operations, False, 1), multiple=True, timeout=timeout):
            if outcome.status:
                faults.append(self._tag_error(outcome))
        if faults:
            raise faults[0]

    # --- within -------------------------------------------------------------------------------------------------

    def _prepared(self, operations: Operations, fragment: bool, depth: int) -> Iterator[Task]:
        means: Means | None = None
        for operation in operations:
            if means is None:  # when the first is asked for, it is known over what they go
                means = Means(self.known, self.message_limit(depth), fragment, self._kinds)
            if isinstance(operation, str):
                operation = parse_operation(operation)
            yield prepare(operation, means)  # type: ignore[arg-type]  # any mapping with the same keys

    def _remembered(self, tag: str, elements: int | None) -> Task:
        """The task of reading a tag, kept for the next time."""
        path, count, offset = parse_range(tag)
        many = elements or count or 1
        operation: Operation = {"method": READ, "path": path, "elements": many}
        if offset is not None:
            operation["offset"] = offset
        listed = elements is not None or (count is not None and count > 1) or offset is not None
        task = prepare(operation, Means(self.known, MESSAGE_LIMIT, False, self._kinds), single=not listed)
        if len(self._tasks) >= REMEMBERED:
            self._tasks.clear()
        self._tasks[tag, elements or 0] = task
        return task

    def _the_long_way(self, task: Task, reply: bytes, deadline: float | None) -> Any:
        """The value, by fragments or as the fault that it is."""
        try:
            with self.naming(task.tag):
                steps = task.steps()
                request = next(steps)
                while True:
                    request = steps.send(checked_reply(reply, request.service))
                    reply = self.transact_until(encode_request(request), deadline)
        except StopIteration as done:
            return done.value
        except CipError as exc:
            raise TagError(task.tag, self.host, self.port, exc) from exc

    def _write(self, tag: str, value: Any, type: str | int | None) -> Operation:
        path, count, offset = parse_range(tag)
        data = list(value) if isinstance(value, list | tuple) else [value]
        data = [as_members(item) for item in data]
        if offset is not None:
            raise LocalProtocolError(f"{tag!r}: a byte offset is for operations; name the element to begin with")
        if count is not None and count > 1 and len(data) != count:
            raise LocalProtocolError(f"{tag!r}: {len(data)} values where {count} were wanted")
        operation: Operation = {"method": WRITE, "path": path, "elements": len(data), "data": data}
        if type is not None:
            operation["tag_type"] = tag_type_code(kind_of(type, self.known))
        return operation

    def _tag_error(self, outcome: Outcome) -> TagError:
        fault = CipError(outcome.status, outcome.extended)
        return TagError(outcome.task.tag, self.host, self.port, fault)

    def _result(self, outcome: Outcome) -> Result:
        task = outcome.task
        first, reply, known = task.first, outcome.reply, self.known
        short = SHORT.get(first[0]) or SHORT[task.operation.get("method", READ)]
        dsc = f"{'Multi.' if outcome.multiple else 'Single'} {short}{task.tag}"
        sts: int | tuple[int, tuple[int, ...]] = outcome.status
        if outcome.extended:
            sts = (outcome.status, outcome.extended)
        req = latedict(lambda: _request_tree(task, known))
        rpy = latedict(lambda: reply_tree(reply, known))
        return outcome.idx, dsc, req, rpy, sts, outcome.value


def _request_tree(task: Task, known: Known) -> dict[str, Any]:
    operation = task.operation
    path = operation["path"]
    detail: dict[str, Any] = {}
    if operation.get("method", READ) in (READ, WRITE):
        detail["elements"] = operation.get("elements", 1)
    if operation.get("offset") is not None:
        detail["offset"] = operation.get("offset")
    if "data" in operation:
        detail["data"] = list(operation["data"])
        detail["type"] = operation.get("tag_type")
    tree = request_tree(task.first, parse_target(path) if isinstance(path, str) else path, known, **detail)
    return {"method": operation.get("method", READ), **tree}


def _written(req: dotdict) -> list[Any] | None:
    """The data of a request that writes."""
    for name in ("write_tag", "write_frag", "set_attribute_single"):
        if f"{name}.data" in req:
            return cast("list[Any]", req[f"{name}.data"])
    return None


def _line(dsc: str, req: dotdict, value: Any, sts: int | tuple[int, tuple[int, ...]]) -> str:
    """`SCADA[0-2] <= [1, 2, 3]: 'OK'`: what a result is, for people."""
    what = dsc.partition(" ")[2]
    for short in SHORT.values():
        what = what.removeprefix(short)
    sign = "<=" if _written(req) is not None else "=="
    status = "OK" if sts == SUCCESS else describe(*sts) if isinstance(sts, tuple) else describe(sts)
    return f"{what:>24} {sign} {value!r}: {status!r}"
