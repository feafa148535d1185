"""The error of the ledger."""

from __future__ import annotations

from codevf_nb.sdk.exceptions import CodeVFError


class LedgerError(CodeVFError):
    """The ledger can't be opened or used; the message names the ledger and the reason."""
