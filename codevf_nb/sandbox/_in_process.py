"""A sandbox in the own process: a real HTTP server on a daemon thread, to look into and drive from a test."""

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
    """`with Sandbox(clock="virtual") as box:` serves the API at `box.base_url` until the block ends.

    Takes the fields of `Options`; with `state=FILE` its memory outlives it.
    """

    def __init__(self, **options: Any) -> None:
        self.options = Options(**options)
        saved = read(self.options.state) if self.options.state else None
        self._server = Server(self.options, load(self.options, saved) if saved else None)
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._failed: BaseException | None = None

    def start(self) -> Self:
        """Serve; returns once the port answers."""
        self._ready.clear()
        self._failed = None
        self._thread = threading.Thread(target=self._serve, name="codevf-sandbox", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._failed is not None:
            raise self._failed
        return self

    def stop(self) -> None:
        """End the server and free its port; safe to call twice."""
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
        """Where the API is, with the slash at the end."""
        return self._server.base_url

    @property
    def api_key(self) -> str:
        """The first key."""
        return self.options.api_key

    @property
    def engine(self) -> Engine:
        """Tasks, accounts and clock; its methods are thread-safe."""
        return self._server.engine

    @property
    def faults(self) -> dict[str, int]:
        """How often each fault rule has fired."""
        return self._server.faults.counts()

    def add_fault(self, rule: str) -> None:
        """Add a fault rule, which counts calls from now on."""
        self._server.faults.add(rule)

    def advance(self, seconds: float) -> None:
        """Move the sandbox's clock ahead."""
        self.engine.clock.advance(seconds)

    def answer(
        self,
        task_id: str,
        message: str = "",
        deliverables: list[dict[str, Any]] | None = None,
        credits_used: float | None = None,
        result: Any = None,
    ) -> None:
        """Answer an open task by hand, now: see `Control.answer`."""
        self._server.control.answer(task_id, message, deliverables, credits_used, result)

    def end(self, task_id: str, status: str) -> None:
        """End an open task without an answer (`failed`, `expired`, `cancelled`): its hold is released."""
        self.engine.end(task_id, status)

    def top_up(self, amount: float, api_key: str | None = None) -> None:
        """Add credits to an account."""
        self.engine.top_up(api_key or self.api_key, amount)

    def reset(self) -> None:
        """Forget every task and project, and give each account its first credits again."""
        self.engine.reset()

    def tasks(self) -> list[dict[str, Any]]:
        """Every task as it stands now, oldest first, with what was received and what it holds."""
        return self._server.control.tasks()

    def requests(self) -> list[tuple[str, str, int | None, datetime]]:
        """The newest requests: method, path, status (None where nothing was sent), the sandbox's time."""
        return self._server.app.snapshot_log()

    def balance(self, api_key: str | None = None) -> dict[str, int | float]:
        """The credits of an account, in the API's words."""
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
