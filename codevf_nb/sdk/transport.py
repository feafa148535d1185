"""Calls with retries: attempts with the same bytes until the deadline, and a callback for each of them.

A call is repeated after timeouts, resets, incomplete responses, 408, 429, 5xx, and a 409 that says that the key is in
flight. It is not repeated after any other 4xx. All attempts have the same idempotency key, so that no task is created
twice.
"""

from __future__ import annotations

import math
import random as random_module
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from logging import getLogger
from typing import NoReturn
from urllib.parse import urljoin

from codevf_nb.sdk._http import Reply, Wire
from codevf_nb.sdk.addresses import Address, AddressError
from codevf_nb.sdk.error_responses import error_from
from codevf_nb.sdk.exceptions import (
    APIConnectionError,
    APIError,
    CodeVFError,
    IdempotencyConflictError,
    RateLimitError,
    ServerError,
)
from codevf_nb.sdk.limits import (
    BACKOFF_BASE,
    BACKOFF_CAP,
    HINT_CAP,
    MAX_ANSWER_BYTES,
    MAX_REDIRECTS,
)
from codevf_nb.sdk.parsing import header_of, http_time_of, one_line
from codevf_nb.sdk.responses import RawAnswer
from codevf_nb.sdk.secret import Secret

logger = getLogger("codevf_nb.sdk")


@dataclass(frozen=True)
class Attempt:
    """An attempt that is about to be sent.

    Attributes:
        method: The HTTP method.
        path: The path, below the base URL.
        number: The number of the attempt in its call, from 1.
        idempotency_key: The key of the call, if it creates a task.
        left: The seconds until the deadline of the call.
    """

    method: str
    path: str
    number: int
    idempotency_key: str | None = None
    left: float = field(default=math.inf, compare=False)


BeforeAttempt = Callable[[Attempt], object]
OnAnswer = Callable[[RawAnswer], object]
# Called with the error of each attempt without a response. Its `sent` says whether the attempt may have been sent.
OnNoAnswer = Callable[[CodeVFError], object]


@dataclass(frozen=True)
class Call:
    """A request with its callbacks. `seconds` is the deadline; None is the client's timeout."""

    method: str
    path: str
    body: bytes | None = field(default=None, repr=False)
    idempotency_key: str | None = None
    before_attempt: BeforeAttempt | None = None
    on_answer: OnAnswer | None = None
    seconds: float | None = None
    on_no_answer: OnNoAnswer | None = None


def retry_delay(failures: int, hint: float | None, random: Callable[[], float]) -> float:
    """Return the seconds until the next attempt: exponential backoff with full jitter, and at least the hint.

    Args:
        failures: The number of failed attempts.
        hint: The seconds of a Retry-After header. At most HINT_CAP seconds are used.
        random: Returns a number from 0 to 1.
    """
    jitter = random() * min(BACKOFF_CAP, BACKOFF_BASE * 2 ** min(failures - 1, 16))
    return float(max(jitter, min(hint or 0.0, HINT_CAP)))


def may_repeat(error: CodeVFError) -> bool:
    """Return whether a call may be repeated automatically after an error."""
    if isinstance(error, IdempotencyConflictError):
        return error.in_flight
    if isinstance(error, RateLimitError | ServerError):
        return error.retryable
    return isinstance(error, APIConnectionError)


class Transport:
    """Sends calls to one base URL with one API key. It can be shared between threads."""

    def __init__(
        self,
        secret: Secret,
        address: Address,
        *,
        timeout: float,
        max_retries: int,
        before_attempt: BeforeAttempt | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
        random: Callable[[], float] = random_module.random,
    ) -> None:
        self.address = address
        self.timeout = timeout
        self.clock = clock
        self.sleep = sleep
        self.random = random
        self.wire = Wire(secret)
        self._max_retries = max_retries
        self._before_attempt = before_attempt

    def same_origin(self, url: str) -> bool:
        """Return whether a URL belongs to the service of the API key."""
        try:
            return Address.link(url).origin == self.address.origin
        except AddressError:
            return False

    def send(self, call: Call) -> RawAnswer:
        """Send a call and return its 2xx response, or raise the error of the last attempt.

        Every CodeVFError has `.idempotency_key`, `.attempts` and `.uncertain`. The exceptions of hooks are not changed.
        """
        return _Run(self, call).answer()

    def prepare_attempt(self, call: Call, number: int, left: float) -> None:
        """Call both hooks: first that of the call, then that of the client, where a rate limiter may wait."""
        attempt = Attempt(call.method, call.path, number, call.idempotency_key, left)
        for hook in (call.before_attempt, self._before_attempt):
            if hook is not None:
                hook(attempt)

    def failures_allowed(self, failures: int) -> bool:
        """Return whether another attempt may follow after this number of failures."""
        return failures <= self._max_retries


class _Run:
    """One call that is being sent: its attempts so far, and their outcomes."""

    def __init__(self, transport: Transport, call: Call) -> None:
        self._transport = transport
        self._call = call
        self._url = str(transport.address) + call.path
        self._seconds = transport.timeout if call.seconds is None else call.seconds
        self._ends = transport.clock() + self._seconds
        self._attempts = 0
        self._failures = 0
        self._redirects = 0
        self._sent = False
        self._uncertain = False

    def answer(self) -> RawAnswer:
        last: CodeVFError | None = None
        while True:
            too_late = self._prepare_attempt()
            if too_late is not None:
                self._give_up(last or too_late, str(too_late))
            left = self._ends - self._transport.clock()
            if left <= 0:
                late = APIConnectionError("nothing was sent in time", sent=False)
                self._report_no_answer(late)
                self._give_up(last or late, "no time is left")
            outcome = self._attempt(left)
            if isinstance(outcome, RawAnswer):
                return outcome
            if outcome is not None:
                last = outcome
                self._pause(outcome)

    def _prepare_attempt(self) -> RateLimitError | None:
        """Call the hooks. Return the error of a rate limiter that has no turn before the deadline."""
        left = self._ends - self._transport.clock()
        try:
            self._transport.prepare_attempt(self._call, self._attempts + 1, left)
        except RateLimitError as error:
            if not self._sent:
                error.add("Nothing was sent.")
            return error
        return None

    def _attempt(self, left: float) -> RawAnswer | CodeVFError | None:
        """Return the response, an error, or None for a redirect that is followed at once."""
        self._attempts += 1
        call = self._call
        # An attempt without a response leaves half of the time for later attempts.
        share = left / 2 if self._transport.failures_allowed(self._failures + 1) else left
        outcome = self._transport.wire.exchange(
            call.method, self._url, seconds=share, limit=MAX_ANSWER_BYTES, body=call.body
        )
        if isinstance(outcome, CodeVFError):
            logger.debug("%s %s attempt %d: no answer", call.method, call.path, self._attempts)
            self._sent |= not isinstance(outcome, APIConnectionError) or outcome.sent
            self._report_no_answer(outcome)
            return outcome
        self._sent = True
        out = len(call.body or b"")
        logger.debug(
            "%s %s attempt %d: %d bytes out, status %d, %d bytes in",
            *(call.method, call.path, self._attempts, out, outcome.status, len(outcome.body)),
        )
        return self._classify(self._record_response(outcome))

    def _report_no_answer(self, error: CodeVFError) -> None:
        if self._call.on_no_answer is not None:
            self._call.on_no_answer(error)

    def _record_response(self, reply: Reply) -> RawAnswer:
        call = self._call
        answer = RawAnswer(
            method=call.method,
            path=call.path,
            status=reply.status,
            headers=reply.headers,
            body=reply.body,
            at=http_time_of(header_of(reply.headers, "Date")),
            attempt=self._attempts,
        )
        if call.on_answer is not None:
            call.on_answer(answer)
        return answer

    def _classify(self, answer: RawAnswer) -> RawAnswer | CodeVFError | None:
        if 200 <= answer.status < 300:
            return answer
        if 300 <= answer.status < 400:
            return self._redirect(answer)
        return error_from(answer.status, answer.headers, answer.body)

    def _redirect(self, answer: RawAnswer) -> APIError | None:
        target = urljoin(self._url, header_of(answer.headers, "Location") or "")
        self._redirects += 1
        if answer.method == "GET" and self._transport.same_origin(target) and self._redirects <= MAX_REDIRECTS:
            self._url = str(Address.link(target))
            return None
        why = (
            "a request that may cost credits is never redirected"
            if answer.method != "GET"
            else "a key is sent only to its own service, and a redirect is followed at most three times"
        )
        error = error_from(answer.status, answer.headers, answer.body)
        what = f"{answer.method} {answer.path} was answered with a redirect (status {answer.status})"
        error.args = (f"{what} to {one_line(target)}: {why}; check CODEVF_BASE_URL",)
        return error

    def _pause(self, error: CodeVFError) -> None:
        """Wait before the next attempt, or raise the error if there is none."""
        self._failures += 1
        in_flight = isinstance(error, IdempotencyConflictError) and error.in_flight
        self._uncertain |= (
            in_flight or isinstance(error, ServerError) or (isinstance(error, APIConnectionError) and error.sent)
        )
        if not may_repeat(error) or not self._transport.failures_allowed(self._failures):
            self._give_up(error)
        delay = retry_delay(self._failures, getattr(error, "retry_after", None), self._transport.random)
        if self._transport.clock() + delay >= self._ends:
            self._give_up(error, f"waiting {delay:.3g} s more would pass the deadline of {self._seconds:g} s")
        kind = type(error).__name__
        logger.info("%s %s: again in %.1f s, after %s", self._call.method, self._call.path, delay, kind)
        self._transport.sleep(delay)

    def _give_up(self, error: CodeVFError, why: str = "") -> NoReturn:
        if isinstance(error, APIConnectionError):
            error.sent = self._sent
        error.uncertain = self._uncertain
        error.attempts = self._attempts
        error.idempotency_key = self._call.idempotency_key
        notes = [f"{self._attempts} attempts"] if self._attempts > 1 else []
        if self._attempts > 1 or isinstance(error, APIConnectionError):
            notes += [why] if why else []
        if notes:
            error.args = (f"{error.args[0]} ({'; '.join(notes)})",)
        if isinstance(error, APIConnectionError) and error.sent and error.idempotency_key:
            unknown = "whether the task was created is unknown, and asking again with idempotency key"
            error.args = (f"{error.args[0]}; {unknown} {error.idempotency_key} can't pay twice",)
        raise error
