"""The steps of the protocol at which something can happen to a process that asks."""

from collections.abc import Callable
from typing import Any

# In the order in which one question meets them.
STEPS = [
    f"{moment}-{what}"
    for what in ("prepare", "exchange", "record_response", "accept", "update_from_task")
    for moment in ("before", "after")
]


def at_step(current: Any, step: str, act: Callable[[], object]) -> None:
    """Do something each time that this session comes to a step."""
    moment, _, name = step.partition("-")
    ledger = current.ledger
    owner = {
        "prepare": ledger.sending,
        "exchange": current.client._transport.wire,
        "record_response": ledger.questions,
        "accept": ledger.sending,
        "update_from_task": ledger.questions,
    }[name]
    real = getattr(owner, name)

    def stepped(*args: Any, **kwargs: Any) -> Any:
        creates = name != "exchange" or args[1].endswith("tasks/create")
        if creates and moment == "before":
            act()
        result = real(*args, **kwargs)
        if creates and moment == "after":
            act()
        return result

    setattr(owner, name, stepped)
