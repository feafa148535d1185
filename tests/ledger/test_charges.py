"""Whatever amounts the service sends: no budget is loosened, no credit is made up, and what is odd is noted."""

import json
import math
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from codevf_nb.accounts.settings import Account
from codevf_nb.display import rendering as display
from codevf_nb.ledger import MemoryStore
from codevf_nb.ledger.tables import book, questions
from codevf_nb.sdk.parsing import decimal_of
from codevf_nb.session import Session

CAP = 240
BUDGET = 10_000.0
TAGS = {"tags": [{"id": 5, "name": "general_purpose", "displayName": "General Purpose", "costMultiplier": "1.0"}]}


class ServiceInfo:
    """A service that answers with whatever it is given, over a real socket."""

    def __init__(self) -> None:
        self.created: dict[str, Any] = {}
        self.retrieved: dict[str, Any] = {}
        self.count = 0
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                body = json.dumps(service.answer_to(self.path)).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = answer  # noqa: N815 - the names that http.server calls

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def answer_to(self, path: str) -> dict[str, Any]:
        if path.endswith("tasks/create"):
            self.count += 1
            return {"id": f"task_{self.count}", "status": "pending", **self.created}
        known = {"tags": TAGS, "balance": {"available": 5000, "onHold": 0}, "create": {"id": 1, "name": "p"}}
        return known.get(path.rpartition("/")[2]) or {"id": path.rpartition("/")[2], **self.retrieved}


@pytest.fixture(scope="module")
def service() -> Iterator[ServiceInfo]:
    """One for all: starting one takes longer than asking it."""
    service = ServiceInfo()
    yield service
    service.server.shutdown()
    service.server.server_close()


@pytest.fixture(scope="module")
def session(service: ServiceInfo) -> Iterator[Session]:
    """A session that polls only when the test says so."""
    url = f"http://127.0.0.1:{service.server.server_port}/api/v1/"
    account = Account("test-1", "test", url, "cvf_test_x", "a test", url, requests_per_second=None)
    session = Session(account, MemoryStore())
    session.watcher.stop()
    session.ledger.budgets.set(f"{BUDGET:g}/month")
    yield session
    session.close()


def ask(session: Session, service: ServiceInfo, created: dict[str, Any] | None = None):
    service.created = created or {}
    return session.ask(session.draft(f"Is this comparison right? Number {service.count}."))


def left(session: Session) -> float:
    return session.ledger.budgets.standing()[0].left


def start_over(session: Session) -> None:
    """Leave the budget as if nothing had been asked, so that the next example has room."""
    with session.ledger.store.write() as connection:
        connection.execute(delete(questions))


def moved(session: Session) -> dict[str, float]:
    """What the book holds, by kind of movement."""
    with session.ledger.store.read() as connection:
        rows = connection.execute(book.select()).all()
    return {kind: sum(row.credits for row in rows if row.kind == kind) for kind in ("hold", "release", "charge")}


def shown(task: Any) -> str:
    return display.task_bundle(task.entry)["text/plain"]


ODD_NUMBERS = st.one_of(
    st.floats(),
    st.integers(-(10**40), 10**40),
    st.decimals(-1000, 1000, places=2).map(str),
    st.sampled_from(["nan", "-inf", "1e400", "-0", "240.01", "240", 0, 1e-12, True, None, "", "lots", [5], {"a": 1}]),
    st.text(max_size=6),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(used=ODD_NUMBERS, status=st.sampled_from(["pending", "completed", "cancelled", "failed"]))
def test_no_amount_loosens_a_budget_or_goes_unnoticed(service, session, used, status):
    """Open: the worst case counts. Final: what was used, never less than 0. The book credits nothing for a charge."""
    task = ask(session, service)
    before, booked = left(session), moved(session)
    service.retrieved = {"status": status, "creditsUsed": used, "result": {"message": "Fine."}}
    task.refresh()
    number = decimal_of(used)
    counts = CAP if status == "pending" or (status == "completed" and number is None) else max(0, number or 0)
    assert left(session) == pytest.approx(max(0.0, before + CAP - float(counts)), abs=1e-3)
    charged = moved(session)["charge"] - booked["charge"]
    assert charged <= 1e-3
    assert math.isfinite(charged)
    if status != "pending":
        assert moved(session)["release"] - booked["release"] == CAP
    is_odd = used is not None and (number is None or not 0 <= number <= CAP)
    assert ("charge: CodeVF says" in shown(task)) == is_odd
    start_over(session)


@pytest.mark.parametrize(
    ("answer", "note", "cap"),
    [
        ({"expertiseMultiplier": 5}, "it may be 1,200", 1200),
        ({"mode": "realtime_answer"}, "it may be 480", 480),
        ({"maxCredits": 300}, "it may be 300", 300),
        ({"expertiseMultiplier": 0.5}, "expertise: priced at 1.0×", CAP),
        ({"maxCredits": 60, "mode": "fast"}, "mode: standard was asked for", CAP),
        ({"expertiseMultiplier": -5}, "expertise: priced at 1.0×", CAP),
        ({"maxCredits": "lots", "mode": "psychic"}, "mode: standard was asked for", CAP),
    ],
)
def test_terms_that_differ_are_shown_and_never_loosen_a_budget(service, session, answer, note, cap):
    """Dearer terms count in full from then on, cheaper ones as they were priced; the display says so at once."""
    start_over(session)
    before, booked = left(session), moved(session)
    task = ask(session, service, answer)
    assert note in shown(task)
    assert before - left(session) == cap
    assert moved(session)["hold"] - booked["hold"] == -cap


def test_terms_that_change_later_are_noted_with_the_poll(service, session):
    """A poll that tells of other terms adds a note, once."""
    start_over(session)
    task = ask(session, service)
    service.retrieved = {"status": "processing", "expertiseMultiplier": 5, "creditsUsed": -1}
    task.refresh()
    service.retrieved["creditsUsed"] = -2
    task.refresh()
    assert [note.partition(":")[0] for note in task.entry.notes[1:]] == ["expertise", "cost", "charge"]
    assert "-2 credits" in shown(task)
    assert left(session) == BUDGET - CAP
