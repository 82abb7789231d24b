"""The objects of a cluster that is none: kept by kind and name, checked by the real schemas, with versions and watches.

What it refuses it words as Kubernetes does (pkg/registry, apimachinery/pkg/api/errors).
"""

import base64
import copy
import ipaddress
import itertools
import re
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.backends.kubernetes_schemas import RELEASES, Misfit, check

Body = dict[str, Any]
Key = tuple[str, str]

RESOURCES = {
    "configmaps": ("ConfigMap", ""),
    "networkpolicies": ("NetworkPolicy", "networking.k8s.io"),
    "pods": ("Pod", ""),
    "secrets": ("Secret", ""),
    "services": ("Service", ""),
    "statefulsets": ("StatefulSet", "apps"),
}
RESOURCE_OF = {kind: resource for resource, (kind, _) in RESOURCES.items()}
CAUSES = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    409: "AlreadyExists",
    422: "Invalid",
}


class Refusal(Exception):
    """An answer that is no object."""

    def __init__(
        self,
        code: int,
        message: str,
        reason: str = "",
        causes: tuple[tuple[str, str], ...] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.headers = headers or {}
        self.status = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "reason": reason or CAUSES.get(code, "InternalError"),
            "details": {"causes": [{"field": name, "message": text} for name, text in causes]},
            "code": code,
        }


@dataclass
class Store:
    """One namespace, with addresses of services out of `services`."""

    services: ipaddress.IPv4Network
    release: str = RELEASES[-1]
    objects: dict[Key, Body] = field(default_factory=dict)
    events: list[tuple[int, str, Body]] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)
    forgotten: int = 0
    """The version before which nobody can watch any more."""
    _versions: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def version(self) -> int:
        """Of the last change."""
        return self.events[-1][0] if self.events else 0

    def get(self, kind: str, name: str) -> Body:
        with self.changed:
            found = self.objects.get((kind, name))
            if found is None:
                raise Refusal(404, f'{_full(kind)} "{name}" not found')
            return copy.deepcopy(found)

    def listed(self, kind: str, selector: str) -> tuple[list[Body], int]:
        with self.changed:
            found = [body for (each, _), body in sorted(self.objects.items()) if each == kind and fits(body, selector)]
            return copy.deepcopy(found), self.version

    def seen(self, kind: str) -> list[Body]:
        """All of a kind, to look at: the store replaces objects and changes none."""
        with self.changed:
            return [body for (each, _), body in sorted(self.objects.items()) if each == kind]

    def create(self, body: Body, kind: str) -> Body:
        name = body.get("metadata", {}).get("name", "")
        with self.changed:
            self._check(body, kind, name)
            if (kind, name) in self.objects:
                raise Refusal(409, f'{_full(kind)} "{name}" already exists')
            made = copy.deepcopy(body)
            made["metadata"] |= {"uid": str(uuid.uuid4()), "namespace": "default"}
            if kind == "Service":
                self._give_address(made, name)
            _take_in(made)
            self._note("ADDED", kind, made)
            return copy.deepcopy(made)

    def replace(self, body: Body, kind: str, name: str) -> Body:
        with self.changed:
            self._check(body, kind, name)
            found = self.objects.get((kind, name))
            if found is None:
                raise Refusal(404, f'{_full(kind)} "{name}" not found')
            if body["metadata"].get("resourceVersion") not in (None, found["metadata"]["resourceVersion"]):
                said = "the object has been modified; please apply your changes to the latest version and try again"
                raise Refusal(409, f'Operation cannot be fulfilled on {_full(kind)} "{name}": {said}', "Conflict")
            made = copy.deepcopy(body)
            made["metadata"] |= {"uid": found["metadata"]["uid"], "namespace": "default"}
            if kind == "Service":
                before = found["spec"]["clusterIP"]
                if made["spec"].setdefault("clusterIP", before) != before:
                    said = f'Invalid value: ["{made["spec"]["clusterIP"]}"]: may not change once set'
                    raise _invalid(kind, name, "spec.clusterIPs", said)
            _take_in(made)
            self._note("MODIFIED", kind, made)
            return copy.deepcopy(made)

    def change(self, kind: str, name: str, how: Callable[[Body], None]) -> None:
        """Something of the cluster's own changes an object, if it is there."""
        with self.changed:
            found = self.objects.get((kind, name))
            if found is not None:
                made = copy.deepcopy(found)
                how(made)
                self._note("MODIFIED", kind, made)

    def delete(self, kind: str, name: str, policy: str = "Background", grace: int | None = None) -> Body:
        """A pod goes when its kubelet has ended it, but without a grace at once; what a set owns goes with it, unless
        it is to be orphaned."""
        with self.changed:
            found = self.get(kind, name)
            if kind == "Pod" and grace != 0:
                seconds = found["spec"].get("terminationGracePeriodSeconds", 30) if grace is None else grace
                self.change(kind, name, lambda body: body["metadata"].update(deletion(seconds)))
                return found
            if policy != "Orphan":
                for (each, owned), body in list(self.objects.items()):
                    owners = [owner["uid"] for owner in body["metadata"].get("ownerReferences", [])]
                    if found["metadata"]["uid"] in owners:
                        self.delete(each, owned, policy)
            self.forget(kind, name)
            return found

    def forget(self, kind: str, name: str) -> None:
        """It is gone."""
        with self.changed:
            found = self.objects.pop((kind, name), None)
            if found is not None:
                self._tell("DELETED", found)

    def compact(self) -> None:
        """Nobody is told any more of what was before."""
        with self.changed:
            self.forgotten = self.version
            self.changed.notify_all()

    def since(self, version: int) -> list[tuple[int, str, Body]]:
        return [event for event in self.events if event[0] > version]

    def _note(self, what: str, kind: str, body: Body) -> None:
        self.objects[kind, body["metadata"]["name"]] = body
        self._tell(what, body)

    def _tell(self, what: str, body: Body) -> None:
        number = next(self._versions)
        body["metadata"]["resourceVersion"] = str(number)
        self.events.append((number, what, copy.deepcopy(body)))
        self.changed.notify_all()

    def _check(self, body: Body, kind: str, name: str) -> None:
        plain = {**body, "metadata": dict(body.get("metadata", {}))}
        try:
            check(plain, self.release)
        except Misfit as exc:
            unknown = re.search(r"\('(\w+)' (?:was|were) unexpected\)", exc.message)
            if unknown is not None:
                path = ".".join(part for part in (exc.field, unknown[1]) if part != "body")
                said = f'strict decoding error: unknown field "{path}"'
                raise Refusal(
                    400, f'{kind} in version "{body["apiVersion"]}" cannot be handled as a {kind}: {said}'
                ) from exc
            raise _invalid(kind, name, exc.field, exc.message) from exc

    def _give_address(self, body: Body, name: str) -> None:
        taken = {each["spec"].get("clusterIP") for (kind, _), each in self.objects.items() if kind == "Service"}
        wanted = body["spec"].get("clusterIP")
        if wanted in (None, ""):
            free = (str(each) for each in reversed(list(self.services.hosts())))
            body["spec"]["clusterIP"] = next(each for each in free if each not in taken)
        elif wanted != "None":
            if ipaddress.IPv4Address(wanted) not in self.services:
                said = (
                    f"the provided IP ({wanted}) is not in the valid range. The range of valid IPs is {self.services}"
                )
                raise _invalid(
                    "Service",
                    name,
                    "spec.clusterIPs",
                    f'Invalid value: ["{wanted}"]: failed to allocate IP {wanted}: {said}',
                )
            if wanted in taken:
                said = f"failed to allocate IP {wanted}: provided IP is already allocated"
                raise _invalid("Service", name, "spec.clusterIPs", f'Invalid value: ["{wanted}"]: {said}')


def deletion(seconds: int) -> Body:
    """What stands on an object that is to go."""
    return {"deletionTimestamp": "2026-01-01T00:00:00Z", "deletionGracePeriodSeconds": seconds}


def fits(body: Body, selector: str) -> bool:
    """Whether an object has the labels `a=b,c` of a selector."""
    labels = body["metadata"].get("labels", {})
    for part in filter(None, selector.split(",")):
        key, equals, value = part.partition("=")
        if key not in labels or (equals and labels[key] != value):
            return False
    return True


def _take_in(body: Body) -> None:
    """What is written as text in a Secret is kept in base64."""
    for key, text in body.pop("stringData", {}).items():
        body.setdefault("data", {})[key] = base64.b64encode(text.encode()).decode()


def _full(kind: str) -> str:
    resource = RESOURCE_OF[kind]
    group = RESOURCES[resource][1]
    return f"{resource}.{group}" if group else resource


def _invalid(kind: str, name: str, place: str, said: str) -> Refusal:
    return Refusal(422, f'{kind} "{name}" is invalid: {place}: {said}', causes=((place, said),))
