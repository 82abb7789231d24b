"""What a cluster's API would say of an object: the strict schemas of releases, as kubernetes-validate carries them, and
of the two kinds that are not its own what their documentation lists.

Each schema is read and made a validator once; `kubernetes_validate.validate` reads 1.8 MB for each object.
"""

import json
import re
from functools import cache
from typing import Any

import jsonschema
import kubernetes_validate
import referencing
from kubernetes_validate.utils import all_versions, major_minor, schema_contents

Body = dict[str, Any]

RELEASES = tuple(dict.fromkeys(major_minor(version) for version in all_versions()))[-3:]
"""The three newest."""

_TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
_META = {
    "type": "object",
    "required": ["name"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string"},
        "namespace": {"type": "string"},
        "labels": _TEXTS,
        "annotations": _TEXTS,
    },
}
_SUBNET = {"type": "string", "pattern": r"^[0-9a-f.:]+/[0-9]+$"}
_ADDRESS = {"type": "string", "pattern": r"^[0-9a-f.:]+$"}

DEFINITION = {
    "type": "object",
    "required": ["apiVersion", "kind", "metadata", "spec"],
    "additionalProperties": False,
    "properties": {
        "apiVersion": {"const": "k8s.cni.cncf.io/v1"},
        "kind": {"const": "NetworkAttachmentDefinition"},
        "metadata": _META,
        "spec": {
            "type": "object",
            "required": ["config"],
            "additionalProperties": False,
            "properties": {"config": {"type": "string"}},
        },
    },
}
"""https://github.com/k8snetworkplumbingwg/network-attachment-definition-client, artifacts/networks-crd.yaml."""

IPAM = {
    "type": "object",
    "required": ["type"],
    "additionalProperties": False,
    "properties": {
        "type": {"const": "static"},
        "routes": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["dst"],
                "additionalProperties": False,
                "properties": {"dst": _SUBNET, "gw": _ADDRESS},
            },
        },
    },
}
"""https://www.cni.dev/plugins/current/ipam/static/"""
_PLUGIN = {"mtu": {"type": "integer"}, "ipam": IPAM}
PLUGINS = {
    "macvlan": {**_PLUGIN, "master": {"type": "string"}, "mode": {"enum": ["bridge", "private", "vepa", "passthru"]}},
    "bridge": {**_PLUGIN, "bridge": {"type": "string"}},
    "tuning": {},
}
"""https://www.cni.dev/plugins/current/main/macvlan/, main/bridge/ and meta/tuning/"""
CONFIG = {
    "type": "object",
    "required": ["cniVersion", "name", "plugins"],
    "additionalProperties": False,
    "properties": {
        "cniVersion": {"const": "1.0.0"},
        "name": {"type": "string"},
        "plugins": {
            "type": "array",
            "items": {
                "oneOf": [
                    {
                        "type": "object",
                        "required": ["type", "capabilities"],
                        "additionalProperties": False,
                        "properties": {
                            "type": {"const": name},
                            "capabilities": {"type": "object", "additionalProperties": {"const": True}},
                            **fields,
                        },
                    }
                    for name, fields in PLUGINS.items()
                ]
            },
        },
    },
}
ATTACHMENTS = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["name", "ips"],
        "additionalProperties": False,
        "properties": {
            "name": {"type": "string"},
            "interface": {"type": "string", "maxLength": 15},
            "ips": {"type": "array", "items": _SUBNET},
            "mac": {"type": "string", "pattern": "^([0-9a-f]{2}:){5}[0-9a-f]{2}$"},
            "default-route": {"type": "array", "items": _ADDRESS},
        },
    },
}
"""The annotation of a pod: Network Plumbing Working Group, multi-network specification 1.3, 4.1.2."""
KUSTOMIZATION = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "apiVersion": {"const": "kustomize.config.k8s.io/v1beta1"},
        "kind": {"const": "Kustomization"},
        "namespace": {"type": "string"},
        "resources": {"type": "array", "items": {"type": "string"}},
    },
}
"""https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/, of which no more is used."""

_OTHERS = {"NetworkAttachmentDefinition": DEFINITION, "Kustomization": KUSTOMIZATION}
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,251}[a-z0-9])?")
_SERVICE = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
_PORT = re.compile(r"[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?")
_LABEL_KEY = re.compile(r"([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?")
_MIB = 1 << 20
_ANNOTATIONS = 256 << 10
"""Bytes of all annotations of an object."""


class Misfit(Exception):
    """What is wrong with an object, and at which `field` (`spec.clusterIp`)."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


def check(body: Body, release: str) -> None:
    """Raises `Misfit` for what the API of a release would not take: by its schema, and by the rules of names, labels
    and sizes that no schema has."""
    _fit(validator(str(body.get("kind")), str(body.get("apiVersion")), release), body)
    check_rules(body)


def check_rules(body: Body) -> None:
    """The same without a schema."""
    if body["kind"] == "Kustomization":
        return
    meta = body["metadata"]
    name = meta.get("name", "")
    if not (_SERVICE if body["kind"] == "Service" else _NAME).fullmatch(name):
        raise Misfit("metadata.name", f"Invalid value: {name!r}: a lowercase RFC 1123 subdomain")
    if body["kind"] == "StatefulSet" and len(name) > 52:
        said = f"{name}-0123456789: must be no more than 63 characters"  # of each pod, whose set makes none then
        raise Misfit("spec.template.metadata.labels", f"controller-revision-hash: Invalid value: {said}")
    for port in body["spec"].get("ports", []) if body["kind"] == "Service" else []:
        if not _PORT.fullmatch(port.get("name", "a")):
            raise Misfit("spec.ports.name", f"Invalid value: {port['name']!r}: must be no more than 15 characters")
    for labels in _label_maps(body):
        for key, value in labels.items():
            if not _LABEL_KEY.fullmatch(key) or not _LABEL_VALUE.fullmatch(value):
                raise Misfit("metadata.labels", f"Invalid value: {key!r}: {value!r}")
    if sum(len(text.encode()) for text in body.get("data", {}).values()) > _MIB:
        raise Misfit("data", f"Too long: may not be more than {_MIB} bytes")
    if body["kind"] == "NetworkAttachmentDefinition":
        _fit(jsonschema.Draft202012Validator(CONFIG), json.loads(body["spec"]["config"]))
    attachments = meta.get("annotations", {}).get("k8s.v1.cni.cncf.io/networks")
    if attachments is not None:
        _fit(jsonschema.Draft202012Validator(ATTACHMENTS), json.loads(attachments))


def check_applied(body: Body) -> None:
    """Raises `Misfit` for what plain `kubectl apply` cannot keep in the annotation by which it finds what changed."""
    kept = len(json.dumps(body, separators=(",", ":")))
    if kept + len("kubectl.kubernetes.io/last-applied-configuration") > _ANNOTATIONS:
        raise Misfit("metadata.annotations", f"Too long: must have at most {_ANNOTATIONS} bytes")


@cache
def validator(kind: str, version: str, release: str) -> jsonschema.Draft202012Validator:
    """What an object of a kind has to fit. Raises `Misfit` for a kind that a release does not have."""
    if kind in _OTHERS:
        return jsonschema.Draft202012Validator(_OTHERS[kind])
    folder = f"kubernetes-json-schema/v{release}.0-local-strict"
    short = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", version)
    try:
        schema = schema_contents(f"{folder}/{kind.lower()}-{short}.json", release)
    except FileNotFoundError as exc:
        raise Misfit("kind", f"no matches for kind {kind!r} in version {version!r}") from exc
    registry = referencing.Resource.from_contents(schema) @ _definitions(release)
    return jsonschema.Draft202012Validator(schema, registry=registry)


@cache
def _definitions(release: str) -> Any:
    folder = f"kubernetes-json-schema/v{release}.0-local-strict"
    contents = schema_contents(f"{folder}/_definitions.json", release)
    registry: Any = referencing.Resource.from_contents(contents) @ referencing.Registry()
    return registry


def check_as_published(body: Body, release: str) -> None:
    """The same schema by the package's own door. Raises its `ValidationError`."""
    kubernetes_validate.validate(body, release, strict=True)


def _fit(by: jsonschema.Draft202012Validator, body: Any) -> None:
    error = jsonschema.exceptions.best_match(by.iter_errors(body))
    if error is not None:
        raise Misfit(".".join(map(str, error.absolute_path)) or "body", error.message[:300])


def _label_maps(body: Body) -> list[dict[str, str]]:
    found = [body.get("metadata", {}).get("labels", {})]
    template = body.get("spec", {}).get("template") if body["kind"] == "StatefulSet" else None
    return [*found, template["metadata"]["labels"]] if template else found
