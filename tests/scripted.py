"""A CodeVF API on loopback whose answers a test scripts, byte for byte."""

import itertools
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from codevf_nb.accounts.settings import Account
from codevf_nb.ledger import Store
from codevf_nb.sdk.secret import Secret
from codevf_nb.session import Session

KEY = "cvf_test_abcdefghijklmnop"
TAGS = [{"id": 1, "name": "engineer", "costMultiplier": 1, "isActive": True}]
Reply = tuple[int, bytes]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "Scripted"

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.split("/api/v1/")[-1]
        self.server.log.append((self.command, path))
        status, data = self.server.reply(self.command, path, json.loads(body) if body else {})
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = answer  # noqa: N815 - the names are http.server's

    def log_message(self, *_: object) -> None:
        pass


class Scripted(ThreadingHTTPServer):
    """Set ``on[PATH]`` to what answers a path; ``tasks`` are the tasks that it has."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/api/v1/"
        self.log: list[tuple[str, str]] = []
        self.tasks: dict[str, dict[str, Any]] = {}
        self.on: dict[str, Callable[[dict[str, Any]], Any]] = {}
        self._numbers = itertools.count(1)
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def sent(self) -> int:
        """How many questions have come."""
        return sum(path == "tasks/create" for _, path in self.log)

    def reply(self, method: str, path: str, body: dict[str, Any]) -> Reply:
        said = self.on[path](body) if path in self.on else self._usual(method, path, body)
        if isinstance(said, tuple):
            return said
        return 200, said if isinstance(said, bytes) else json.dumps(said).encode()

    def _usual(self, method: str, path: str, body: dict[str, Any]) -> Any:
        if path == "tasks/create":
            task = {"id": f"task_{next(self._numbers)}", "status": "pending", "mode": body["mode"]}
            self.tasks[task["id"]] = task
            return task
        if method == "GET" and path.removeprefix("tasks/") in self.tasks:
            return self.tasks[path.removeprefix("tasks/")]
        usual = {
            "tags": {"tags": TAGS},
            "credits/balance": {"available": 10_000, "onHold": 0, "total": 10_000},
            "projects/create": {"id": 7, "name": body.get("name")},
        }
        return usual.get(path) or (404, b'{"error": {"code": "not_found", "message": "no"}}')

    def session(self, store: Store) -> Session:
        """Return a session on it that polls only when a test says so."""
        account = Account("test-1", "test", self.url, Secret(KEY), "a test", self.url, requests_per_second=None)
        session = Session(account, store)
        session.watcher.stop()
        session.client._transport.sleep = lambda _: None
        return session

    def close(self) -> None:
        """End it."""
        self.shutdown()
        self.server_close()
