"""The HTTP server: one asyncio loop with tornado, bound to loopback only."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
import traceback
from collections.abc import Callable
from http import HTTPStatus

from tornado import httputil
from tornado.http1connection import HTTP1Connection
from tornado.httpserver import HTTPServer
from tornado.iostream import StreamClosedError
from tornado.netutil import bind_sockets

from codevf_nb.sandbox import _errors as errors
from codevf_nb.sandbox import _rules as rules
from codevf_nb.sandbox._app import App, Call
from codevf_nb.sandbox._clock import http_date
from codevf_nb.sandbox._control import Control
from codevf_nb.sandbox._engine import Engine
from codevf_nb.sandbox._fault_kinds import Delivery
from codevf_nb.sandbox._faults import Fault, Faults
from codevf_nb.sandbox._messages import Reply, Request, error_reply
from codevf_nb.sandbox._responder import answer_for
from codevf_nb.sandbox.options import Options

HOST = "127.0.0.1"
BODY_SECONDS = 60.0
IDLE_CONNECTION_SECONDS = 600.0
DRAINED_BYTES = 1024 * 1024 * 1024
HOUSEKEEPING_SECONDS = 0.5


class Server:
    """One sandbox on one port. `housekeeping` is called twice a second, and returns whether to continue."""

    def __init__(self, options: Options, engine: Engine | None = None) -> None:
        self.options = options
        self.engine = engine or Engine(options)
        self.faults = Faults(options.faults, options.seed)
        self.app = App(self.engine, answer_for if options.reviewer == "auto" else None)
        self.control = Control(self.app, self.faults, self.request_stop)
        self.housekeeping: Callable[[], bool] = lambda: True
        self.port = 0
        self.last_request = time.monotonic()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._serving: set[asyncio.Task[None]] = set()  # asyncio itself keeps no task alive

    @property
    def base_url(self) -> str:
        """The URL of the API, with a slash at its end."""
        return f"http://{HOST}:{self.port}{rules.API_PREFIX}"

    async def run(self, ready: Callable[[], None]) -> None:
        """Bind the port, call `ready`, and serve until `request_stop`."""
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        http = HTTPServer(
            _Delegates(self),
            idle_connection_timeout=IDLE_CONNECTION_SECONDS,
        )
        try:
            sockets = bind_sockets(self.port or self.options.port, HOST, backlog=1024)
        except OSError as error:
            raise errors.SandboxError(
                f"port {self.port or self.options.port} of {HOST} can't be used: {error.strerror}"
            ) from None
        self.port = sockets[0].getsockname()[1]
        self.app.origin = f"http://{HOST}:{self.port}"
        http.add_sockets(sockets)
        ready()
        try:
            while not await self._stopped_within(HOUSEKEEPING_SECONDS) and self.housekeeping():
                pass
        finally:
            http.stop()
            await http.close_all_connections()

    def request_stop(self) -> None:
        """End `run` soon. This can be called from any thread."""
        if self._loop is not None and self._stop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended already
                self._loop.call_soon_threadsafe(self._stop.set)

    def received(self, request: Request, connection: HTTP1Connection) -> None:
        """Serve a complete request."""
        serving = asyncio.get_running_loop().create_task(self._serve(request, connection))
        self._serving.add(serving)
        serving.add_done_callback(self._serving.discard)

    def send(self, request: Request, connection: HTTP1Connection, reply: Reply, *, sent: int | None = None) -> None:
        """Write the headers of a reply, and its body or the first `sent` bytes of it."""
        body = b"" if request.method == "HEAD" else reply.body
        headers = httputil.HTTPHeaders(
            {
                "Date": http_date(self.engine.clock.now()),
                "Content-Length": str(len(body)),
                "Cache-Control": "no-store",
                **reply.headers,
            }
        )
        try:
            reason = HTTPStatus(reply.status).phrase
        except ValueError:
            reason = "Unknown"
        # Errors of writing can be ignored: the connection is closed then.
        connection.write_headers(
            httputil.ResponseStartLine("HTTP/1.1", reply.status, reason), headers, body[:sent]
        ).add_done_callback(lambda future: future.exception())

    async def _serve(self, request: Request, connection: HTTP1Connection) -> None:
        self.last_request = time.monotonic()
        with contextlib.suppress(StreamClosedError):
            if request.path.startswith(rules.API_PREFIX):
                await self._serve_api(request, connection)
                return
            is_file = request.method == "GET" and request.path.startswith("/files/")
            reply = self.app.file(request.path) if is_file else self.control.reply(request)
            self.send(request, connection, reply)
            connection.finish()

    async def _serve_api(self, request: Request, connection: HTTP1Connection) -> None:
        entry = self.app.arrived(request.method, request.path)
        try:
            call = self.app.admit(request)
        except errors.ApiError as error:
            entry[2] = error.status
            self.send(request, connection, error_reply(error))
            connection.finish()
            return
        self.app.begin(call)
        try:
            delivery = await self._deliver(call, request, self.faults.next_fault(call.operation))
            entry[2] = delivery.reply.status if delivery.reply else None
            await self._write(request, connection, delivery)
            self.app.after_reply(call)
        finally:
            self.app.finish(call)

    async def _deliver(self, call: Call, request: Request, fault: Fault | None) -> Delivery:
        if fault is None:
            return Delivery(self._perform(call))
        if fault.is_before_commit:
            await asyncio.sleep(fault.delay_seconds)
        reply = self._perform(call) if fault.needs_operation else None
        if not fault.is_before_commit:
            await asyncio.sleep(fault.delay_seconds)
        return fault.delivery(reply, request, self.engine.clock.now())

    def _perform(self, call: Call) -> Reply:
        try:
            return self.app.perform(call)
        except Exception:  # noqa: BLE001 - after any bug, the client must get the error 500 of the API
            traceback.print_exc()
            return error_reply(errors.ApiError(500, "INTERNAL_ERROR", "The sandbox failed; please report this"))

    async def _write(self, request: Request, connection: HTTP1Connection, delivery: Delivery) -> None:
        reply = delivery.reply
        if reply is None:
            connection.close()
        elif delivery.cut_at is not None:
            self.send(request, connection, reply, sent=delivery.cut_at)
            connection.close()
        elif delivery.drip_seconds is not None:
            self.send(request, connection, reply, sent=0)
            for index in range(len(reply.body)):
                await asyncio.sleep(delivery.drip_seconds / len(reply.body))
                await connection.write(reply.body[index : index + 1])
            connection.finish()
        else:
            self.send(request, connection, reply)
            connection.finish()

    async def _stopped_within(self, seconds: float) -> bool:
        assert self._stop is not None  # noqa: S101 - `run` has set it
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)
        return self._stop.is_set()


class _Delegates(httputil.HTTPServerConnectionDelegate):
    """Creates an `_Incoming` for each request."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def start_request(
        self,
        server_conn: object,  # noqa: ARG002 - tornado's signature
        request_conn: httputil.HTTPConnection,
    ) -> httputil.HTTPMessageDelegate:
        assert isinstance(request_conn, HTTP1Connection)  # noqa: S101 - tornado has no other
        return _Incoming(self.server, request_conn)


class _Incoming(httputil.HTTPMessageDelegate):
    """A request that is being received. It is refused as soon as it is known to be too large."""

    def __init__(self, server: Server, connection: HTTP1Connection) -> None:
        self.server = server
        self.connection = connection
        self.request = Request("", "", {})
        self.parts: list[bytes] = []
        self.size = 0
        self.refused = False
        self.timer: asyncio.TimerHandle | None = None

    def headers_received(
        self, start_line: httputil.RequestStartLine | httputil.ResponseStartLine, headers: httputil.HTTPHeaders
    ) -> None:
        """Send the error 413 for a Content-Length above the limit, before the body is received."""
        assert isinstance(start_line, httputil.RequestStartLine)  # noqa: S101 - a server receives requests only
        path = start_line.path.partition("?")[0]
        self.request = Request(start_line.method, path, {name.lower(): value for name, value in headers.items()})
        self.timer = asyncio.get_running_loop().call_later(BODY_SECONDS, self._time_out)
        self.connection.set_max_body_size(sys.maxsize)
        length = headers.get("Content-Length", "")
        if length.isascii() and length.isdigit() and int(length) > rules.BODY_BYTES:
            self._refuse(errors.payload_too_large(rules.BODY_BYTES))

    def data_received(self, chunk: bytes) -> None:
        """Store a chunk. A refused body is read but not stored: a reset of the connection would lose the response."""
        self.size += len(chunk)
        if self.refused:
            if self.size > DRAINED_BYTES:
                self.connection.close()
            return
        self.parts.append(chunk)
        if self.size > rules.BODY_BYTES:
            self._refuse(errors.payload_too_large(rules.BODY_BYTES))

    def finish(self) -> None:
        """Serve the request: its body is complete."""
        self._stop_timer()
        if self.refused:
            self.connection.finish()
            return
        self.request.body = b"".join(self.parts)
        self.parts.clear()
        self.server.received(self.request, self.connection)

    def on_connection_close(self) -> None:
        """Clean up after the client has closed the connection."""
        self._stop_timer()
        self.parts.clear()

    def _stop_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()

    def _refuse(self, error: errors.ApiError) -> None:
        self.refused = True
        self.parts.clear()
        if self.request.path.startswith(rules.API_PREFIX):
            self.server.app.arrived(self.request.method, self.request.path)[2] = error.status
        self.server.send(self.request, self.connection, error_reply(error))
        # A client that waits for "100 Continue" sends no body: it waits for this response.
        if self.request.headers.get("expect", "").lower() == "100-continue":
            self.connection.finish()

    def _time_out(self) -> None:
        if not self.refused:
            self._refuse(
                errors.ApiError(408, "REQUEST_TIMEOUT", f"The body did not arrive within {BODY_SECONDS:g} seconds")
            )
        self.connection.close()
