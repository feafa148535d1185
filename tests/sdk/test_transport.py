"""One call: its attempts, its deadline, its hooks."""

import gzip
import json
import threading
import time as real_time
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codevf_nb.sdk import (
    APIConnectionError,
    APIError,
    Attempt,
    CodeVFClient,
    IdempotencyConflictError,
    InsufficientCreditsError,
    NotFoundError,
    PreparedTask,
    RateLimitError,
    ServerError,
)
from codevf_nb.sdk.limits import BACKOFF_CAP, HINT_CAP
from codevf_nb.sdk.transport import retry_delay
from tests.sdk.conftest import KEY

QUESTION = ("Is this join dropping rows?", 240, 123)
IN_FLIGHT = {"error": {"code": "idempotency_in_flight", "message": "still in flight"}}
# The first draw of a run builds tables, and two busy cores are slow.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def closed_port() -> str:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/"


@pytest.mark.parametrize(
    "fault",
    ["503", "500", "408", "429", "in flight", "dropped", "truncated", "truncated without any body", "garbage"],
)
def test_a_fault_is_answered_with_the_same_bytes_and_key(client, service, created, fault):
    """Whatever goes wrong on the way, the second attempt carries the very bytes of the first."""
    whole = json.dumps(created).encode()
    faults = {
        "in flight": service.reply(IN_FLIGHT, 409),
        "dropped": service.raw(b""),
        "truncated": service.raw(b"HTTP/1.1 201 Created\r\nContent-Length: 500\r\n\r\n" + whole[:40]),
        "truncated without any body": service.raw(b"HTTP/1.1 201 Created\r\nContent-Length: 500\r\n\r\n"),
        "garbage": service.raw(b"\x00\xff not http\r\n\r\n"),
    }
    service.answers(faults.get(fault) or service.reply({}, int(fault)), service.reply(created, 200))
    task = client.tasks.create(*QUESTION)
    first, second = service.requests
    assert task.id == "task_abc123xyz"
    assert first.body == second.body
    assert first.json["idempotencyKey"] == second.json["idempotencyKey"]


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 409, 413, 418, 422])
def test_other_4xx_are_not_repeated(client, service, status):
    """A refusal is final: it is asked once."""
    service.answers(service.reply({"error": {"message": "no", "retryable": True}}, status))
    with pytest.raises(APIError) as caught:
        client.tasks.create(*QUESTION)
    assert len(service.requests) == 1
    assert caught.value.attempts == 1
    assert not caught.value.uncertain


def test_gets_are_repeated_too(client, service, time):
    """A look at a task survives a failure in between, after a wait."""
    service.answers(service.reply({}, 502), service.reply({"id": "task_1"}))
    assert client.tasks.retrieve("task_1").id == "task_1"
    assert time.sleeps == [0.5]


def test_attempts_end_with_max_retries(client, service, time):
    """Three retries are four attempts, with growing waits, and the error says how many there were."""
    service.answers(service.reply({"error": "down"}, 500))
    with pytest.raises(ServerError) as caught:
        client.tasks.create(*QUESTION)
    assert len(service.requests) == 4
    assert caught.value.attempts == 4
    assert caught.value.uncertain
    assert caught.value.idempotency_key == service.requests[0].json["idempotencyKey"]
    assert time.sleeps == [0.5, 1.0, 2.0]
    assert "4 attempts" in str(caught.value)


def test_a_retryable_false_is_believed(client, service):
    """A server error that says it will not go away is not repeated."""
    service.answers(service.reply({"error": {"message": "no", "retryable": False}}, 500))
    with pytest.raises(ServerError):
        client.tags.list()
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        ({"Retry_After": "7"}, {}, 7),
        ({"Retry_After": "Thu, 18 Dec 2025 10:00:09 GMT", "Date": "Thu, 18 Dec 2025 10:00:00 GMT"}, {}, 9),
        ({}, {"meta": {"retry_after": 11}}, 11),
        ({"Retry_After": "nonsense"}, {"meta": {"retry_after": "12"}}, 12),
        ({}, {}, 0.5),
    ],
)
def test_the_services_hint_is_obeyed(client, service, time, headers, body, expected):
    """Retry-After in seconds or as a date, or meta.retry_after, decides how long to stay away."""
    service.answers(service.reply(body, 429, **headers), service.reply({"id": "task_1"}))
    client.tasks.retrieve("task_1")
    assert time.sleeps == [expected]


def test_a_hint_past_the_deadline_is_not_slept_through(client, service, time):
    """Where the deadline leaves no time for the wait, the error comes at once and says for how long to stay away."""
    service.answers(service.reply({}, 429, Retry_After="3600"))
    with pytest.raises(RateLimitError) as caught:
        client.tasks.retrieve("task_1")
    assert caught.value.retry_after == 3600
    assert time.sleeps == []


@patient
@given(
    failures=st.integers(1, 10_000),
    hint=st.none() | st.floats(0, 1e12),
    chance=st.floats(0, 1, exclude_max=True),
)
def test_waits_are_bounded(failures, hint, chance):
    """No number of failures and no hint makes a wait negative or longer than the caps."""
    delay = retry_delay(failures, hint, lambda: chance)
    assert 0 <= delay <= max(BACKOFF_CAP, HINT_CAP)
    assert delay >= min(hint or 0, HINT_CAP)


def test_silence_ends_with_the_deadline(service):
    """A service that says nothing costs no more than the deadline, attempts and all, and the outcome is unknown."""
    service.answers(service.silence())
    client = CodeVFClient(KEY, service.base_url, timeout=0.4, max_retries=3, random=lambda: 0.0)
    began = real_time.monotonic()
    with pytest.raises(APIConnectionError) as caught:
        client.tasks.create(*QUESTION)
    assert real_time.monotonic() - began < 2
    assert caught.value.sent
    assert caught.value.uncertain
    assert caught.value.attempts > 1
    assert caught.value.idempotency_key in str(caught.value)


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"HTTP/1.1 20",
        b"HTTP/1.1 200 OK\r\nX-Slow: ",
        b"HTTP/1.1 200 OK\r\n\r\n{",
        b"HTTP/1.1 301 Moved\r\nLocation: /x\r\n\r\n",
    ],
)
def test_a_drip_does_not_outlast_the_deadline(service, start):
    """Bytes that trickle in the status line, the headers or the body keep nobody past the deadline."""
    service.answers(service.drip(start))
    client = CodeVFClient(KEY, service.base_url, timeout=0.3, max_retries=0)
    began = real_time.monotonic()
    with pytest.raises(APIConnectionError, match="in time"):
        client.tasks.retrieve("task_1")
    assert real_time.monotonic() - began < 2


def test_a_refused_connection_left_nothing(time):
    """Only where no attempt got through is it certain that nothing was sent."""
    client = CodeVFClient(KEY, closed_port(), clock=time.clock, sleep=time.sleep)
    with pytest.raises(APIConnectionError, match="connection refused") as caught:
        client.tasks.create(*QUESTION)
    assert not caught.value.sent
    assert not caught.value.uncertain
    assert caught.value.attempts == 4
    assert caught.value.__context__ is None


def test_an_unknown_host_left_nothing(time):
    """A name that nobody knows is no attempt that left the machine."""
    client = CodeVFClient(KEY, "https://codevf.invalid/api/v1/", clock=time.clock, sleep=time.sleep, max_retries=0)
    with pytest.raises(APIConnectionError, match="could not be reached") as caught:
        client.tags.list()
    assert not caught.value.sent


def test_one_dropped_attempt_makes_the_whole_call_sent(service, client, time):
    """A drop and then a refused connection: the first attempt may have counted."""
    service.answers(service.raw(b""))
    calls = []

    def refuse_later(attempt: Attempt) -> None:
        calls.append(attempt.number)
        if attempt.number == 2:
            service.stop()

    with pytest.raises(APIConnectionError, match="connection refused") as caught:
        client.tasks.send(client.tasks.prepare(*QUESTION), before_attempt=refuse_later)
    assert caught.value.sent
    assert caught.value.uncertain
    assert calls == [1, 2, 3, 4]


def test_hooks_see_every_attempt_and_answer(client, service, created):
    """The hook before each attempt counts them; the one after sees each whole answer before it is an error."""
    service.answers(
        service.reply({"error": "down"}, 503),
        service.raw(b""),
        service.reply(created, 201, Date="Thu, 18 Dec 2025 10:00:01 GMT"),
    )
    attempts, answers = [], []
    prepared = client.tasks.prepare(*QUESTION)
    client.tasks.send(prepared, before_attempt=attempts.append, on_answer=answers.append)
    key = prepared.idempotency_key
    assert attempts == [Attempt("POST", "tasks/create", number, key) for number in (1, 2, 3)]
    assert [(answer.status, answer.attempt) for answer in answers] == [(503, 1), (201, 3)]
    assert json.loads(answers[-1].body) == created
    assert answers[-1].headers["content-length"] == answers[-1].headers["Content-Length"]
    assert answers[-1].at == datetime(2025, 12, 18, 10, 0, 1, tzinfo=UTC)
    assert answers[0].at is None


def test_a_hook_knows_how_much_time_is_left(client, service, time, created):
    """A rate limiter sees each attempt's part of the deadline, so that it can refuse what would come too late."""
    service.answers(service.reply({}, 503), service.reply({}, 503), service.reply(created))
    left = []
    client.tasks.send(client.tasks.prepare(*QUESTION), before_attempt=lambda attempt: left.append(attempt.left))
    assert left == [pytest.approx(60, abs=0.2), pytest.approx(59.5, abs=0.2), pytest.approx(58.5, abs=0.2)]


@pytest.mark.parametrize("fails", [0, 1, 2])
def test_a_rate_limiter_without_a_turn_ends_the_call(client, service, fails):
    """Before the first attempt its own error says that nothing was sent; later the failure before it is raised."""
    service.answers(service.reply({"error": "down"}, 503))

    def limit(attempt: Attempt) -> None:
        if attempt.number > fails:
            raise RateLimitError("the rate limit allows this request in 61 s", retry_after=61)

    with pytest.raises(ServerError if fails else RateLimitError) as caught:
        client.tasks.send(client.tasks.prepare(*QUESTION), before_attempt=limit)
    assert len(service.requests) == caught.value.attempts == fails
    assert caught.value.uncertain == (fails > 0)
    assert caught.value.__context__ is None
    if not fails:
        assert str(caught.value) == "the rate limit allows this request in 61 s. Nothing was sent."
    if fails == 2:
        assert "2 attempts; the rate limit allows this request in 61 s" in str(caught.value)


def test_a_raising_hook_stops_the_call_before_the_wire(client, service, created):
    """What a hook raises passes through, and nothing is sent."""
    service.answers(service.reply(created))

    def stop(_: object) -> None:
        raise LookupError("lease lost")

    with pytest.raises(LookupError, match="lease lost"):
        client.tasks.send(client.tasks.prepare(*QUESTION), before_attempt=stop)
    assert service.requests == []
    with pytest.raises(LookupError, match="lease lost"):
        client.tasks.retrieve("task_1", on_answer=stop)
    assert len(service.requests) == 1


def test_time_in_a_limiter_counts(service, time, created):
    """A limiter that blocks past the deadline leaves nothing to send."""
    service.answers(service.reply(created))
    client = CodeVFClient(
        KEY, service.base_url, clock=time.clock, sleep=time.sleep, before_attempt=lambda _: time.sleep(61)
    )
    with pytest.raises(APIConnectionError) as caught:
        client.tasks.create(*QUESTION)
    assert not caught.value.sent
    assert service.requests == []


def test_both_hooks_are_called_the_calls_own_first(service, time, created):
    """A call's hook comes before the client's, which is the last before the wire."""
    service.answers(service.reply(created))
    order = []
    client = CodeVFClient(KEY, service.base_url, before_attempt=lambda _: order.append("client"))
    client.tasks.send(client.tasks.prepare(*QUESTION), before_attempt=lambda _: order.append("call"))
    assert order == ["call", "client"]


def test_stored_bytes_can_be_sent_again(client, service, created):
    """A prepared task that was stored travels as the same bytes, with the same digest."""
    service.answers(service.reply(created))
    prepared = client.tasks.prepare(*QUESTION)
    again = PreparedTask(prepared.body, prepared.idempotency_key)
    assert again == prepared
    assert again.sha256 == prepared.sha256
    client.tasks.send(again)
    assert service.requests[0].body == prepared.body
    assert "join" not in repr(prepared)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_post_is_never_redirected(client, service, status):
    """A redirect would turn a paid question into something else: it is refused, and named."""
    service.answers(service.reply(None, status, Location="/api/v1/elsewhere"))
    with pytest.raises(APIError, match="redirect") as caught:
        client.tasks.create(*QUESTION)
    assert caught.value.status_code == status
    assert len(service.requests) == 1


def test_a_get_is_redirected_within_its_origin_only(client, service):
    """The same origin is followed; another host never sees the key; a circle ends."""
    service.answers(service.reply(None, 301, Location="/api/v1/moved"), service.reply({"id": "task_1"}))
    assert client.tasks.retrieve("task_1").id == "task_1"
    assert service.requests[-1].path == "/api/v1/moved"
    service.answers(service.reply(None, 302, Location=closed_port()))
    with pytest.raises(APIError, match="redirect"):
        client.tasks.retrieve("task_1")
    service.requests.clear()
    service.answers(service.reply(None, 302, Location="/api/v1/round"))
    with pytest.raises(APIError, match="redirect"):
        client.tasks.retrieve("task_1")
    assert len(service.requests) == 4


@pytest.mark.parametrize("task_id", ["../credits/balance", "a/b", "a?b=c", "a#b", "%2e%2e", "é ü", "..x"])
def test_an_id_cannot_travel(client, service, task_id):
    """Whatever an id holds, it stays one segment below tasks/."""
    service.answers(service.reply({"status": "pending"}))
    assert client.tasks.retrieve(task_id).id == task_id
    client.tasks.cancel(task_id)
    for request in service.requests:
        path = request.path.removesuffix("/cancel").removeprefix("/api/v1/tasks/")
        assert not set(path) & set("/?#")
        assert path not in {".", "..", ""}


@pytest.mark.parametrize("task_id", ["", " ", ".", "..", "...", None, 7, "\ud800"])
def test_an_id_that_is_none_is_refused(client, service, task_id):
    """An empty id, or one of dots, would be another address: nothing is sent."""
    for call in (client.tasks.retrieve, client.tasks.cancel, client.tasks.wait):
        with pytest.raises(APIError, match="task_id"):
            call(task_id)
    assert service.requests == []


def test_an_answer_past_the_limit_still_gives_its_id(client, service, monkeypatch):
    """An answer too large is cut off, and the id that came first arrives."""
    monkeypatch.setattr("codevf_nb.sdk.transport.MAX_ANSWER_BYTES", 100)
    service.answers(service.reply({"id": "task_big", "result": {"message": "x" * 1000}}))
    task = client.tasks.create(*QUESTION)
    assert task.id == "task_big"
    assert task.raw == {"id": "task_big"}


def test_a_compressed_answer_is_read(client, service):
    """gzip on the way changes nothing."""
    service.answers(service.reply(gzip.compress(b'{"id": "task_1"}'), Content_Encoding="gzip"))
    assert client.tasks.retrieve("task_1").raw == {"id": "task_1"}


def test_a_code_beats_the_status_of_an_answer(client, service):
    """A 400 that says insufficient credits is one; a 500 that does is not repeated."""
    service.answers(service.reply({"error": {"code": "Insufficient_Credits", "message": "no"}}, 500))
    with pytest.raises(InsufficientCreditsError):
        client.tasks.create(*QUESTION)
    assert len(service.requests) == 1


def test_a_conflict_that_stays_in_flight_is_uncertain(client, service):
    """Where the first request never ends, the error says so and keeps the key."""
    service.answers(service.reply(IN_FLIGHT, 409))
    with pytest.raises(IdempotencyConflictError) as caught:
        client.tasks.create(*QUESTION)
    assert caught.value.in_flight
    assert caught.value.uncertain
    assert caught.value.retryable
    assert len(service.requests) == 4


def test_a_client_serves_several_threads(service, created):
    """Eight threads share a client, and each gets its own answers."""
    service.answers(service.reply(created))
    with CodeVFClient(KEY, service.base_url) as client:
        seen = []
        threads = [
            threading.Thread(target=lambda: seen.append([client.tasks.retrieve("task_abc123xyz").id for _ in range(5)]))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert seen == [["task_abc123xyz"] * 5] * 8


def test_a_call_may_have_a_deadline_of_its_own(client, service, time):
    """`deadline` is in seconds from now, whatever the client's timeout is."""
    service.answers(service.reply({}, 503, Retry_After="5"))
    with pytest.raises(ServerError, match="503"):
        client.tasks.retrieve("task_1", deadline=4)
    assert time.sleeps == []
    with pytest.raises(ServerError):
        client.tasks.retrieve("task_1", deadline=6)
    assert time.sleeps == [5]


def test_errors_without_an_envelope_are_still_errors(client, service):
    """HTML from a proxy is quoted, shortened, on one line."""
    service.answers(service.reply(b"<html>\n\n<h1>Not here</h1>" + b"x" * 5000, 404))
    with pytest.raises(NotFoundError) as caught:
        client.tasks.retrieve("task_1")
    assert "<h1>Not here</h1>" in str(caught.value)
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)
    assert caught.value.body.startswith(b"<html>")


def test_an_endless_redirect_is_not_read(client, service, monkeypatch):
    """The body of a redirect is bounded like any other: what never ends keeps nobody."""
    monkeypatch.setattr("codevf_nb.sdk.transport.MAX_ANSWER_BYTES", 1000)

    def endless(handler):
        head = b"HTTP/1.1 301 Moved\r\nLocation: /x\r\nContent-Length: 10000000\r\n\r\n"
        service.raw(head + b"x" * 200_000)(handler)
        service.closing.wait()

    service.answers(endless)
    with pytest.raises(APIError, match="redirect"):
        client.tasks.create(*QUESTION)
    assert len(service.requests) == 1
