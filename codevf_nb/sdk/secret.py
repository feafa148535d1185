"""API keys that are not shown by accident."""

from __future__ import annotations

from typing import NoReturn


class Secret:
    """An API key that is masked in its repr, in the local variables of a traceback and in logs, and can't be pickled.

    Two secrets with the same key are equal.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str | Secret) -> None:
        self._value: str = value.reveal() if isinstance(value, Secret) else value

    def reveal(self) -> str:
        """Return the key, for the Authorization header."""
        return self._value

    @property
    def is_test(self) -> bool:
        """Whether it is a test key. A key with an unknown prefix is treated as a live key."""
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
        raise TypeError("an API key can't be pickled")
