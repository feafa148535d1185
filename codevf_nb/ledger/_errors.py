"""What opening or using the ledger may end in."""

from __future__ import annotations

from codevf_nb.sdk.exceptions import CodeVFError


class LedgerError(CodeVFError):
    """The ledger can't be opened or written; the message says which one and why."""
