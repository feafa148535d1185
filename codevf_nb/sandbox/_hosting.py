"""A process that serves a sandbox: signals, saved state, and the end after a time without requests."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from codevf_nb.sandbox.options import Options

if TYPE_CHECKING:
    from codevf_nb.sandbox._server import Server


class Host:
    """The differences between a sandbox in a terminal and that of a notebook: where the state is saved."""

    options: Options

    def load_memory(self) -> dict[str, Any] | None:
        """Return the saved state, or None."""
        raise NotImplementedError

    def save_memory(self, memory: Callable[[], dict[str, Any]]) -> None:
        """Save the state."""
        raise NotImplementedError

    def on_ready(self, server: Server) -> None:
        """Called when the server accepts requests."""
        raise NotImplementedError

    def may_continue(self) -> bool:
        """Return whether to continue."""
        return True

    def on_stopped(self) -> None:
        """Called when the port is closed."""


def serve(host: Host) -> int:
    """Serve until a signal, or until the host must not continue. Save changes twice a second, and at the end."""
    from codevf_nb.sandbox._server import Server
    from codevf_nb.sandbox._state import dump, load

    memory = host.load_memory()
    server = Server(host.options, load(host.options, memory) if memory else None)
    changed = False

    def note() -> None:
        nonlocal changed
        changed = True

    def housekeeping() -> bool:
        nonlocal changed
        idle = host.options.idle_exit is not None and time.monotonic() - server.last_request > host.options.idle_exit
        may_continue = host.may_continue()
        if changed and may_continue:
            changed = False
            host.save_memory(lambda: dump(server.engine))
        return may_continue and not idle

    async def main() -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            if os.name == "posix":
                loop.add_signal_handler(number, server.request_stop)
            else:
                signal.signal(number, lambda *_: server.request_stop())
        await server.run(lambda: host.on_ready(server))

    server.engine.on_change = note
    server.housekeeping = housekeeping
    try:
        asyncio.run(main())
    finally:
        if server.port and host.may_continue():
            host.save_memory(lambda: dump(server.engine))
        host.on_stopped()
    return 0
