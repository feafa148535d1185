"""The files of a question: the code cell, sampled tables with a profile, figures, texts, and files from the disk.

``gather`` makes the files. ``resolve``, ``traceback_text``, ``context_of`` and ``figure_of`` make the values that it
takes.
"""

from codevf_nb.attachments._cell_history import context_of
from codevf_nb.attachments._failures import Failure, last_failure
from codevf_nb.attachments._gathering import gather
from codevf_nb.attachments._images import figure_of
from codevf_nb.attachments._lazy_tables import Depth
from codevf_nb.attachments._redaction import Mask, column_names
from codevf_nb.attachments._source_code import source_of
from codevf_nb.attachments._tracebacks import traceback_text
from codevf_nb.attachments.attachment import (
    DEFAULT_MAX_BYTES,
    Attachment,
    AttachmentError,
    Kind,
    Picture,
    Text,
)
from codevf_nb.attachments.names import named, resolve
from codevf_nb.attachments.registry import is_lazy

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
