"""Numbered steps from an empty database to the current tables. Append only: a released step never changes.

``upgrade`` runs in the caller's writing transaction, which is the lock: if two kernels open an old ledger at the same
time, the second one waits and has nothing to do. A test compares the result with ``tables.py``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

from sqlalchemy import Connection, inspect, text

from codevf_nb.ledger._digests import Digests, forgotten
from codevf_nb.sdk.exceptions import CodeVFError

_FIRST = (
    """
    CREATE TABLE answers (
        question_id INTEGER NOT NULL,
        request TEXT NOT NULL,
        at FLOAT,
        status_code INTEGER NOT NULL,
        body {blob} NOT NULL,
        PRIMARY KEY (question_id, request)
    )
    """,
    """
    CREATE TABLE bodies (
        question_id INTEGER NOT NULL,
        body {blob} NOT NULL,
        PRIMARY KEY (question_id)
    )
    """,
    """
    CREATE TABLE book (
        seq {serial},
        at FLOAT NOT NULL,
        account TEXT NOT NULL,
        environment TEXT NOT NULL,
        task_id TEXT,
        kind TEXT NOT NULL,
        credits FLOAT NOT NULL,
        available FLOAT,
        on_hold FLOAT,
        CONSTRAINT one_movement UNIQUE (account, task_id, kind)
    )
    """,
    """
    CREATE TABLE budgets (
        account TEXT NOT NULL,
        project TEXT NOT NULL,
        period TEXT NOT NULL,
        credits FLOAT NOT NULL,
        PRIMARY KEY (account, project, period)
    )
    """,
    """
    CREATE TABLE leases (
        name TEXT NOT NULL,
        owner TEXT NOT NULL,
        until FLOAT NOT NULL,
        PRIMARY KEY (name)
    )
    """,
    """
    CREATE TABLE limits (
        credential TEXT NOT NULL,
        next_allowed_at FLOAT NOT NULL,
        queue_until FLOAT NOT NULL,
        PRIMARY KEY (credential)
    )
    """,
    """
    CREATE TABLE projects (
        account TEXT NOT NULL,
        name TEXT NOT NULL,
        project_id INTEGER NOT NULL,
        PRIMARY KEY (account, name)
    )
    """,
    """
    CREATE TABLE questions (
        id {serial},
        account TEXT NOT NULL,
        environment TEXT NOT NULL,
        origin TEXT NOT NULL,
        credential TEXT NOT NULL,
        asked_by TEXT NOT NULL,
        identity TEXT NOT NULL,
        asking INTEGER NOT NULL,
        idempotency_key TEXT NOT NULL,
        project TEXT,
        mode TEXT,
        tag TEXT,
        prompt TEXT,
        code TEXT,
        attachments TEXT NOT NULL,
        response_schema TEXT,
        max_credits INTEGER,
        multiplier FLOAT,
        cost_cap INTEGER,
        state TEXT NOT NULL,
        prepared_at FLOAT NOT NULL,
        body_sha256 TEXT,
        lease_owner TEXT,
        lease_until FLOAT,
        attempts INTEGER NOT NULL,
        unheard INTEGER NOT NULL,
        error TEXT,
        task_id TEXT,
        status TEXT,
        credits_used FLOAT,
        created_at FLOAT,
        completed_at FLOAT,
        message TEXT,
        result TEXT,
        notes TEXT,
        seen_at FLOAT,
        CONSTRAINT one_question UNIQUE (account, identity),
        CONSTRAINT one_task UNIQUE (account, task_id)
    )
    """,
    "CREATE INDEX questions_open ON questions (account, status)",
    "CREATE INDEX questions_newest ON questions (account, id)",
    "CREATE INDEX questions_answered ON questions (account, completed_at, id)",
    "CREATE INDEX questions_costliest ON questions (account, credits_used, id)",
    "CREATE INDEX questions_projects ON questions (account, project)",
    """
    CREATE TABLE tags (
        account TEXT NOT NULL,
        tag_id INTEGER NOT NULL,
        name TEXT NOT NULL,
        display_name TEXT,
        description TEXT,
        multiplier TEXT NOT NULL,
        is_active INTEGER NOT NULL,
        sort_order INTEGER,
        seen_at FLOAT NOT NULL,
        PRIMARY KEY (account, tag_id)
    )
    """,
)

# Keeps the queries before sending a question fast in a large ledger.
_LONG_PAST = (
    "CREATE INDEX questions_asked ON questions (account, prepared_at)",
    "CREATE INDEX book_newest ON book (account, seq)",
)

# Postpones all reserved turns together. A kernel with the previous version still works.
_PUT_OFF = ("ALTER TABLE limits ADD COLUMN put_off FLOAT NOT NULL DEFAULT 0",)


def text_digest(prompt: str, code: str | None) -> str:
    """Return the SHA-256 (hex) of a question's texts, without regard to line ends."""
    texts = [None if text is None else normalize_line_ends(text) for text in (prompt, code)]
    return hashlib.sha256(json.dumps(texts, ensure_ascii=True).encode()).hexdigest()


def normalize_line_ends(text: str) -> str:
    """Return a text with ``\\n`` for every line end, and no blanks or blank lines at its end."""
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip()


def _index_first_identities(connection: Connection, _: Digests) -> None:
    """Index the questions with a version-1 identity by their texts; the digest is "" if the texts were deleted."""
    rows = connection.execute(text("SELECT id, prompt, code FROM questions WHERE identity NOT LIKE 'task %'")).all()
    found = [{"id": row.id, "digest": text_digest(row.prompt, row.code) if row.prompt else ""} for row in rows]
    if found:
        connection.execute(text("INSERT INTO first_identities (digest, question_id) VALUES (:digest, :id)"), found)


# A version-1 identity contained the resolved options; the new one contains what the user wrote.
_FIRST_IDENTITIES = (
    """
    CREATE TABLE first_identities (
        digest TEXT NOT NULL,
        question_id INTEGER NOT NULL,
        PRIMARY KEY (digest, question_id)
    )
    """,
    _index_first_identities,
)

# SQL, or a function for a change that SQL can't make.
Statement = str | Callable[[Connection, Digests], None]

# A new key gives no new budget: budgets belong to an environment, which is the prefix of an account's name. Of two
# budgets, the smaller one is kept. An account can have earlier names.
_ENVIRONMENTS = (
    "CREATE TABLE accounts (earlier TEXT NOT NULL, account TEXT NOT NULL, PRIMARY KEY (earlier))",
    "ALTER TABLE budgets RENAME TO budgets_of_accounts",
    """
    CREATE TABLE budgets (
        environment TEXT NOT NULL,
        project TEXT NOT NULL,
        period TEXT NOT NULL,
        credits FLOAT NOT NULL,
        PRIMARY KEY (environment, project, period)
    )
    """,
    """
    INSERT INTO budgets (environment, project, period, credits)
    SELECT environment, project, period, min(credits) FROM (
        SELECT
            CASE
                WHEN substr(account, 1, 4) = 'live' THEN 'live'
                WHEN substr(account, 1, 4) = 'test' THEN 'test'
                WHEN substr(account, 1, 7) = 'sandbox' THEN 'sandbox'
                ELSE account
            END AS environment,
            project, period, credits
        FROM budgets_of_accounts
    ) AS by_environment
    GROUP BY environment, project, period
    """,
    "DROP TABLE budgets_of_accounts",
    "DROP INDEX questions_asked",
    "CREATE INDEX questions_asked ON questions (environment, prepared_at)",
)

# Stores the time of the next turn and the end of a 429 separately. DROP COLUMN needs SQLite 3.35, so the table is
# copied. A kernel with the previous version does not find its columns, and sends nothing.
_ONE_MOMENT = (
    """
    CREATE TABLE moments (
        credential TEXT NOT NULL,
        next_allowed_at FLOAT NOT NULL,
        closed_until FLOAT NOT NULL,
        PRIMARY KEY (credential)
    )
    """,
    "INSERT INTO moments SELECT credential, queue_until, next_allowed_at FROM limits",
    "DROP TABLE limits",
    "ALTER TABLE moments RENAME TO limits",
)


class OnPostgreSQL(str):
    """A statement for PostgreSQL only."""

    __slots__ = ()


# The service chooses these ids. SQLite's integers always have 64 bits.
_WIDE_IDS = (
    OnPostgreSQL("ALTER TABLE projects ALTER COLUMN project_id TYPE BIGINT"),
    OnPostgreSQL("ALTER TABLE tags ALTER COLUMN tag_id TYPE BIGINT, ALTER COLUMN sort_order TYPE BIGINT"),
)

# Adds an index for open questions. A counter and a lease replace the states of sending; three states are left.
_OPEN = (
    "UPDATE questions SET state = 'open' WHERE state IN ('prepared', 'sending', 'unknown')",
    "DROP INDEX questions_open",
    """
    CREATE INDEX questions_open ON questions (account)
    WHERE task_id IS NOT NULL AND status NOT IN ('completed', 'cancelled', 'failed', 'expired')
    """,
)


def _key_hashes(connection: Connection, digests: Digests) -> None:
    """Replace the plain hashes of attachments by keyed ones; delete the names if the question's texts were deleted."""
    query = "SELECT id, attachments, prompt, message FROM questions WHERE attachments LIKE '%sha256%'"
    changed = []
    for row in connection.execute(text(query)).all():
        parts = digests.manifest(json.loads(row.attachments))
        kept = forgotten(parts) if row.prompt is None and row.message is None else parts
        changed.append({"id": row.id, "attachments": json.dumps(kept)})
    if changed:
        connection.execute(text("UPDATE questions SET attachments = :attachments WHERE id = :id"), changed)


# With plain hashes, a reader of the ledger could test guesses of a masked value.
_KEYED_HASHES = (_key_hashes,)

STEPS: tuple[tuple[Statement, ...], ...] = (
    _FIRST,
    _LONG_PAST,
    _PUT_OFF,
    _FIRST_IDENTITIES,
    _ENVIRONMENTS,
    _ONE_MOMENT,
    _WIDE_IDS,
    _OPEN,
    _KEYED_HASHES,
)


class NewerLedgerError(CodeVFError):
    """A newer version of codevf_nb has written the ledger."""


def upgrade(connection: Connection, digests: Digests) -> None:
    """Migrate the database to the newest version, step by step.

    Args:
        connection: An open writing transaction.
        digests: Computes the keyed hashes of attachments in old ledgers.

    Raises:
        NewerLedgerError: A newer version of codevf_nb has written the ledger.
    """
    version = _version(connection)
    if version > len(STEPS):
        raise NewerLedgerError(
            f"this ledger has version {version}, newer than this codevf_nb can read ({len(STEPS)}): "
            "pip install --upgrade codevf_nb"
        )
    for step in STEPS[version:]:
        for statement in step:
            if not isinstance(statement, str):
                statement(connection, digests)
            elif not isinstance(statement, OnPostgreSQL) or connection.dialect.name == "postgresql":
                connection.execute(text(_spell(statement, connection.dialect.name)))
    if version < len(STEPS):
        connection.execute(text("DELETE FROM meta WHERE name = 'version'"))
        connection.execute(text("INSERT INTO meta VALUES ('version', :version)"), {"version": str(len(STEPS))})


def _version(connection: Connection) -> int:
    if not inspect(connection).has_table("meta"):
        connection.execute(text("CREATE TABLE meta (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)"))
    return int(connection.scalar(text("SELECT value FROM meta WHERE name = 'version'")) or 0)


def _spell(statement: str, dialect: str) -> str:
    """Fill in the two column types that differ between SQLite and PostgreSQL."""
    if dialect == "sqlite":
        return statement.format(serial="INTEGER NOT NULL PRIMARY KEY", blob="BLOB")
    return statement.format(serial="BIGSERIAL PRIMARY KEY", blob="BYTEA")
