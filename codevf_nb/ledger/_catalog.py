"""A cache of the tags and projects that the service listed for an account."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import bindparam, delete, func, insert, select

from codevf_nb.ledger._store import Store
from codevf_nb.ledger.tables import projects, tags
from codevf_nb.sdk.models import Tag

# Built once: every question queries its tag and its project.
_TAGS = select(tags).where(tags.c.account == bindparam("account")).order_by(tags.c.sort_order, tags.c.tag_id)
_TAGS_SEEN_AT = select(func.min(tags.c.seen_at)).where(tags.c.account == bindparam("account"))
_PROJECT = select(projects.c.project_id).where(
    projects.c.account == bindparam("account"), projects.c.name == bindparam("name")
)


class Catalogue:
    """Tags and projects of one account."""

    def __init__(self, store: Store, account: str) -> None:
        self._store = store
        self._account = account

    def keep_tags(self, seen: Sequence[Tag], now: float) -> None:
        """Replace the stored tags with those that the service has just listed."""
        rows = [
            {
                "account": self._account,
                "tag_id": tag.id,
                "name": tag.name,
                "display_name": tag.display_name,
                "description": tag.description,
                "multiplier": str(tag.cost_multiplier),
                "is_active": int(tag.is_active),
                "sort_order": tag.sort_order,
                "seen_at": now,
            }
            for tag in seen
        ]
        with self._store.write() as connection:
            connection.execute(delete(tags).where(tags.c.account == self._account))
            if rows:
                connection.execute(insert(tags), rows)

    def tags(self) -> list[Tag]:
        """Return the stored tags in the service's order; an empty list if none has been stored."""
        with self._store.read() as connection:
            rows = connection.execute(_TAGS, {"account": self._account}).all()
        return [
            Tag(
                id=row.tag_id,
                name=row.name,
                display_name=row.display_name,
                description=row.description,
                cost_multiplier=Decimal(row.multiplier),
                is_active=bool(row.is_active),
                sort_order=row.sort_order,
            )
            for row in rows
        ]

    def tags_seen_at(self) -> float | None:
        """Return when the stored tags were fetched (seconds since 1970 UTC), or None."""
        with self._store.read() as connection:
            seen_at: float | None = connection.scalar(_TAGS_SEEN_AT, {"account": self._account})
        return seen_at

    def keep_project(self, name: str, project_id: int) -> None:
        """Store the service's id of a project."""
        which = (projects.c.account == self._account, projects.c.name == name)
        with self._store.write() as connection:
            connection.execute(delete(projects).where(*which))
            connection.execute(insert(projects).values(account=self._account, name=name, project_id=project_id))

    def forget_project(self, name: str) -> None:
        """Delete the id of a project that the service no longer has."""
        with self._store.write() as connection:
            connection.execute(delete(projects).where(projects.c.account == self._account, projects.c.name == name))

    def projects(self) -> list[str]:
        """Return the names of the stored projects."""
        query = select(projects.c.name).where(projects.c.account == self._account).order_by(projects.c.name)
        with self._store.read() as connection:
            return list(connection.scalars(query))

    def project(self, name: str) -> int | None:
        """Return the stored id of a project, or None."""
        with self._store.read() as connection:
            return connection.scalar(_PROJECT, {"account": self._account, "name": name})
