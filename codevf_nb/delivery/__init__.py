"""At-most-once delivery: a question reaches the service and is never paid twice.

``_submission`` sends a question; ``_unknown_outcomes`` decides what may be done about a question without a response;
``_task_recorder`` records its task; ``_errors`` words the errors. ``watcher`` polls open questions.
"""

from codevf_nb.delivery._errors import (
    AskedElsewhereError,
    InFlightError,
    OtherProjectError,
    OutcomeUnknownError,
    before_ledger_write,
    before_sending,
    interruption_message,
)
from codevf_nb.delivery._manual_settlement import ManualSettlement
from codevf_nb.delivery._submission import AskResult, Submission
from codevf_nb.delivery._task_recorder import TaskRecorder

__all__ = [
    "AskResult",
    "AskedElsewhereError",
    "InFlightError",
    "ManualSettlement",
    "OtherProjectError",
    "OutcomeUnknownError",
    "Submission",
    "TaskRecorder",
    "before_ledger_write",
    "before_sending",
    "interruption_message",
]
