"""Faults by rule: what they do on the wire, when they strike, and that they can be counted."""

import socket
import time
from urllib.parse import urlsplit

import pytest
import requests

from codevf_nb.sandbox import SandboxError
from codevf_nb.sandbox._fault_kinds import FAULT_KINDS, Moment, Scope
from codevf_nb.sandbox._faults import Faults

from .conftest import Api

KEY = "5f0c7a1e-8a52-4b61-9c55-0d6f3f6b1c11"
DROPPED = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)


@pytest.mark.parametrize(("moment", "committed"), [("before", 0), ("after", 1)])
def test_a_connection_dropped_before_or_after_the_commit(boxes, moment, committed):
    """A dropped create has made no task before its commit and one after it; asking again gets exactly one."""
    api = Api(boxes(faults=(f"create:1:drop-{moment}-commit",)))
    api.project()
    with pytest.raises(DROPPED):
        api.create(idempotencyKey=KEY)
    assert len(api.box.tasks()) == committed
    assert api.box.requests()[-1][2] is None
    assert api.create(idempotencyKey=KEY).status_code == (200 if committed else 201)
    assert len(api.box.tasks()) == 1
    assert api.box.faults == {f"create:1:drop-{moment}-commit": 1}


def test_a_status_strikes_before_the_commit_unless_said(boxes):
    """status=503 leaves nothing behind; status-after-commit=503 leaves a task."""
    api = Api(boxes(faults=("create:1:status=503", "create:2:status-after-commit=500")))
    api.project()
    first = api.create()
    assert (first.status_code, first.json()["error"]["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert api.box.tasks() == []
    assert api.create().status_code == 500
    assert len(api.box.tasks()) == 1


@pytest.mark.parametrize("status", [400, 401, 402, 404, 408, 409, 413, 429, 500])
def test_every_status_of_the_documents_can_be_had(boxes, status):
    """Each documented status can be asked for, in the envelope."""
    api = Api(boxes(faults=(f"any:*:status={status}",)))
    answer = api.call("GET", "tags")
    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"code", "message"}


@pytest.mark.parametrize(
    ("carry", "header", "meta"),
    [("header", True, False), ("meta", False, True), ("none", False, False), ("both", True, True)],
)
def test_a_429_with_header_meta_or_neither(boxes, carry, header, meta):
    """429 can be had with each way of saying how long to wait."""
    answer = Api(boxes(faults=(f"tags:1:429={carry}",))).call("GET", "tags")
    assert answer.status_code == 429
    assert ("Retry-After" in answer.headers, "meta" in answer.json()) == (header, meta)


def test_answers_that_are_broken(boxes):
    """Truncated bodies end early, malformed ones are no JSON, wrong types are HTML, `set` changes fields."""
    rules = ("tags:1:truncate", "tags:2:malformed", "tags:3:wrong-type", 'tags:4:set={"tags": "x", "new": 1}')
    api = Api(boxes(faults=rules))
    with pytest.raises(DROPPED):
        api.call("GET", "tags")
    malformed = api.call("GET", "tags")
    with pytest.raises(ValueError, match="Expecting"):
        malformed.json()
    assert malformed.status_code == 200
    wrong = api.call("GET", "tags")
    assert wrong.headers["Content-Type"].startswith("text/html")
    changed = api.call("GET", "tags").json()
    assert changed == {"success": True, "tags": "x", "new": 1}
    assert list(api.box.faults.values()) == [1, 1, 1, 1]


def test_a_redirect_is_sent_and_not_committed(boxes):
    """301 points at the same place, and nothing was done."""
    api = Api(boxes(faults=("create:1:301",)))
    api.project()
    answer = api.create()  # followed by requests as a GET, which is what makes a 301 to a POST dangerous
    assert answer.history[0].status_code == 301
    assert answer.status_code == 405
    assert api.box.tasks() == []


def test_slow_answers_arrive_in_the_end(boxes):
    """A delay and a slow drip hold the answer up for the seconds that were said, and it is whole."""
    api = Api(boxes(faults=("balance:1:delay=0.2", "balance:2:delay-before-commit=0.2", "balance:3:slow-drip=0.2")))
    for _ in range(3):
        began = time.monotonic()
        assert api.balance() == (100_000, 0, 100_000)
        assert time.monotonic() - began >= 0.2


def received(box):
    """What a create sends back on its socket, and after how many seconds."""
    api = Api(box)
    api.project()
    body = b'{"prompt": "Is this join dropping rows?", "maxCredits": 240, "projectId": 1}'
    place = urlsplit(box.base_url)
    head = f"POST {place.path}tasks/create HTTP/1.1\r\nHost: {place.netloc}\r\nAuthorization: Bearer {box.api_key}\r\n"
    began = time.monotonic()
    with socket.create_connection((place.hostname, place.port), timeout=10) as connection:
        connection.sendall(f"{head}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    return answer, time.monotonic() - began


@pytest.mark.parametrize("name", FAULT_KINDS)
def test_every_fault_of_the_table_has_an_effect(boxes, name):
    """A client can tell a call with the fault from a call without it. Argument and moment are those of the row."""
    kind = FAULT_KINDS[name]
    argument = "" if kind.argument is None else f"={kind.argument.example}"
    plain, faulty = boxes(clock="virtual"), boxes(clock="virtual", faults=(f"create:1:{name}{argument}",))
    expected, _ = received(plain)
    answer, seconds = received(faulty)
    assert answer != expected or seconds >= 0.2
    assert len(faulty.tasks()) == (kind.moment is Moment.AFTER or kind.scope is Scope.DELAYS)
    if kind.argument is None or kind.argument.is_required:
        wrong = "create:1:" + (f"{name}=1" if kind.argument is None else name)
        with pytest.raises(SandboxError, match="argument"):
            Faults((wrong,))


def test_which_calls_a_rule_strikes():
    """n, n-m, * and any; each rule counts the calls it speaks of, and the first that strikes acts."""
    faults = Faults(("create:2:drop", "create:2-3:malformed", "any:4:drop", "tags:*:truncate"))
    calls = ["create", "create", "create", "tags", "balance"]
    struck = [getattr(faults.next_fault(call), "rule", None) for call in calls]
    assert struck == [None, "create:2:drop", "create:2-3:malformed", "any:4:drop", None]
    assert faults.counts() == {"create:2:drop": 1, "create:2-3:malformed": 1, "any:4:drop": 1, "tags:*:truncate": 0}


def test_probability_is_seeded():
    """A rule with a probability strikes the same calls again with the same seed, and about as often as said."""
    runs = []
    for seed in (1, 1, 2):
        faults = Faults(("any:p0.3:drop",), seed)
        runs.append([faults.next_fault("tags") is not None for _ in range(1000)])
    assert runs[0] == runs[1] != runs[2]
    assert 200 < sum(runs[0]) < 400


def test_refused_requests_are_not_counted(boxes):
    """A rule counts the calls that reached their operation: not those without a key."""
    box = boxes(faults=("tags:1:status=500",))
    assert Api(box, "cvf_test_unknown").call("GET", "tags").status_code == 401
    assert Api(box).call("GET", "tags").status_code == 500
    box.add_fault("tags:1:status=502")
    assert Api(box).call("GET", "tags").status_code == 502


@pytest.mark.parametrize(
    "rule",
    [
        "create",
        "create:1",
        "make:1:drop",
        "create:0:drop",
        "create:3-2:drop",
        "create:p1.5:drop",
        "create:1:explode",
        "create:1:status",
        "create:1:status=99",
        "create:1:delay=x",
        "create:1:429=maybe",
        "create:1:drop=1",
        "create:1:truncate-before-commit",
        "create:1:set=[1]",
    ],
)
def test_a_bad_rule_is_one_line(rule):
    """A rule that can't be read is refused in one line that quotes it."""
    with pytest.raises(SandboxError) as caught:
        Faults((rule,))
    assert repr(rule) in str(caught.value)
    assert "\n" not in str(caught.value)
