"""Faults by rule, `WHAT:WHICH:DO[=ARG]`: what goes wrong, in which call, before or after the commit."""

from __future__ import annotations

import json
import random
import re
import threading
from dataclasses import dataclass, field
from typing import Any

from codevf_nb.sandbox._errors import SandboxError

OPERATIONS = ("projects", "create", "retrieve", "cancel", "balance", "tags")
BEFORE, AFTER = "before", "after"

# What there is, when it happens by default, and its argument: "-" none, "?" optional, "!" required.
ACTIONS = {
    "status": (BEFORE, "!"),
    "429": (BEFORE, "?"),
    "301": (BEFORE, "?"),
    "drop": (BEFORE, "-"),
    "delay": (AFTER, "!"),
    "truncate": (AFTER, "-"),
    "malformed": (AFTER, "-"),
    "wrong-type": (AFTER, "-"),
    "slow-drip": (AFTER, "?"),
    "set": (AFTER, "!"),
}
SHAPES_THE_ANSWER = {"truncate", "malformed", "wrong-type", "slow-drip", "set"}
_WHICH = re.compile(r"\*|p(?P<p>0(\.\d+)?|1(\.0+)?)|(?P<first>[1-9]\d*)(-(?P<last>[1-9]\d*))?")
_DO = re.compile(r"(?P<action>[a-z0-9-]+?)(?:-(?P<moment>before|after)-commit)?(?:=(?P<arg>.*))?", re.DOTALL)


@dataclass
class Fault:
    """One rule, and how many calls it has seen and struck."""

    rule: str
    operation: str
    action: str
    moment: str
    arg: str | None
    first: int
    last: float
    probability: float
    seen: int = 0
    fired: int = 0
    _random: random.Random = field(default_factory=random.Random, repr=False)

    @classmethod
    def parse(cls, rule: str, seed: str = "0") -> Fault:
        """Read a rule; a bad one is a `SandboxError` of one line."""
        parts = rule.split(":", 2)
        if len(parts) != 3:
            raise SandboxError(f"fault {rule!r}: must be WHAT:WHICH:DO[=ARG], for example create:2:drop-after-commit")
        what, which, do = parts
        if what != "any" and what not in OPERATIONS:
            raise SandboxError(f"fault {rule!r}: WHAT is one of {', '.join(OPERATIONS)} or any, not {what!r}")
        nth = _WHICH.fullmatch(which)
        if nth is None:
            raise SandboxError(f"fault {rule!r}: WHICH is n, n-m, * or p0.3, not {which!r}")
        action, moment, arg = _parse_do(rule, do)
        first = int(nth["first"] or 1)
        last = int(nth["last"] or first) if nth["first"] else float("inf")
        if last < first:
            raise SandboxError(f"fault {rule!r}: {which} ends before it begins")
        chance = float(nth["p"]) if nth["p"] else 1.0
        dice = random.Random(f"{seed} {rule}")  # noqa: S311 - seeded: the same calls meet the same faults again
        return cls(rule, what, action, moment, arg, first, last, chance, _random=dice)

    @property
    def seconds(self) -> float:
        """The argument of `delay` and `slow-drip`, in real seconds."""
        return float(self.arg or 5)

    def strikes(self, operation: str) -> bool:
        """Count a call of `operation`, and say whether this rule wants it."""
        if self.operation not in {operation, "any"}:
            return False
        self.seen += 1
        return self.first <= self.seen <= self.last and self._random.random() < self.probability


class Faults:
    """The rules in force, in order: each counts the calls it speaks of, and the first that strikes acts."""

    def __init__(self, rules: tuple[str, ...] = (), seed: int = 0) -> None:
        self._seed = seed
        self._rules: list[Fault] = []
        self._lock = threading.Lock()
        for rule in rules:
            self.add(rule)

    def add(self, rule: str) -> None:
        """Add a rule, which counts calls from now on."""
        with self._lock:
            self._rules.append(Fault.parse(rule, f"{self._seed} {len(self._rules)}"))

    def strike(self, operation: str) -> Fault | None:
        """The fault that this call meets, if any."""
        with self._lock:
            hits = [fault for fault in self._rules if fault.strikes(operation)]
            if not hits:
                return None
            hits[0].fired += 1
            return hits[0]

    def counts(self) -> dict[str, int]:
        """How often each rule has fired."""
        with self._lock:
            totals: dict[str, int] = {}
            for fault in self._rules:
                totals[fault.rule] = totals.get(fault.rule, 0) + fault.fired
            return totals


def _parse_do(rule: str, do: str) -> tuple[str, str, str | None]:
    found = _DO.fullmatch(do)
    if found is None or found["action"] not in ACTIONS:
        raise SandboxError(f"fault {rule!r}: DO is one of {', '.join(ACTIONS)}, not {do!r}")
    action, arg = found["action"], found["arg"]
    default, takes = ACTIONS[action]
    moment = found["moment"] or default
    if action in SHAPES_THE_ANSWER and moment == BEFORE:
        raise SandboxError(f"fault {rule!r}: {action} shapes an answer, which there is only after the commit")
    if (takes == "-" and arg is not None) or (takes == "!" and not arg):
        raise SandboxError(f"fault {rule!r}: {action} takes {'no' if takes == '-' else 'an'} argument")
    if arg is not None and not _fits(action, arg):
        raise SandboxError(f"fault {rule!r}: {arg!r} is nothing for {action}")
    return action, moment, arg


def _fits(action: str, arg: str) -> bool:
    if action == "status":
        return arg.isdecimal() and 200 <= int(arg) <= 599
    if action in {"delay", "slow-drip"}:
        return re.fullmatch(r"\d{1,5}(\.\d+)?", arg) is not None
    if action == "429":
        return arg in {"both", "header", "meta", "none"}
    if action == "set":
        return isinstance(_json(arg), dict)
    return arg.isprintable()


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
