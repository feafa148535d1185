"""At most once: over a real socket, whatever goes wrong on the way."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest
from IPython.utils.capture import capture_output
from sqlalchemy import text

from codevf_nb.accounts.settings import home
from codevf_nb.delivery import AskedElsewhereError, OutcomeUnknownError
from codevf_nb.display import rendering as display
from codevf_nb.ledger import (
    Change,
    LedgerError,
    SendState,
    Store,
    sqlite_url,
)
from codevf_nb.notebook.magics import CodeVFUserError
from codevf_nb.questions.question import Draft
from codevf_nb.sandbox import Sandbox
from codevf_nb.sdk._http import Reply
from codevf_nb.sdk.exceptions import CodeVFError, InsufficientCreditsError
from codevf_nb.session import Session
from codevf_nb.task import Task
from tests.soak.steps import STEPS, at_step
from tests.support.questions import QUESTION, TERMS
from tests.waiting import eventually

PROMPT = "Is this join dropping rows?"
HOUR = 3600.0


def ask(session: Session, prompt: str = PROMPT, **options) -> Task:
    return session.ask(session.draft(prompt, code="total = 1", **options))


def sent(box: Sandbox) -> int:
    """How many submissions have reached the service, whatever it made of them."""
    return sum(path.endswith("tasks/create") for _, path, _, _ in box.requests())


def status(session: Session) -> str:
    return "\n".join(f"{display.state(entry)} {advice}" for entry, advice in session.unsettled())


# -- 1: running a cell again costs nothing


def test_the_same_question_is_sent_once(box, kernel, clock):
    """The second run of a cell sends nothing, says how long ago it was asked, and how to ask anew."""
    first = ask(kernel())
    clock.now += 200
    again = ask(kernel())
    assert (again.id, sent(box)) == (first.id, 1)
    assert "asked 3 min ago, 0 credits now; --again 2 asks again" in display.state(again.entry, repeated=again.repeated)
    assert first.repeated is None


@pytest.mark.parametrize(
    ("seconds", "told"), [(3, "just now"), (59, "just now"), (7300, "2 h ago"), (200_000, "2 d ago")]
)
def test_how_long_ago(seconds, told):
    """The largest unit is enough; within a minute it is just now, so that example notebooks come out the same."""
    assert display.ago(seconds) == told


@pytest.mark.parametrize("end", ["cancelled", "failed", "expired"])
def test_found_whatever_became_of_it(box, kernel, end):
    """A task that ended without an answer is found too: whether to pay again is for a person to say."""
    task = ask(kernel())
    box.end(task.id, end)
    task.refresh()
    again = ask(kernel())
    assert (again.id, again.status, sent(box)) == (task.id, end, 1)


def test_each_asking_is_a_question(box, kernel):
    """``--again 2`` asks anew, once: a cell that keeps it costs nothing either."""
    ids = [ask(kernel(), again=asking).id for asking in (1, 2, 2, 1, 3)]
    assert ids[0] == ids[3] != ids[1] == ids[2] != ids[4]
    assert sent(box) == 3


def test_changed_data_is_told_not_sent(box, kernel):
    """What changed in the attachments since is shown with the old answer."""
    orders = pd.DataFrame({"id": range(1204)})
    ask(kernel(), attach={"orders": orders})
    more = ask(kernel(), attach={"orders": pd.DataFrame({"id": range(1311)})})
    other = ask(kernel(), attach={"orders": orders * 2})
    assert more.repeated.changed == (Change("orders", (1204, 1311)),)
    assert other.repeated.changed == (Change("orders"),)
    assert "orders: 1,204 → 1,311 rows since; --again 2 asks again" in more._repr_mimebundle_()["text/plain"]
    assert "orders: changed since; --again 2 asks again" in other._repr_mimebundle_()["text/plain"]
    assert sent(box) == 1


def test_how_it_is_shown_asks_nothing_anew(box, current, shell):
    """The variable, waiting, the time-out and the order of options are not the question."""
    shell.user_ns["orders"] = shell.user_ns["customers"] = pd.DataFrame({"a": [1]})
    for line in (
        f"-a orders,customers -m fast -c 240 {PROMPT}",
        f"{PROMPT} -c 240 -m fast -a customers -a orders -o answer",
        f"--mode fast -w --timeout 60 {PROMPT} --max-credits 240 --attach=customers,orders",
    ):
        shell.run_cell_magic("codevf", line, "x = 1")
    assert sent(box) == 1
    assert shell.user_ns["answer"].id == shell.user_ns["_codevf"].id


def test_a_second_ledger_pays_nothing_within_the_day(box, kernel):
    """A fresh machine on the same account sends the same key, and gets the task there is."""
    first = ask(kernel())
    box.advance(5 * HOUR)
    found = ask(kernel("other"))
    assert found.id == first.id
    assert len(box.tasks()) == 1
    assert "asked before from elsewhere, 5.0 hours ago: 0 credits now." in found.entry.notes


def test_a_second_ledger_sees_the_answer_of_a_task_that_is_over(box, kernel):
    """The key of a completed task brings the task, and the next look its answer."""
    first = ask(kernel())
    box.answer(first.id, "The join is fine.")
    found = ask(kernel("other"))
    assert found.wait(20).message == "The join is fine."
    assert found.credits_used == 0 or found.credits_used == first.refresh().credits_used


def test_a_second_ledger_with_other_data_is_told_so(box, kernel):
    """The same key with other attachments: what that means, that nothing is paid, and the way on."""
    ask(kernel(), attach={"orders": pd.DataFrame({"a": [1]})})
    other = kernel("other")
    changed = {"orders": pd.DataFrame({"a": [2]})}
    for _ in range(2):
        with pytest.raises(
            AskedElsewhereError, match=r"from elsewhere, with other attachments .*nothing is paid.*--again 2"
        ):
            ask(other, attach=changed)
    assert sent(box) == 2
    ((_, advice),) = other.unsettled()
    assert "asked before from elsewhere" in advice
    assert ask(other, attach=changed, again=2).id is not None
    assert len(box.tasks()) == 2


def named_in_a_conflict(session, task_id):
    """Have each create of a session answered with a 409 that names a task; return how many there were."""
    wire, created = session.client._transport.wire, []
    real = wire.exchange
    body = f'{{"error": {{"code": "idempotency_conflict", "message": "taken", "details": {{"taskId": "{task_id}"}}}}}}'

    def conflict(method, url, **options):
        if not url.endswith("tasks/create"):
            return real(method, url, **options)
        created.append(url)
        return Reply(409, {}, body.encode())

    wire.exchange = conflict
    return created


def test_a_conflict_that_names_the_task_takes_it_in(box, kernel):
    """Where the service's 409 names the task it has, that is the question's: its answer comes, and nothing is sent."""
    session = kernel()
    first = ask(kernel("other"))
    created = named_in_a_conflict(session, first.id)
    found = ask(session)
    assert (found.id, ask(session).id) == (first.id, first.id)
    assert not found.entry.is_foreign
    assert "asked before from elsewhere" in found._repr_mimebundle_()["text/plain"]
    assert found.wait(20).message == first.wait(20).message
    assert len(created) == 1


@pytest.mark.parametrize("named", ["gone", "of another mode"])
def test_a_conflict_is_remembered(box, kernel, named):
    """A day later too: whatever it named, only --again or a person sends the question, and a person can settle it."""
    session = kernel()
    other = "task_gone" if named == "gone" else ask(kernel("other"), mode="fast").id
    created = named_in_a_conflict(session, other)
    for _ in range(3):
        with pytest.raises(AskedElsewhereError, match="nothing is paid now"):
            ask(session)
    assert len(created) == 1
    entry = session.ledger.questions.latest()[0]
    assert (entry.outcome, entry.unheard) == ("unknown", 1)
    with pytest.raises(AskedElsewhereError):
        session.resolve(entry)  # a person has it sent again
    assert len(created) == 2
    session.settle_by_hand(entry.id, None)
    assert session.ledger.questions.get(entry.id).state == "refused"


# -- 2: at most once


def test_everything_is_committed_before_the_first_byte(box, kernel, account):
    """When the request leaves, its exact bytes, their hash, the key, the place and the credential are on disk."""
    session, seen = kernel(), []

    def look() -> None:
        onlooker = kernel()
        entry = onlooker.ledger.questions.latest()[0]
        seen.append((entry, onlooker.ledger.questions.body(entry.id)))

    bodies = record_bodies(session)
    at_step(session, "before-exchange", look)
    ask(session)
    ((entry, body),) = seen
    assert bodies == [body]
    assert f'"idempotencyKey":"{entry.idempotency_key}"'.encode() in body
    assert (entry.state, entry.attempts, entry.unheard) == (SendState.OPEN, 1, 1)
    assert (entry.origin, entry.credential) == (account.origin, account.credential)
    assert entry.body_sha256 is not None


def test_the_answer_is_committed_before_it_is_read(box, kernel):
    """When anyone starts to understand an answer, its bytes are on disk."""
    session, seen = kernel(), []
    at_step(session, "before-accept", lambda: seen.append(kernel().ledger.questions.raw(1, "create")))
    task = ask(session)
    assert task.id.encode() in seen[0].body


def test_bytes_are_deleted_once_it_is_settled(box, kernel):
    """Names, sizes and hashes of attachments stay; what was in them doesn't."""
    session = kernel()
    entry = ask(session, attach={"orders": pd.DataFrame({"a": ["a-very-telling-cell"]})}).entry
    assert session.ledger.questions.body(entry.id) is None
    eventually(lambda: b"a-very-telling-cell" not in everything_on_disk(), "the journal is emptied")
    assert {"name", "size", "sha256", "rows"} <= set(entry.attachments[1])


@pytest.mark.parametrize(
    "what", ["drop-before-commit", "drop-after-commit", "truncate", "status=503", "status-after-commit=502"]
)
def test_the_call_that_sent_it_sends_again(box, kernel, what):
    """Resets, cut off answers and 5xx are followed by the same bytes under the same key, until the call's deadline."""
    session = kernel()
    bodies = record_bodies(session)
    box.add_fault(f"create:1-2:{what}")
    task = ask(session)
    assert len(set(bodies)) == 1
    assert len(bodies) == 3
    assert [each["id"] for each in box.tasks()] == [task.id]


@pytest.mark.parametrize(
    "rule",
    [
        "1-4:drop-after-commit",
        "1-4:drop-before-commit",
        "1-4:truncate",
        "1-4:status=500",
        "1:wrong-type",
    ],
)
def test_an_unknown_outcome_waits_for_a_person(box, kernel, rule):
    """Nothing is sent behind anyone's back; ``status`` says what to do, and the cell again settles it."""
    box.add_fault(f"create:{rule}")
    with pytest.raises(OutcomeUnknownError, match=r"Run the cell again.*can't be paid twice"):
        ask(kernel())
    before, later = sent(box), kernel()
    assert "question 1 unknown" in status(later)
    assert "Run the cell again, or %codevf settle, before 2027-01-16" in status(later)
    assert sent(box) == before
    task = ask(later)
    assert [each["id"] for each in box.tasks()] == [task.id]
    assert "asked just now, settled now; --again 2" in display.state(task.entry, repeated=task.repeated)
    assert status(later) == ""
    assert not ask(later).repeated.settled


def test_settle_is_the_cell_again(box, kernel):
    """A person who no longer has the cell says ``%codevf settle``: the bytes are in the ledger."""
    box.add_fault("create:1-4:drop-after-commit")
    with pytest.raises(OutcomeUnknownError):
        ask(kernel())
    session = kernel()
    (entry,) = session.ledger.questions.with_unknown_outcome()
    assert session.resolve(entry).id == box.tasks()[0]["id"]


def test_settling_as_it_is_typed(box, current, shell):
    """``%codevf settle`` tells of each question, one that can't be settled keeps none of the others from it."""
    box.add_fault("create:1-8:drop-after-commit")
    current.client._transport.sleep = lambda _: None
    for prompt in ("Which of these is right?", "Which of those is right?"):
        with pytest.raises(OutcomeUnknownError):
            ask(current, prompt)
    with current.ledger.store.write() as connection:
        connection.execute(text("UPDATE questions SET prepared_at = prepared_at - 100000 WHERE id = 1"))
    with capture_output() as shown:
        for line in ("status", "settle", "settle 1 none"):
            print(shell.run_line_magic("codevf", line))
    told = shown.stdout.splitlines()
    assert [line[:20] for line in told[:4]] == [
        "? question 1 unknown",
        "  the outcome of que",
        "? question 2 unknown",
        "  Run the cell again",
    ]
    assert "question 1 is unknown; it was sent 28 hours ago" in told[4]
    assert box.tasks()[1]["id"] in told[5]
    assert told[6].startswith("? question 1 refused: a person says")
    for slip in ("settle 1", "settle one none", "settle 2 none"):
        with pytest.raises(CodeVFUserError):
            shell.run_line_magic("codevf", slip)


@pytest.mark.parametrize(
    "options",
    [{"mode": "fats"}, {"tag": "nobody"}, {"attach": {"x": object()}}, {"max_bytes": 0}, {"redact": ["email"]}],
    ids=lambda options: next(iter(options)),
)
def test_what_is_refused_here_says_that_nothing_was_sent(box, kernel, options):
    """Once, at its end, whichever room refused it; and nothing was."""
    with pytest.raises(CodeVFError) as refused:
        ask(kernel(), **options)
    assert str(refused.value).endswith(". Nothing was sent.")
    assert str(refused.value).count("othing was sent") == 1
    assert sent(box) == 0


def test_a_service_that_is_gone_before_a_question_goes_out(box, kernel):
    """What is asked of it first (its tags, a project's number) fails too: the question stayed here."""
    box.add_fault("projects:1-9:drop-before-commit")
    with pytest.raises(CodeVFError, match=r"\. The question was not sent\.$"):
        ask(kernel())
    assert sent(box) == 0


def test_a_refusal_is_definite(box, kernel):
    """A plain no holds nothing, keeps no bytes, and asking again is a new try with what is attached then."""
    box.add_fault("create:1:status=402")
    session = kernel()
    with pytest.raises(InsufficientCreditsError):
        ask(session, attach={"orders": pd.DataFrame({"a": [1]})})
    entry = session.ledger.questions.latest()[0]
    assert (entry.state, session.ledger.questions.body(entry.id)) == (SendState.REFUSED, None)
    assert ask(session, attach={"orders": pd.DataFrame({"a": [2]})}).id is not None
    assert len(box.tasks()) == 1


@pytest.mark.parametrize("lost", ["drop-before-commit", "drop-after-commit"])
def test_a_refusal_after_an_unheard_attempt_is_not_definite(box, kernel, lost):
    """A no says nothing about the attempt before it that nobody heard the end of."""
    box.add_fault(f"create:1:{lost}")
    box.add_fault("create:1:status=402")  # the second one: each rule counts the calls that reach it
    box.add_fault("create:2:status=402")
    session = kernel()
    with pytest.raises(OutcomeUnknownError, match="outcome is unknown"):
        ask(session)
    assert session.ledger.questions.latest()[0].outcome == "unknown"
    assert ask(session).id == box.tasks()[0]["id"]
    assert len(box.tasks()) == 1


def test_nothing_was_sent_where_nobody_answers(account, kernel):
    """A service that can't be reached has nothing: the question is no outcome to settle, just one to ask again."""
    session = kernel(of=replace(account, base_url="http://127.0.0.1:9/api/v1/"))
    draft = Draft(QUESTION, terms=TERMS)
    with pytest.raises(Exception, match="could not be reached"):
        session._submission.submit(draft, 1)
    assert session.ledger.questions.latest()[0].outcome == "not sent"
    assert "The service does not have it" in status(session)


def test_past_the_day_a_person_decides(box, kernel, clock):
    """The service has forgotten the key by then: nothing is sent, and both ways on are told and work."""
    box.add_fault("create:1-8:drop-after-commit")
    prompts = ("Which of these is right?", "Which of those is right?")
    for prompt in prompts:
        with pytest.raises(OutcomeUnknownError):
            ask(kernel(), prompt)
    clock.now += 30 * HOUR
    session, before = kernel(), sent(box)
    for prompt in prompts:
        with pytest.raises(
            OutcomeUnknownError, match=r"sent 30 hours ago.*%codevf settle \d TASK, or %codevf settle \d none"
        ):
            ask(session, prompt)
    assert status(session).count("30 hours ago") == 2
    assert sent(box) == before
    session.settle_by_hand(1, box.tasks()[0]["id"])
    session.settle_by_hand(2, None)
    assert status(session) == ""
    assert ask(session, prompts[0]).id == box.tasks()[0]["id"]
    assert ask(session, prompts[1]).entry.attempts == 1


def test_bytes_that_can_help_no_more_are_deleted(box, kernel, clock):
    """A question nobody settled keeps its bytes for a day; the next one asked after that takes them away."""
    box.add_fault("create:1-4:drop-after-commit")
    with pytest.raises(OutcomeUnknownError):
        ask(kernel())
    clock.now += 25 * HOUR
    session = kernel()
    ask(session, "Is something else the matter?")
    assert session.ledger.questions.body(1) is None
    assert "25 hours ago" in status(session)


def test_a_machine_that_slept_sends_no_second_attempt(box, kernel, clock):
    """A laptop that wakes up a day later in the middle of a call does not go on with it."""
    box.add_fault("create:1:drop-after-commit")
    session = kernel()

    def sleep_long(_: float) -> None:
        clock.now += 30 * HOUR

    session.client._transport.sleep = sleep_long
    with pytest.raises(OutcomeUnknownError, match="30 hours ago"):
        ask(session)
    assert sent(box) == 1


def test_a_clock_that_went_back_is_not_believed(box, kernel, clock):
    """Where later questions lie in the ledger, how long ago one was sent can't be known: a person decides."""
    box.add_fault("create:1-4:drop-after-commit")
    with pytest.raises(OutcomeUnknownError):
        ask(kernel())
    clock.now -= 20 * HOUR
    before = sent(box)
    with pytest.raises(OutcomeUnknownError, match="clock has gone back"):
        ask(kernel())
    assert sent(box) == before
    assert ask(kernel(), "Does another question work?").id is not None


@pytest.mark.parametrize(("later", "settles"), [(22 * HOUR + 59 * 60, True), (23 * HOUR + 60, False)])
def test_a_key_is_relied_on_for_23_hours(box, kernel, clock, later, settles):
    """An hour before the service forgets it: at 22:59 the question is sent again, at 23:01 a person decides."""
    box.add_fault("create:1-4:drop-after-commit")
    with pytest.raises(OutcomeUnknownError):
        ask(kernel())
    clock.now += later
    box.advance(later)
    before = sent(box)
    if settles:
        assert ask(kernel()).id == box.tasks()[0]["id"]
    else:
        with pytest.raises(OutcomeUnknownError, match="sent 23 hours ago"):
            ask(kernel())
    assert sent(box) - before == settles
    assert len(box.tasks()) == 1


@pytest.mark.parametrize(("back", "settles"), [(295, True), (305, False), (60 * HOUR, False)])
def test_a_clock_that_went_back_by_more_than_five_minutes(box, kernel, clock, back, settles):
    """Clocks differ by five minutes without anyone having moved them; one that is farther back is not believed."""
    box.add_fault("create:1-4:drop-after-commit")
    with pytest.raises(OutcomeUnknownError):
        ask(kernel())
    clock.now -= back
    before = sent(box)
    if settles:
        assert ask(kernel()).id == box.tasks()[0]["id"]
    else:
        with pytest.raises(OutcomeUnknownError, match="clock has gone back"):
            ask(kernel())
    assert sent(box) - before == settles


@pytest.fixture
def skewed(account) -> Iterator[tuple[Sandbox, Callable[[], Session], Callable[[float], None]]]:
    """A sandbox on the machine's clock, kernels on a ledger whose clock goes with it, and what moves that one."""
    moved, made = [0.0], []
    with Sandbox(reviewer="none", rate_limit=None) as box:
        here = replace(account, base_url=box.base_url, api_key=box.api_key, polls_move_time=False)

        def make() -> Session:
            clock = lambda: time.time() + moved[0]  # noqa: E731 - it is short
            session = Session(here, Store(sqlite_url(home() / "skewed.sqlite"), clock))
            session.client._transport.sleep = lambda _: None
            made.append(session)
            return session

        yield box, make, lambda seconds: moved.__setitem__(0, moved[0] + seconds)
        for session in made:
            session.close()


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize(
    ("passed", "shown", "settles"),
    [
        (36 * HOUR, 60, False),  # the machine was off, and its clock was restored
        (36 * HOUR, 36 * HOUR, False),
        (20 * HOUR, 20 * HOUR, True),
        (60, 60, True),
        (60, -36 * HOUR, False),
        (290, 0, True),
        (310, 0, False),
        (0, 290, True),
        (0, 315, False),
    ],
)
def test_the_service_s_clock_is_asked_before_anything_is_sent_again(skewed, passed, shown, settles, restarted):
    """Where this machine's clock shows another time than the service's, how long ago it was sent can't be known."""
    box, kernel, move = skewed
    box.add_fault("create:1-4:drop-after-commit")
    session = kernel()
    with pytest.raises(OutcomeUnknownError):
        ask(session)
    box.advance(passed)
    move(shown)
    before = sent(box)
    if restarted:
        session = kernel()
    if settles:
        assert ask(session).id == box.tasks()[0]["id"]
    else:
        with pytest.raises(OutcomeUnknownError, match=r"(clock|hours ago).*Nothing was sent now"):
            ask(session)
    assert sent(box) - before == settles
    assert len(box.tasks()) == 1


@pytest.mark.parametrize("made", ["2031-01-01T00:00:00Z", "2027-01-15T08:06:00Z", "2001-01-01T00:00:00Z"])
def test_a_task_from_elsewhere_says_nothing_about_the_clock(box, kernel, made):
    """A moment of creation that the service names, even a future one, keeps no question from being settled."""
    box.add_fault("create:1-4:drop-after-commit")
    session = kernel()
    with pytest.raises(OutcomeUnknownError):
        ask(session)
    session.ledger.questions.import_task(
        "task_elsewhere",
        datetime.fromisoformat(made).timestamp(),
        **{name: getattr(session.account, name) for name in ("environment", "origin", "credential")},
        asked_by="elsewhere",
        status="pending",
    )
    assert ask(session).id == box.tasks()[0]["id"]


@pytest.mark.parametrize(("later", "listed"), [(23 * HOUR + 59 * 60, True), (24 * HOUR + 60, False)])
def test_a_question_that_was_never_sent_is_listed_for_a_day(box, kernel, clock, later, listed):
    """For 24 hours ``status`` names what was prepared and never sent; after that no one wants to know."""
    session = kernel()

    def interrupt(_turn: object) -> None:
        raise KeyboardInterrupt

    session._rate_limiter.wait_for = interrupt
    with pytest.raises(KeyboardInterrupt):
        ask(session)
    clock.now += later
    assert bool(status(session)) == listed


def test_another_place_or_key_is_never_used(box, kernel, account):
    """An unknown outcome goes nowhere else: under a rotated key it is told, not sent."""
    box.add_fault("create:1-4:drop-after-commit")
    with pytest.raises(OutcomeUnknownError):
        ask(kernel())
    box.engine.add_key("cvf_test_rotated", 1000)
    rotated = kernel(of=replace(account, name="sandbox-new", api_key="cvf_test_rotated"))
    before = sent(box)
    with pytest.raises(OutcomeUnknownError, match=r"under another key \(sandbox\)"):
        ask(rotated)
    assert "under another key (sandbox)" in status(rotated)
    assert sent(box) == before
    moved = kernel(of=replace(account, origin="https://elsewhere.example/"))
    with pytest.raises(OutcomeUnknownError, match="under another key"):
        ask(moved)
    assert sent(box) == before


@pytest.fixture
def renewed(box, kernel, account) -> Callable[[], Session]:
    """Makes kernels whose key is a new one of the same account."""

    def make() -> Session:
        with contextlib.suppress(ValueError):
            box.engine.add_key("cvf_test_rotated", 1000)
        return kernel(of=replace(account, name="sandbox-new", api_key="cvf_test_rotated"))

    return make


def test_an_answer_under_an_earlier_key_is_shown(box, kernel, renewed):
    """What was answered under the old key is shown with the account it is under; asking anew takes a word."""
    task = ask(kernel()).wait()
    again = ask(renewed())
    assert (again.id, again.message, sent(box)) == (task.id, task.message, 1)
    assert "asked just now under another key (account sandbox), 0 credits now" in display.state(
        again.entry, repeated=again.repeated
    )
    assert ask(renewed(), again=2).id != task.id


def test_a_question_still_open_under_an_earlier_key_is_not_paid_again(box, kernel, renewed):
    """What was asked under the old key and is open is told of, with the way to bring it over."""
    box.add_fault("retrieve:1-99:status=503")
    task = ask(kernel())
    with pytest.raises(AskedElsewhereError, match=rf"{task.id} of account sandbox\. Nothing was sent.*same sandbox "):
        ask(renewed())
    assert sent(box) == 1


def test_an_account_under_a_new_key_goes_on(box, kernel, renewed):
    """Once the account is said to be the same, repeats cost nothing and open questions are polled with its key."""
    ask(kernel(), "Is the first answered?").wait()
    open_one = ask(kernel())
    session = renewed()
    assert session.open_elsewhere() in ({"sandbox": 1}, {})  # the other kernel may have heard of it meanwhile
    assert session.same_account("sandbox") == 2
    assert session.open_elsewhere() == {}
    assert {ask(session, prompt).id for prompt in ("Is the first answered?", PROMPT)} >= {open_one.id}
    assert sent(box) == 2
    assert [known.name for known in session.accounts()] == ["sandbox-new"]
    assert renewed().account.name == kernel().account.name == "sandbox-new"
    assert ask(kernel()).id == open_one.id
    assert sent(box) == 2


def test_an_unknown_outcome_stays_with_its_key(box, kernel, renewed):
    """Said to be the same or not: only the key that sent it can settle it, and nothing else is sent meanwhile."""
    box.add_fault("create:1-4:drop-after-commit")
    first = kernel()
    with pytest.raises(OutcomeUnknownError):
        ask(first)
    session = renewed()
    with pytest.raises(OutcomeUnknownError, match="%codevf account same sandbox"):
        ask(session)
    session.same_account("sandbox")
    before = sent(box)
    with pytest.raises(OutcomeUnknownError, match="another key"):
        ask(session)
    assert sent(box) == before
    task = ask(kernel())
    assert (task.repeated.settled, sent(box)) == (True, before + 1)
    assert ask(session).id == task.id


# -- Ctrl-C, crashes, several kernels


@pytest.mark.parametrize("step", [step for step in STEPS if not step.endswith("update_from_task")])
def test_ctrl_c_at_each_step(box, kernel, step):
    """Interrupted anywhere: ``status`` tells where it stands, it can be asked again at once, one task comes of it."""
    session = kernel()

    def interrupt() -> None:
        raise KeyboardInterrupt

    at_step(session, step, interrupt)
    with pytest.raises(KeyboardInterrupt):
        ask(session)
    told, later = status(session), kernel()
    entries = later.ledger.questions.latest()
    assert told or step == "before-prepare" or entries[0].task_id
    if step in ("after-attempt", "before-exchange", "after-exchange"):
        assert "Run the cell again, or %codevf settle" in told
    task = ask(later)
    assert [each["id"] for each in box.tasks()] == [task.id]
    assert status(later) == ""


def test_ctrl_c_while_it_queues_for_its_turn(box, kernel):
    """Interrupted before anything left: nothing is at the service, and it is told so."""
    session = kernel()
    draft = session.priced(session.draft(PROMPT, code="total = 1"))
    session.balance()
    session._project_id(draft.project)

    def interrupt(_turn: object) -> None:
        raise KeyboardInterrupt

    session._rate_limiter.wait_for = interrupt
    with pytest.raises(KeyboardInterrupt):
        session._submission.submit(draft, 1)
    assert "The service does not have it: run the cell again to ask." in status(session)
    assert sent(box) == 0
    assert kernel().ask(draft).id == box.tasks()[0]["id"]


def test_ctrl_c_twice(box, kernel):
    """A second Ctrl-C while the first is written down leaves nothing that has to be waited for."""
    session, waited = kernel(), []

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    at_step(session, "after-prepare", interrupt)
    session.ledger.sending.close = interrupt
    with pytest.raises(KeyboardInterrupt):
        ask(session)
    later = kernel()
    later._submission._sleep = waited.append
    assert ask(later).id == box.tasks()[0]["id"]
    assert waited == []


def test_an_answer_a_process_died_over_is_read_without_a_network(box, kernel, account):
    """The raw answer is in the ledger: understanding it needs nobody else."""
    session = kernel()

    def die() -> None:
        raise KeyboardInterrupt

    at_step(session, "before-accept", die)
    with pytest.raises(KeyboardInterrupt):
        ask(session)
    draft = session.draft(PROMPT, code="total = 1")
    offline = kernel(of=replace(account, base_url="http://127.0.0.1:9/api/v1/"))
    assert "its response is stored but not read" in status(offline)
    assert offline.ask(draft).id == box.tasks()[0]["id"]
    assert sent(box) == 1


def test_a_lease_that_expires_while_its_request_is_out(box, kernel, clock):
    """Should two send at once all the same, they send the same bytes under the same key, and the service counts one."""
    slow, quick = kernel(), kernel()
    bodies = record_bodies(slow), record_bodies(quick)
    out, go_on, tasks = threading.Event(), threading.Event(), []

    def hang() -> None:
        out.set()
        assert go_on.wait(30)

    at_step(slow, "before-exchange", hang)
    thread = threading.Thread(target=lambda: tasks.append(ask(slow)))
    thread.start()
    assert out.wait(30)
    clock.now += 91
    tasks.append(ask(quick))
    go_on.set()
    thread.join(30)
    assert bodies[0] == bodies[1] != []
    assert len({task.id for task in tasks}) == len(box.tasks()) == 1
    assert status(quick) == ""


def test_two_kernels_race_on_one_question(box, kernel):
    """Eight kernels run the same cell at the same moment: one sends, the others wait for it and find its task."""
    sessions = [kernel() for _ in range(8)]
    start, tasks, errors = threading.Barrier(8), [], []

    def run(session: Session) -> None:
        try:
            draft = session.draft(PROMPT, code="total = 1")
            start.wait(30)
            tasks.append(session.ask(draft))
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shall see it
            errors.append(error)

    threads = [threading.Thread(target=run, args=(session,)) for session in sessions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert len({task.id for task in tasks}) == 1
    assert sent(box) == 1
    assert sum(task.repeated is None for task in tasks) == 1


def test_waiting_for_another_kernel_ends(box, kernel, clock):
    """A sender that hangs is waited for until its lease is over; then the same bytes are sent in its stead."""
    hung = kernel()
    out, go_on = threading.Event(), threading.Event()

    def hang() -> None:
        out.set()
        go_on.wait(30)
        raise KeyboardInterrupt

    def give_up() -> None:
        with pytest.raises(KeyboardInterrupt):
            ask(hung)

    at_step(hung, "before-exchange", hang)
    thread = threading.Thread(target=give_up)
    thread.start()
    assert out.wait(30)
    session, waited = kernel(), []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        clock.now += seconds

    session._submission._sleep = sleep
    assert ask(session).id == box.tasks()[0]["id"]
    assert 89 < sum(waited) < 92
    go_on.set()
    thread.join(30)


def test_a_ledger_from_yesterday_pays_nothing_twice(box, kernel, clock):
    """Put back to before the question was asked, the ledger makes the same key again: the task is found."""
    session = kernel()
    session.tags()
    session.close()
    copy = (home() / "ledger.sqlite").read_bytes()
    first = ask(kernel())
    put_back(copy)
    clock.now += 10 * HOUR
    box.advance(10 * HOUR)
    again = ask(kernel())
    assert again.id == first.id
    assert len(box.tasks()) == 1
    assert "asked before from elsewhere, 10.0 hours ago: 0 credits now." in again.entry.notes


def test_a_ledger_from_the_day_before_says_so(box, kernel, clock):
    """Put back to when the outcome was unknown, past the service's day: nothing is sent, and it is said."""
    box.add_fault("create:1-4:drop-after-commit")
    session = kernel()
    with pytest.raises(OutcomeUnknownError):
        ask(session)
    session.close()
    copy = (home() / "ledger.sqlite").read_bytes()
    ask(kernel())
    put_back(copy)
    clock.now += 26 * HOUR
    with pytest.raises(OutcomeUnknownError, match="sent 26 hours ago: the service has forgotten its key"):
        ask(kernel())
    assert len(box.tasks()) == 1


# -- a ledger that fails


def test_a_locked_ledger_is_one_clear_line(box, kernel, monkeypatch):
    """Somebody else holds the database past the busy time-out: nothing is sent, and it works once they let go."""
    monkeypatch.setattr("codevf_nb.ledger._store.BUSY_SECONDS", 0.1)
    session, other = kernel(), kernel()
    draft = session.draft(PROMPT, code="total = 1")
    with (
        other.ledger.store.write(),
        pytest.raises(LedgerError, match=r"ledger\.sqlite can't be used: database is locked\. Nothing was sent\."),
    ):
        session.ask(draft)
    assert sent(box) == 0
    assert session.ask(draft).id is not None


# -- what the tests above look with


def record_bodies(session: Session) -> list[bytes]:
    """Every body that this kernel puts onto the wire to make a task."""
    wire, found = session.client._transport.wire, []
    real = wire.exchange

    def exchange(method: str, url: str, **options):
        if url.endswith("tasks/create"):
            found.append(options["body"])
        return real(method, url, **options)

    wire.exchange = exchange
    return found


def everything_on_disk() -> bytes:
    found = []
    for path in sorted(home().rglob("*")):
        with contextlib.suppress(FileNotFoundError, IsADirectoryError):  # a journal comes and goes
            found.append(path.read_bytes())
    return b"".join(found)


def put_back(copy: bytes) -> None:
    """Restore the ledger's file, as a backup would."""
    for path in home().glob("ledger.sqlite*"):
        path.unlink()
    Path(home() / "ledger.sqlite").write_bytes(copy)
