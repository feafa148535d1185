"""The accounts of a ledger, and their earlier names: a renewed key gives an account a new name.

A question is stored under the current name of its account. The table ``accounts`` keeps the earlier names, because the
identities of older questions were computed from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, case, delete, func, insert, select, update

from codevf_nb.ledger._store import Store
from codevf_nb.ledger.records import FOREIGN
from codevf_nb.ledger.rows import delete_related, each
from codevf_nb.ledger.tables import (
    IS_OPEN,
    accounts,
    answers,
    bodies,
    book,
    projects,
    questions,
    tags,
)
from codevf_nb.sdk.addresses import Address, AddressError
from codevf_nb.sdk.exceptions import BadRequestError

_NAMES = select(accounts)
_account = each(questions.c.account).subquery()
_first = questions.alias("first")
_FIRST_ID = select(func.min(_first.c.id)).where(_first.c.account == _account.c.name).scalar_subquery()
# Any question of an account gives its address, since the account's name is computed from address and key.
_PLACES = select(questions.c.account, questions.c.environment, questions.c.origin, questions.c.credential).join(
    _account, questions.c.id == _FIRST_ID
)
_COUNTS = select(
    questions.c.account,
    func.count().label("questions"),
    func.sum(case((IS_OPEN, 1), else_=0)).label("open"),
    func.max(questions.c.prepared_at).label("last_asked"),
).group_by(questions.c.account)
_theirs = questions.alias("theirs")
_IN_BOTH = select(questions.c.id, questions.c.identity, _theirs.c.id, _theirs.c.identity, questions.c.task_id).where(
    questions.c.account == bindparam("mine"),
    _theirs.c.account == bindparam("other"),
    questions.c.task_id == _theirs.c.task_id,
)

NOTHING_CHANGED = "Nothing was changed."


@dataclass(frozen=True)
class KnownAccount:
    """An account in the ledger. ``last_asked`` is in seconds since 1970 UTC; ``earlier`` has its earlier names."""

    name: str
    environment: str
    origin: str
    questions: int = 0
    open: int = 0
    last_asked: float | None = None
    earlier: tuple[str, ...] = ()


class Accounts:
    """Lists the accounts of a ledger, and merges others into the current account."""

    def __init__(self, store: Store, account: str, environment: str) -> None:
        self._store = store
        self._account = account
        self._environment = environment

    def names(self) -> tuple[str, ...]:
        """Return every name of this account, the current name first."""
        with self._store.read() as connection:
            now = renamed(connection)
        current = now.get(self._account, self._account)
        return current, *sorted(name for name, account in now.items() if account == current)

    def known(self, origin: str) -> list[KnownAccount]:
        """Return every account of the ledger, sorted by name, including this one, whose address is ``origin``."""
        with self._store.read() as connection:
            now = renamed(connection)
            places = {row.account: row for row in connection.execute(_PLACES)}
            counts = {row.account: row for row in connection.execute(_COUNTS)}
        mine = now.get(self._account, self._account)
        found = {mine: KnownAccount(mine, self._environment, origin)}
        for name, place in places.items():
            count = counts[name]
            where = origin if name == mine else place.origin
            found[name] = KnownAccount(name, place.environment, where, count.questions, count.open, count.last_asked)
        earlier = {name: tuple(sorted(old for old in now if now[old] == name)) for name in found}
        return [KnownAccount(**{**vars(found[name]), "earlier": earlier[name]}) for name in sorted(found)]

    def merge_respelled_address(self, origin: str, credential: str) -> None:
        """Merge questions that were stored under another spelling of this address.

        Earlier versions stored addresses as they were typed.

        Args:
            origin: The normalized address.
            credential: The digest of the key. Accounts with the same key are merged into this one.
        """
        with self._store.read() as connection:
            places = connection.execute(_PLACES).all()
        for place in places:
            if place.origin == origin or not _is_same(place.origin, origin):
                continue
            respelled = update(questions).where(
                questions.c.account == place.account, questions.c.origin == place.origin
            )
            with self._store.write() as connection:
                connection.execute(respelled.values(origin=origin))
                if place.credential == credential:
                    self._move(connection, place.account)

    def join(self, name: str, origin: str, asked_by: str, *, sure: bool = False) -> int:
        """Merge another account of the ledger, which had an earlier key, into this one.

        Args:
            name: The other account.
            origin: The address of this account.
            asked_by: The current person.
            sure: Also merge if the other account has another address, or no question by ``asked_by``.

        Returns:
            The number of questions that were moved.

        Raises:
            BadRequestError: It can't be the same account, or it is doubtful and ``sure`` is false. Nothing is changed.
        """
        with self._store.write() as connection:
            now = renamed(connection)
            mine, other = now.get(self._account, self._account), now.get(name, name)
            if mine == other:
                return 0
            self._check_possible(connection, other)
            if not sure:
                _check_likely(connection, other, origin, asked_by)
            return self._move(connection, other)

    def _check_possible(self, connection: Connection, other: str) -> None:
        places = {row.account: row for row in connection.execute(_PLACES)}
        if other not in places:
            there_are = ", ".join(sorted(set(places) - {self._account})) or "no others"
            raise BadRequestError(
                f"there is no account {other!r} in this ledger; there are {there_are}. {NOTHING_CHANGED}"
            )
        environment = places[other].environment
        if environment != self._environment:
            raise BadRequestError(
                f"{other} is in the environment {environment}, this account in {self._environment}: they can't be "
                f"the same. {NOTHING_CHANGED}"
            )

    def _move(self, connection: Connection, name: str) -> int:
        """Store another account's rows under this account's name; return the number of questions moved."""
        now = renamed(connection)
        mine, other = now.get(self._account, self._account), now.get(name, name)
        if mine == other:
            return 0
        _delete_duplicates(connection, mine, other)
        for table in (tags, projects):  # these are fetched from the service again
            connection.execute(delete(table).where(table.c.account == other))
        connection.execute(update(book).where(book.c.account == other).values(account=mine))
        moved = connection.execute(update(questions).where(questions.c.account == other).values(account=mine)).rowcount
        connection.execute(update(accounts).where(accounts.c.account == other).values(account=mine))
        connection.execute(insert(accounts).values(earlier=other, account=mine))
        return moved


def renamed(connection: Connection) -> Mapping[str, str]:
    """Return the current name for each earlier name of an account."""
    return {row.earlier: row.account for row in connection.execute(_NAMES)}


def present_name(store: Store, account: str) -> str:
    """Return the current name of an account."""
    with store.read() as connection:
        return renamed(connection).get(account, account)


def _check_likely(connection: Connection, other: str, origin: str, asked_by: str) -> None:
    theirs = select(questions.c.id).where(questions.c.account == other).limit(1)
    if connection.scalar(theirs.where(questions.c.origin == origin)) is None:
        why = f"is at another address than {origin}"
    elif connection.scalar(theirs.where(questions.c.asked_by == asked_by)) is None:
        why = f"has no question that {asked_by} asked"
    else:
        return
    raise BadRequestError(
        f"{other} {why}. If it is the same account all the same: %codevf account same {other} --yes. {NOTHING_CHANGED}"
    )


def _delete_duplicates(connection: Connection, mine: str, other: str) -> None:
    """Keep one row of each task that both accounts have: the one that asked, not the imported one."""
    for my_id, my_identity, their_id, their_identity, task_id in connection.execute(
        _IN_BOTH, {"mine": mine, "other": other}
    ).all():
        if not (my_identity.startswith(FOREIGN) or their_identity.startswith(FOREIGN)):
            raise BadRequestError(
                f"{mine} and {other} have each asked a question with the task {task_id}, so they use "
                f"different services. {NOTHING_CHANGED}"
            )
        duplicate = my_id if my_identity.startswith(FOREIGN) else their_id
        for table in (bodies, answers):
            delete_related(connection, table, duplicate)
        connection.execute(delete(questions).where(questions.c.id == duplicate))


def _is_same(spelled: str, origin: str) -> bool:
    try:
        return str(Address.parse(spelled)) == origin
    except AddressError:  # a managed sandbox's name
        return False
