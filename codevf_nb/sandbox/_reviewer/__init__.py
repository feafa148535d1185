"""The automated reviewer. It reads attachments, and reports only defects that it can show."""

from codevf_nb.sandbox._reviewer._documents import Document
from codevf_nb.sandbox._reviewer._finding import Finding
from codevf_nb.sandbox._reviewer._report import Review, review

__all__ = ["Document", "Finding", "Review", "review"]
