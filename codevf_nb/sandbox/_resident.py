"""The inside of a notebook's own sandbox: its memory lies in its folder, and where it answers stands there."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codevf_nb.sandbox._errors import SandboxError
from codevf_nb.sandbox._hosting import Served
from codevf_nb.sandbox._state import read, write_private
from codevf_nb.sandbox.options import Options

ADDRESS, STATE = "address.json", "state.json"


@dataclass
class Resident(Served):
    """Its state file holds, beside the memory, what it is: key, generation, the options that were given."""

    folder: Path
    home: dict[str, Any]
    memory: dict[str, Any] | None
    options: Options

    @classmethod
    def of(cls, folder: Path) -> Resident:
        """The resident that the folder's state file describes."""
        saved = read(folder / STATE)
        if saved is None or "home" not in saved:
            raise SandboxError(f"{folder / STATE} describes no sandbox")
        home = saved.pop("home")
        options = Options(**home["given"], api_key=home["key"])
        return cls(folder, home, saved if "tasks" in saved else None, options)

    def recall(self) -> dict[str, Any] | None:
        """The memory of the process before this one."""
        return self.memory

    def remember(self, memory: Callable[[], dict[str, Any]]) -> None:
        """Save beside what it is."""
        write_private(self.folder / STATE, {**memory(), "home": self.home})

    def ready(self, server: Any) -> None:
        """Write the address for kernels to find."""
        about = {"pid": os.getpid(), "generation": self.home["generation"]}
        server.control.about = about
        address = {
            **about,
            "base_url": server.base_url,
            "api_key": self.options.api_key,
            "options": self.options.told(),
        }
        write_private(self.folder / ADDRESS, address)

    def wanted(self) -> bool:
        """Not once its folder is gone or its address another's: a home that was deleted leaves no orphan."""
        try:
            address = json.loads((self.folder / ADDRESS).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return bool(address.get("pid") == os.getpid())

    def ended(self) -> None:
        """Take the address back; last of all, because who asked it to stop waits for that."""
        if self.wanted():
            (self.folder / ADDRESS).unlink(missing_ok=True)
