"""A cluster's API on loopback: HTTP in front of `kubernetes_store`, with who may what, logs and commands in pods.

The one place where a fake must do: no release of Kubernetes can be had here. It answers from the real schemas.
"""

import ipaddress
import json
import re
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.backends import kubernetes_exec
from tests.backends.kubernetes_store import RESOURCES, Body, Refusal, Store, fits

TOKEN = "a-token"
USER = "system:serviceaccount:default:farmer"
PATH = re.compile(
    r"/(?:api/v1|apis/(?P<group>[a-z.0-9]+)/v1)/namespaces/(?P<namespace>[^/]+)/(?P<resource>[a-z]+)(?:/(?P<name>[^/]+)(?:/(?P<sub>log|exec))?)?"
)
VERBS = {"GET": "get", "POST": "create", "PUT": "update", "DELETE": "delete"}


class Api:
    """Serves a store from `start` to `close`. `denied` are (verb, resource) that nobody may; `execute` starts a command
    in a pod, `log` is what a pod printed."""

    def __init__(self, services: str) -> None:
        self.store = Store(ipaddress.IPv4Network(services))
        self.denied: set[tuple[str, str]] = set()
        self.seen: list[tuple[str, str]] = []
        """(method, path) of what was asked."""
        self.execute: Callable[[str, list[str]], subprocess.Popen[bytes]] | None = None
        self.log: Callable[[str], str] = lambda pod: ""
        self.before: Callable[[str, str], None] = lambda method, path: None
        """Called before each answer: what somebody else does, or a `Refusal`, or a connection that is lost."""
        self.token = TOKEN
        self.closed = threading.Event()
        api = self

        class Handler(_Handler):
            def __init__(self, *arguments: Any) -> None:
                self.api = api
                super().__init__(*arguments)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self.closed.set()
        with self.store.changed:
            self.store.changed.notify_all()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def kubeconfig(self, folder: Path, token: str = TOKEN) -> Path:
        """A file that leads here."""
        file = folder / "kubeconfig"
        body = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "lab",
            "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "me", "namespace": "default"}}],
            "clusters": [{"name": "lab", "cluster": {"server": self.url}}],
            "users": [{"name": "me", "user": {"token": token}}],
        }
        file.write_text(json.dumps(body))
        return file

    def admit(self, verb: str, resource: str, group: str, authorization: str) -> None:
        """Raises `Refusal` for who is nobody, or may not."""
        if authorization != f"Bearer {self.token}":
            raise Refusal(401, "Unauthorized")
        if (verb, resource) in self.denied:
            where = f'in API group "{group}" in the namespace "default"'
            name = f"{resource.partition('/')[0]}.{group}" if group else resource.partition("/")[0]
            raise Refusal(403, f'{name} is forbidden: User "{USER}" cannot {verb} resource "{resource}" {where}')


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    api: Api

    def log_message(self, *arguments: Any) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(size)) if size else {}
        split = urlsplit(self.path)
        query = parse_qs(split.query)
        self.api.seen.append((self.command, split.path))
        try:
            self.api.before(self.command, split.path)
            self._route(split.path, query, body)
        except Refusal as exc:
            self._send(exc.status, exc.code, exc.headers)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _route(self, path: str, query: dict[str, list[str]], body: Body) -> None:
        api, authorization = self.api, self.headers.get("Authorization", "")
        if path == "/version":
            api.admit("get", "version", "", authorization)
            self._send({"gitVersion": f"v{api.store.release}.0"})
            return
        if path.endswith("/selfsubjectaccessreviews"):
            asked = body["spec"]["resourceAttributes"]
            resource = "/".join(filter(None, (asked["resource"], asked["subresource"])))
            self._send({**body, "status": {"allowed": (asked["verb"], resource) not in api.denied}}, 201)
            return
        found = PATH.fullmatch(path)
        if found is None or found["resource"] not in RESOURCES:
            raise Refusal(404, "the server could not find the requested resource")
        if found["namespace"] != "default":
            raise Refusal(404, f'namespaces "{found["namespace"]}" not found')
        kind, group = RESOURCES[found["resource"]]
        name, sub, first = found["name"] or "", found["sub"] or "", {key: values[0] for key, values in query.items()}
        verb = "create" if sub == "exec" else VERBS[self.command]
        if verb == "get" and not name:
            verb = "watch" if "watch" in first else "list"
        api.admit(verb, f"{found['resource']}/{sub}" if sub else found["resource"], group, authorization)
        if sub == "exec":
            self._exec(name, query["command"])
        elif sub == "log":
            api.store.get(kind, name)
            self._send_text(_log_part(api.log(name), first))
        elif verb == "watch":
            self._watch(kind, first)
        else:
            self._object(verb, kind, name, first, body)

    def _object(self, verb: str, kind: str, name: str, query: dict[str, str], body: Body) -> None:
        store = self.api.store
        if verb == "list":
            items, version = store.listed(kind, query.get("labelSelector", ""))
            self._send({"kind": f"{kind}List", "metadata": {"resourceVersion": str(version)}, "items": items})
        elif verb == "get":
            self._send(store.get(kind, name))
        elif verb == "create":
            self._send(store.create(body, kind), 201)
        elif verb == "update":
            self._send(store.replace(body, kind, name))
        else:
            grace = body.get("gracePeriodSeconds")
            self._send(store.delete(kind, name, body.get("propagationPolicy", "Background"), grace))

    def _watch(self, kind: str, query: dict[str, str]) -> None:
        store, version = self.api.store, int(query.get("resourceVersion") or 0)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        late = time.monotonic() + float(query.get("timeoutSeconds", "inf"))
        while not self.api.closed.is_set() and time.monotonic() < late:
            with store.changed:
                if version < store.forgotten:
                    status = Refusal(410, "too old resource version", "Expired").status
                    self._chunk(json.dumps({"type": "ERROR", "object": status}).encode() + b"\n")
                    break
                events = store.since(version)
                if not events:
                    store.changed.wait(1.0)
                    continue
            for number, what, body in events:
                version = number
                if body["kind"] == kind and fits(body, query.get("labelSelector", "")):
                    self._chunk(json.dumps({"type": what, "object": body}).encode() + b"\n")
        self._chunk(b"")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def _exec(self, pod: str, command: list[str]) -> None:
        self.api.store.get("Pod", pod)
        assert self.api.execute is not None
        process = self.api.execute(pod, command)
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", kubernetes_exec.accept_key(self.headers["Sec-WebSocket-Key"]))
        self.send_header("Sec-WebSocket-Protocol", kubernetes_exec.PROTOCOL)
        self.end_headers()
        self.close_connection = True
        kubernetes_exec.serve(process, self.rfile, self._write)  # type: ignore[arg-type]

    def _write(self, data: bytes) -> None:
        self.wfile.write(data)
        self.wfile.flush()

    def _send(self, body: Body, code: int = 200, headers: Mapping[str, str] | None = None) -> None:
        data = json.dumps(body).encode()
        self.send_response(code)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _send_text(self, text: str) -> None:
        data = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _log_part(text: str, query: Mapping[str, str]) -> str:
    """The last `tailLines`, and of these the first `limitBytes`, as kubelets have it (pkg/kubelet/kuberuntime/logs)."""
    if "tailLines" in query:
        text = "".join(text.splitlines(keepends=True)[-int(query["tailLines"]) :])
    return text[: int(query["limitBytes"])] if "limitBytes" in query else text
