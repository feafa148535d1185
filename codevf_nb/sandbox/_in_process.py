"""A sandbox in the current process: a real HTTP server on a daemon thread, for tests."""

from __future__ import annotations

import asyncio
import threading
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from codevf_nb.sandbox._clock import number
from codevf_nb.sandbox._engine import Engine
from codevf_nb.sandbox._errors import SandboxError
from codevf_nb.sandbox._server import Server
from codevf_nb.sandbox._state import (
    dump,
    load,
    read,
    write_private,
)
from codevf_nb.sandbox.options import Options


class Sandbox:
    """A CodeVF API on this machine, for tests. In a `with` statement it serves at `base_url` until the block ends.

    Args:
        **options: The fields of `codevf_nb.sandbox.options.Options`, for example `clock`, `credits` or `faults`. With
            `state=FILE`, accounts and tasks are saved.

    Raises:
        SandboxError: An option is not valid.

    Example:
        >>> import requests
        >>> with Sandbox(clock="virtual", credits=500) as box:
        ...     headers = {"Authorization": f"Bearer {box.api_key}"}
        ...     requests.get(f"{box.base_url}credits/balance", headers=headers).json()
        {'available': 500, 'onHold': 0, 'total': 500}
    """

    def __init__(self, **options: Any) -> None:
        self.options = Options(**options)
        saved = read(self.options.state) if self.options.state else None
        self._server = Server(self.options, load(self.options, saved) if saved else None)
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._failed: BaseException | None = None

    def start(self) -> Self:
        """Start the server, and return when it accepts requests.

        Raises:
            SandboxError: The port can't be used.
        """
        self._ready.clear()
        self._failed = None
        self._thread = threading.Thread(target=self._serve, name="codevf-sandbox", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._failed is not None:
            raise self._failed
        return self

    def stop(self) -> None:
        """Stop the server and close its port. A second call does nothing."""
        if self._thread is None:
            return
        self._server.request_stop()
        self._thread.join(timeout=10)
        self._thread = None
        if self.options.state:
            write_private(self.options.state, dump(self.engine))

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def base_url(self) -> str:
        """The URL of the API, with a slash at its end."""
        return self._server.base_url

    @property
    def api_key(self) -> str:
        """The first API key."""
        return self.options.api_key

    @property
    def engine(self) -> Engine:
        """The tasks, the accounts and the clock. Its methods are thread-safe."""
        return self._server.engine

    @property
    def faults(self) -> dict[str, int]:
        """The number of calls that each fault rule has changed."""
        return self._server.faults.counts()

    def add_fault(self, rule: str) -> None:
        """Add a fault rule. It counts calls from now on.

        Args:
            rule: The rule, `WHAT:WHICH:DO[=ARG]`, for example `create:2:drop-after-commit`.

        Raises:
            SandboxError: The rule is not valid.
        """
        self._server.faults.add(rule)

    def advance(self, seconds: float) -> None:
        """Advance the clock of the sandbox.

        Args:
            seconds: The number of seconds, from 0.
        """
        self.engine.clock.advance(seconds)

    def answer(
        self,
        task_id: str,
        message: str = "",
        deliverables: list[dict[str, Any]] | None = None,
        credits_used: float | None = None,
        result: object = None,
    ) -> None:
        """Answer an open task now.

        Args:
            task_id: The id of the task.
            message: The text of the answer.
            deliverables: Files, each with `fileName`, and with `url` or with `content`, which the sandbox serves.
            credits_used: The cost, in credits. Default: the base share of the hold.
            result: The data, for a task with a `responseSchema`.

        Raises:
            SandboxError: There is no open task with this id, or an argument is not valid.
        """
        self._server.control.answer(task_id, message, deliverables, credits_used, result)

    def end(self, task_id: str, status: str) -> None:
        """End an open task without an answer, and release its hold.

        Args:
            task_id: The id of the task.
            status: `failed`, `expired` or `cancelled`.

        Raises:
            SandboxError: There is no open task with this id, or no such status.
        """
        self.engine.end(task_id, status)

    def top_up(self, amount: float, api_key: str | None = None) -> None:
        """Add credits to an account.

        Args:
            amount: The number of credits.
            api_key: The key of the account. Default: the first key.
        """
        self.engine.top_up(api_key or self.api_key, amount)

    def reset(self) -> None:
        """Delete all tasks and projects, and restore the first credits of each account."""
        self.engine.reset()

    def tasks(self) -> list[dict[str, Any]]:
        """Return every task, oldest first, with its current state, its request and its hold."""
        return self._server.control.tasks()

    def requests(self) -> list[tuple[str, str, int | None, datetime]]:
        """Return the newest requests: method, path, status (None if no response was sent), time of the sandbox."""
        return self._server.app.snapshot_log()

    def balance(self, api_key: str | None = None) -> dict[str, int | float]:
        """Return the credits of an account, with the names of the API.

        Args:
            api_key: The key of the account. Default: the first key.
        """
        account = self.engine.balance(api_key or self.api_key)
        shown = {"available": account.available, "onHold": account.on_hold, "total": account.total}
        return {name: number(held) for name, held in shown.items()}

    def _serve(self) -> None:
        try:
            asyncio.run(self._server.run(self._ready.set))
        except (SandboxError, OSError) as error:
            self._failed = error
        finally:
            self._ready.set()
