"""The ledger's tables. Times are seconds since 1970 UTC, amounts are credits, JSON is stored as text.

A question is one row, from before its first byte is sent. Its request body and the raw responses are in tables of their
own, so that reading thousands of questions stays fast. The book is append-only: each row is one movement of credits, or
one balance that the service returned. Rows of it are deleted only when a person reports that a task was linked to the
wrong question.

These tables match the result of the last step in ``migrations.py``; a change here needs a step there.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from codevf_nb.sdk.statuses import FINAL

metadata = MetaData()

# A question that may still be answered; also the condition of the index ``questions_open``.
IS_OPEN = text(f"task_id IS NOT NULL AND status NOT IN ({', '.join(map(repr, FINAL))})")

questions = Table(
    "questions",
    metadata,
    Column("id", Integer, primary_key=True),
    # the account, and the address to which it may be sent
    Column("account", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("credential", Text, nullable=False),
    Column("asked_by", Text, nullable=False),
    # the question
    Column("identity", Text, nullable=False),
    Column("asking", Integer, nullable=False),
    Column("idempotency_key", Text, nullable=False),
    Column("project", Text),
    Column("mode", Text),
    Column("tag", Text),
    Column("prompt", Text),
    Column("code", Text),
    Column("attachments", Text, nullable=False),
    Column("response_schema", Text),
    Column("max_credits", Integer),
    Column("multiplier", Float),
    Column("cost_cap", Integer),
    # the state of sending it
    Column("state", Text, nullable=False),
    Column("prepared_at", Float, nullable=False),
    Column("body_sha256", Text),
    Column("lease_owner", Text),
    Column("lease_until", Float),
    Column("attempts", Integer, nullable=False),
    Column("unheard", Integer, nullable=False),
    Column("error", Text),
    # the task and the answer
    Column("task_id", Text),
    Column("status", Text),
    Column("credits_used", Float),
    Column("created_at", Float),
    Column("completed_at", Float),
    Column("message", Text),
    Column("result", Text),
    Column("notes", Text),
    # when the answer was first seen
    Column("seen_at", Float),
    UniqueConstraint("account", "identity", name="one_question"),
    UniqueConstraint("account", "task_id", name="one_task"),
    Index("questions_open", "account", sqlite_where=IS_OPEN, postgresql_where=IS_OPEN),
    # for budgets, and for the time of the newest question
    Index("questions_asked", "environment", "prepared_at"),
    # for the sort orders of pages
    Index("questions_newest", "account", "id"),
    Index("questions_answered", "account", "completed_at", "id"),
    Index("questions_costliest", "account", "credits_used", "id"),
    Index("questions_projects", "account", "project"),
)

# Questions with a version-1 identity, which contained resolved options, by the digest of their texts.
first_identities = Table(
    "first_identities",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("question_id", Integer, primary_key=True),
)

bodies = Table(
    "bodies",
    metadata,
    Column("question_id", Integer, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

answers = Table(
    "answers",
    metadata,
    Column("question_id", Integer, primary_key=True),
    Column("request", Text, primary_key=True),
    Column("at", Float),
    Column("status_code", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

book = Table(
    "book",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("account", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("task_id", Text),
    Column("kind", Text, nullable=False),
    Column("credits", Float, nullable=False),
    Column("available", Float),
    Column("on_hold", Float),
    UniqueConstraint("account", "task_id", "kind", name="one_movement"),
    # for the newest balance, and whether a movement is newer
    Index("book_newest", "account", "seq"),
)

# The earlier names of an account, before its key was renewed, and its current name.
accounts = Table(
    "accounts",
    metadata,
    Column("earlier", Text, primary_key=True),
    Column("account", Text, nullable=False),
)

budgets = Table(
    "budgets",
    metadata,
    Column("environment", Text, primary_key=True),
    Column("project", Text, primary_key=True),
    Column("period", Text, primary_key=True),
    Column("credits", Float, nullable=False),
)

projects = Table(
    "projects",
    metadata,
    Column("account", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("project_id", BigInteger, nullable=False),
)

tags = Table(
    "tags",
    metadata,
    Column("account", Text, primary_key=True),
    Column("tag_id", BigInteger, primary_key=True),
    Column("name", Text, nullable=False),
    Column("display_name", Text),
    Column("description", Text),
    Column("multiplier", Text, nullable=False),
    Column("is_active", Integer, nullable=False),
    Column("sort_order", BigInteger),
    Column("seen_at", Float, nullable=False),
)

# When the next turn of a key is free, and until when a 429 blocks all its requests.
limits = Table(
    "limits",
    metadata,
    Column("credential", Text, primary_key=True),
    Column("next_allowed_at", Float, nullable=False),
    Column("closed_until", Float, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("until", Float, nullable=False),
)

meta = Table("meta", metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))
