"""The account always adds up, whatever is done in whatever order: hypothesis drives the engine on the virtual clock."""

from decimal import Decimal

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from codevf_nb.sandbox._engine import Engine
from codevf_nb.sandbox._errors import ApiError, SandboxError
from codevf_nb.sandbox._responder import answer_for
from codevf_nb.sandbox._task import Answer
from codevf_nb.sandbox._validation import read_task
from codevf_nb.sandbox.options import Options

KEYS = ("cvf_test_a", "cvf_test_b")
MODES = {"realtime_answer": (60, 600), "fast": (240, 3000), "standard": (240, 3000)}


class Accounts(RuleBasedStateMachine):
    """Two accounts, and everything that can move their credits."""

    tasks = Bundle("tasks")

    def __init__(self) -> None:
        super().__init__()
        self.engine = Engine(Options(clock="virtual", api_key=KEYS[0], api_keys=KEYS[1:], credits=5000))
        self.added = dict.fromkeys(KEYS, Decimal(5000))
        self.projects = {key: self.engine.create_project(key, "P", None)[0].id for key in KEYS}

    @rule(
        target=tasks,
        key=st.sampled_from(KEYS),
        mode=st.sampled_from(sorted(MODES)),
        tag=st.sampled_from([1, 4, 5]),
        share=st.floats(0, 1),
        by_hand=st.booleans(),
    )
    def create(self, key, mode, tag, share, by_hand):
        least, most = MODES[mode]
        draft = read_task(
            {
                "prompt": "What is it?",
                "projectId": self.projects[key],
                "mode": mode,
                "tagId": tag,
                "maxCredits": least + share * (most - least),
            }
        )
        try:
            return key, self.engine.create(key, draft, None if by_hand else answer_for).id
        except ApiError as error:
            assert error.status == 402  # noqa: PT017 - both outcomes are right, each in its case
            assert draft.hold > self.engine.balance(key).available
            return key, "task_none"

    @rule(task=tasks)
    def poll(self, task):
        try:
            self.engine.task(*task)
        except ApiError as error:
            assert error.status == 404  # noqa: PT017 - as above

    @rule(task=tasks)
    def cancel(self, task):
        try:
            self.engine.cancel(*task)
        except ApiError as error:
            assert error.status in {400, 404}  # noqa: PT017 - as above

    @rule(task=tasks, used=st.decimals(0, 20_000, places=2))
    def answer(self, task, used):
        try:
            self.engine.answer(task[1], Answer(used, "By hand."))
        except SandboxError:
            held = self.engine.tasks.get(task[1])
            assert held is None or not held.is_open or used > held.hold

    @rule(task=tasks, status=st.sampled_from(["expired", "failed"]))
    def end(self, task, status):
        try:
            self.engine.end(task[1], status)
        except SandboxError:
            assert task[1] == "task_none" or not self.engine.tasks[task[1]].is_open

    @rule(key=st.sampled_from(KEYS), amount=st.decimals(0, 1000, places=2))
    def top_up(self, key, amount):
        self.engine.top_up(key, amount)
        self.added[key] += amount

    @rule(seconds=st.floats(0, 100))
    def wait(self, seconds):
        self.engine.clock.advance(seconds)

    @invariant()
    def adds_up(self):
        for key in KEYS:
            account = self.engine.balance(key)
            mine = [task for task in self.engine.tasks.values() if task.key == key]
            assert account.on_hold == sum(task.hold for task in mine if task.is_open)
            assert account.total == self.added[key] - sum(task.credits_used for task in mine)
            assert account.available >= 0
            assert all(0 <= task.credits_used <= task.hold for task in mine)


TestAccounts = Accounts.TestCase
TestAccounts.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
