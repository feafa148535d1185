"""What a first question needs is fetched in the background, in turns of the rate limit that no one waits for."""

import os
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from jupyter_client.manager import start_new_kernel

from codevf_nb.accounts import settings
from codevf_nb.delivery._prefetch import Prefetch, Step
from codevf_nb.ledger import MemoryStore
from codevf_nb.sandbox import Sandbox
from codevf_nb.session import Session
from tests.support.kernels import ASK, CONNECT, PRICE, idle, run, said
from tests.waiting import eventually


@pytest.fixture
def box() -> Iterator[Sandbox]:
    """A sandbox on the machine's clock, with its rate limit of one request a second."""
    with Sandbox(answer_after=600) as box:
        yield box


@pytest.fixture
def session(box) -> Iterator[Callable[..., Session]]:
    """Makes sessions in fresh homes, which fetch what a first question needs."""
    made = []

    def make(environment: str = "sandbox", **options) -> Session:
        account = settings.Account(environment, environment, box.base_url, box.api_key, "a test", "x", **options)
        made.append(Session(account, MemoryStore()))
        made[-1].prefetch()
        return made[-1]

    yield make
    for session in made:
        session.close()


def paths(box: Sandbox) -> list[str]:
    """Return the requests but those that were refused with 429: on a busy machine two may arrive within a second."""
    return [path.removeprefix("/api/v1/") for _, path, status, _ in box.requests() if status != 429]


def is_done(session: Session) -> bool:
    return not session._service_info._prefetch.is_running


def test_a_first_question_after_a_while_is_sent_at_once(box, session):
    """With all fetched in the background, nothing stands between Enter and the question."""
    kernel = session()
    eventually(lambda: is_done(kernel), "all is fetched")
    assert paths(box) == ["tags", "projects/create", "credits/balance"]
    kernel.watcher.stop()
    kernel.ask(kernel.draft("Is this comparison right?"))
    assert paths(box)[3:] == ["tasks/create"]


@pytest.mark.parametrize("environment", ["sandbox", "test"])
def test_a_first_question_at_once_takes_two_turns(box, session, environment):
    """Asked in the moment in which there is an account, it has tags and project before it, and the balance after it."""
    kernel = session(environment)
    kernel.watcher.stop()
    kernel.ask(kernel.draft("Is this comparison right?", max_credits=240))
    assert paths(box)[:3] == ["tags", "projects/create", "tasks/create"]
    eventually(lambda: is_done(kernel), "the balance is seen")
    assert paths(box)[3:] == ["credits/balance"]
    assert kernel.ledger.balances.last().on_hold == 240
    assert [status for _, _, status, _ in box.requests() if status != 429] == [200, 201, 201, 200]


def test_in_a_real_kernel_a_person_waits_for_no_turn(box):
    """In a fresh home at most two requests stand between Enter and the question, also where all cells run at once."""
    manager, client = start_new_kernel(
        kernel_name="python3", env=dict(os.environ), extra_arguments=["--IPKernelApp.log_level=ERROR"]
    )
    try:
        connect = CONNECT.format(url=box.base_url, key=box.api_key).replace(", requests_per_second=None", "")
        run(client, connect)
        before = len(paths(box))
        client.execute(ASK)
        shown = said(client, lambda kind, _: kind == "display_data")[-1][1]["data"]["text/plain"]
        assert shown.startswith(PRICE)
        said(client, idle)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    sent = paths(box)
    assert sent.index("tasks/create") - before <= 2


def test_a_project_of_a_paid_account_is_not_made_before_anyone_asks(box, session):
    """It would be there, at the service, for everybody who shares the account."""
    kernel = session("test")
    eventually(lambda: is_done(kernel), "all is fetched")
    assert paths(box) == ["tags", "credits/balance"]


@pytest.mark.parametrize("options", [{"requests_per_second": None}, {"polls_move_time": True}])
def test_where_nothing_waits_for_turns_nothing_is_fetched(box, session, options):
    """Without a limit requests take milliseconds, and on a virtual clock each would move the time."""
    kernel = session(**options)
    assert is_done(kernel)
    assert paths(box) == []


def test_a_service_that_is_down_is_left_to_the_question(box, session, caplog):
    """What fails is logged, and never shown; the question's own request says what is wrong."""
    box.stop()
    with caplog.at_level("INFO", "codevf_nb"):
        kernel = session()
        eventually(lambda: is_done(kernel), "it has given up")
    assert "the list of tags was not fetched" in caplog.text


def test_a_limit_that_is_met_is_left_to_the_question(session):
    """A 429 holds everybody back as any other does, and nothing is tried again."""
    with Sandbox(faults=("tags:1:429=both",)) as box:
        account = settings.Account("sandbox", "sandbox", box.base_url, box.api_key, "a test", "x")
        kernel = Session(account, MemoryStore())
        kernel.prefetch()
        eventually(lambda: is_done(kernel), "it has given up")
        assert [(path, status) for _, path, status, _ in box.requests()] == [("/api/v1/tags", 429)]
        assert kernel._rate_limiter.try_take() > 0
        kernel.close()


def test_loading_and_opening_a_session_fetches_nothing_without_a_kernel(box):
    """Only a kernel's session fetches in advance: one that a test or a program makes by itself sends nothing."""
    account = settings.Account("sandbox", "sandbox", box.base_url, box.api_key, "a test", "x")
    Session(account, MemoryStore()).close()
    assert paths(box) == []


class Turns:
    """A limiter whose turns are given by hand, and the steps that were taken."""

    def __init__(self) -> None:
        self.free = threading.Event()
        self.asked = threading.Event()
        self.taken: list[str] = []

    def try_take(self) -> float:
        self.asked.set()
        return 0.0 if self.free.is_set() else 0.01

    def step(self, name: str, *, needed: bool = True, fetch: Callable[[], object] | None = None) -> Step:
        return Step(name, lambda: needed, lambda: (self.taken.append(name), fetch and fetch()))


def test_it_takes_no_turn_that_is_not_left_over():
    """While others queue it waits, and what is known meanwhile is not fetched."""
    turns = Turns()
    known: list[bool] = []
    late = Step("late", lambda: not known, lambda: turns.taken.append("late"))
    prefetch = Prefetch([turns.step("first"), turns.step("known", needed=False), late], turns.try_take)
    prefetch.start()
    assert turns.asked.wait(5)
    assert turns.taken == []
    known.append(True)
    turns.free.set()
    eventually(lambda: not prefetch.is_running, "it ends")
    assert turns.taken == ["first"]


def test_it_ends_when_the_session_is_closed():
    """Also while it waits for a turn; nothing is fetched afterwards, and an error ends it as well."""
    turns = Turns()
    prefetch = Prefetch([turns.step("first")], turns.try_take)
    prefetch.start()
    assert turns.asked.wait(5)
    began = time.monotonic()
    prefetch.stop()
    assert not prefetch.is_running
    assert time.monotonic() - began < 5
    turns.free.set()
    assert turns.taken == []
    failing = Prefetch([turns.step("bad", fetch=lambda: 1 / 0), turns.step("next")], turns.try_take)
    failing.start()
    eventually(lambda: not failing.is_running, "it gives up")
    assert turns.taken == ["bad"]
