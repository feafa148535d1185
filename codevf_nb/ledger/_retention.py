"""Delete the texts of old questions and answers; ids, times and credits stay."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

from sqlalchemy import Connection, delete, or_, select, update

from codevf_nb.ledger._digests import forgotten
from codevf_nb.ledger.records import SendState
from codevf_nb.ledger.rows import CHANGE, Rows
from codevf_nb.ledger.tables import answers, bodies, questions
from codevf_nb.sdk.statuses import FINAL

# One batch of deletions holds the lock for about this time. The pause is longer than SQLite's retry interval of 0.1 s,
# so that waiting writers get the lock.
FORGET_SECONDS = 0.1
FORGET_PAUSE_SECONDS = 0.11
FORGET_AT_ONCE = 50
_TEXTS = ("prompt", "code", "response_schema", "message", "result", "error", "notes")


class Retention(Rows):
    """How long one account's ledger keeps texts."""

    def forget(self, before: float) -> int:
        """Delete the texts of questions and answers that are older than ``before``, if the question is finished.

        Ids, times, credits, and the sizes and keyed hashes of attachments are kept. Other processes can write between
        the batches.

        Args:
            before: A time in seconds since 1970 UTC.

        Returns:
            The number of questions whose texts were deleted.
        """
        forgotten, last = 0, 0
        with self._store.reuse_connection():
            while some := self._forget_batch(before, last):
                forgotten, last = forgotten + some[0], some[1]
                time.sleep(FORGET_PAUSE_SECONDS)
        return forgotten

    def _forget_batch(self, before: float, last: int) -> tuple[int, int] | None:
        """Delete the texts of one batch of questions after the id ``last``.

        Returns:
            The number of questions and the last id; None if no question is left.
        """
        over = (questions.c.state == SendState.REFUSED) | questions.c.status.in_(FINAL)
        has_texts = or_(
            *(questions.c[name].is_not(None) for name in _TEXTS), questions.c.attachments.contains('"name"')
        )
        old = self._where(questions.c.prepared_at < before, over, has_texts).with_only_columns(questions.c.id)
        count = 0
        with self._store.write() as connection:
            ends = time.monotonic() + FORGET_SECONDS
            while time.monotonic() < ends:
                some = old.where(questions.c.id > last).order_by(questions.c.id).limit(FORGET_AT_ONCE)
                ids = connection.scalars(some).all()
                if not ids:
                    break
                connection.execute(delete(bodies).where(bodies.c.question_id.in_(ids)))
                connection.execute(delete(answers).where(answers.c.question_id.in_(ids)))
                connection.execute(update(questions).where(questions.c.id.in_(ids)).values(dict.fromkeys(_TEXTS)))
                _forget_names(connection, ids)
                count, last = count + len(ids), ids[-1]
        return (count, last) if count else None


def _forget_names(connection: Connection, ids: Sequence[int]) -> None:
    rows = connection.execute(select(questions.c.id, questions.c.attachments).where(questions.c.id.in_(ids))).all()
    kept = [{"which": row.id, "attachments": json.dumps(forgotten(json.loads(row.attachments)))} for row in rows]
    connection.execute(CHANGE, kept)
