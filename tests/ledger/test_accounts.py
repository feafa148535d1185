"""Which accounts a ledger knows, and that joining two of them loses no row and pays for nothing twice."""

import threading

import pytest

from codevf_nb.ledger import (
    Ledger,
    SendState,
    Store,
    present_name,
)
from codevf_nb.sdk.exceptions import BadRequestError

NOW = 1_800_000_000.0
HERE = "https://codevf.com/api/v1/"


class Kernel:
    """One kernel on one key: what it asks, and how far that gets."""

    def __init__(self, store: Store, account: str, environment: str = "live", origin: str = HERE) -> None:
        self.account = account
        self.origin = origin
        self.environment = environment
        self.ledger = Ledger(store, account, environment, clock=lambda: NOW)

    def prepare(self, prompt: str, asked_by: str = "ada"):
        """Take a question as far as its first attempt."""
        lease = self.ledger.lease(90)
        with lease.held():
            entry = self.ledger.sending.prepare(
                b"bytes",
                lease,
                NOW,
                self.identities(prompt),
                identity=self.identities(prompt)[-1],
                environment=self.environment,
                origin=self.origin,
                credential=f"key of {self.account}",
                asked_by=asked_by,
                asking=1,
                idempotency_key="k",
                attachments=[],
                project="shop",
                prompt=prompt,
                cost_cap=240,
            )
        return entry, lease

    def ask(self, prompt: str, task_id: str, asked_by: str = "ada", **became):
        entry, _ = self.prepare(prompt, asked_by)
        return self.ledger.sending.accept(entry, task_id=task_id, **{"status": "processing", **became})

    def identities(self, prompt: str) -> tuple[str, ...]:
        return self.ledger.identities(lambda name: f"{name} {prompt}")

    def same(self, prompt: str):
        return self.ledger.questions.same(*self.identities(prompt))

    def join(self, name: str, asked_by: str = "ada", *, sure: bool = False) -> int:
        return self.ledger.accounts.join(name, self.origin, asked_by, sure=sure)


@pytest.fixture
def old(store: Store) -> Kernel:
    return Kernel(store, "live-old")


@pytest.fixture
def new(store: Store) -> Kernel:
    return Kernel(store, "live-new")


def test_what_was_asked_before_comes_along(old, new, store):
    """Questions, open ones and repeats of the earlier key are this account's, and the book's rows with them."""
    old.ask("a", "task_1", status="completed", credits_used=40.0, completed_at=NOW)
    old.ask("b", "task_2")
    old.ledger.catalogue.keep_project("shop", 1)
    new.ask("c", "task_3")
    assert new.same("a") is None
    assert new.join("live-old") == 2
    assert new.ledger.accounts.names() == ("live-new", "live-old")
    assert present_name(store, "live-old") == present_name(store, "live-new") == "live-new"
    assert [entry.task_id for entry in new.ledger.questions.open()] == ["task_2", "task_3"]
    assert [new.same(prompt).task_id for prompt in "abc"] == ["task_1", "task_2", "task_3"]
    assert new.same("d") is None
    settled = new.ledger.questions.update_from_task(
        new.same("b"), status="completed", credits_used=10.0, completed_at=NOW
    )
    assert (settled.account, settled.credential) == ("live-new", "key of live-old")
    (known,) = new.ledger.accounts.known(HERE)
    assert (known.questions, known.open, known.earlier) == (3, 1, ("live-old",))


def test_a_third_key_brings_all(old, new, store):
    """The names of a name come along, and joining what is one already changes nothing."""
    old.ask("a", "task_1")
    new.join("live-old")
    third = Kernel(store, "live-third")
    assert third.join("live-old") == 1
    assert third.ledger.accounts.names() == ("live-third", "live-new", "live-old")
    assert third.same("a").task_id == "task_1"
    assert third.join("live-new") == third.join("live-third") == third.join("live-old") == 0


def test_a_kernel_that_still_runs_on_the_earlier_key(old, new):
    """It finds what it asked, adds to the account that is there now, and can't ask again what either has asked."""
    old.ask("a", "task_1")
    new.ask("b", "task_2")
    new.join("live-old")
    assert old.ledger.accounts.names() == ("live-new", "live-old")
    assert [old.same(prompt).task_id for prompt in "ab"] == ["task_1", "task_2"]
    added, lease = old.prepare("c")
    assert old.ledger.sending.attempt(lease)
    assert added.account == "live-new"
    assert new.same("c").id == added.id
    again, lease = new.prepare("c")
    assert again.id == added.id
    assert again.lease_owner != lease.owner
    assert new.join("live-new") == 0
    seen = old.ledger.questions.task("task_2")
    assert seen == old.ledger.questions.import_task("task_2", NOW) == new.ledger.questions.task("task_2")
    known = {"environment": "live", "origin": HERE, "credential": "key", "asked_by": "elsewhere", "status": "pending"}
    assert old.ledger.questions.import_task("task_4", NOW, **known).account == "live-new"


@pytest.mark.parametrize("moment", ["prepared", "attempted", "heard", "accepted"])
def test_a_question_in_flight_is_not_lost(old, new, moment):
    """Whatever step it has come to when its account gets another name, its answer is recorded, and no row is lost."""
    entry, lease = old.prepare("a")
    steps = {
        "prepared": lambda: None,
        "attempted": lambda: old.ledger.sending.attempt(lease),
        "heard": lambda: old.ledger.questions.record_response(entry, "create", 201, b"{}", NOW),
        "accepted": lambda: old.ledger.sending.accept(entry, task_id="task_1", status="pending"),
    }
    for name, step in steps.items():
        assert step() is not False
        if name == moment:
            new.join("live-old")
    done = old.ledger.questions.update_from_task(
        old.ledger.questions.get(entry.id), status="completed", completed_at=NOW
    )
    assert (done.account, done.status, new.same("a").id) == ("live-new", "completed", entry.id)
    assert new.ledger.questions.raw(entry.id, "create") is not None


def test_an_attempt_that_ends_without_a_task(old, new):
    """Closing, leasing and abandoning find the question under its new name."""
    entry, lease = old.prepare("a")
    assert old.ledger.sending.attempt(lease)
    new.join("live-old")
    assert old.ledger.sending.close(lease, "no answer").outcome == "unknown"
    assert old.ledger.sending.resume(entry.id, old.ledger.lease(90), NOW)
    assert old.ledger.sending.mark_not_received(entry.id, "not there").state == SendState.REFUSED
    again, lease = new.prepare("a")
    assert (again.id, again.identity, again.lease_owner) == (entry.id, "live-old a", lease.owner)


def test_two_kernels_join_at_once(store, ledger_url):
    """However many say so at the same moment, in both directions, each row is there once."""
    names = ["live-1", "live-2", "live-3"]
    for name in names:
        Kernel(store, name).ask(f"of {name}", f"task_{name}")
    start, errors = threading.Barrier(6), []

    def join(mine: str, other: str) -> None:
        kernel = Kernel(Store(ledger_url), mine)
        start.wait(30)
        try:
            kernel.join(other)
            kernel.ask(f"after {mine} {other}", f"task_{mine}_{other}")
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shall see it
            errors.append(error)
        kernel.ledger.store.close()

    pairs = [(mine, other) for mine in names for other in names if mine != other]
    threads = [threading.Thread(target=join, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    (known,) = Kernel(store, "live-1").ledger.accounts.known(HERE)
    assert (known.questions, known.open, len(known.earlier)) == (9, 9, 2)


def test_a_task_that_was_looked_at_is_kept_once(old, new):
    """A task that this key has only looked at is the question that the earlier key asked, and the other way round."""
    whose = {"environment": "live", "origin": HERE, "credential": "c", "asked_by": "elsewhere"}
    old.ask("a", "task_1")
    new.ledger.questions.import_task("task_1", NOW, **whose, status="processing")
    new.ask("b", "task_2")
    old.ledger.questions.import_task("task_2", NOW, **whose, status="processing")
    for kernel in (old, new):
        kernel.ledger.questions.import_task("task_3", NOW, **whose, status="processing")
    new.join("live-old")
    found = {entry.task_id: entry.identity for entry in new.ledger.questions.latest()}
    assert found == {"task_1": "live-old a", "task_2": "live-new b", "task_3": "task task_3"}
    assert len(new.ledger.questions.latest()) == 3


def test_what_cannot_be_the_same_is_refused(old, new, store):
    """Another environment, and two questions that became one task: nothing is changed."""
    old.ask("a", "task_1")
    new.ask("b", "task_1")
    box = Kernel(store, "sandbox", "sandbox", "sandbox")
    box.ask("c", "task_9")
    with pytest.raises(BadRequestError, match=r"both live-new and live-old .*task_1.*Nothing was changed"):
        new.join("live-old")
    for sure in (False, True):
        with pytest.raises(BadRequestError, match=r"sandbox.*Nothing was changed"):
            new.join("sandbox", sure=sure)
    with pytest.raises(BadRequestError, match=r"no account 'live-odl'.* live-old.*Nothing was changed"):
        new.join("live-odl")
    assert new.ledger.accounts.names() == ("live-new",)
    assert [known.questions for known in new.ledger.accounts.known(HERE)] == [1, 1, 1]


def test_what_may_not_be_the_same_takes_a_word(old, new, store):
    """Another address, or a colleague's questions only: with --yes."""
    old.ask("a", "task_1", asked_by="grace")
    elsewhere = Kernel(store, "live-proxy", origin="https://proxy.example/")
    elsewhere.ask("b", "task_2")
    with pytest.raises(BadRequestError, match=r"no question that ada asked.*same live-old --yes.*Nothing was changed"):
        new.join("live-old")
    with pytest.raises(BadRequestError, match=r"another address.*same live-proxy --yes.*Nothing was changed"):
        new.join("live-proxy")
    assert new.join("live-old", sure=True) == new.join("live-proxy", sure=True) == 1


@pytest.mark.parametrize("spelled", ["https://CODEVF.com/api/v1/", "HTTPS://codevf.com:443/api/v1/"])
def test_another_spelling_of_the_address_is_the_same_account(store, spelled):
    """What an earlier version filed under another spelling is found: at this address, and this key's where it is."""
    Kernel(store, "live-spelled", origin=spelled).ask("a", "task_1")
    other = Kernel(store, "live-other", origin=spelled)
    other.ask("b", "task_2")
    Kernel(store, "live-else", origin="https://proxy.example/").ask("c", "task_3")
    Kernel(store, "sandbox", "sandbox", "sandbox").ask("d", "task_4")
    new = Kernel(store, "live-new")
    for _ in range(2):
        new.ledger.accounts.merge_respelled_address(HERE, "key of live-spelled")
    assert new.same("a").task_id == "task_1"
    assert new.same("a").origin == HERE
    assert other.same("b").origin == HERE
    assert [known.name for known in new.ledger.accounts.known(HERE)] == [
        "live-else",
        "live-new",
        "live-other",
        "sandbox",
    ]
    assert new.ledger.questions.open_elsewhere(HERE, "ada") == [other.same("b")]
    assert new.ledger.questions.open_elsewhere(HERE, "grace") == []
