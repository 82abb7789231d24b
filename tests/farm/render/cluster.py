"""What a cluster would make of rendered objects: who reaches whom by the policies, and which pod a service leads to.

Policies are evaluated as https://kubernetes.io/docs/concepts/services-networking/network-policies/ has it: traffic
passes when the source's policies let it out and the target's let it in; a pod that no policy selects is open.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from farm.backends.kubernetes_manifests import Place
from farm.render.kubernetes import Rendered

Body = dict[str, Any]

EVERYBODY: Body = {}
PLACE = Place("brewery", "brewery", "plcfarm/node:test")


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod, or a client's: its labels and the namespace it is in."""

    labels: Mapping[str, str]
    namespace: str = "brewery"


@dataclass(slots=True)
class Cluster:
    """The objects of a rendered plant, by kind."""

    rendered: Rendered
    objects: dict[str, list[Body]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for documents in self.rendered.files.values():
            for _, body in documents:
                self.objects.setdefault(body["kind"], []).append(body)

    def named(self, kind: str, name: str) -> Body:
        """An object."""
        return next(body for body in self.objects[kind] if body["metadata"]["name"] == name)

    def service(self, node: str) -> Body:
        """The service of a node by its name in the plant."""
        return next(
            body
            for body in self.objects["Service"]
            if body["metadata"].get("annotations", {}).get("plcfarm/name") == node
        )

    def pod_of(self, node: str) -> Pod:
        """The pod that serves it."""
        pod = self.service(node)["spec"]["selector"]["statefulset.kubernetes.io/pod-name"]
        name, _, number = pod.rpartition("-")
        template = self.named("StatefulSet", name)["spec"]
        assert int(number) < template["replicas"]
        return Pod(template["template"]["metadata"]["labels"])

    def words(self, pod: str, part: str) -> list[str]:
        """What the cluster has the container of a pod do: its `command`, or a probe. Variables of the pod's fields are
        known to the command and to its files, and are nothing to probes (kubelet, ExpandContainerCommandOnlyStatic)."""
        container = self._container(pod)
        variables = {each["name"]: each.get("value", "") for each in container.get("env", ())}
        if part == "command":
            return _expanded(container["command"], variables | self._fields(pod))
        return _expanded(container[part]["exec"]["command"], variables)

    def files(self, pod: str) -> dict[str, str]:
        """What the container of a pod finds where: path to text."""
        found = {}
        [volume] = self._pod_spec(pod)["volumes"]
        data = self.named("ConfigMap", volume["configMap"]["name"])["data"]
        items = {each["key"]: each["path"] for each in volume["configMap"].get("items", ())} or {
            key: key for key in data
        }
        texts = {path: data[key] for key, path in items.items()}
        for mount in self._container(pod)["volumeMounts"]:
            if "subPathExpr" in mount:
                [path] = _expanded([mount["subPathExpr"]], self._fields(pod))
                found[mount["mountPath"]] = texts[path]
            else:
                found |= {f"{mount['mountPath']}/{path}": text for path, text in texts.items()}
        return found

    def pods(self) -> list[str]:
        """All pods by name."""
        sets = self.objects.get("StatefulSet", [])
        numbered = [
            f"{each['metadata']['name']}-{number}" for each in sets for number in range(each["spec"]["replicas"])
        ]
        return numbered + [each["metadata"]["name"] for each in self.objects.get("Pod", [])]

    def _pod_spec(self, pod: str) -> Body:
        if "Pod" in self.objects:
            return dict(self.named("Pod", pod)["spec"])
        return dict(self.named("StatefulSet", pod.rpartition("-")[0])["spec"]["template"]["spec"])

    def _container(self, pod: str) -> Body:
        [container] = self._pod_spec(pod)["containers"]
        return dict(container)

    def _fields(self, pod: str) -> dict[str, str]:
        fields = [each for each in self._container(pod).get("env", ()) if "valueFrom" in each]
        assert all(each["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.name"}} for each in fields)
        return {each["name"]: pod for each in fields}

    def reaches(self, source: Pod, node: str, port: int, protocol: str = "TCP") -> bool:
        """Whether somebody at the address of a node gets through to it."""
        target = self.pod_of(node)
        mapped = [
            each["targetPort"]
            for each in self.service(node)["spec"]["ports"]
            if (each["port"], each["protocol"]) == (port, protocol)
        ]
        return bool(mapped) and self._passes(source, target, mapped[0], protocol)

    def _passes(self, source: Pod, target: Pod, port: int, protocol: str) -> bool:
        leaving = [policy for policy in self._about(source) if "Egress" in policy["policyTypes"]]
        coming = [policy for policy in self._about(target) if "Ingress" in policy["policyTypes"]]
        out = not leaving or any(_allows(each["egress"], "to", target, port, protocol) for each in leaving)
        return out and (not coming or any(_allows(each["ingress"], "from", source, port, protocol) for each in coming))

    def _about(self, pod: Pod) -> list[Body]:
        policies = self.objects.get("NetworkPolicy", []) if pod.namespace == "brewery" else []
        return [each["spec"] for each in policies if _selects(each["spec"]["podSelector"], pod)]


def _expanded(words: Iterable[str], variables: Mapping[str, str]) -> list[str]:
    """With `$(NAME)` replaced; what is not known stays."""
    return [re.sub(r"\$\((\w+)\)", lambda found: variables.get(found[1], found[0]), word) for word in words]


def _allows(rules: Iterable[Body], peers: str, pod: Pod, port: int, protocol: str) -> bool:
    return any(
        (not rule.get("ports") or any(_is_port(each, port, protocol) for each in rule["ports"]))
        and any(
            peer == EVERYBODY
            or (_selects(peer["podSelector"], pod) and (pod.namespace == "brewery" or "namespaceSelector" in peer))
            for peer in rule.get(peers, [EVERYBODY])
        )
        for rule in rules
    )


def _is_port(each: Body, port: int, protocol: str) -> bool:
    return each["protocol"] == protocol and each["port"] <= port <= each.get("endPort", each["port"])


def _selects(selector: Body, pod: Pod) -> bool:
    return all(pod.labels.get(key) == value for key, value in selector["matchLabels"].items())
