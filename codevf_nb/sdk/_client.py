"""The client: one object with a key, and the service's four resources on it."""

from __future__ import annotations

import json
import math
import os
import random as random_module
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from codevf_nb.sdk.addresses import (
    Address,
    AddressError,
    parse_hosts,
    shown,
)
from codevf_nb.sdk.exceptions import BadRequestError, ConfigurationError
from codevf_nb.sdk.limits import BASE_URL, MAX_RETRIES, TIMEOUT
from codevf_nb.sdk.models import CreditBalance, Project, Tag
from codevf_nb.sdk.responses import parse_balance, parse_project, parse_tags
from codevf_nb.sdk.secret import Secret
from codevf_nb.sdk.tasks import Tasks
from codevf_nb.sdk.transport import (
    BeforeAttempt,
    Call,
    OnAnswer,
    Transport,
)
from codevf_nb.sdk.validation import validate_api_key


class CodeVFClient:
    """A typed client for the CodeVF API; it may be shared between threads, and closed like a file.

    `api_key` comes from CODEVF_API_KEY and `base_url` from CODEVF_BASE_URL where they are not given.
    `timeout` is the total deadline of one call in seconds, with all its attempts and waits; `max_retries` is
    how many attempts may follow the first. `before_attempt` is called right before each attempt (a rate
    limiter goes there). A live key goes over https to CodeVF's hosts only; another host must be named in
    `allowed_hosts`. A test key may go to any host over https, and to this machine over http. `clock`, `sleep`
    and `random` stand in for time and chance in tests. Raises AuthenticationError (no key, or one that can't be
    used) or ConfigurationError (a base URL that can't, or where this key may not go).
    """

    def __init__(
        self,
        api_key: str | Secret | None = None,
        base_url: str | None = None,
        timeout: float = TIMEOUT,
        max_retries: int = MAX_RETRIES,
        *,
        allowed_hosts: Sequence[str] = (),
        before_attempt: BeforeAttempt | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
        random: Callable[[], float] = random_module.random,
    ) -> None:
        self._base_url = ""
        self._secret = Secret(_named("CODEVF_API_KEY") if api_key is None else api_key)
        del api_key  # so that no traceback shows it among the locals
        validate_api_key(self._secret)
        address = _checked(base_url or _named("CODEVF_BASE_URL") or BASE_URL, self._secret, allowed_hosts)
        if not (isinstance(timeout, int | float) and 0 < timeout < math.inf):
            raise ConfigurationError(f"timeout {timeout!r} is not a number of seconds above 0")
        if not (isinstance(max_retries, int) and max_retries >= 0):
            raise ConfigurationError(f"max_retries {max_retries!r} is not a whole number of 0 or more")
        self._transport = Transport(
            self._secret,
            address,
            timeout=timeout,
            max_retries=max_retries,
            before_attempt=before_attempt,
            clock=clock,
            sleep=sleep,
            random=random,
        )
        self._base_url = str(address)
        self.projects = Projects(self._transport)
        self.tasks = Tasks(self._transport)
        self.credits = Credits(self._transport)
        self.tags = Tags(self._transport)

    @property
    def base_url(self) -> str:
        """Where the client talks to, with a slash at its end."""
        return self._base_url

    def close(self) -> None:
        """Closes the connections; a later call opens new ones."""
        self._transport.wire.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"CodeVFClient(api_key='{self._secret}', base_url={self.base_url!r})"


def _named(variable: str) -> str:
    """Return a variable of the environment. A line that names the environment itself shows all of it in a traceback."""
    return os.environ.get(variable, "")


def _checked(base_url: str, secret: Secret, allowed_hosts: Sequence[str]) -> Address:
    """The address of the service, if this key may go there."""
    try:
        allowed = parse_hosts(allowed_hosts)
    except AddressError as error:
        raise ConfigurationError(f"allowed_hosts {error}") from None
    try:
        address = Address.parse(base_url)
    except AddressError as error:
        raise ConfigurationError(f"the base URL {shown(base_url)} {error}") from None
    if address.scheme == "http" and not address.is_loopback:
        raise ConfigurationError(f"base URL {address} would send the key unencrypted: use https, or a loopback address")
    if not secret.is_test and not address.may_have_live_key(allowed):
        raise ConfigurationError(
            f"a live key goes over https to CodeVF's hosts only, and {address} is none of them: to let it go there, "
            f"allowed_hosts=[{address.host!r}]"
        )
    return address


class Projects:
    """Groups of tasks."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(
        self,
        name: str,
        description: str | None = None,
        *,
        before_attempt: BeforeAttempt | None = None,
        on_answer: OnAnswer | None = None,
        deadline: float | None = None,
    ) -> Project:
        """The project of that name, made if it is not there yet (so that asking again is safe)."""
        if not isinstance(name, str) or not name.strip():
            raise BadRequestError(f"project name {name!r} is empty; a name is needed", code="invalid_request")
        fields = {"name": name} if description is None else {"name": name, "description": description}
        body = json.dumps(fields).encode()
        call = Call("POST", "projects/create", body, None, before_attempt, on_answer, deadline)
        answer = self._transport.send(call)
        return parse_project(answer.body, status_code=answer.status)


class Credits:
    """The account's credits."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get_balance(
        self,
        *,
        before_attempt: BeforeAttempt | None = None,
        on_answer: OnAnswer | None = None,
        deadline: float | None = None,
    ) -> CreditBalance:
        """What is available, on hold, and both together, in credits (they may have decimals)."""
        call = Call("GET", "credits/balance", None, None, before_attempt, on_answer, deadline)
        answer = self._transport.send(call)
        return parse_balance(answer.body, headers=answer.headers, status_code=answer.status)


class Tags:
    """Levels of expertise and what they cost."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(
        self,
        *,
        before_attempt: BeforeAttempt | None = None,
        on_answer: OnAnswer | None = None,
        deadline: float | None = None,
    ) -> list[Tag]:
        """Every tag there is, in the service's order; `is_active` says which can be chosen."""
        call = Call("GET", "tags", None, None, before_attempt, on_answer, deadline)
        answer = self._transport.send(call)
        return parse_tags(answer.body, status_code=answer.status)
