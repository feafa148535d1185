"""The six endpoints: what they answer with, and what they refuse."""

import base64

import pytest

from codevf_nb.sandbox import SandboxError

from .conftest import PROMPT, Api


def errors_of(response):
    assert response.status_code == 400, response.text
    return {item["field"]: item["message"] for item in response.json()["error"]["details"]["errors"]}


def code_of(response):
    return response.json()["error"]["code"]


def test_a_project_of_the_same_name_is_the_same_project(box):
    """The same name again is 200 with the first project's id; another name is a new one."""
    api = Api(box)
    first = api.call("POST", "projects/create", {"name": "A", "description": "of mine"})
    again = api.call("POST", "projects/create", {"name": "A"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["description"] == "of mine"
    assert api.project("B") != first.json()["id"]


def test_a_created_task_has_the_documents_shape(api):
    """`tasks/create` answers 201 with the documents' seven fields in their order."""
    response = api.create(mode="fast", maxCredits=3000)
    assert response.status_code == 201
    task = response.json()
    assert list(task) == ["id", "status", "mode", "maxCredits", "tagIdUsed", "expertiseMultiplier", "createdAt"]
    assert (task["status"], task["mode"], task["maxCredits"]) == ("pending", "fast", 3000)
    assert (task["tagIdUsed"], task["expertiseMultiplier"]) == (1, 1.7)
    assert task["id"].startswith("task_")


def test_an_untagged_standard_task_is_the_default(api):
    """Without mode and tag a task is standard, by the tag of the documents' example; null is the same as nothing."""
    for nothing in ({}, {"mode": None, "tagId": None, "metadata": None, "attachments": None}):
        task = api.create(**nothing).json()
        assert (task["mode"], task["tagIdUsed"]) == ("standard", 1)


def test_a_task_goes_from_pending_over_processing_to_completed(api):
    """A task is pending for a quarter of its time, then processing, then completed with message and deliverables."""
    task_id = api.task()
    assert api.get(task_id)["status"] == "pending"
    assert api.get(task_id)["status"] == "processing"
    api.box.advance(25)
    done = api.get(task_id)
    assert done["status"] == "completed"
    assert set(done["result"]) == {"message", "deliverables"}
    assert done["creditsUsed"] > 0


def test_every_mode_and_credit_limit_of_the_contract_holds(api):
    """maxCredits outside of all modes, outside of its mode, and an unknown mode are told apart by code."""
    for credits in (59, 115_201, "240", True, None, ...):
        assert errors_of(api.create(maxCredits=credits)) == {"maxCredits": "Must be between 60 and 115200"}
    assert code_of(api.create(maxCredits=59)) == "INVALID_REQUEST"
    above = api.create(maxCredits=601, mode="realtime_answer")
    assert code_of(above) == "max_credits_exceeded"
    assert errors_of(api.create(maxCredits=239, mode="fast")) == {"maxCredits": "Must be at least 240 in mode fast"}
    for mode in ("slow", 7, ["fast"]):
        assert code_of(api.create(mode=mode)) == "invalid_mode"
    for good in ({"maxCredits": 60, "mode": "realtime_answer"}, {"maxCredits": 600, "mode": "realtime_answer"}):
        assert api.create(**good).status_code == 201


@pytest.mark.parametrize("length", [0, 9, 10_001])
def test_a_prompt_of_the_wrong_length_is_refused(api, length):
    """A prompt has 10 to 10,000 characters, both included, counted as characters and not as bytes."""
    assert "prompt" in errors_of(api.create(prompt="é" * length))
    assert api.create(prompt="é" * 10).status_code == api.create(prompt="é" * 10_000).status_code == 201


def test_every_field_is_reported_at_once(api):
    """All problems of a body are listed; the code is a specific one only where they share it."""
    response = api.create(prompt=5, projectId="x", mode="x", metadata=[], idempotencyKey="x", tagId=2, attachments=1)
    fields = {"prompt", "projectId", "mode", "metadata", "idempotencyKey", "tagId", "attachments"}
    assert set(errors_of(response)) == fields
    assert code_of(response) == "INVALID_REQUEST"
    assert set(response.json()["error"]) == {"code", "message", "details"}


@pytest.mark.parametrize("tag", [2, 9, "1", -1, 1.5, True])
def test_unknown_and_inactive_tags_are_refused(api, tag):
    """Only the id of an active tag is accepted."""
    assert code_of(api.create(tagId=tag)) == "invalid_tag"


@pytest.mark.parametrize("metadata", [{"a": {}}, {"a": [1]}, "text"])
def test_metadata_that_nests_is_refused(api, metadata):
    """Metadata is flat: strings, numbers, booleans and null."""
    assert code_of(api.create(metadata=metadata)) == "invalid_metadata"
    assert api.create(metadata={"a": "x", "b": 1.5, "c": True, "d": None}).status_code == 201


def test_a_project_that_is_not_ours_is_404(api):
    """A task needs a project of its own account."""
    assert api.create(projectId=77).status_code == 404


def test_attachments_are_decoded_by_field_and_type(api):
    """`data` is base64; `content` is text for text types and base64 for others; what arrived can be looked at."""
    blob = base64.b64encode(b"\x00\xff").decode()
    text = base64.b64encode("é".encode()).decode()
    sent = [
        {"fileName": "a.txt", "mimeType": "text/plain", "content": "é", "fileSize": 2},
        {"fileName": "b.txt", "mimeType": "text/plain", "data": text, "fileSize": 2},
        {"fileName": "c.png", "mimeType": "image/png", "content": blob, "fileSize": 2},
        {"fileName": "d.json", "mimeType": "application/json; charset=utf-8", "content": "{}"},
    ]
    api.task(attachments=sent)
    kept = api.box.tasks()[0]["attachments"]
    assert [item["size"] for item in kept] == [2, 2, 2, 2]
    assert kept[0]["sha256"] == kept[1]["sha256"] != kept[2]["sha256"]
    assert [item["sentAs"] for item in kept] == ["content", "data", "content", "content"]
    assert kept[0]["sent"] == "é"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"content": "not base64", "mimeType": "image/png"}, "content"),
        ({"content": None}, "content"),
        ({"data": "YQ=="}, "content"),
        ({"fileName": ""}, "fileName"),
        ({"mimeType": None}, "mimeType"),
        ({"fileSize": 3}, "fileSize"),
        ({"fileSize": "1"}, "fileSize"),
    ],
)
def test_a_wrong_attachment_is_named_with_its_place(api, change, field):
    """Each problem of an attachment names its index and field, a wrong fileSize too."""
    good = {"fileName": "a.txt", "mimeType": "text/plain", "content": "a"}
    assert list(errors_of(api.create(attachments=[good, {**good, **change}]))) == [f"attachments[1].{field}"]


def test_too_many_and_too_large_attachments_have_codes_of_their_own(api):
    """The sixth attachment, and one above 50 MB, are refused by specific codes."""
    good = {"fileName": "a.txt", "mimeType": "text/plain", "content": "a"}
    assert code_of(api.create(attachments=[good] * 6)) == "attachment_limit_exceeded"
    assert api.create(attachments=[good] * 5).status_code == 201
    large = {**good, "fileSize": 50 * 1024 * 1024 + 1}
    assert code_of(api.create(attachments=[large])) == "attachment_too_large"


def test_keys_are_told_apart(boxes):
    """No key, an unknown one and a real one are 401; the real one is told why; every known key has its own account."""
    box = boxes(api_keys=("cvf_test_other",))
    for key in ("", "cvf_test_unknown", "Basic"):
        refused = Api(box, key or " ").call("GET", "tags")
        assert (refused.status_code, refused.json()["error"]["message"]) == (401, "Invalid or missing API key")
    live = Api(box, "cvf_live_abc").call("GET", "tags")
    assert live.status_code == 401
    assert "cvf_live_" in live.json()["error"]["message"]
    assert "abc" not in live.text
    mine, other = Api(box), Api(box, "cvf_test_other")
    mine.project()
    task_id = mine.task()
    assert other.call("GET", f"tasks/{task_id}").status_code == 404
    assert other.call("POST", f"tasks/{task_id}/cancel").status_code == 404
    assert other.balance() == (100_000, 0, 100_000)


def test_a_sandbox_never_takes_a_real_key_as_its_own():
    """A sandbox can't be set up with a cvf_live_ key."""
    from codevf_nb.sandbox import Sandbox

    with pytest.raises(SandboxError, match="cvf_live_"):
        Sandbox(api_key="cvf_live_x")


def test_paths_and_methods_that_are_not_there(api):
    """Unknown paths and tasks are 404, wrong methods 405 with Allow, and a quoted path stays one id."""
    assert api.call("GET", "tasks").status_code == 404
    assert api.call("GET", "tasks/task_none").status_code == 404
    assert api.call("GET", "tasks/..%2Fcredits%2Fbalance").status_code == 404
    wrong = api.call("GET", "tasks/create")
    assert (wrong.status_code, wrong.headers["Allow"]) == (405, "POST")
    assert api.call("GET", api.box.base_url.replace("/api/v1/", "/")).status_code == 404


def test_a_quoted_id_is_the_same_id(api):
    """`task%5F…` is the path of the same task as `task_…`."""
    import http.client

    task_id = api.task()
    connection = http.client.HTTPConnection(api.box.base_url.split("/")[2], timeout=10)
    path = "/api/v1/tasks/" + task_id.replace("_", "%5F")
    connection.request("GET", path, headers={"Authorization": f"Bearer {api.key}"})
    assert connection.getresponse().status == 200
    connection.close()


def test_tags_carry_multipliers_as_text(api):
    """The contract's tags are there, their multipliers strings, and one is inactive."""
    tags = api.call("GET", "tags").json()
    assert tags["success"] is True
    assert {tag["id"]: tag["costMultiplier"] for tag in tags["tags"] if tag["isActive"]} == {
        1: "1.7",
        4: "1.5",
        5: "1.0",
    }
    assert [tag["id"] for tag in tags["tags"] if not tag["isActive"]] == [9]


def test_an_answer_by_hand(boxes):
    """Without a reviewer a task waits; answered by hand it has that message, those files and those credits."""
    api = Api(boxes(reviewer="none"))
    api.project()
    task_id = api.task(mode="fast", tagId=5)
    api.box.advance(10_000)
    assert api.get(task_id)["status"] == "pending"
    files = [{"fileName": "notes 1.csv", "content": "a,b\n"}, {"fileName": "x", "url": "https://example.invalid/x"}]
    api.box.answer(task_id, message="Done.", deliverables=files, credits_used=12.5)
    done = api.get(task_id)
    assert (done["result"]["message"], done["creditsUsed"]) == ("Done.", 12.5)
    served, foreign = done["result"]["deliverables"]
    assert foreign["url"] == "https://example.invalid/x"
    assert api.session.get(served["url"], timeout=10).text == "a,b\n"
    assert api.balance() == (99_987.5, 0, 99_987.5)
    with pytest.raises(SandboxError, match="no open task"):
        api.box.answer(task_id, message="Again.")


def test_a_file_needs_its_whole_address(api):
    """A deliverable is served without a key, and nothing is served beside it."""
    done = api.answered(attachments=[{"fileName": "a.py", "mimeType": "text/x-python", "content": "import os\n"}])
    (item,) = done["result"]["deliverables"]
    assert item["url"].startswith(api.box.base_url.replace("api/v1/", "files/"))
    plain = api.session.get(item["url"], timeout=10)
    assert plain.headers["Content-Type"].startswith("text/csv")
    assert "UnusedImport" in plain.text
    assert api.session.get(item["url"].rsplit("/", 1)[0], timeout=10).status_code == 404


def test_prompts_come_back_unchanged(api):
    """What was asked can be looked at as it was received, with key, metadata and schema."""
    key = "5f0c7a1e-8a52-4b61-9c55-0d6f3f6b1c11"
    api.task(metadata={"environment": "production"}, idempotencyKey=key)
    (task,) = api.box.tasks()
    assert (task["prompt"], task["metadata"]) == (PROMPT, {"environment": "production"})
    assert (task["idempotencyKey"], task["hold"], task["key"]) == (key, 408, api.key)
