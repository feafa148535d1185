"""The process of a notebook's sandbox. Its state and its address are files in its folder."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codevf_nb.sandbox._errors import SandboxError
from codevf_nb.sandbox._hosting import Host
from codevf_nb.sandbox._state import read, write_private
from codevf_nb.sandbox.options import Options

if TYPE_CHECKING:
    from codevf_nb.sandbox._server import Server

ADDRESS, STATE = "address.json", "state.json"


@dataclass
class HomeHost(Host):
    """The host of a sandbox in a folder. The state file also has its key, its generation and its options."""

    folder: Path
    home: dict[str, Any]
    memory: dict[str, Any] | None
    options: Options

    @classmethod
    def of(cls, folder: Path) -> HomeHost:
        """Return the host for the state file of a folder."""
        saved = read(folder / STATE)
        if saved is None or "home" not in saved:
            raise SandboxError(f"{folder / STATE} describes no sandbox")
        home = saved.pop("home")
        options = Options(**home["given"], api_key=home["key"])
        return cls(folder, home, saved if "tasks" in saved else None, options)

    def load_memory(self) -> dict[str, Any] | None:
        """Return the state of the previous process."""
        return self.memory

    def save_memory(self, memory: Callable[[], dict[str, Any]]) -> None:
        """Save the state, together with the key, the generation and the options."""
        write_private(self.folder / STATE, {**memory(), "home": self.home})

    def on_ready(self, server: Server) -> None:
        """Write the address file, for the kernels."""
        about = {"pid": os.getpid(), "generation": self.home["generation"]}
        server.control.about = about
        address = {
            **about,
            "base_url": server.base_url,
            "api_key": self.options.api_key,
            "options": self.options.public_options(),
        }
        write_private(self.folder / ADDRESS, address)

    def may_continue(self) -> bool:
        """Return False if the folder was deleted, or if the address file belongs to another process."""
        try:
            address = json.loads((self.folder / ADDRESS).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return bool(address.get("pid") == os.getpid())

    def on_stopped(self) -> None:
        """Remove the address file. This is the last step: the process that stops the sandbox waits for it."""
        if self.may_continue():
            (self.folder / ADDRESS).unlink(missing_ok=True)
