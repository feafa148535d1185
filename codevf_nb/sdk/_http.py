"""One exchange over HTTP: request out, whole answer in, before a deadline, with the key seen by nobody.

This is the only place that knows requests. It is stricter than requests is by itself: `~/.netrc` and cookies
are ignored, nothing is redirected or repeated, a proxy from the environment is used except towards loopback,
and a socket that drips is shut when the time is up.
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
LONGEST_SECONDS = 24 * 3600.0  # a socket takes no timeout of any length


@dataclass(frozen=True)
class Reply:
    """An answer that came back whole."""

    status: int
    headers: Any
    body: bytes


class _Bearer(AuthBase):
    """Sets the header at the last moment; being there at all, it also keeps `~/.netrc` out."""

    def __init__(self, secret: Secret | None) -> None:
        self._secret = secret

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.pop("Authorization", None)
        if self._secret is not None:
            request.headers["Authorization"] = f"Bearer {self._secret.reveal()}"
        return request


class _Watch:
    """One exchange's socket and time. Until `begin`, nothing of the request has left this machine."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.expired = False
        self._socket: Any = None

    @property
    def sent(self) -> bool:
        return self._socket is not None

    def __enter__(self) -> _Watch:
        deadlines.mind(self, self.seconds, self._expire)
        return self

    def __exit__(self, *_: object) -> None:
        deadlines.drop(self)

    def begin(self, sock: Any) -> None:
        # urllib3 would hold a long upload to the time that connecting may take.
        sock.settimeout(self.seconds)
        self._socket = sock
        if self.expired:
            raise TimeoutError("connecting took all the time there was")

    def _expire(self) -> None:
        self.expired = True
        sock = getattr(self._socket, "socket", self._socket)
        # Not SSLSocket.shutdown: it takes the encryption off before it shuts.
        with contextlib.suppress(OSError, TypeError):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)


_this_thread = threading.local()


class _Watched:
    """Mixed into urllib3's connections: it knows the moment when a request starts to leave the machine."""

    sock: Any
    connect: Callable[[], None]

    def request(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is None:
            self.connect()
        _this_thread.watch.begin(self.sock)
        super().request(*args, **kwargs)  # type: ignore[misc]


def _watched(pool: Any) -> Any:
    connection = type(pool.ConnectionCls.__name__, (_Watched, pool.ConnectionCls), {})
    return type(pool.__name__, (pool,), {"ConnectionCls": connection})


def _watch_over(manager: Any) -> Any:
    pools = manager.pool_classes_by_scheme
    manager.pool_classes_by_scheme = {scheme: _watched(pool) for scheme, pool in pools.items()}
    return manager


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        _watch_over(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        known = proxy in self.proxy_manager
        manager = super().proxy_manager_for(proxy, **kwargs)
        return manager if known else _watch_over(manager)


class _Session(requests.Session):
    def __init__(self) -> None:
        super().__init__()
        self.headers["User-Agent"] = "codevf_nb"
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Adapter(max_retries=0))

    def get_redirect_target(self, resp: Any) -> None:
        """No redirect is even looked at: requests would read an endless body to prepare for it."""

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        """The environment's proxies, except towards this machine: a key must not leave it in plain text."""
        address = Address.link(str(url))
        if not address.is_loopback:
            return super().merge_environment_settings(url, proxies, stream, verify, cert)
        if address.scheme == "http":  # nothing of the environment matters: looking it up would cost more than sending
            return {"proxies": {}, "stream": stream, "verify": self.verify, "cert": cert}
        return super().merge_environment_settings(url, proxies, stream, verify, cert) | {"proxies": {}}


class Wire:
    """Exchanges requests for answers. Each thread has a session of its own, so a wire can be shared."""

    def __init__(self, secret: Secret | None) -> None:
        self._secret = secret
        self._reset()
        reset_after_fork(self._reset)

    def _reset(self) -> None:
        self._local = threading.local()
        self._lock = threading.Lock()
        self._sessions: weakref.WeakSet[requests.Session] = weakref.WeakSet()

    def close(self) -> None:
        """Closes the connections of every thread; a later exchange opens new ones."""
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
        sink: Callable[[bytes], object] | None = None,
    ) -> Reply | CodeVFError:
        """The whole answer, or (returned, so that it has no chain) why there is none.

        No more than `limit` bytes of an answer are read; the rest is cut off, since what came first may hold
        the id of a paid task. With `sink`, the body of a 200 goes there piece by piece.
        """
        seconds = min(seconds, LONGEST_SECONDS)
        outcome: CodeVFError
        stopped: BaseException | None = None
        with _Watch(seconds) as watch:
            _this_thread.watch = watch
            try:
                reply = self._exchange(method, url, body, seconds, limit, with_key=with_key, sink=sink)
                if not watch.expired:
                    return reply
                outcome = _failure(None, url, watch)
            except CodeVFError as error:
                outcome = error
            except (requests.RequestException, HTTPError, OSError, ValueError) as error:
                outcome = _failure(error, url, watch)
            except BaseException as error:  # noqa: BLE001 - raised again below, without what its traceback could show
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
        sink: Callable[[bytes], object] | None,
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
            take = sink if sink is not None and response.status_code == 200 else held.extend
            size = 0
            for chunk in response.iter_content(CHUNK):
                take(chunk[: limit - size])
                size += len(chunk)
                if size >= limit:
                    break
            else:
                _check_whole(response)
            return Reply(response.status_code, response.headers, self._masked(bytes(held)))

    def _masked(self, body: bytes) -> bytes:
        """An answer that echoes the key is kept without it."""
        key = b"" if self._secret is None else self._secret.reveal().encode()
        return body.replace(key, str(self._secret).encode()) if len(key) > len("cvf_test_") else body


def _check_whole(response: requests.Response) -> None:
    """Older urllib3 takes a body that was cut off for a whole one."""
    promised = response.headers.get("Content-Length", "")
    if promised.isdigit() and "Transfer-Encoding" not in response.headers and response.raw.tell() < int(promised):
        raise requests.exceptions.ChunkedEncodingError("the body was cut off")


def _failure(error: BaseException | None, url: str, watch: _Watch) -> APIConnectionError:
    host = urlsplit(url).netloc
    if watch.expired or isinstance(error, requests.Timeout | TimeoutError):
        what = "did not answer in time" if watch.sent else "could not be reached in time"
        return APIConnectionError(f"{host} {what}", sent=watch.sent)
    what = "broke off" if watch.sent else "could not be reached"
    return APIConnectionError(f"{host} {what} ({_reason(error)})", sent=watch.sent)


def _reason(error: BaseException | None) -> str:
    """The system's own words, from the bottom of the chain; a library's text could quote headers."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        seen.append(error)
        inner = getattr(error, "reason", None) or (error.args[0] if error.args else None)
        error = inner if isinstance(inner, BaseException) else error.__cause__ or error.__context__
    system = [entry for entry in seen if isinstance(entry, OSError) and isinstance(entry.strerror, str)]
    last = system[-1] if system else seen[-1]
    return (last.strerror or "").lower() if system and isinstance(last, OSError) else type(last).__name__
