"""Tags with their prices, projects and the balance: from the ledger, or fetched where the ledger doesn't have them.

What a first question needs is fetched in the background as soon as there is a session (see ``_prefetch``).
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

# A balance that was fetched within this many seconds is shown again without a request.
BALANCE_SECONDS = 300.0
# Where credits have moved since, a new balance is requested with this deadline; after a failure, not again for the
# second time; in seconds.
SHORT_DEADLINE_SECONDS = 3.0
RETRY_SECONDS = 30.0
# Tags and their prices that are older than this are listed again before a question is priced, in seconds.
TAGS_SECONDS = 24 * 3600.0

log = logging.getLogger("codevf_nb.service")


class ServiceInfo:
    """Tags, projects and balance of one account, from the ledger or from the service."""

    def __init__(self, account: Account, ledger: Ledger, channel: ServiceChannel, folder: str) -> None:
        self._account = account
        self._ledger = ledger
        self._channel = channel
        self._prefetch = Prefetch(self._first_steps(folder), channel.take_turn)
        self._retry_at = 0.0
        # How far the service's clock is ahead of the ledger's, in seconds, as of the last balance.
        self._ahead = 0.0

    def prefetch(self) -> None:
        """Fetch in the background what a first question needs, where requests have to wait for turns."""
        if self._account.requests_per_second is not None and not self._account.polls_move_time:
            self._prefetch.start()

    def close(self) -> None:
        """Stop fetching in the background."""
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
        """List the tags (and their prices) again where they were listed more than a day ago."""
        seen_at = self._ledger.catalogue.tags_seen_at()
        if seen_at is not None and self._is_old(seen_at):
            with self._prefetch.lock:
                if self._ledger.catalogue.tags_seen_at() == seen_at:
                    self._list_tags()

    def project_id(self, name: str) -> int:
        """Return the id of a project; create it at the service where the ledger doesn't have it."""
        known = self._ledger.catalogue.project(name)
        if known is not None:
            return known
        with self._prefetch.lock:
            known = self._ledger.catalogue.project(name)
            return self._create_project(name) if known is None else known

    def ensure_recent_balance(self) -> None:
        """Record a balance shortly before a question, so that the account book shows what others have spent.

        It does not wait for a balance that is being fetched in the background: that one follows the question.
        """
        if self._recent_balance() is None and not self._prefetch.is_running:
            self.fetch_balance()

    def balance(self, *, refresh: bool = False) -> CreditBalance:
        """Return available, held and total credits.

        It is requested again after five minutes, with ``refresh``, and where the ledger has recorded movements since;
        in that case with a short deadline, after which the previous balance is returned.
        """
        last = self._recent_balance()
        if last is None or refresh:
            return self.fetch_balance()
        if last.is_behind and time.monotonic() >= self._retry_at:
            try:
                return self.fetch_balance(deadline=SHORT_DEADLINE_SECONDS)
            except (APIError, APIConnectionError) as error:  # the previous balance is better than none
                log.info("the balance of %.0f s ago is shown: %s", self._ledger.clock() - last.at, error)
                self._retry_at = time.monotonic() + RETRY_SECONDS
        available, on_hold = Decimal(str(last.available)), Decimal(str(last.on_hold))
        return CreditBalance(available=available, on_hold=on_hold, total=available + on_hold)

    def fetch_balance(self, *, has_turn: bool = False, deadline: float | None = None) -> CreditBalance:
        """Fetch the balance and record it; for the arguments see ``ServiceChannel.client_and_hooks``."""
        client, hooks = self._channel.client_and_hooks(has_turn=has_turn, deadline=deadline)
        balance = client.credits.get_balance(**hooks)
        if balance.available is not None:
            now = self._ledger.clock()
            at = now if balance.at is None else balance.at.timestamp()
            self._ahead = at - now
            self._ledger.balances.record(float(balance.available), float(balance.on_hold or 0), at)
        return balance

    def _first_steps(self, folder: str) -> list[Step]:
        """Return the requests that a first question needs.

        A project is created before a question needs it only in a sandbox, where that changes nothing at the service.
        """
        catalogue = self._ledger.catalogue
        in_turn: dict[str, Any] = {"has_turn": True, "deadline": FETCH_SECONDS}
        tags = Step(
            "the list of tags", lambda: self._is_old(catalogue.tags_seen_at()), lambda: self._list_tags(**in_turn)
        )
        project = Step(
            "the project", lambda: catalogue.project(folder) is None, lambda: self._create_project(folder, **in_turn)
        )
        balance = Step("the balance", lambda: self._recent_balance() is None, lambda: self.fetch_balance(**in_turn))
        return [tags, project, balance] if self._account.environment == "sandbox" else [tags, balance]

    def _list_tags(self, *, has_turn: bool = False, deadline: float | None = None) -> None:
        client, hooks = self._channel.client_and_hooks(has_turn=has_turn, deadline=deadline)
        self._ledger.catalogue.keep_tags(client.tags.list(**hooks), self._ledger.clock())

    def _create_project(self, name: str, *, has_turn: bool = False, deadline: float | None = None) -> int:
        client, hooks = self._channel.client_and_hooks(has_turn=has_turn, deadline=deadline)
        made = client.projects.create(name, **hooks).id
        self._ledger.catalogue.keep_project(name, made)
        return made

    def _is_old(self, seen_at: float | None) -> bool:
        return seen_at is None or not 0 <= self._ledger.clock() - seen_at < TAGS_SECONDS

    def _recent_balance(self) -> Any:
        last = self._ledger.balances.last()
        now = self._ledger.clock() + self._ahead
        return last if last is not None and abs(now - last.at) < BALANCE_SECONDS else None
