"""Fault rules, `WHAT:WHICH:DO[=ARG]`: which fault happens in which call, before or after the commit."""

from __future__ import annotations

import random
import re
import threading
from dataclasses import dataclass, field
from datetime import datetime

from codevf_nb.sandbox._errors import SandboxError
from codevf_nb.sandbox._fault_kinds import FAULT_KINDS, Delivery, FaultKind, FaultyCall, Moment, Scope
from codevf_nb.sandbox._messages import Reply, Request

OPERATIONS = ("projects", "create", "retrieve", "cancel", "balance", "tags")
_WHICH = re.compile(r"\*|p(?P<p>0(\.\d+)?|1(\.0+)?)|(?P<first>[1-9]\d*)(-(?P<last>[1-9]\d*))?")
_DO = re.compile(r"(?P<name>[a-z0-9-]+?)(?:-(?P<moment>before|after)-commit)?(?:=(?P<argument>.*))?", re.DOTALL)


@dataclass
class Fault:
    """One rule, with the number of calls that it has counted (`seen`) and changed (`fired`)."""

    rule: str
    operation: str
    kind: FaultKind
    moment: Moment
    argument: str | None
    first: int
    last: float
    probability: float
    seen: int = 0
    fired: int = 0
    _random: random.Random = field(default_factory=random.Random, repr=False)

    @classmethod
    def parse(cls, rule: str, seed: str = "0") -> Fault:
        """Parse a rule.

        Args:
            rule: The text of the rule, for example `create:2:drop-after-commit`.
            seed: Makes a rule with a probability repeatable.

        Raises:
            SandboxError: The rule is not valid.
        """
        parts = rule.split(":", 2)
        if len(parts) != 3:
            raise SandboxError(f"fault {rule!r}: must be WHAT:WHICH:DO[=ARG], for example create:2:drop-after-commit")
        what, which, do = parts
        if what != "any" and what not in OPERATIONS:
            raise SandboxError(f"fault {rule!r}: WHAT is one of {', '.join(OPERATIONS)} or any, not {what!r}")
        nth = _WHICH.fullmatch(which)
        if nth is None:
            raise SandboxError(f"fault {rule!r}: WHICH is n, n-m, * or p0.3, not {which!r}")
        kind, moment, argument = _parse_do(rule, do)
        first = int(nth["first"] or 1)
        last = int(nth["last"] or first) if nth["first"] else float("inf")
        if last < first:
            raise SandboxError(f"fault {rule!r}: {which} ends before it begins")
        chance = float(nth["p"]) if nth["p"] else 1.0
        dice = random.Random(f"{seed} {rule}")  # noqa: S311 - seeded: the same calls get the same faults again
        return cls(rule, what, kind, moment, argument, first, last, chance, _random=dice)

    @property
    def is_before_commit(self) -> bool:
        """Whether the fault acts before the operation is committed."""
        return self.moment is Moment.BEFORE

    @property
    def needs_operation(self) -> bool:
        """Whether the operation is carried out."""
        return self.kind.scope is Scope.DELAYS or not self.is_before_commit

    @property
    def delay_seconds(self) -> float:
        """The real seconds to wait at the fault's moment."""
        return float(self.argument or 0) if self.kind.scope is Scope.DELAYS else 0.0

    def delivery(self, reply: Reply | None, request: Request, now: datetime) -> Delivery:
        """Return what is written instead of the correct reply, which is None if nothing was committed."""
        return self.kind.effect(FaultyCall(reply or Reply(200), request, now, self.argument or ""))

    def count(self, operation: str) -> bool:
        """Count a call of an operation, and return whether the rule applies to it."""
        if self.operation not in {operation, "any"}:
            return False
        self.seen += 1
        return self.first <= self.seen <= self.last and self._random.random() < self.probability


class Faults:
    """The rules in force. Every rule counts its calls; the first rule that applies to a call acts."""

    def __init__(self, rules: tuple[str, ...] = (), seed: int = 0) -> None:
        self._seed = seed
        self._rules: list[Fault] = []
        self._lock = threading.Lock()
        for rule in rules:
            self.add(rule)

    def add(self, rule: str) -> None:
        """Add a rule. It counts calls from now on."""
        with self._lock:
            self._rules.append(Fault.parse(rule, f"{self._seed} {len(self._rules)}"))

    def next_fault(self, operation: str) -> Fault | None:
        """Count a call, and return the fault for it, or None."""
        with self._lock:
            hits = [fault for fault in self._rules if fault.count(operation)]
            if not hits:
                return None
            hits[0].fired += 1
            return hits[0]

    def counts(self) -> dict[str, int]:
        """Return how often each rule has fired."""
        with self._lock:
            totals: dict[str, int] = {}
            for fault in self._rules:
                totals[fault.rule] = totals.get(fault.rule, 0) + fault.fired
            return totals


def _parse_do(rule: str, do: str) -> tuple[FaultKind, Moment, str | None]:
    found = _DO.fullmatch(do)
    if found is None or found["name"] not in FAULT_KINDS:
        raise SandboxError(f"fault {rule!r}: DO is one of {', '.join(FAULT_KINDS)}, not {do!r}")
    name, argument = found["name"], found["argument"]
    kind = FAULT_KINDS[name]
    moment = Moment(found["moment"] or kind.moment)
    if kind.scope is Scope.CHANGES_REPLY and moment is Moment.BEFORE:
        raise SandboxError(f"fault {rule!r}: {name} changes a reply, and there is no reply before the commit")
    if kind.argument is None and argument is not None:
        raise SandboxError(f"fault {rule!r}: {name} takes no argument")
    if kind.argument is not None and kind.argument.is_required and not argument:
        raise SandboxError(f"fault {rule!r}: {name} takes an argument")
    if kind.argument is not None and argument is not None and not kind.argument.is_valid(argument):
        raise SandboxError(f"fault {rule!r}: {argument!r} is not a valid argument for {name}")
    return kind, moment, argument
