"""What it takes to be a process that serves: signals, memory that is kept, an end when nobody asks any more."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from typing import Any

from codevf_nb.sandbox.options import Options


class Served:
    """What differs between a sandbox by hand and a notebook's own: where its memory lies, who is told."""

    options: Options

    def recall(self) -> dict[str, Any] | None:
        """The memory to begin with."""
        raise NotImplementedError

    def remember(self, memory: Callable[[], dict[str, Any]]) -> None:
        """Keep the memory."""
        raise NotImplementedError

    def ready(self, server: Any) -> None:
        """The port answers."""
        raise NotImplementedError

    def wanted(self) -> bool:
        """Whether to go on."""
        return True

    def ended(self) -> None:
        """The port is free again."""


def serve(served: Served) -> int:
    """Serve until a signal, or until it isn't wanted; what changed is kept twice a second, and at the end."""
    from codevf_nb.sandbox._server import Server
    from codevf_nb.sandbox._state import dump, load

    memory = served.recall()
    server = Server(served.options, load(served.options, memory) if memory else None)
    changed = False

    def note() -> None:
        nonlocal changed
        changed = True

    def housekeeping() -> bool:
        nonlocal changed
        idle = (
            served.options.idle_exit is not None and time.monotonic() - server.last_request > served.options.idle_exit
        )
        wanted = served.wanted()
        if changed and wanted:
            changed = False
            served.remember(lambda: dump(server.engine))
        return wanted and not idle

    async def main() -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            if os.name == "posix":
                loop.add_signal_handler(number, server.request_stop)
            else:
                signal.signal(number, lambda *_: server.request_stop())
        await server.run(lambda: served.ready(server))

    server.engine.on_change = note
    server.housekeeping = housekeeping
    try:
        asyncio.run(main())
    finally:
        if server.port and served.wanted():
            served.remember(lambda: dump(server.engine))
        served.ended()
    return 0
