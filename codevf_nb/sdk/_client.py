"""The client: one object with an API key and the four resources of the service."""

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
    masked_address,
    parse_hosts,
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
    """A typed client for the CodeVF API.

    A client can be shared between threads. Close it with `close`, or use it in a `with` statement. A live key is sent
    only over https and only to CodeVF's hosts and to `allowed_hosts`. A test key is sent to any host over https, and
    to this machine over http.

    Args:
        api_key: The API key. Default: the environment variable CODEVF_API_KEY.
        base_url: The URL of the API. Default: the environment variable CODEVF_BASE_URL, or CodeVF's own URL.
        timeout: Seconds for one call, with all its attempts and waits.
        max_retries: How many attempts may follow the first one.
        allowed_hosts: Further hosts that a live key may be sent to.
        before_attempt: Called right before each attempt, for example by a rate limiter.
        clock: Replaces the monotonic clock in tests.
        sleep: Replaces `time.sleep` in tests.
        random: Replaces `random.random` in tests.

    Raises:
        AuthenticationError: There is no API key, or the key has characters that a header can't have.
        ConfigurationError: The base URL or another argument is not valid, or the key must not be sent to this host.

    Example:
        >>> client = CodeVFClient("cvf_test_example", base_url="http://127.0.0.1:8765/api/v1")
        >>> client
        CodeVFClient(api_key='cvf_test_…', base_url='http://127.0.0.1:8765/api/v1/')
        >>> client.close()
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
        self._secret = Secret(_environment_variable("CODEVF_API_KEY") if api_key is None else api_key)
        del api_key  # so that no traceback shows it among the locals
        validate_api_key(self._secret)
        address = _service_address(
            base_url or _environment_variable("CODEVF_BASE_URL") or BASE_URL, self._secret, allowed_hosts
        )
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
        """The URL of the API, with a slash at its end."""
        return self._base_url

    def close(self) -> None:
        """Close the connections. A later call opens new ones."""
        self._transport.wire.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"CodeVFClient(api_key='{self._secret}', base_url={self.base_url!r})"


def _environment_variable(variable: str) -> str:
    """Return an environment variable. `os.environ` is used only here, so that no traceback prints all of it."""
    return os.environ.get(variable, "")


def _service_address(base_url: str, secret: Secret, allowed_hosts: Sequence[str]) -> Address:
    """Return the address of the service, if the key may be sent there."""
    try:
        allowed = parse_hosts(allowed_hosts)
    except AddressError as error:
        raise ConfigurationError(f"allowed_hosts {error}") from None
    try:
        address = Address.parse(base_url)
    except AddressError as error:
        raise ConfigurationError(f"the base URL {masked_address(base_url)} {error}") from None
    if address.scheme == "http" and not address.is_loopback:
        raise ConfigurationError(f"base URL {address} would send the key unencrypted: use https, or a loopback address")
    if not secret.is_test and not address.may_have_live_key(allowed):
        raise ConfigurationError(
            f"a live key is sent over https to CodeVF's hosts only, and {address} is not one of them: to allow it, use "
            f"allowed_hosts=[{address.host!r}]"
        )
    return address


class Projects:
    """The projects of an account. A project is a group of tasks."""

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
        """Create a project, or return the one that has this name already. Repeating the call is safe.

        Args:
            name: The name of the project.
            description: A text about the project.
            before_attempt: Called right before each attempt.
            on_answer: Called with each complete response, before it is parsed.
            deadline: Seconds for the whole call, from now. None is the client's timeout.

        Raises:
            BadRequestError: The name is empty.
            CodeVFError: The call failed, see `codevf_nb.sdk.exceptions`.

        Example:
            >>> project = client.projects.create("Reviews")
            >>> project.name, client.projects.create("Reviews") == project
            ('Reviews', True)
        """
        if not isinstance(name, str) or not name.strip():
            raise BadRequestError(f"project name {name!r} is empty; a name is required", code="invalid_request")
        fields = {"name": name} if description is None else {"name": name, "description": description}
        body = json.dumps(fields).encode()
        call = Call("POST", "projects/create", body, None, before_attempt, on_answer, deadline)
        answer = self._transport.send(call)
        return parse_project(answer.body, status_code=answer.status)


class Credits:
    """The credits of an account."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get_balance(
        self,
        *,
        before_attempt: BeforeAttempt | None = None,
        on_answer: OnAnswer | None = None,
        deadline: float | None = None,
    ) -> CreditBalance:
        """Return the balance in credits, which may have decimals.

        Args:
            before_attempt: Called right before each attempt.
            on_answer: Called with each complete response, before it is parsed.
            deadline: Seconds for the whole call, from now. None is the client's timeout.

        Raises:
            CodeVFError: The call failed, see `codevf_nb.sdk.exceptions`.

        Example:
            >>> balance = client.credits.get_balance()
            >>> balance.available, balance.on_hold, balance.total
            (Decimal('100000'), Decimal('0'), Decimal('100000'))
        """
        call = Call("GET", "credits/balance", None, None, before_attempt, on_answer, deadline)
        answer = self._transport.send(call)
        return parse_balance(answer.body, headers=answer.headers, status_code=answer.status)


class Tags:
    """The tags: levels of expertise, and what they cost."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(
        self,
        *,
        before_attempt: BeforeAttempt | None = None,
        on_answer: OnAnswer | None = None,
        deadline: float | None = None,
    ) -> list[Tag]:
        """Return every tag, in the order of the service. Only tags with `is_active` can be used for new tasks.

        Args:
            before_attempt: Called right before each attempt.
            on_answer: Called with each complete response, before it is parsed.
            deadline: Seconds for the whole call, from now. None is the client's timeout.

        Raises:
            CodeVFError: The call failed, see `codevf_nb.sdk.exceptions`.

        Example:
            >>> {tag.name: tag.cost_multiplier for tag in client.tags.list() if tag.is_active}
            {'engineer': Decimal('1.7'), 'vibe_coder': Decimal('1.5'), 'general_purpose': Decimal('1.0')}
        """
        call = Call("GET", "tags", None, None, before_attempt, on_answer, deadline)
        answer = self._transport.send(call)
        return parse_tags(answer.body, status_code=answer.status)
