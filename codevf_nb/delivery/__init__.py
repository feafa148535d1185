"""At most once: how a question reaches the service without ever being paid twice.

``protocol.py`` is the way of a question that is asked; ``unsettled.py`` is what may be done about one that was sent
without anybody hearing what became of it; ``errors.py`` is what a person is told.
"""

from codevf_nb.delivery._errors import (
    AskedElsewhereError,
    InFlightError,
    OtherProjectError,
    OutcomeUnknownError,
    stopped,
    telling_nothing_sent,
    telling_whether_sent,
)
from codevf_nb.delivery._submission import AskResult, Submission

__all__ = [
    "AskResult",
    "AskedElsewhereError",
    "InFlightError",
    "OtherProjectError",
    "OutcomeUnknownError",
    "Submission",
    "stopped",
    "telling_nothing_sent",
    "telling_whether_sent",
]
