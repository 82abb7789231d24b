"""A cluster's API as the rest of the backend sees it: objects as plain data, and every refusal one clear line.

The official client reads kubeconfig files and pods' own accounts, and knows all ways to say who one is. What it sends
and gets stays as it is, without its models, so that a field nobody knows is the server's to refuse. It is made when it
is first needed.
"""

import contextlib
import json
import os
import re
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kubernetes.client import ApiClient
from kubernetes.client.configuration import Configuration
from kubernetes.client.exceptions import ApiException
from kubernetes.config import ConfigException, load_incluster_config, load_kube_config
from kubernetes.config.kube_config import list_kube_config_contexts
from kubernetes.stream import ws_client
from urllib3.exceptions import HTTPError, ProtocolError

from farm.backends import kubernetes_names as names
from farm.backends.kubernetes_pods import Body
from farm.errors import BackendError

KINDS = {
    "ConfigMap": "/api/v1/namespaces/{namespace}/configmaps",
    "NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies",
    "Pod": "/api/v1/namespaces/{namespace}/pods",
    "Secret": "/api/v1/namespaces/{namespace}/secrets",
    "Service": "/api/v1/namespaces/{namespace}/services",
    "StatefulSet": "/apis/apps/v1/namespaces/{namespace}/statefulsets",
}
"""What a farm makes in a cluster, and where."""
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
RIGHTS = (
    *(("create", "", resource) for resource in ("configmaps", "pods/exec", "secrets", "services")),
    ("create", "apps", "statefulsets"),
    ("create", "networking.k8s.io", "networkpolicies"),
    ("delete", "", "pods"),
    ("delete", "apps", "statefulsets"),
    ("get", "", "pods/exec"),
    ("get", "", "pods/log"),
    ("watch", "apps", "statefulsets"),
)
"""(verb, API group, resource) of what a farm does, the most telling of it. A command in a pod is a GET that becomes a
WebSocket: older clusters ask for the right to `get` it, newer ones for `create`."""
STRICT = [("fieldValidation", "Strict")]
"""A field that the server does not know is an error, and not left out."""
TIMEOUT = (5.0, 30.0)
"""Seconds for a connection and for an answer."""
TRIES = 5
"""Of what a server has no time for, a question whose answer was lost, a change that another came before."""
AGAIN, LONGEST_WAIT = 0.5, 10.0
"""Seconds between two of them, and at most, where the server says how many."""
TROUBLED = (500, 502, 503, 504)
WATCH_SECONDS = 300
CONNECTIONS = 32
LOG_LINES = 10_000
LINE = 300
"""Characters of a server's words that are passed on."""
FORBIDDEN = re.compile(r'User "(?P<who>[^"]+)" cannot (?P<verb>\w+) resource "(?P<on>[^"]+)"')
ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
"""Where a pod reads which namespace it is in."""


class Cluster:
    """One namespace of the cluster that a kubeconfig's `context` names, "" for its current one; of the cluster that
    this process runs in where there is no kubeconfig."""

    def __init__(self, context: str = "", namespace: str = "") -> None:
        self._context = context
        self._namespace = namespace
        self._lock = threading.Lock()
        self._client: ApiClient | None = None

    @property
    def namespace(self) -> str:
        """Where the farm's objects are: the context's, else `default`."""
        self._connected()
        return self._namespace

    @property
    def context(self) -> str:
        """The kubeconfig's context, "" in a pod."""
        self._connected()
        return self._context

    @property
    def server(self) -> str:
        """Where its API is."""
        return str(self._connected().configuration.host)

    def get(self, kind: str, name: str) -> Body | None:
        """An object, None where there is none."""
        try:
            return self._json("GET", self._path(kind, name), name, "observe")
        except Refused as exc:
            if exc.status == 404:
                return None
            raise

    def all(self, kind: str, labels: Mapping[str, str]) -> list[Body]:
        """All objects of a kind that have these labels."""
        return self.listed(kind, labels)[0]

    def listed(self, kind: str, labels: Mapping[str, str]) -> tuple[list[Body], str]:
        """The same, and the version from which a watch goes on."""
        found = self._json("GET", self._path(kind), kind, "observe", query=[("labelSelector", _selector(labels))])
        return list(found["items"]), str(found["metadata"]["resourceVersion"])

    def create(self, body: Body) -> Body:
        """Makes an object. Raises `Refused`, which `exists` where there is one of that name."""
        return self._json("POST", self._path(body["kind"]), body["metadata"]["name"], "create", query=STRICT, body=body)

    def put(self, body: Body) -> Body:
        """Makes an object, in place of one of ours that is there, whoever changes it meanwhile."""
        for left in reversed(range(TRIES)):
            try:
                return self._put_once(body)
            except Refused as exc:
                if not exc.exists or not left:
                    raise
        raise AssertionError(TRIES)

    def delete(self, kind: str, name: str, grace: float | None = None) -> None:
        """Takes an object away with what it made; not an error when it is gone."""
        options: Body = {"propagationPolicy": "Background"}
        if grace is not None:
            options["gracePeriodSeconds"] = max(0, round(grace))
        try:
            self._json("DELETE", self._path(kind, name), name, "delete", body=options)
        except Refused as exc:
            if exc.status != 404:
                raise

    def log(self, pod: str, limit: int) -> str:
        """What a pod's container printed last, `limit` bytes at most. The API's own limit is of its first ones."""
        with self._told(pod, "logs"):
            response = self._call("GET", f"{self._path('Pod', pod)}/log", query=[("tailLines", LOG_LINES)])
            return bytes(response.data)[-limit:].decode(errors="replace")

    def watch(self, kind: str, labels: Mapping[str, str], version: str) -> Iterator[tuple[str, Body]]:
        """(ADDED, MODIFIED or DELETED, object) from `version` on, until the server ends it. Raises `BackendError`; an
        `ERROR` says that the version is too old."""
        query = [("watch", "1"), ("labelSelector", _selector(labels)), ("resourceVersion", version)]
        with self._told(kind, "watch"):
            response = self._call(
                "GET", self._path(kind), query=[*query, ("timeoutSeconds", WATCH_SECONDS)], stream=True
            )
            try:
                for line in _lines(response):
                    event = json.loads(line)
                    yield event["type"], event["object"]
            finally:
                response.close()  # first: what was not read is nobody's answer
                response.release_conn()

    def run_in(self, pod: str, command: list[str]) -> ws_client.WSClient:
        """The standard input and output of a command in a pod. Raises `BackendError`."""
        query = [("command", word) for word in command]
        query += [(stream, "true") for stream in ("stdin", "stdout", "stderr")]
        with self._told(pod, "exec"):
            client = self._connected()
            method, url, headers, *_ = client.param_serialize(
                method="GET",
                resource_path=f"{self._path('Pod', pod)}/exec",
                query_params=query,
                header_params={},
                auth_settings=["BearerToken"],
            )
            options = {"headers": headers, "_preload_content": False, "binary": True, "capture_all": False}
            try:
                made = ws_client.websocket_call(client.configuration, method, url, **options)
            except ApiException as exc:
                refusal = _of_handshake(exc)
                if refusal.status == 401:
                    self._forget(client)
                raise refusal from exc
            assert isinstance(made, ws_client.WSClient)
            if hasattr(socket, "TCP_USER_TIMEOUT"):  # a way that is cut says nothing
                made.sock.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(TIMEOUT[1] * 1000))
            return made

    def version(self) -> str:
        """What the cluster calls its release."""
        return str(self._json("GET", "/version", "kubernetes", "observe")["gitVersion"])

    def missing_rights(self) -> list[str]:
        """What a farm does and this user may not, as `create pods/exec`."""
        missing = []
        for verb, group, resource in RIGHTS:
            attributes = {"namespace": self.namespace, "verb": verb, "group": group}
            attributes["resource"], _, attributes["subresource"] = resource.partition("/")
            body = {
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": attributes},
            }
            answer = self._json("POST", REVIEWS, "kubernetes", "observe", body=body)
            if not answer["status"]["allowed"]:
                missing.append(f"{verb} {resource}")
        return missing

    def check_ours(self, wanted: Body, found: Body) -> None:
        """Raises `BackendError` when what is there belongs to nobody or to somebody else."""
        run, own = (body["metadata"].get("labels", {}).get(names.RUN) for body in (wanted, found))
        if run != own:
            name = wanted["metadata"]["name"]
            raise BackendError(name, "create", f"there is a {wanted['kind']} {name} which is not this farm's")

    def close(self) -> None:
        """Hangs up."""
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None

    def _put_once(self, body: Body) -> Body:
        kind, name = body["kind"], body["metadata"]["name"]
        found = self.get(kind, name)
        if found is None:
            return self.create(body)
        self.check_ours(body, found)
        body = {**body, "metadata": {**body["metadata"], "resourceVersion": found["metadata"]["resourceVersion"]}}
        return self._json("PUT", self._path(kind, name), name, "replace", query=STRICT, body=body)

    def _path(self, kind: str, name: str = "") -> str:
        path = KINDS[kind].format(namespace=self.namespace)
        return f"{path}/{name}" if name else path

    def _json(
        self, method: str, path: str, name: str, operation: str, *, query: Any = None, body: Body | None = None
    ) -> Body:
        with self._told(name, operation):
            found: Body = json.loads(self._call(method, path, query=query, body=body).data)
            return found

    def _call(
        self, method: str, path: str, *, query: Any = None, body: Body | None = None, stream: bool = False
    ) -> Any:
        """urllib3's response. What a server has no time for is asked again, and a question whose answer was lost; once
        it is asked as whoever the kubeconfig says by now. Raises what the client raises."""
        renewed = False
        for left in reversed(range(TRIES)):
            client = self._connected()
            try:
                return self._call_once(client, method, path, query=query, body=body, stream=stream)
            except ApiException as exc:
                wait = _wait_for(exc, method)
                if exc.status == 401 and not renewed:
                    renewed, wait = True, 0.0
                    self._forget(client)
                if wait is None or not left:
                    raise
            except ProtocolError:
                wait = AGAIN
                if method != "GET" or not left:
                    raise
            time.sleep(wait)
        raise AssertionError(TRIES)

    def _call_once(
        self, client: ApiClient, method: str, path: str, *, query: Any, body: Body | None, stream: bool
    ) -> Any:
        request = client.param_serialize(
            method=method,
            resource_path=path,
            query_params=query or [],
            header_params={"Accept": "application/json", "Content-Type": "application/json"},
            body=body,
            auth_settings=["BearerToken"],
        )
        timeout = (TIMEOUT[0], WATCH_SECONDS + TIMEOUT[1]) if stream else TIMEOUT
        answer = client.call_api(*request, _request_timeout=timeout)
        if not 200 <= answer.status <= 299:
            answer.read()
            raise ApiException.from_response(http_resp=answer, body=answer.data.decode(errors="replace"), data=None)
        if not stream:
            answer.read()
            return answer
        return answer.response

    def _forget(self, client: ApiClient) -> None:
        """Tokens and certificates end, and a kubeconfig is written anew."""
        with self._lock:
            if self._client is client:
                self._client = None

    def _connected(self) -> ApiClient:
        with self._lock:
            if self._client is None:
                self._client = self._connect()
            return self._client

    def _connect(self) -> ApiClient:
        configuration = Configuration()
        configuration.connection_pool_maxsize = CONNECTIONS
        configuration.retries = False
        configuration.keep_alive = True
        cure = "set KUBECONFIG; `kubectl config get-contexts` lists them"
        try:
            try:
                self._by_kubeconfig(configuration)
            except ConfigException as exc:
                if self._context:
                    raise
                self._in_pod(configuration, exc)
        except ConfigException as exc:
            raise BackendError("kubernetes", "connect", f"no cluster is named ({one_line(str(exc))}): {cure}") from exc
        except BackendError:
            raise
        except Exception as exc:  # whatever a file that is no kubeconfig comes to in the client
            why = f"the kubeconfig cannot be used ({type(exc).__name__}: {one_line(str(exc))}): {cure}"
            raise BackendError("kubernetes", "connect", why) from exc
        return ApiClient(configuration)

    def _by_kubeconfig(self, configuration: Configuration) -> None:
        """The cluster that a file names. Raises `ConfigException`, and for a damaged file anything."""
        file = os.environ.get("KUBECONFIG") or None  # the client itself asks once, when it is imported
        contexts, current = list_kube_config_contexts(file)
        chosen = next((each for each in contexts if each["name"] == self._context), None)
        if self._context and chosen is None:
            raise BackendError("kubernetes", "connect", f"no context {self._context!r} in the kubeconfig")
        chosen = chosen or current
        load_kube_config(file, chosen["name"], configuration, persist_config=False)
        self._context = chosen["name"]
        self._namespace = self._namespace or chosen["context"].get("namespace", "default")

    def _in_pod(self, configuration: Configuration, first: Exception) -> None:
        """The cluster that this process is a pod of. Raises `ConfigException`, the `first` one where it is none."""
        try:
            load_incluster_config(client_configuration=configuration)
        except ConfigException:
            raise first from None
        if not self._namespace:
            with contextlib.suppress(OSError):
                self._namespace = ACCOUNT.read_text().strip()
        self._namespace = self._namespace or "default"

    @contextlib.contextmanager
    def _told(self, name: str, operation: str) -> Iterator[None]:
        """Turns what is refused inside into a `BackendError` about `name`."""
        try:
            yield
        except ApiException as exc:
            raise Refused(name, operation, exc) from exc
        except (HTTPError, OSError, ValueError) as exc:
            host = self._client.configuration.host if self._client is not None else "?"
            raise BackendError(name, operation, f"no API answers at {host}: {one_line(str(exc))}") from exc


class Refused(BackendError):
    """What an API answered instead of doing it; `status` is HTTP's, 0 where it did not get so far."""

    def __init__(self, name: str, operation: str, exc: ApiException) -> None:
        self.status = int(exc.status or 0)
        super().__init__(name, operation, explain(self.status, str(exc.body or exc.reason or "")))

    @property
    def exists(self) -> bool:
        """Whether there is an object of that name already."""
        return self.status == 409


def _of_handshake(exc: ApiException) -> ApiException:
    """What an API answered instead of giving a command's streams; its client makes one text of all that came, with the
    time of day in it."""
    cause = exc.__context__
    body = getattr(cause, "resp_body", None) or b""
    status = int(getattr(cause, "status_code", None) or exc.status or 0)
    return ApiException(status=status, reason=str(exc.reason), body=body.decode(errors="replace") or None)


def _wait_for(exc: ApiException, method: str) -> float | None:
    """Seconds after which it may be asked again; None where that was the answer."""
    status = int(exc.status or 0)
    said = str((exc.headers or {}).get("Retry-After", ""))
    if status == 429 or (status in TROUBLED and (said or method == "GET")):
        return min(float(said), LONGEST_WAIT) if said.isdecimal() else AGAIN
    return None


def explain(status: int, body: str) -> str:
    """What an API's answer means, in a line, with what to do where that is known."""
    try:
        said = json.loads(body)
        message, details = str(said.get("message", "")), said.get("details") or {}
    except (ValueError, AttributeError):
        message, details = body, {}
    if status == 401:
        return "the cluster does not know who you are (401): log in again, or renew the kubeconfig"
    if status == 403:
        found = FORBIDDEN.search(message)
        if found is not None:
            who, verb, what = found["who"], found["verb"], found["on"]
            return f"{who} may not {verb} {what} there (403): a Role with verb {verb} on {what} is missing"
        return f"refused (403): {one_line(message)}"
    if status == 409:
        return f"in the way (409): {one_line(message)}"
    if status == 422:
        causes = [f"{cause.get('field')}: {cause.get('message')}" for cause in details.get("causes", [])]
        return f"the cluster does not take it (422): {one_line('; '.join(causes) or message)}"
    return f"{one_line(message) or 'no reason given'} ({status})" if status else one_line(message)


def one_line(text: str) -> str:
    """`text` without line breaks, cut where it gets long."""
    line = " ".join(text.split())
    return line if len(line) <= LINE else f"{line[:LINE]} …"


def _selector(labels: Mapping[str, str]) -> str:
    return ",".join(f"{key}={value}" if value else key for key, value in labels.items())


def _lines(response: Any) -> Iterator[bytes]:
    pending = b""
    for part in response.stream(amt=None, decode_content=False):
        *lines, pending = (pending + part).split(b"\n")
        yield from (line for line in lines if line.strip())
