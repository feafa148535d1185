"""The saved state of a sandbox: accounts, tasks and keys in a JSON file that only its owner can read."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from codevf_nb.sandbox._account import Account, Project
from codevf_nb.sandbox._clock import Clock
from codevf_nb.sandbox._engine import Engine, IdempotencyRecord
from codevf_nb.sandbox._errors import SandboxError
from codevf_nb.sandbox._task import Answer, Task
from codevf_nb.sandbox.options import Options

VERSION = 1


def write_private(path: Path, value: object) -> None:
    """Replace a file atomically by JSON that only its owner can read (0600)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(value, file, default=_plain)
    temporary.replace(path)


def dump(engine: Engine) -> dict[str, Any]:
    """Return the state of an engine as JSON values."""
    with engine.lock:
        engine.settle()
        tasks = [asdict(task) for task in engine.tasks.values()]
        for task in tasks:
            task["attachments"] = [{**attachment, "sent": None} for attachment in task["attachments"]]
        return {
            "version": VERSION,
            "clock": {"virtual": engine.clock.virtual, "now": engine.clock.now()},
            "created": engine.created,
            "projects_created": engine.projects_created,
            "accounts": [asdict(account) for account in engine.accounts.values()],
            "tasks": tasks,
            "remembered": {key: asdict(known) for key, known in engine.remembered.items()},
        }


def load(options: Options, saved: dict[str, Any]) -> Engine:
    """Return an engine with a saved state, and with the other accounts of the options."""
    try:
        moment = saved["clock"]
        at = datetime.fromisoformat(moment["now"]) if moment["virtual"] else None
        engine = Engine(options, Clock(options.clock, at))
        engine.created, engine.projects_created = saved["created"], saved["projects_created"]
        engine.accounts |= {item["key"]: _account(item) for item in saved["accounts"]}
        remembered = {
            key: IdempotencyRecord(**{**known, "at": _time(known["at"])}) for key, known in saved["remembered"].items()
        }
        engine.restore([_task(item) for item in saved["tasks"]], remembered)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SandboxError(f"the sandbox's state can't be read ({type(error).__name__}: {error})") from None
    return engine


def read(path: Path) -> dict[str, Any] | None:
    """Return the contents of a state file, or None if there is no file."""
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise SandboxError(f"the sandbox's state {path} can't be read ({error})") from None
    if not isinstance(saved, dict) or saved.get("version") != VERSION:
        raise SandboxError(f"the sandbox's state {path} is not of version {VERSION}")
    return saved


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _time(text: str | None) -> Any:
    return datetime.fromisoformat(text) if text else None


def _account(item: dict[str, Any]) -> Account:
    projects = {
        name: Project(**{**project, "created_at": _time(project["created_at"])})
        for name, project in item["projects"].items()
    }
    return Account(
        item["key"],
        Decimal(item["available"]),
        Decimal(item["on_hold"]),
        projects,
        _time(item["last_arrival"]),
    )


def _task(item: dict[str, Any]) -> Task:
    times = {name: _time(item[name]) for name in ("created_at", "due_at", "ended_at")}
    amounts = {name: Decimal(item[name]) for name in ("max_credits", "hold")}
    answer = item["answer"]
    if answer is not None:
        answer = Answer(**{**answer, "credits_used": Decimal(answer["credits_used"])})
    return Task(**{**item, **times, **amounts, "answer": answer})
