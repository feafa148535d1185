"""What must not leave unseen: keys, tokens, passwords, and data about people. Nothing is shown of what is found."""

from codevf_nb.privacy._checks import (
    Finding,
    PrivateDataError,
    check,
    not_read,
)
from codevf_nb.privacy._parts import Unread

__all__ = ["Finding", "PrivateDataError", "Unread", "check", "not_read"]
