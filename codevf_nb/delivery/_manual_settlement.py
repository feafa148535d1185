"""What a person has found out about a question, recorded on their word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codevf_nb.delivery._task_recorder import TaskRecorder
from codevf_nb.ledger import Entry, Ledger
from codevf_nb.ledger.records import columns_of_task
from codevf_nb.sdk.exceptions import BadRequestError, NotFoundError
from codevf_nb.sdk.models import differences

if TYPE_CHECKING:
    from codevf_nb.accounts.settings import Account


class ManualSettlement:
    """Assigns a task to a question, marks a question as not sent, and imports tasks that were asked elsewhere."""

    def __init__(self, account: Account, ledger: Ledger, recorder: TaskRecorder) -> None:
        self._account = account
        self._ledger = ledger
        self._recorder = recorder

    def assign_task(self, entry: Entry, task_id: str) -> Entry:
        """Record that a task of the service belongs to a question.

        Raises:
            BadRequestError: the task belongs to another question.
        """
        known = self._ledger.questions.task(task_id)
        if known is not None and not known.is_foreign:
            raise BadRequestError(
                f"{task_id} is the task of question {known.id}, so it can't be question {entry.id}'s."
            )
        response = self._recorder.retrieve(task_id)
        if entry.task_id is not None:
            entry = self._ledger.sending.unlink_task(entry.id, entry.task_id)
        return self._recorder.accept(entry, response)

    def mark_not_sent(self, entry: Entry) -> Entry:
        """Record that the service has neither the question nor the task that was recorded for it.

        Raises:
            BadRequestError: the service has that task, so the question may be paid.
        """
        if entry.task_id is not None:
            if self._exists(entry.task_id):
                raise BadRequestError(
                    f"the service has {entry.task_id}, so question {entry.id} may be paid. If that is another "
                    f"question's, say which is this one's: %codevf settle {entry.id} TASK; "
                    f"--again {entry.asking + 1} asks once more in any case."
                )
            self._ledger.sending.unlink_task(entry.id, entry.task_id)
        return self._ledger.sending.mark_not_received(entry.id, "a person says that the service doesn't have it")

    def import_task(self, task_id: str) -> Entry:
        """Fetch a task that was asked from elsewhere, so that its answer can be read here."""
        response = self._recorder.retrieve(task_id)
        made = self._ledger.clock() if response.created_at is None else response.created_at.timestamp()
        whose = {name: getattr(self._account, name) for name in ("environment", "origin", "credential")}
        asked = {"asked_by": "elsewhere", "mode": response.mode, "max_credits": response.max_credits}
        known = {**columns_of_task(response), "notes": differences(response) or None}
        return self._ledger.questions.import_task(known.pop("task_id"), made, **whose, **asked, **known)

    def _exists(self, task_id: str) -> bool:
        try:
            self._recorder.retrieve(task_id)
        except (BadRequestError, NotFoundError):  # a recorded id may have another form than the service's ids
            return False
        return True
