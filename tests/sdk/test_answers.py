"""Whatever an answer looks like, a paid task's id arrives, and an error keeps its meaning."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codevf_nb import sdk
from codevf_nb.sdk import (
    APIError,
    BadRequestError,
    TaskResult,
    UnreadableAnswerError,
    WrongTaskError,
    error_from,
    parse_balance,
    parse_project,
    parse_tags,
    parse_task,
)
from codevf_nb.sdk.parsing import json_of, replace_unstorable
from codevf_nb.sdk.responses import task_from_stored

# Half characters and the character 0 too: a service that cuts a text by its length sends them.
ANY_TEXT = st.text(st.characters() | st.sampled_from("\0\ud83d\udc00"), max_size=12)
QUESTION = ("Is this join dropping rows?", 240, 123)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=12,
)
FIELDS = [
    *("status", "mode", "maxCredits", "tagIdUsed", "expertiseMultiplier", "createdAt", "creditsUsed", "result"),
    *("responseSchema", "meta", "message", "deliverables", "error"),
]
# The first draw of a run builds tables, and two busy cores are slow.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@patient
@given(st.dictionaries(st.sampled_from(FIELDS), ANY_JSON))
def test_an_id_beside_any_other_json_arrives(fields):
    """No value of any other field hides the id, crashes the reading, or is lost from `.raw`."""
    body = json.dumps({"id": "task_1", **fields}).encode()
    task = task_from_stored(200, {}, body)
    assert task.id == "task_1"
    assert isinstance(task.is_final, bool)
    assert isinstance(task.is_structured, bool)
    assert isinstance(task.status, str)
    assert repr(task)
    assert json.dumps(task.raw) == json.dumps(replace_unstorable(json.loads(body)))
    assert "\\u0000" not in json.dumps(task.raw)
    assert json.dumps(task.raw, ensure_ascii=False).encode()
    assert sdk.differences(task, mode="fast", max_credits=240, multiplier=Decimal(1)) is not None


@patient
@given(ANY_JSON | st.binary())
def test_any_2xx_body_is_read_or_refused_but_never_crashes(value):
    """A body of any JSON, or of any bytes, gives a value or the one error that carries it."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    for parse in (parse_task, parse_project, parse_balance, parse_tags):
        try:
            assert parse(body) is not None
        except UnreadableAnswerError as error:
            kept = error.body
        else:
            continue
        assert kept == body or json.dumps(kept) == json.dumps(replace_unstorable(json.loads(body)))


@patient
@given(st.integers(300, 599), st.dictionaries(st.text(max_size=12), st.text()), ANY_JSON | st.binary())
def test_any_refusal_becomes_an_error(status, headers, value):
    """Any status with any body is an APIError with one line that is not empty."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    error = error_from(status, headers, body)
    assert isinstance(error, APIError)
    assert error.status_code == status
    assert str(error).strip()
    assert "\n" not in str(error)
    if isinstance(error, BadRequestError):
        assert all(str(entry) for entry in error.errors)


@patient
@given(ANY_JSON)
def test_details_of_any_shape_are_read(details):
    """Odd details never break `.errors`, `.available` or `.required`."""
    body = json.dumps({"error": {"code": "x", "message": "no", "details": details}}).encode()
    assert isinstance(error_from(400, {}, body).errors, list)
    short = error_from(402, {}, body)
    assert short.available is None or isinstance(short.available, Decimal)


@pytest.mark.parametrize(
    "body",
    [
        b'{"id": "task_1"}',
        b'{"id": " task_1 "}',
        b'\xef\xbb\xbf{"id": "task_1"}',
        b'{"taskId": "task_1"}',
        b'{"task_id": "task_1"}',
        b'{"task": {"id": "task_1", "status": "pending"}}',
        b'{"success": true, "data": {"id": "task_1"}}',
        b'[{"id": "task_1"}]',
        b'{"id": "req_77", "requestId": "req_77", "task": {"id": "task_1", "status": "pending"}}',
        b'{"id": "req_77", "status": "ok", "data": {"id": "task_1"}}',
        b'{"id": "req_77", "status": "ok", "taskId": "task_1"}',
        b'{"id": "task_1", "status": "completed", "result": {"id": "task_2"}}',
        b'{"id": "task_1", "status": "pend',
        b'{"id": "task_1", "mode": "line\nbreak"}',
        b'{"id": "task_1", "prompt": "caf\xe9 \xed\xa0\xbd"}',
        b'{"id": "task_1", "maxCredits": NaN, "a": Infinity}',
        b'{"id": "task_1", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"id": "task_1", "x": ' + b'{"[":' * 100_000 + b"1" + b"}" * 100_000 + b"}",
        b'{"id": "task_1", "x": ' + b"9" * 5_000 + b"}",
    ],
)
def test_an_id_is_found_wherever_it_hides(client, service, body):
    """Wrapped, nested, badly encoded: the id of a task that was created reaches the caller."""
    service.answers(service.reply(body, 201))
    task = client.tasks.create(*QUESTION)
    assert task.id == "task_1"
    assert task.raw is not None
    assert len(service.requests) == 1


def test_a_number_is_an_id_too(client, service):
    """An id that comes as a number is used as text."""
    service.answers(service.reply({"id": 17}))
    assert client.tasks.create(*QUESTION).id == "17"


NO_TASK = [
    *(b"", b"OK", b"{}", b"[]", b"null", b'{"id": null}', b'{"id": ""}', b'{"id": {}}', b"task_1", b'"task_1"'),
    b"<html><script>var task_id = null</script>Please log in</html>",
    b'<html><script id="__NEXT_DATA__">{"props":{},"id":"root","buildId":"x"}</script></html>',
    b'{"props": {}, "id": "root", "buildId": "x"}',
    b"<html>Created task_1</html>",
    b"{'id': 'task_1'}",
    b'{"a": "' + b'\\"' * 200_000 + b"[" * 200,
]


@pytest.mark.parametrize("body", NO_TASK)
def test_success_without_an_id_carries_the_body_and_the_key(client, service, body):
    """An answer that says yes and names nothing raises what is needed to ask again without paying twice."""
    service.answers(service.reply(body, 201))
    with pytest.raises(UnreadableAnswerError) as caught:
        client.tasks.create(*QUESTION)
    assert caught.value.idempotency_key == service.requests[0].json["idempotencyKey"]
    assert caught.value.status_code == 201
    assert caught.value.uncertain
    assert caught.value.body in (body, json_of(body))


def test_an_answer_about_another_task_is_refused(client, service):
    """What is asked about one task and answered about another is nobody's answer, and is asked for again."""
    service.answers(service.reply({"id": "task_2", "status": "completed", "result": {"message": "B"}}))
    with pytest.raises(WrongTaskError, match="task_1 was requested, and CodeVF answered about task_2"):
        client.tasks.retrieve("task_1")
    wrong, right = ({"id": name, "status": "completed"} for name in ("task_2", "task_1"))
    service.answers(service.reply(wrong), service.reply(right))
    assert client.tasks.wait("task_1").id == "task_1"
    service.answers(service.reply({"id": "cancel_7"}), service.reply(right))
    assert client.tasks.cancel("task_1").status == "completed"


def test_odd_fields_are_read_where_they_can_be():
    """Credits as text, an unknown mode and status, a time without a zone: read, or kept, or None."""
    fields = {"status": "Reviewing", "mode": "turbo", "maxCredits": "3000", "creditsUsed": "12.50", "new": 1}
    fields |= {"tagIdUsed": "4", "expertiseMultiplier": "1.5", "createdAt": "2025-12-18T10:00:00"}
    task = parse_task({"id": "task_1", **fields})
    assert (task.status, task.mode, task.max_credits) == ("Reviewing", "turbo", 3000)
    assert (task.credits_used, task.tag_id_used) == (Decimal("12.50"), 4)
    assert task.created_at == datetime(2025, 12, 18, 10, tzinfo=UTC)
    assert not task.is_final
    bare = parse_task({"id": "task_1", "maxCredits": [], "creditsUsed": "many", "createdAt": "soon", "mode": {}})
    assert (bare.max_credits, bare.credits_used, bare.created_at, bare.mode) == (None,) * 4
    assert bare.status == "unknown"


@pytest.mark.parametrize("status", ["COMPLETED", "canceled", " cancelled ", "failed", "expired", "Canceled"])
def test_final_statuses_are_known_in_any_spelling(status):
    """`canceled` is cancelled, and letters may be large."""
    assert sdk.TaskStatus.is_final(status)
    assert parse_task({"id": "t", "status": status}).is_final


@pytest.mark.parametrize("status", ["pending", "processing", "unknown", "", "done?", None, 7])
def test_other_statuses_are_open(status):
    """Nobody stops waiting because of a status that nobody knows."""
    assert not sdk.TaskStatus.is_final(status)


def test_results_are_told_apart():
    """An envelope is a person's answer; data for a schema is data, even if it has a field called message."""
    person = parse_task({"id": "t", "result": {"message": "Fine.", "deliverables": [{"url": "https://x/a.md?b"}]}})
    assert person.result.message == "Fine."
    assert person.result.deliverables[0].file_name == "a.md"
    assert not person.is_structured
    data = parse_task({"id": "t", "responseSchema": {"type": "object"}, "result": {"message": "x"}})
    assert data.result == {"message": "x"}
    assert data.is_structured
    assert parse_task({"id": "t", "result": {"score": 1}}).is_structured
    assert parse_task({"id": "t", "result": "Fine."}).result == TaskResult("Fine.")
    assert parse_task({"id": "t", "result": None}).result is None


def test_cancelling_accepts_any_answer(client, service):
    """What a cancellation answers is documented nowhere: the id is the one that was asked for."""
    for body in (b"", b"{}", b'{"success": true}', b"OK"):
        service.answers(service.reply(body))
        task = client.tasks.cancel("task_9")
        assert (task.id, task.status, task.is_final) == ("task_9", "unknown", False)
    service.answers(service.reply({"id": "task_9", "status": "canceled"}))
    assert client.tasks.cancel("task_9").status == "cancelled"
    assert service.requests[-1].path == "/api/v1/tasks/task_9/cancel"


def test_a_lost_answer_to_a_cancellation_is_settled_by_looking(client, service):
    """A second attempt that is refused, since the first one worked, is a success; any other refusal stays one."""
    refusal = service.reply({"error": {"message": "not cancellable"}}, 400)
    service.answers(service.raw(b""), refusal, service.reply({"id": "task_9", "status": "cancelled"}))
    assert client.tasks.cancel("task_9").status == "cancelled"
    service.answers(service.raw(b""), refusal, service.reply({"id": "task_9", "status": "completed"}))
    with pytest.raises(BadRequestError, match="not cancellable"):
        client.tasks.cancel("task_9")
    service.requests.clear()
    service.answers(refusal)
    with pytest.raises(BadRequestError):
        client.tasks.cancel("task_9")
    assert len(service.requests) == 1


def test_envelopes_around_a_task_are_looked_into():
    """A status of the envelope is not the task's."""
    task = parse_task({"status": "success", "task": {"id": "task_1", "status": "processing", "mode": "fast"}})
    assert (task.id, task.status, task.mode) == ("task_1", "processing", "fast")


def test_a_task_says_where_its_data_does_not_fit():
    """Data that breaks its schema is given all the same, and each breach is a line."""
    schema = {"type": "object", "properties": {"score": {"type": "number"}}}
    task = parse_task({"id": "t", "responseSchema": schema, "result": {"score": "high"}})
    assert task.result == {"score": "high"}
    assert len(task.mismatches) == 1
    assert "$.score" in task.mismatches[0]
    assert parse_task({"id": "t", "responseSchema": schema, "result": {"score": 1}}).mismatches == []
    assert parse_task({"id": "t", "responseSchema": schema}).mismatches == []


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, None, "AuthenticationError"),
        (403, "insufficient_scope", "AuthenticationError"),
        (401, "TOKEN_EXPIRED", "AuthenticationError"),
        (402, None, "InsufficientCreditsError"),
        (400, "insufficient_credits", "InsufficientCreditsError"),
        (400, "MAX_CREDITS_EXCEEDED", "MaxCreditsExceededError"),
        (400, "invalid_mode", "InvalidModeError"),
        (400, "INVALID_TAG", "InvalidTagError"),
        (400, "Invalid_Metadata", "InvalidMetadataError"),
        (400, "attachment_limit_exceeded", "AttachmentLimitExceededError"),
        (413, "attachment_too_large", "AttachmentTooLargeError"),
        (413, None, "PayloadTooLargeError"),
        (400, None, "BadRequestError"),
        (400, "whatever", "BadRequestError"),
        (404, None, "NotFoundError"),
        (409, "idempotency_conflict", "IdempotencyConflictError"),
        (429, None, "RateLimitError"),
        (408, None, "ServerError"),
        (500, None, "ServerError"),
        (599, "whatever", "ServerError"),
        (418, None, "APIError"),
    ],
)
def test_the_contracts_table(status, code, kind):
    """The code decides, in any case; else the status does."""
    error = error_from(status, {}, json.dumps({"error": {"code": code, "message": "No."}}).encode())
    assert type(error).__name__ == kind
    assert error.status_code == status
    assert error.code == (code.lower() if code else None)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": "Project is gone", "status": 404}, "Project is gone"),
        ({"message": "Project is gone"}, "Project is gone"),
        ({"error": {"message": "Project is gone"}}, "Project is gone"),
        ({"error": {}}, "status 404"),
        ([], "status 404"),
    ],
)
def test_older_envelopes_are_read(body, said):
    """Every envelope that was ever seen gives its words; without any, the status stands."""
    error = error_from(404, {}, json.dumps(body).encode())
    assert said in str(error)
    assert error.body == body


def test_what_an_error_says_about_repeating():
    """`retryable` is the service's word, or else what the kind of error suggests."""
    assert error_from(503, {}, b"").retryable
    assert not error_from(404, {}, b"").retryable
    assert error_from(404, {}, b'{"error": {"retryable": true}}').retryable
    assert not error_from(503, {}, b'{"error": {"retryable": false}}').retryable


def test_stored_answers_raise_what_the_client_raises():
    """A ledger that kept status, headers and bytes gets the task or the error from them later."""
    with pytest.raises(sdk.RateLimitError) as caught:
        task_from_stored(429, {"RETRY-AFTER": "3"}, b"{}")
    assert caught.value.retry_after == 3
    task = task_from_stored(200, {"date": "Thu, 18 Dec 2025 10:00:01 GMT", "retry-after": "4"}, b'{"id": "t"}')
    assert task.at == datetime(2025, 12, 18, 10, 0, 1, tzinfo=UTC)
    assert task.retry_after == 4


def test_differences_are_told_in_sentences():
    """A reply that differs from what was priced is reported; what it does not say is no difference."""
    task = parse_task({"id": "t", "mode": "standard", "maxCredits": 3000, "tagIdUsed": 1, "expertiseMultiplier": 1.7})
    told = sdk.differences(task, mode="fast", max_credits=4500, multiplier=Decimal("1.0"))
    assert len(told) == 3
    assert "fast" in told[0]
    assert "4,500" in told[1]
    assert "3,000" in told[1]
    assert "1.7×" in told[2]
    assert sdk.differences(task, mode="standard", max_credits=3000, multiplier=Decimal("1.70")) == []
    assert sdk.differences(parse_task({"id": "t"}), mode="fast", max_credits=240, multiplier=Decimal(1)) == []


def test_tags_that_cannot_be_priced_are_left_out(caplog):
    """A tag without a multiplier is not offered, and the log says how many are missing."""
    body = {
        "tags": [{"id": 1, "name": "a", "costMultiplier": "x"}, {"id": 2, "costMultiplier": 1.5, "isActive": False}, 7]
    }
    tags = parse_tags(json.dumps(body).encode())
    assert [(tag.id, tag.name, tag.is_active) for tag in tags] == [(2, "2", False)]
    assert "2 of 3 tags" in caplog.text
