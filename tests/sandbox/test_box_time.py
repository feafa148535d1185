"""Time that can be driven, rates, and service hours."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest

from .conftest import Api, text_file

START = datetime(2026, 1, 5, 15, tzinfo=UTC)


def date_of(response):
    return (parsedate_to_datetime(response.headers["Date"]) - START).total_seconds()


def test_the_virtual_clock_moves_with_requests_and_open_polls(box):
    """One second per request, ten more for a poll of an open task; every Date header tells the sandbox's time."""
    api = Api(box)
    assert date_of(api.call("GET", "tags")) == 1
    api.project()
    task_id = api.task()
    polls = [api.call("GET", f"tasks/{task_id}") for _ in range(4)]
    assert [date_of(poll) for poll in polls] == [4, 15, 26, 37]
    assert [poll.json()["status"] for poll in polls] == ["pending", "processing", "processing", "completed"]
    assert date_of(api.call("GET", "tags")) == 38
    assert polls[0].json()["createdAt"] == "2026-01-05T15:00:03Z"


def test_an_open_poll_on_the_virtual_clock_needs_no_waiting(api):
    """A 200 for an open task says Retry-After: 0; for a completed one it says nothing."""
    task_id = api.task()
    assert api.call("GET", f"tasks/{task_id}").headers["Retry-After"] == "0"
    api.box.advance(100)
    assert "Retry-After" not in api.call("GET", f"tasks/{task_id}").headers


@pytest.mark.parametrize("answer_after", [0.5, 4, 30])
def test_a_poll_on_the_real_clock_says_when_the_next_is_worth_while(boxes, answer_after):
    """A 200 for an open task says Retry-After where its answer is near: whole seconds, of which none is lost."""
    api = Api(boxes(clock="real", rate_limit=None, answer_after=answer_after))
    api.project()
    task_id = api.task()
    hint = int(api.call("GET", f"tasks/{task_id}").headers["Retry-After"])
    assert 0 < hint < answer_after + 1
    api.box.advance(hint)
    done = api.call("GET", f"tasks/{task_id}")
    assert done.json()["status"] == "completed"
    assert "Retry-After" not in done.headers


@pytest.mark.parametrize("options", [{"answer_after": 60}, {"reviewer": "none"}])
def test_an_answer_that_is_far_off_is_not_announced(boxes, options):
    """A long wait is polled for as any other is, and nobody knows when a person answers."""
    api = Api(boxes(clock="real", rate_limit=None, **options))
    api.project()
    assert "Retry-After" not in api.call("GET", f"tasks/{api.task()}").headers


def test_the_same_requests_get_the_same_bytes(boxes):
    """Ids, times, charges and answers depend on the seed and the requests alone; another seed has other ids."""
    runs = []
    for seed in (7, 7, 8):
        api = Api(boxes(seed=seed))
        api.project()
        task_id = api.task(attachments=[text_file("a.py", "def f(a=[]):\n    return a\n")])
        polls = [api.call("GET", f"tasks/{task_id}") for _ in range(4)]
        runs.append([(poll.headers["Date"], poll.text.replace(api.box.base_url[:-7], "")) for poll in polls])
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_the_real_clock_tells_the_machines_time(boxes):
    """On the real clock Date is now, and an answer takes answer_after seconds of it."""
    api = Api(boxes(clock="real", rate_limit=None, answer_after=500))
    api.project()
    task_id = api.task()
    poll = api.call("GET", f"tasks/{task_id}")
    assert abs((parsedate_to_datetime(poll.headers["Date"]) - datetime.now(UTC)).total_seconds()) < 5
    assert poll.json()["status"] == "pending"
    assert "Retry-After" not in poll.headers
    api.box.advance(500)
    assert api.get(task_id)["status"] == "completed"


def test_arrivals_too_close_are_429_in_the_documents_words(boxes, golden):
    """Arrivals of one key are at least 1/rate seconds apart; a 429 says how long to wait, and doesn't count itself."""
    api = Api(boxes(rate_limit=0.4))  # the virtual clock moves one second per request: every third is admitted
    answers = [api.call("GET", "tags") for _ in range(7)]
    assert [answer.status_code for answer in answers] == [200, 429, 429, 200, 429, 429, 200]
    refused = answers[1].json()
    vector = next(item for item in golden("errors") if item["status"] == 429)["response"]
    assert refused["error"] == vector["error"]
    assert refused["meta"] == {"retry_after": 2, "reset_at": "2026-01-05T15:00:04Z", "limit": "0.4 req/sec"}
    assert answers[1].headers["Retry-After"] == "2"


def test_each_key_has_its_own_rate(boxes):
    """One key's arrivals don't slow another's, and unknown keys don't count."""
    box = boxes(rate_limit=0.1, api_keys=("cvf_test_other",))
    for key in ("cvf_test_sandbox", "cvf_test_other"):
        assert Api(box, key).call("GET", "tags").status_code == 200
    assert Api(box, "cvf_test_unknown").call("GET", "tags").status_code == 401


def test_the_real_rate_is_one_per_second_unless_off(boxes):
    """The real clock's default is one request per second; None switches it off; the virtual clock has none."""
    from codevf_nb.sandbox.options import Options

    assert Options().rate_limit == 1.0
    assert Options(clock="virtual").rate_limit is None
    strict, free = Api(boxes(clock="real")), Api(boxes(clock="real", rate_limit=None))
    assert [strict.call("GET", "tags").status_code for _ in range(2)] == [200, 429]
    assert [free.call("GET", "tags").status_code for _ in range(2)] == [200, 200]
    strict.box.advance(1)
    assert strict.call("GET", "tags").status_code == 200


@pytest.mark.parametrize(("hours", "seconds"), [(0, 25), (9, 25), (12, 100), (16, 100), (22.5, 25)])
def test_answers_are_slower_outside_service_hours(boxes, hours, seconds):
    """Outside 8am-8pm in New York an answer takes four times as long, if asked for."""
    api = Api(boxes(slow_outside_hours=True))
    api.box.advance(hours * 3600)
    api.project()
    task_id = api.task()
    api.box.advance(seconds - 2)
    assert api.get(task_id)["status"] == "processing"
    assert api.get(task_id)["status"] == "completed"


def test_reset_empties_everything_but_time(api):
    """After a reset there are no tasks or projects, every account is as at first, and the clock goes on."""
    api.task()
    api.box.reset()
    assert api.box.tasks() == []
    assert api.balance() == (100_000, 0, 100_000)
    assert api.project("Another") == 1
    assert date_of(api.call("GET", "tags")) == 5
