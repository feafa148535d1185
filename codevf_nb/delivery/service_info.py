"""What a session knows of the service: tags with their prices, projects, the balance. It asks for what it doesn't know.

What a first question needs is fetched in the background as soon as there is a session (see ``prefetch``).
"""

from __future__ import annotations

import logging
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from codevf_nb.delivery._prefetch import FETCH_SECONDS, Prefetch, Step
from codevf_nb.sdk.exceptions import APIConnectionError, APIError
from codevf_nb.sdk.models import CreditBalance, Tag

if TYPE_CHECKING:
    from codevf_nb.accounts.settings import Account
    from codevf_nb.delivery.channel import ServiceChannel
    from codevf_nb.ledger import Ledger

# A balance seen within this many seconds is shown again without a request.
BALANCE_SECONDS = 300.0
# Where credits have moved since, a new one is waited for no longer than this, and after a failure not for a while.
GLANCE_SECONDS = 3.0
NEXT_GLANCE_SECONDS = 30.0
# Tags, and with them prices, that were listed more than a day ago are listed again before a question is priced.
TAGS_SECONDS = 24 * 3600.0

log = logging.getLogger("codevf_nb.service")


class ServiceInfo:
    """Tags, projects and balance of one account, from the ledger or from the service."""

    def __init__(self, account: Account, ledger: Ledger, line: ServiceChannel, folder: str) -> None:
        self._account = account
        self._ledger = ledger
        self._line = line
        self._prefetch = Prefetch(self._first_steps(folder), line.free_in)
        self._glance_at = 0.0
        # How far the service's clock is ahead of the ledger's, in seconds, as of the last balance.
        self._ahead = 0.0

    def prefetch(self) -> None:
        """Fetch in the background what a first question needs, where requests have to wait for turns."""
        if self._account.requests_per_second is not None and not self._account.polls_move_time:
            self._prefetch.start()

    def close(self) -> None:
        """End what is fetched in the background."""
        self._prefetch.stop()

    def tags(self, *, refresh: bool = False) -> list[Tag]:
        """Return the tags with their multipliers; from the ledger once they have been listed."""
        known = self._ledger.catalogue.tags
        found = [] if refresh else known()
        if not found:
            with self._prefetch.lock:
                if refresh or not known():
                    self._list_tags()
            found = known()
        return found

    def refresh_old_tags(self) -> None:
        """List the tags again where they, and with them the prices, were listed more than a day ago."""
        seen_at = self._ledger.catalogue.tags_seen_at()
        if seen_at is not None and self._is_old(seen_at):
            with self._prefetch.lock:
                if self._ledger.catalogue.tags_seen_at() == seen_at:
                    self._list_tags()

    def project_id(self, name: str) -> int:
        """Return the id of a project, which is created at the service where it isn't known."""
        known = self._ledger.catalogue.project(name)
        if known is not None:
            return known
        with self._prefetch.lock:
            known = self._ledger.catalogue.project(name)
            return self._create_project(name) if known is None else known

    def see_balance(self) -> None:
        """Have a balance in the book from not long before a question, so that it shows what others have spent.

        One that is about to be fetched in the background isn't waited for: it comes right after the question.
        """
        if self._recent_balance() is None and not self._prefetch.is_running:
            self.ask_balance()

    def balance(self, *, refresh: bool = False) -> CreditBalance:
        """Return available, held and total credits.

        Asked for again after five minutes, with ``refresh``, and where the ledger knows that credits have moved since;
        then only for a moment, as the one from before will do.
        """
        last = self._recent_balance()
        if last is None or refresh:
            return self.ask_balance()
        if last.is_behind and time.monotonic() >= self._glance_at:
            try:
                return self.ask_balance(deadline=GLANCE_SECONDS)
            except (APIError, APIConnectionError) as error:  # the one from before is better than none
                log.info("the balance of %.0f s ago is shown: %s", self._ledger.clock() - last.at, error)
                self._glance_at = time.monotonic() + NEXT_GLANCE_SECONDS
        available, on_hold = Decimal(str(last.available)), Decimal(str(last.on_hold))
        return CreditBalance(available=available, on_hold=on_hold, total=available + on_hold)

    def ask_balance(self, *, spare: bool = False, deadline: float | None = None) -> CreditBalance:
        """Ask for the balance and record it; ``spare``: in a turn that is taken already."""
        client, hooks = self._line.way(spare=spare, deadline=deadline)
        balance = client.credits.get_balance(**hooks)
        if balance.available is not None:
            now = self._ledger.clock()
            at = now if balance.at is None else balance.at.timestamp()
            self._ahead = at - now
            self._ledger.balances.record(float(balance.available), float(balance.on_hold or 0), at)
        return balance

    def _first_steps(self, folder: str) -> list[Step]:
        """Return what a first question needs.

        A project is created before anyone asks in it only in a sandbox, where that is of no consequence.
        """
        catalogue = self._ledger.catalogue
        spare: dict[str, Any] = {"spare": True, "deadline": FETCH_SECONDS}
        tags = Step(
            "the list of tags", lambda: self._is_old(catalogue.tags_seen_at()), lambda: self._list_tags(**spare)
        )
        project = Step(
            "the project", lambda: catalogue.project(folder) is None, lambda: self._create_project(folder, **spare)
        )
        balance = Step("the balance", lambda: self._recent_balance() is None, lambda: self.ask_balance(**spare))
        return [tags, project, balance] if self._account.environment == "sandbox" else [tags, balance]

    def _list_tags(self, *, spare: bool = False, deadline: float | None = None) -> None:
        client, hooks = self._line.way(spare=spare, deadline=deadline)
        self._ledger.catalogue.keep_tags(client.tags.list(**hooks), self._ledger.clock())

    def _create_project(self, name: str, *, spare: bool = False, deadline: float | None = None) -> int:
        client, hooks = self._line.way(spare=spare, deadline=deadline)
        made = client.projects.create(name, **hooks).id
        self._ledger.catalogue.keep_project(name, made)
        return made

    def _is_old(self, seen_at: float | None) -> bool:
        return seen_at is None or not 0 <= self._ledger.clock() - seen_at < TAGS_SECONDS

    def _recent_balance(self) -> Any:
        last = self._ledger.balances.last()
        now = self._ledger.clock() + self._ahead
        return last if last is not None and abs(now - last.at) < BALANCE_SECONDS else None
