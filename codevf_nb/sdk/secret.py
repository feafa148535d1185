"""A key that nobody sees by chance."""

from __future__ import annotations

from typing import NoReturn


class Secret:
    """An API key that shows itself to nobody who only looks: not in a repr, a traceback's locals, a pickle or a log.

    Two are equal where their keys are, so that accounts can be compared.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str | Secret) -> None:
        self._value: str = value.reveal() if isinstance(value, Secret) else value

    def reveal(self) -> str:
        """The key itself, for the one header that needs it."""
        return self._value

    @property
    def is_test(self) -> bool:
        """Whether it is a test key. A key of no known kind counts as a live one."""
        return self._value.startswith("cvf_test_")

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __str__(self) -> str:
        prefix = next((prefix for prefix in ("cvf_live_", "cvf_test_") if self._value.startswith(prefix)), "")
        return f"{prefix}…"

    def __repr__(self) -> str:
        return f"Secret('{self}')"

    def __reduce__(self) -> NoReturn:
        raise TypeError("an API key is not stored along with other things")
