"""One HTTP exchange: send a request and read the complete response before a deadline, without exposing the key.

This is the only module that uses the requests library. It is stricter than the library: `~/.netrc` and cookies are
ignored, nothing is redirected or repeated, no proxy is used for loopback addresses, and the socket of a slow response
is closed when the time is up.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError

from codevf_nb.sdk._deadlines import deadlines
from codevf_nb.sdk.addresses import Address
from codevf_nb.sdk.exceptions import APIConnectionError, CodeVFError
from codevf_nb.sdk.forks import reset_after_fork
from codevf_nb.sdk.limits import CONNECT_SECONDS
from codevf_nb.sdk.secret import Secret

CHUNK = 64 * 1024
LONGEST_SECONDS = 24 * 3600.0  # sockets do not accept every timeout


@dataclass(frozen=True)
class Reply:
    """A complete response."""

    status: int
    headers: Any
    body: bytes


class _Bearer(AuthBase):
    """Sets the Authorization header last. It also keeps requests from reading `~/.netrc`."""

    def __init__(self, secret: Secret | None) -> None:
        self._secret = secret

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.pop("Authorization", None)
        if self._secret is not None:
            request.headers["Authorization"] = f"Bearer {self._secret.reveal()}"
        return request


class _ExchangeTimer:
    """The socket and the time limit of one exchange. Before `begin`, nothing was sent."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.expired = False
        self._socket: Any = None

    @property
    def sent(self) -> bool:
        return self._socket is not None

    def __enter__(self) -> _ExchangeTimer:
        deadlines.start(self, self.seconds, self._expire)
        return self

    def __exit__(self, *_: object) -> None:
        deadlines.cancel(self)

    def begin(self, sock: Any) -> None:
        # Without this, urllib3 applies the connect timeout to a long upload.
        sock.settimeout(self.seconds)
        self._socket = sock
        if self.expired:
            raise TimeoutError("connecting took longer than the deadline")

    def _expire(self) -> None:
        self.expired = True
        sock = getattr(self._socket, "socket", self._socket)
        # SSLSocket.shutdown would first remove the encryption.
        with contextlib.suppress(OSError, TypeError):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)


_this_thread = threading.local()


class _TimedConnection:
    """A mixin for urllib3's connections that notes the moment when a request starts to be sent."""

    sock: Any
    connect: Callable[[], None]

    def request(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is None:
            self.connect()
        _this_thread.timer.begin(self.sock)
        super().request(*args, **kwargs)  # type: ignore[misc]


def _timed_pool(pool: Any) -> Any:
    connection = type(pool.ConnectionCls.__name__, (_TimedConnection, pool.ConnectionCls), {})
    return type(pool.__name__, (pool,), {"ConnectionCls": connection})


def _time_connections(manager: Any) -> Any:
    pools = manager.pool_classes_by_scheme
    manager.pool_classes_by_scheme = {scheme: _timed_pool(pool) for scheme, pool in pools.items()}
    return manager


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        _time_connections(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        known = proxy in self.proxy_manager
        manager = super().proxy_manager_for(proxy, **kwargs)
        return manager if known else _time_connections(manager)


class _Session(requests.Session):
    def __init__(self) -> None:
        super().__init__()
        self.headers["User-Agent"] = "codevf_nb"
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Adapter(max_retries=0))

    def get_redirect_target(self, resp: object) -> None:
        """Return None: for a redirect, requests would read the whole body, which may be endless."""

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        """Use the proxies of the environment, but not for this machine: http would show the key to the proxy."""
        address = Address.link(str(url))
        if not address.is_loopback:
            return super().merge_environment_settings(url, proxies, stream, verify, cert)
        if address.scheme == "http":  # looking up the environment would take longer than sending
            return {"proxies": {}, "stream": stream, "verify": self.verify, "cert": cert}
        return super().merge_environment_settings(url, proxies, stream, verify, cert) | {"proxies": {}}


class Wire:
    """Sends requests and returns responses. It can be shared between threads: each thread has its own session."""

    def __init__(self, secret: Secret | None) -> None:
        self._secret = secret
        self._reset()
        reset_after_fork(self._reset)

    def _reset(self) -> None:
        self._local = threading.local()
        self._lock = threading.Lock()
        self._sessions: weakref.WeakSet[requests.Session] = weakref.WeakSet()

    def close(self) -> None:
        """Close the connections of all threads. A later exchange opens new ones."""
        with self._lock:
            sessions = list(self._sessions)
        for session in sessions:
            session.close()

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = _Session()
            with self._lock:
                self._sessions.add(session)
        return session

    def exchange(
        self,
        method: str,
        url: str,
        *,
        seconds: float,
        limit: int,
        body: bytes | None = None,
        with_key: bool = True,
        on_chunk: Callable[[bytes], object] | None = None,
    ) -> Reply | CodeVFError:
        """Send a request and return the response, or the error. The error is returned, so that it has no context.

        Args:
            method: The HTTP method.
            url: The URL.
            seconds: The time limit of the exchange.
            limit: How many bytes of the body are read. The rest is cut off: the first part may have the id of a paid
                task.
            body: The body of the request.
            with_key: Whether to send the API key.
            on_chunk: Called with each chunk of the body, if the status is 200. The reply's body is empty then.
        """
        seconds = min(seconds, LONGEST_SECONDS)
        outcome: CodeVFError
        stopped: BaseException | None = None
        with _ExchangeTimer(seconds) as timer:
            _this_thread.timer = timer
            try:
                reply = self._exchange(method, url, body, seconds, limit, with_key=with_key, on_chunk=on_chunk)
                if not timer.expired:
                    return reply
                outcome = _failure(None, url, timer)
            except CodeVFError as error:
                outcome = error
            except (requests.RequestException, HTTPError, OSError, ValueError) as error:
                outcome = _failure(error, url, timer)
            except BaseException as error:  # noqa: BLE001 - raised again below, without a traceback that could show the key
                stopped = error
        if stopped is not None:
            stopped.__traceback__ = stopped.__context__ = stopped.__cause__ = None
            raise stopped
        return outcome

    def _exchange(
        self,
        method: str,
        url: str,
        body: bytes | None,
        seconds: float,
        limit: int,
        *,
        with_key: bool,
        on_chunk: Callable[[bytes], object] | None,
    ) -> Reply:
        headers = {"Accept": "application/json"} | ({"Content-Type": "application/json"} if body else {})
        with self._session().request(
            method,
            url,
            data=body,
            headers=headers,
            auth=_Bearer(self._secret if with_key else None),
            timeout=(min(CONNECT_SECONDS, seconds), seconds),
            allow_redirects=False,
            stream=True,
        ) as response:
            held = bytearray()
            take = on_chunk if on_chunk is not None and response.status_code == 200 else held.extend
            size = 0
            for chunk in response.iter_content(CHUNK):
                take(chunk[: limit - size])
                size += len(chunk)
                if size >= limit:
                    break
            else:
                _check_whole(response)
            return Reply(response.status_code, response.headers, self._without_key(bytes(held)))

    def _without_key(self, body: bytes) -> bytes:
        """Mask the key in a response that repeats it."""
        key = b"" if self._secret is None else self._secret.reveal().encode()
        return body.replace(key, str(self._secret).encode()) if len(key) > len("cvf_test_") else body


def _check_whole(response: requests.Response) -> None:
    """Raise an error for a body that was cut off. Older versions of urllib3 do not."""
    promised = response.headers.get("Content-Length", "")
    if promised.isdigit() and "Transfer-Encoding" not in response.headers and response.raw.tell() < int(promised):
        raise requests.exceptions.ChunkedEncodingError("the body was cut off")


def _failure(error: BaseException | None, url: str, timer: _ExchangeTimer) -> APIConnectionError:
    host = urlsplit(url).netloc
    if timer.expired or isinstance(error, requests.Timeout | TimeoutError):
        what = "did not answer in time" if timer.sent else "could not be reached in time"
        return APIConnectionError(f"{host} {what}", sent=timer.sent)
    what = "broke off" if timer.sent else "could not be reached"
    return APIConnectionError(f"{host} {what} ({_reason(error)})", sent=timer.sent)


def _reason(error: BaseException | None) -> str:
    """Return the message of the operating system. The message of a library could quote headers."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        seen.append(error)
        inner = getattr(error, "reason", None) or (error.args[0] if error.args else None)
        error = inner if isinstance(inner, BaseException) else error.__cause__ or error.__context__
    system = [entry for entry in seen if isinstance(entry, OSError) and isinstance(entry.strerror, str)]
    last = system[-1] if system else seen[-1]
    return (last.strerror or "").lower() if system and isinstance(last, OSError) else type(last).__name__
