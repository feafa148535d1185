"""A service on loopback that takes its time, and answers each question with the question's own last word."""

import contextlib
import itertools
import json
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from codevf_nb.accounts.settings import Account

PROMPT = "Is this cell right? "


@dataclass
class SlowService:
    """``asked`` are the prompts of all requests that create a task; ``answers``: at once, or never."""

    seconds: float
    answers: bool
    base_url: str = ""
    asked: list[str] = field(default_factory=list)
    tasks: dict[str, Any] = field(default_factory=dict)
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    @property
    def account(self) -> Account:
        """An account with no limit on requests."""
        return Account("sandbox", "sandbox", self.base_url, "cvf_test_0123456789abcdef", "a test", "sandbox", None)

    def create(self, body: Any) -> Any:
        self.asked.append(body["prompt"])
        time.sleep(self.seconds * random.random())
        task = {"id": f"task_{next(self.numbers)}", "status": "pending"}
        self.tasks[task["id"]] = task
        if self.answers:
            self.answer(task["id"], f"answer to {body['prompt'].split()[-1]}")
        return task

    def answer(self, task_id: str, message: str) -> None:
        """Have a task completed."""
        self.tasks[task_id].update(status="completed", creditsUsed=1, result={"message": message})

    def says(self, path: str, body: Any) -> Any:
        last = path.rpartition("/")[2]
        if path.endswith("tasks/create"):
            return self.create(body)
        if path.endswith("projects/create"):
            return {"id": 7, "name": body["name"]}
        if last in self.tasks:
            return self.tasks[last]
        return {
            "tags": {"tags": [{"id": 1, "name": "engineer", "costMultiplier": 1, "isActive": True}]},
            "balance": {"available": 1_000_000, "onHold": 0, "total": 1_000_000},
        }[last]


@contextlib.contextmanager
def slow_service(seconds: float = 0.1, *, answers: bool = True) -> Iterator[SlowService]:
    """Serve; creating a task takes up to so many seconds."""
    service = SlowService(seconds, answers)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: Any) -> None:
            pass

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            data = json.dumps(service.says(self.path, json.loads(body) if body else None)).encode()
            with contextlib.suppress(OSError):
                self.send_response(200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        do_POST = do_GET  # noqa: N815 - the server's own names

    class Server(ThreadingHTTPServer):
        request_queue_size = 100
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        service.base_url = f"http://127.0.0.1:{server.server_port}/api/v1/"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield service
        finally:
            server.shutdown()
            thread.join()
