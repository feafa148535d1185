"""What goes along with a question: the cell, tables under a byte budget with a profile, figures, texts, files.

``gather`` makes the files; ``resolve``, ``traceback_text``, ``context_of`` and ``figure_of`` make what it takes.
"""

from .attachment import DEFAULT_MAX_BYTES, Attachment, AttachmentError, Kind, Picture, Text
from .failures import Failure, last_failure
from .figures import figure_of
from .gathering import gather
from .history import context_of
from .lazy_tables import Depth
from .names import named, resolve
from .redaction import Mask, column_names
from .registry import is_lazy
from .sources import source_of
from .tracebacks import traceback_text

__all__ = [
    "DEFAULT_MAX_BYTES",
    "Attachment",
    "AttachmentError",
    "Depth",
    "Failure",
    "Kind",
    "Mask",
    "Picture",
    "Text",
    "column_names",
    "context_of",
    "figure_of",
    "gather",
    "is_lazy",
    "last_failure",
    "named",
    "resolve",
    "source_of",
    "traceback_text",
]
