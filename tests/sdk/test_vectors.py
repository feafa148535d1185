"""The client against the documents' own examples."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from codevf_nb import sdk
from codevf_nb.sdk import ServiceMode, calculate_final_credit_cost

QUESTION = ("Is this join dropping rows?", 240, 123)


def test_creating_a_project_sends_and_reads_the_documents_example(client, service, golden):
    """The project's request travels as documented, and its answer becomes a Project; the same name again too."""
    for vector in golden("projects"):
        service.answers(service.reply(vector["response"], vector["status"]))
        project = client.projects.create(**vector["request"]["body"])
        assert service.requests[-1].json == vector["request"]["body"]
        assert service.requests[-1].path == "/api/v1/projects/create"
        assert (project.id, project.name) == (vector["response"]["id"], vector["response"]["name"])
        assert project.description == vector["response"].get("description")
        assert project.created_at == datetime(2025, 12, 18, 10, tzinfo=UTC)


def test_creating_a_task_sends_the_documents_examples(client, service, golden, created):
    """Each documented task body is what the client sends; it adds a key, and sizes to attachments."""
    for vector in golden("tasks_create"):
        service.answers(service.reply(created, 201))
        asked = dict(vector["request"]["body"])
        client.tasks.create(
            asked["prompt"],
            asked["maxCredits"],
            asked["projectId"],
            mode=asked["mode"],
            metadata=asked.get("metadata"),
            attachments=asked.get("attachments"),
            response_schema=asked.get("responseSchema"),
        )
        sent = service.requests[-1].json
        assert service.requests[-1].headers["Authorization"].startswith("Bearer cvf_test_")
        assert sent.pop("idempotencyKey")
        for attachment in sent.get("attachments", []):
            assert attachment.pop("fileSize") > 0
        assert sent == asked


def test_the_documents_answer_becomes_a_task(client, service, golden, created):
    """Every field of the documented answer arrives, typed."""
    service.answers(service.reply(created, 201, Date="Thu, 18 Dec 2025 10:00:01 GMT"))
    task = client.tasks.create(*QUESTION)
    assert (task.id, task.status, task.mode) == ("task_abc123xyz", "pending", ServiceMode.FAST)
    assert (task.max_credits, task.tag_id_used) == (3000, 1)
    assert task.expertise_multiplier == Decimal("1.7")
    assert task.created_at == datetime(2025, 12, 18, 10, tzinfo=UTC)
    assert task.at == datetime(2025, 12, 18, 10, 0, 1, tzinfo=UTC)
    assert task.raw == created
    assert not task.is_final
    assert not task.is_structured


def test_retrieving_reads_each_documented_state(client, service, golden):
    """Pending, completed, structured and cancelled answers keep their meaning."""
    answers = {vector["name"]: vector for vector in golden("tasks_retrieve")}
    tasks = {}
    for name, vector in answers.items():
        if vector["request"]["method"] == "GET":
            service.answers(service.reply(vector["response"]))
            tasks[name] = client.tasks.retrieve("task_abc123xyz")
            assert service.requests[-1].path == "/api/v1/tasks/task_abc123xyz"
    done = tasks["completed"]
    assert done.is_final
    assert done.credits_used == 1250
    assert done.result.message == "The token is never checked for its expiry."
    assert done.result.deliverables[0].file_name == "review.md"
    assert done.result.deliverables[0].mime_type == "text/markdown"
    structured = tasks["completed, structured"]
    assert structured.is_structured
    assert structured.result["securityScore"] == 62.5
    assert sdk.mismatches(structured.result, structured.response_schema) == []
    assert sdk.rows(structured.result)[0]["severity"] == "high"
    assert tasks["cancelled"].is_final
    assert not tasks["pending"].is_final


def test_balances_keep_their_decimals(client, service, golden):
    """Credits are exact decimals, and add up as the service said."""
    for vector in golden("credits"):
        service.answers(service.reply(vector["response"]))
        balance = client.credits.get_balance()
        said = vector["response"]
        assert balance.available == Decimal(str(said["available"]))
        assert balance.on_hold == Decimal(str(said["onHold"]))
        assert balance.total == balance.available + balance.on_hold
        assert service.requests[-1].path == "/api/v1/credits/balance"


def test_tags_come_with_exact_multipliers(client, service, golden):
    """A multiplier in text is a decimal, in the service's order."""
    vector = golden("tags")[0]
    service.answers(service.reply(vector["response"]))
    tags = client.tags.list()
    assert [tag.cost_multiplier for tag in tags] == [Decimal("1.7"), Decimal("1.5"), Decimal("1.0")]
    assert [tag.name for tag in tags] == ["engineer", "vibe_coder", "general_purpose"]
    assert all(tag.is_active and not tag.is_deprecated for tag in tags)
    assert service.requests[-1].path == "/api/v1/tags"


def test_errors_become_the_contracts_exceptions(client, service, golden):
    """Each documented error raises its class with everything that the envelope says."""
    for vector in golden("errors"):
        service.answers(service.reply(vector["response"], vector["status"]))
        kind = getattr(sdk, vector["exception"])
        with pytest.raises(kind) as caught:
            client.credits.get_balance()
        error, said = caught.value, vector["response"]["error"]
        assert type(error) is kind
        assert error.status_code == vector["status"]
        assert error.code == said["code"].lower()
        assert error.details == said.get("details")
        assert error.body == vector["response"]
        assert said["message"] in str(error)


def test_documented_errors_say_what_to_do(client, service, golden):
    """The messages are ones that a person can act on."""
    said = {}
    for vector in golden("errors"):
        service.answers(service.reply(vector["response"], vector["status"]))
        with pytest.raises(sdk.APIError) as caught:
            client.credits.get_balance()
        said[vector["name"]] = caught.value
    assert "600 credits are available and this holds 3,000" in str(said["insufficient credits"])
    assert (said["insufficient credits"].available, said["insufficient credits"].required) == (600, 3000)
    assert "CODEVF_API_KEY" in str(said["unauthorized"])
    assert said["rate limited"].retry_after == 60
    assert said["rate limited"].reset_at == datetime(2026, 2, 14, 12, tzinfo=UTC)
    assert "in 60 s" in str(said["rate limited"])
    assert [entry.field for entry in said["invalid request"].errors] == ["prompt", "maxCredits"]
    assert "maxCredits: Must be between 60 and 115200" in str(said["invalid request"])


def test_cost_is_the_documents_sum(golden):
    """Credits × mode × tag, rounded up."""
    for vector in golden("cost"):
        cost = calculate_final_credit_cost(
            vector["max_credits"], ServiceMode(vector["mode"]), Decimal(vector["tag_multiplier"])
        )
        assert cost == vector["cost"], vector["name"]


def test_every_vector_names_its_source():
    """No example is kept that does not say where it comes from."""
    folder = Path(__file__).parent.parent / "vectors"
    for path in folder.glob("*.json"):
        for vector in json.loads(path.read_text())["vectors"]:
            assert vector["source"], path.name
