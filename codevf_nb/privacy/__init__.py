"""Find private data before it is sent: keys, tokens, passwords, personal data. Messages never show what was found."""

from codevf_nb.privacy._checks import (
    Finding,
    PrivateDataError,
    check,
)
from codevf_nb.privacy._parts import Unread

__all__ = ["Finding", "PrivateDataError", "Unread", "check"]
