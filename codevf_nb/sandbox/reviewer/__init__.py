"""The automated reviewer: reads what was attached, and reports only what it can show."""

from .documents import Document
from .finding import Finding
from .report import Review, review

__all__ = ["Document", "Finding", "Review", "review"]
