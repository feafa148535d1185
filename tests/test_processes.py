"""Forked, spawned and pooled processes, threads, pickles: each question gets its own answer."""

import asyncio
import copy
import json
import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook
from sqlalchemy import insert

from codevf_nb import kernel
from codevf_nb.accounts.settings import Account
from codevf_nb.ledger import Store, sqlite_url
from codevf_nb.ledger.tables import meta
from codevf_nb.sandbox import Sandbox
from codevf_nb.sdk.exceptions import (
    AuthenticationError,
    CodeVFError,
    ConfigurationError,
    WaitTimeoutError,
)
from tests import asking
from tests.asking import WORKERS
from tests.ledger.conftest import postgres  # noqa: F401 - the fixture
from tests.waiting import eventually

SLOW_SECONDS = 0.03
ROUNDS = 20


class Slow(BaseHTTPRequestHandler):
    """A service that takes its time, and answers each question with its number."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Tell tags and balance."""
        tags = [{"id": 1, "name": "engineer", "costMultiplier": 1.0, "isActive": True}]
        self._reply({"tags": tags} if self.path.endswith("tags") else {"available": 9000, "onHold": 0, "total": 9000})

    def do_POST(self) -> None:
        """Make projects and tasks."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path.endswith("projects/create"):
            self._reply({"id": 7, "name": asked["name"]})
            return
        time.sleep(SLOW_SECONDS)
        number = asked["prompt"].split()[-1]
        self.server.asked.append(number)
        result = {"message": f"the answer to {number}"}
        self._reply({"id": f"task_{number}", "status": "completed", "creditsUsed": 1, "result": result})

    def _reply(self, body: dict) -> None:
        content = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def slow() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    server.daemon_threads, server.asked = True, []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("kind", "database"),
    [
        ("fork", "sqlite"),
        ("fork", "postgresql"),
        *((kind, "sqlite") for kind in ("pool", "forkserver", "spawn", "loky", "threads", "joblib's threads")),
    ],
)
def test_every_worker_gets_its_own_answer(slow, kind, database, request, monkeypatch):
    """Four questions in each of twenty rounds, after the parent has asked: nothing is shared, and each is paid once."""
    if database == "postgresql":
        monkeypatch.setenv("CODEVF_LEDGER", request.getfixturevalue("postgres").database())
    command = [sys.executable, "-m", "tests.asking", kind, f"http://127.0.0.1:{slow.server_port}/api/v1/", str(ROUNDS)]
    done = subprocess.run(
        command, capture_output=True, check=False, text=True, timeout=110, cwd=Path(__file__).parents[1]
    )
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    assert len(answers) == WORKERS * ROUNDS
    assert [message for _, message in answers] == [f"the answer to {prompt.split()[-1]}" for prompt, _ in answers]
    assert sorted(slow.asked) == sorted({"0.", *(prompt.split()[-1] for prompt, _ in answers)})


def in_a_fork(what) -> str:
    """Do something in a forked child, and return what it says."""
    reads, writes = os.pipe()
    if (child := os.fork()) == 0:
        try:
            said = str(what())
        except BaseException as error:  # noqa: BLE001 - told to the parent
            said = f"{type(error).__name__}: {error}"
        os.write(writes, said.encode())
        os._exit(0)
    os.close(writes)
    with open(reads, encoding="utf-8") as answer:  # noqa: PTH123 - a pipe
        said = answer.read()
    os.waitpid(child, 0)
    return said


def note(store: Store) -> str:
    with store.write() as connection:
        connection.execute(insert(meta).values(name="a test", value="was here"))
    return "noted"


class Busy:
    """Another thread that is in the middle of something with a ledger until it is told to leave."""

    def __init__(self, store: Store, way: str) -> None:
        self.is_over, self.leave, entered = False, threading.Event(), threading.Event()

        def hold() -> None:
            with getattr(store, way)():
                entered.set()
                self.leave.wait(20)
                self.is_over = True

        self.thread = threading.Thread(target=hold)
        self.thread.start()
        assert entered.wait(10)


@pytest.mark.parametrize("way", ["read", "write", "reuse_connection"])
def test_a_fork_waits_for_a_transaction_of_another_thread(tmp_path, way):
    """SQLite counts its process's locks in memory: cut in two, a child would find the ledger locked for ever."""
    store = Store(sqlite_url(tmp_path / "ledger.sqlite"))
    other = Busy(store, way)
    threading.Timer(0.3, other.leave.set).start()
    assert in_a_fork(lambda: (other.is_over, note(store))) == "(True, 'noted')"
    other.thread.join()


def test_a_child_that_was_cut_off_says_so(tmp_path, monkeypatch):
    """Where a fork can't wait any longer, the child refuses the ledger instead of harming it; the parent goes on."""
    monkeypatch.setattr("codevf_nb.sdk.forks.WAIT_SECONDS", 0.05)
    store = Store(sqlite_url(tmp_path / "ledger.sqlite"))
    other = Busy(store, "write")
    assert "forked while another thread of its parent was using it" in in_a_fork(lambda: note(store))
    other.leave.set()
    other.thread.join()
    assert note(store) == "noted"


@pytest.fixture
def asked(current):
    return current.ask(current.draft("Is this join dropping rows?", code="a.merge(b)", project="team"))


@pytest.mark.parametrize(
    "way",
    [
        copy.copy,
        copy.deepcopy,
        lambda task: pickle.loads(pickle.dumps(task)),  # noqa: S301 - made here
        lambda task: pd.DataFrame({"task": [task]}).copy(deep=True)["task"][0],
    ],
)
def test_a_copy_of_a_task_is_that_task(asked, way):
    """However it was copied it is equal, hashes alike, and is answered; no key is in a pickle."""
    copied = way(asked)
    assert copied == asked
    assert len({copied, asked}) == 1
    assert copied.wait(30).message == asked.wait(30).message
    assert asked._session.account.api_key.reveal().encode() not in pickle.dumps(asked)


def test_two_questions_are_two_tasks(current, asked):
    """Equality is about the question, not about the service or its answer."""
    again = current.ask(current.draft("Is this join dropping rows?", code="a.merge(b)", project="team"))
    other = current.ask(current.draft("Is that join dropping rows?", code="a.merge(b)", project="team"))
    assert again == asked
    assert other != asked
    assert asked != "task"


def test_a_pickle_that_finds_no_session_says_so(asked, box):
    """On another account, or beside another ledger, it is one line that says what to do."""
    pickled = pickle.dumps(asked)
    kernel.forget()
    kernel.use(Account("test-1", "test", box.base_url, box.api_key, "a test", "other", None))
    lost = pickle.loads(pickled)  # noqa: S301 - made here
    with pytest.raises(ConfigurationError, match="asked on account sandbox, and this process is on test-1: give it"):
        lost.wait(1)
    assert repr(lost).startswith("<Task, not found: this task was asked on account sandbox")
    kernel.use(asked._session.account)
    assert lost == asked, "it is found once its account is there"
    kernel.forget()


def test_a_pool_ends_whose_parent_has_no_account(box):
    """Loading an answer must not fail: the pool would lose the thread that loads them, and be waited for for ever."""
    use = partial(asking.use, box.base_url, box.api_key)
    with multiprocessing.get_context("spawn").Pool(1, use) as pool:
        (task,) = pool.map_async(asking.ask, [1]).get(60)
    with pytest.raises(AuthenticationError, match="no CodeVF account"):
        task.wait(1)


# -- waiting


@pytest.fixture
def unanswered() -> Iterator[object]:
    """Tasks that nobody answers until the test does."""
    with Sandbox(rate_limit=None, reviewer="none") as box:
        kernel.use(Account("sandbox", "sandbox", box.base_url, box.api_key, "a test", "sandbox", None, True))
        yield box
        kernel.forget()


def ask(number: int = 1):
    current = kernel.current()
    return current.ask(current.draft(f"Is it number {number}?", code="x = 1", project="team"))


def test_an_await_that_times_out_leaves_nothing(unanswered):
    """A script ends, other threads of the loop stay free, and no thread or callback is left."""
    task = ask()
    before = threading.active_count()

    async def gives_up() -> float:
        began = time.monotonic()
        for _ in range(40):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(task, 0.01)
        await asyncio.to_thread(int)
        return time.monotonic() - began

    assert asyncio.run(gives_up()) < 20
    assert threading.active_count() <= before + 1  # the loop's own, which ran int
    assert task._session.watcher._subscriptions._done_callbacks.get(task._entry.id, []) == []


def test_a_thousand_awaits_are_a_thousand_futures(unanswered):
    """All of them get the answer, on no threads of their own, and the cancelled ones are cancelled."""
    task = ask()

    async def all_of_them() -> tuple[int, int, int]:
        waiting = [asyncio.ensure_future(kept(task)) for _ in range(1000)]
        await asyncio.sleep(0)
        running = threading.active_count()
        for one in waiting[:10]:
            one.cancel()
        unanswered.answer(task.id, "Yes.")
        done = await asyncio.gather(*waiting, return_exceptions=True)
        answered = sum(one == "Yes." for one in done)
        return running, answered, sum(isinstance(one, asyncio.CancelledError) for one in done)

    before = threading.active_count()
    running, answered, cancelled = asyncio.run(all_of_them())
    assert (answered, cancelled) == (990, 10)
    assert running <= before


async def kept(task) -> str | None:
    return (await task).message


def test_a_closed_session_ends_every_wait_and_says_so(unanswered):
    """Whoever waits, blocking or not, learns at once that it was closed, and not that time has passed."""
    task, told = ask(), []

    def wait() -> None:
        try:
            task.wait(60)
        except WaitTimeoutError as error:
            told.append(str(error))

    async def wait_too() -> None:
        threading.Timer(0.2, kernel.forget).start()
        await task

    waiter = threading.Thread(target=wait)
    waiter.start()
    with pytest.raises(WaitTimeoutError, match="still pending and its session was closed"):
        asyncio.run(wait_too())
    waiter.join(10)
    assert "and its session was closed" in told[0]


def test_a_wait_goes_on_in_the_session_that_came_after(unanswered):
    """After a reload a task from before is watched by the new session of its account."""
    task = ask()
    account = task._session.account
    kernel.forget()
    kernel.use(account)
    with pytest.raises(WaitTimeoutError, match=r"still pending after 0\.1 s"):
        task.wait(0.1)
    unanswered.answer(task.id, "Yes.")
    assert task.wait(30).message == "Yes."


def test_a_kernel_ends_in_two_seconds_whatever_is_on_its_way(unanswered, monkeypatch):
    """A poll that nobody answers holds up no shutdown, and the lease is given up."""
    task = ask()
    unanswered.add_fault("retrieve:*:delay=30")
    app, arrived = unanswered._server.app, threading.Event()
    begin = app.begin
    monkeypatch.setattr(app, "begin", lambda call: (begin(call), arrived.set())[0])
    task._session.watcher.wake()
    assert arrived.wait(30)
    began = time.monotonic()
    kernel.forget()
    assert time.monotonic() - began < 2


AWAITED = """
import asyncio
import pytest
import codevf_nb as cvf

async def test_no_answer_in_time():
    cvf.use_sandbox(reviewer="none", rate_limit=None)
    for _ in range(6):
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(cvf.ask("Is this answered at once?", code="x = 1"), 0.05)
    await asyncio.to_thread(int)
"""


def test_pytest_asyncio_ends(tmp_path):
    """A test that gives up waiting for an answer passes, and pytest ends; both took for ever together."""
    from codevf_nb.accounts.settings import home
    from codevf_nb.sandbox import process

    (tmp_path / "test_awaited.py").write_text(AWAITED)
    options = ["-p", "no:cacheprovider", "-p", "no:xdist", "--asyncio-mode=auto", "-W", "ignore::DeprecationWarning"]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", f"--rootdir={tmp_path}", "-c", "/dev/null", *options, tmp_path],
            capture_output=True,
            check=False,
            text=True,
            timeout=60,
        )
    finally:
        process.stop(home())
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_kernel_that_gave_up_waiting_shuts_down():
    """After an await that timed out, and with one that goes on, a kernel ends within 2 s of being told to."""
    from jupyter_client.manager import start_new_kernel

    from codevf_nb.accounts.settings import home
    from codevf_nb.sandbox import process

    manager, client = start_new_kernel(kernel_name="python3")
    try:
        for cell in WAITING_CELLS:
            reply = client.execute_interactive(cell, timeout=60, output_hook=lambda _: None)
            assert reply["content"]["status"] == "ok", reply["content"]
        began = time.monotonic()
        client.shutdown()
        eventually(lambda: not manager.is_alive(), "the kernel's end", 10)
        assert time.monotonic() - began < 2
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        process.stop(home())


WAITING_CELLS = (
    """
import asyncio
import codevf_nb as cvf
cvf.use_sandbox(reviewer="none", rate_limit=None)
tasks = [cvf.ask(f"Is this number {i}?", code="x") for i in range(8)]
""",
    """
try:
    await asyncio.wait_for(tasks[0], 0.2)
except TimeoutError:
    gave_up = True
""",
    "assert gave_up; goes_on = asyncio.gather(*tasks); await asyncio.to_thread(int)",
)


SPAWNED = """
import multiprocessing, os
import codevf_nb as cvf

def where():
    return cvf.ask("Where is this asked?", code="x = 1").environment

if __name__ == "__main__":
    cvf.use_sandbox(rate_limit=None)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.apply(where))
    from codevf_nb import kernel
    kernel.forget()
    print(os.environ.get("CODEVF_SANDBOX"))
"""


def test_a_spawned_worker_asks_in_the_sandbox_too(tmp_path, monkeypatch):
    """A key that lies in the environment is not used by the workers of a kernel that is on the sandbox."""
    from codevf_nb.accounts.settings import home
    from codevf_nb.sandbox import process

    monkeypatch.setenv("CODEVF_API_KEY", "cvf_live_not_to_be_used")
    monkeypatch.setenv("CODEVF_BASE_URL", "http://127.0.0.1:9/api/v1/")
    script = tmp_path / "script.py"
    script.write_text(SPAWNED)
    try:
        done = subprocess.run([sys.executable, script], capture_output=True, check=False, text=True, timeout=100)
    finally:
        process.stop(home())
    assert done.stdout.split() == ["sandbox", "None"], done.stderr


def test_trouble_of_a_poll_is_in_the_log_and_in_no_cell(unanswered, capsys, caplog):
    """Nothing is printed where nobody has asked for a log; the log has it."""
    ask()
    unanswered.add_fault("retrieve:*:drop")
    eventually(lambda: kernel.current().watcher.problem, "a poll fails")
    assert "polling continues although it fails" in caplog.text
    assert capsys.readouterr() == ("", "")


LOGGED = """
import logging
logging.basicConfig(level=logging.INFO)
logging.getLogger().addHandler(logging.FileHandler({path!r}))
%load_ext codevf_nb
%codevf sandbox --rate-limit off --answer-after 30
"""
STOPPED = """
import time
from pathlib import Path
from codevf_nb.accounts import settings
from codevf_nb.sandbox import process
_ = process.stop(settings.home())
while "polling continues although it fails" not in Path({path!r}).read_text():
    time.sleep(0.05)
"""


def test_a_log_that_is_shown_leaves_the_running_cell_alone(tmp_path):
    """Where a notebook logs to its cells, what a background thread logs goes to the other handlers only."""
    path = str(tmp_path / "log")
    cells = [LOGGED.format(path=path), "%%codevf Is this cell right?\nx = 1", STOPPED.format(path=path)]
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    assert [output for output in notebook.cells[-1].outputs if output.output_type == "stream"] == []


def test_warnings_as_errors_leave_an_account_to_read_from(monkeypatch, box):
    """The session is there before the warning about its ledger is raised."""
    monkeypatch.setenv("CODEVF_LEDGER", "sqlite:////proc/nope/ledger.sqlite")
    account = Account("sandbox", "sandbox", box.base_url, box.api_key, "a test", "sandbox", None)
    with pytest.raises(UserWarning, match="nothing can be asked"):
        kernel.use(account)
    assert kernel.open_session().account == account
    with pytest.raises(CodeVFError, match="Nothing was sent"):
        ask()
    kernel.forget()
