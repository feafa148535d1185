"""The Task that users work with."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codevf_nb.sdk.downloads import safe_file_name
from codevf_nb.sdk.exceptions import CodeVFError, WaitTimeoutError

if TYPE_CHECKING:
    import pandas as pd

    from codevf_nb.delivery.watcher import Watcher
    from codevf_nb.ledger import Entry, Repeat
    from codevf_nb.sdk.models import TaskDeliverable
    from codevf_nb.session import Session


class Task:
    """One question and its answer, read from the ledger each time that an attribute is used.

    Attributes:
        repeated: Set where the question was asked before, so that asking again cost nothing: how long ago that was,
            and which attachments have changed since.
    """

    _find: Callable[[], tuple[Session, Entry]]

    def __init__(self, session: Session, entry: Entry, *, repeated: Repeat | None = None) -> None:
        self._session = session
        self._entry = entry
        self._shown_in: int | None = None
        self.repeated = repeated

    @classmethod
    def deferred(cls, find: Callable[[], tuple[Session, Entry]]) -> Task:
        """Return a task whose session and row ``find`` returns when the task is used."""
        task = cls.__new__(cls)
        task._find, task._shown_in, task.repeated = find, None, None  # noqa: SLF001 - its own attributes
        return task

    def __getattr__(self, name: str) -> Any:
        if name not in {"_session", "_entry"}:
            raise AttributeError(f"a Task has no {name!r}", name=name, obj=self)
        self._session, self._entry = self._find()
        return vars(self)[name]

    @property
    def entry(self) -> Entry:
        """The ledger's row, as it is now."""
        if self._entry.is_open:
            self._entry = self._session.ledger.questions.get(self._entry.id)
        return self._entry

    @property
    def seen(self) -> Entry:
        """The ledger's row, as it was when it was last read."""
        return self._entry

    @property
    def id(self) -> str | None:
        """The service's id of the task."""
        return self.entry.task_id

    @property
    def status(self) -> str | None:
        """The status that the service reports: pending, processing, completed, cancelled, …"""
        return self.entry.status

    @property
    def is_open(self) -> bool:
        """Whether an answer may still come."""
        return self.entry.is_open

    @property
    def message(self) -> str | None:
        """The text of the answer (Markdown); None before the answer, and for a structured answer."""
        return self.entry.message

    @property
    def result(self) -> Any:
        """The data of a structured answer, which AI generates according to CodeVF's documentation; else the text.

        The content of the response decides which of them the answer is.
        """
        entry = self.entry
        return entry.data if entry.is_structured else entry.message

    @property
    def deliverables(self) -> list[TaskDeliverable]:
        """The files that came with the answer."""
        return self.entry.files

    @property
    def credits_used(self) -> float | None:
        """The charge of the task in credits; None while the service has not reported it."""
        return self.entry.credits_used

    @property
    def environment(self) -> str:
        """Where the task was asked: live, test or sandbox."""
        return self._entry.environment

    @property
    def attachments(self) -> list[dict[str, Any]]:
        """The files that were sent: name, size and keyed hash of each one, and the ``positions`` of a sample.

        Positions are the numbers of the rows that were sent, by the name of the CSV: ``trips.iloc[positions]`` returns
        these rows.
        """
        from codevf_nb.attachments.row_positions import shown

        return [shown(record) for record in self.entry.attachments or ()]

    def frame(self) -> pd.DataFrame:
        """Return a structured answer as a DataFrame.

        An array of objects becomes rows, and so does the only array in an object. Any other object is one row; a single
        value is in the column ``value``. Missing values are ``<NA>``.

        Raises:
            WaitTimeoutError: the task is still open.
            CodeVFError: the answer isn't data, or has several tables.
        """
        from codevf_nb.analysis.structured import exact_frame, rows_of

        entry = self.entry
        if entry.is_open:
            raise WaitTimeoutError(f"{entry.task_id} is still {entry.status}; .wait() for it.")
        if not entry.is_structured:
            raise CodeVFError(
                f"the answer of {entry.task_id} is text, not rows: see .message; ask with a schema for rows."
            )
        if entry.data is None:
            raise CodeVFError(f"{entry.task_id} is {entry.status} and has no data.")
        return exact_frame(rows_of(str(entry.task_id), entry.data, entry.response_schema))

    def wait(self, timeout: float | None = None) -> Task:
        """Block until the answer is there and return this task. Ctrl-C stops the wait, not the task.

        Args:
            timeout: The longest wait in seconds; None waits without a limit.

        Raises:
            WaitTimeoutError: the timeout has passed, or the session was closed.
            CodeVFError: its sandbox is gone, so that no answer can come any more.
        """
        if self.entry.is_open:
            self._watch().wait(self._entry.id, timeout)
            self._check_over(timeout)
        return self

    def __await__(self) -> Generator[Any, None, Task]:
        """Wait without a thread; an ``await`` that is cancelled, or times out, leaves no callback behind."""
        return self._answered().__await__()

    async def _answered(self) -> Task:
        if self.entry.is_open:
            loop = asyncio.get_running_loop()
            over = loop.create_future()

            def set_over() -> None:
                if not over.done():
                    over.set_result(None)

            def call_back() -> None:
                with contextlib.suppress(RuntimeError):  # the loop is closed: no one waits any more
                    loop.call_soon_threadsafe(set_over)

            remove_callback = self._watch().add_done_callback(self._entry.id, call_back)
            try:
                await over
            finally:
                remove_callback()
            self._check_over()
        return self

    def _watch(self) -> Watcher:
        """Watch for the answer, in the session that has replaced this task's session if that is closed."""
        self._session = self._session.successor()
        self._session.watcher.watch(self._entry)
        return self._session.watcher

    def _check_over(self, timeout: float | None = None) -> None:
        if not self.entry.is_open:
            return
        if gone := self._session.account.gone():
            raise CodeVFError(f"{self.id} can't be answered any more: {gone}.")
        if self._session.watcher.is_stopped:
            why = "and its session was closed"
        else:
            why = "and is not watched any more" if timeout is None else f"after {timeout:g} s"
        raise WaitTimeoutError(
            f"{self.id} is still {self.status} {why}. It continues: "
            f"%codevf show {self.id} later, or %codevf cancel {self.id}."
        )

    def cancel(self) -> Task:
        """Cancel the task at the service; the credits on hold are released."""
        self._entry = self._session.cancel(self.entry)
        return self

    def refresh(self) -> Task:
        """Fetch the task now, also once it is final: a late result, charge or file address is recorded."""
        self._entry = self._session.refresh(self.entry)
        return self

    def download(self, folder: str | Path | None = None, *, overwrite: bool = False) -> list[Path]:
        """Save every deliverable into a folder.

        Files of the same name are numbered, and a second download returns the same files.

        Args:
            folder: The folder; by default ``codevf_task_…`` in the working folder. (In the working folder itself, a
                deliverable named ``pandas.py`` would be what the next ``import pandas`` finds.)
            overwrite: Replace other files of the same name.

        Returns:
            The paths of the files.

        Raises:
            DownloadError: files that could not be saved; its ``saved`` are the others.
        """
        target = Path(safe_file_name(f"codevf_{self.id}") if folder is None else folder)
        return self._session.download(self.deliverables, target, overwrite=overwrite)

    def mark_shown(self) -> Task:
        """Record that the running cell shows this task, so that it isn't shown again as the cell's value."""
        self._shown_in = _running_cell()
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Task) and self._place == other._place

    def __hash__(self) -> int:
        return hash(self._place)

    @property
    def _place(self) -> tuple[str, int]:
        return self._session.ledger.store.place, self._entry.id

    def __repr__(self) -> str:
        try:
            return f"<Task {self.id} {self.status} ({self.environment})>"
        except CodeVFError as error:
            return f"<Task, not found: {error}>"

    def _ipython_display_(self) -> None:
        if self._shown_in is None or self._shown_in != _running_cell():
            raise NotImplementedError  # IPython uses ``_repr_mimebundle_`` instead

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        from codevf_nb.display import rendering as display

        return display.task_bundle(self.entry, repeated=self.repeated)


def _running_cell() -> int | None:
    """Return the number of the cell that is running; None outside of IPython."""
    from IPython.core.getipython import get_ipython

    return getattr(get_ipython(), "execution_count", None)
