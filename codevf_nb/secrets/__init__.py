"""What must not leave unseen: keys, tokens, passwords, and data about people. Nothing is shown of what is found."""

from .checking import Finding, PrivateDataError, check, not_read
from .parts import Unread

__all__ = ["Finding", "PrivateDataError", "Unread", "check", "not_read"]
