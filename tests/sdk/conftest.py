"""A real server on loopback that answers from a script, and a time that is moved by whoever sleeps."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from codevf_nb.sdk import CodeVFClient

KEY = "cvf_test_0123456789abcdef"
VECTORS = Path(__file__).parent.parent / "vectors"


def vectors(topic: str) -> list[dict[str, Any]]:
    """The golden vectors of a topic: requests and answers as the documents have them."""
    return json.loads((VECTORS / f"{topic}.json").read_text())["vectors"]


@dataclass
class Request:
    method: str
    path: str
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class ServiceInfo:
    """The server's side: what it was asked, and what it answers next (the last answer is repeated)."""

    base_url: str = ""
    requests: list[Request] = field(default_factory=list)
    script: list[Callable[[Any], None]] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)
    stop: Callable[[], None] = lambda: None
    handler: Any = None

    def answers(self, *replies: Callable[[Any], None]) -> None:
        self.script = list(replies)

    def next(self) -> Callable[[Any], None]:
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]

    @staticmethod
    def reply(body: Any = None, status: int = 200, **headers: str) -> Callable[[Any], None]:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()

        def send(handler: Any) -> None:
            handler.send_response_only(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                handler.send_header(name.replace("_", "-"), value)
            handler.end_headers()
            handler.wfile.write(content)

        return send

    @staticmethod
    def raw(content: bytes) -> Callable[[Any], None]:
        """Bytes as they are, and the connection is closed."""

        def send(handler: Any) -> None:
            handler.wfile.write(content)
            handler.close_connection = True

        return send

    def silence(self) -> Callable[[Any], None]:
        """Nothing at all, until the test is over."""

        def send(handler: Any) -> None:
            self.closing.wait()
            handler.close_connection = True

        return send

    def drip(self, start: bytes) -> Callable[[Any], None]:
        """A byte every few hundredths of a second, for ever."""

        def send(handler: Any) -> None:
            handler.close_connection = True
            try:
                handler.wfile.write(start)
                while not self.closing.wait(0.03):
                    handler.wfile.write(b"x")
            except OSError:
                pass

        return send


@pytest.fixture
def service() -> Iterator[ServiceInfo]:
    service = ServiceInfo()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            request = Request(self.command, self.path, self.headers, self.rfile.read(length))
            service.requests.append(request)
            service.next()(self)

        do_GET = do_POST = answer  # noqa: N815 - the names are http.server's

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        service.base_url = f"http://127.0.0.1:{server.server_port}/api/v1/"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        service.stop, service.handler = server.server_close, Handler
        yield service
        service.closing.set()
        server.shutdown()
        thread.join()


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.sleeps: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def client(service: ServiceInfo, time: Time) -> Iterator[CodeVFClient]:
    with CodeVFClient(KEY, service.base_url, clock=time.clock, sleep=time.sleep, random=lambda: 0.5) as client:
        yield client


@pytest.fixture
def created() -> dict[str, Any]:
    """The documents' answer to a new task."""
    return vectors("tasks_create")[0]["response"]


@pytest.fixture
def golden() -> Callable[[str], list[dict[str, Any]]]:
    return vectors
