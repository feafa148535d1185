"""The documents' own programs; replaced are URL, key, project id, TASK_ID, indentation, elided base64 and sleep."""

import json
import shutil
import subprocess

import pytest

from .conftest import Api

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

CURL_PROJECT = r"""curl -X POST https://codevf.com/api/v1/projects/create \
-H "Authorization: Bearer YOUR_API_KEY" \
-H "Content-Type: application/json" \
-d '{
"name": "My API Project"
}'"""
CURL_TASK = r"""curl -X POST https://codevf.com/api/v1/tasks/create \
-H "Authorization: Bearer YOUR_API_KEY" \
-H "Content-Type: application/json" \
-d '{
"prompt": "Review this auth flow for security issues",
"projectId": 123,
"mode": "fast",
"maxCredits": 3000
}'"""
CURL_POLL = r"""curl https://codevf.com/api/v1/tasks/TASK_ID \
-H "Authorization: Bearer YOUR_API_KEY" """

LOOP = """import requests
import base64
import time
API_KEY = "cvf_test_your_key_here"
BASE_URL = "https://codevf.com/api/v1"
# Read and encode image file
with open("screenshot.png", "rb") as f:
    image_base64 = base64.b64encode(f.read()).decode()
# Create task with attachments
response = requests.post(
    f"{BASE_URL}/tasks/create",
    headers={"Authorization": f"Bearer {API_KEY}"},
    json={
        "prompt": "Review this UI flow and check the screenshot",
        "projectId": 123,
        "mode": "fast",
        "maxCredits": 4500,
        "attachments": [
            {
                "fileName": "screenshot.png",
                "content": image_base64,
                "mimeType": "image/png"
            },
            {
                "fileName": "error.log",
                "content": "Error: Authentication failed at login.py:42",
                "mimeType": "text/plain"
            }
        ]
    }
)
task = response.json()
task_id = task["id"]
# Poll for completion
while True:
    response = requests.get(
        f"{BASE_URL}/tasks/{task_id}",
        headers={"Authorization": f"Bearer {API_KEY}"}
    )
    task = response.json()
    if task["status"] == "completed":
        print("Result:", task["result"]["message"])
        break
    elif task["status"] == "cancelled":
        print("Task was cancelled")
        break
    time.sleep(10)"""


def run_curl(line, box, **substitutions):
    """Run a line of the documents with a real curl, through a real shell, and read its JSON."""
    line = line.replace("https://codevf.com/api/v1/", box.base_url).replace("YOUR_API_KEY", box.api_key)
    for old, new in substitutions.items():
        line = line.replace(old, new)
    done = subprocess.run(
        ["/bin/sh", "-c", line.replace("curl ", "curl --silent --noproxy '*' ", 1)], capture_output=True, check=True
    )
    return json.loads(done.stdout)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_documents_curl_lines(box):
    """The three lines of the Quick Start make a project and a task, and poll it."""
    project = run_curl(CURL_PROJECT, box)
    assert project["name"] == "My API Project"
    task = run_curl(CURL_TASK.replace('"projectId": 123', f'"projectId": {project["id"]}'), box)
    assert (task["status"], task["maxCredits"]) == ("pending", 3000)
    box.advance(100)
    assert run_curl(CURL_POLL, box, TASK_ID=task["id"])["status"] == "completed"


def test_the_documents_loop(box, tmp_path, monkeypatch, capsys):
    """The documents' `requests` program gets its answer."""
    import base64

    project = Api(box).project()
    (tmp_path / "screenshot.png").write_bytes(base64.b64decode(PNG))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_PROXY", "*")
    program = LOOP.replace("https://codevf.com/api/v1", box.base_url.rstrip("/"))
    program = (
        program.replace("cvf_test_your_key_here", box.api_key)
        .replace("123", str(project))
        .replace("sleep(10)", "sleep(0)")
    )
    exec(compile(program, "documents", "exec"), {})  # noqa: S102 - the program is a text of this test
    assert capsys.readouterr().out.startswith("Result: This answer is automated")
    kept = box.tasks()[0]["attachments"]
    assert [item["size"] for item in kept] == [len(base64.b64decode(PNG)), 43]


def test_the_documents_requests_are_accepted(api, golden):
    """Every documented task body is a 201 with the documented fields."""
    for vector in golden("tasks_create"):
        answer = api.call("POST", "tasks/create", {**vector["request"]["body"], "projectId": 1})
        assert answer.status_code == vector["status"], answer.text
        if vector["response"]:
            assert list(answer.json()) == list(vector["response"])
            same = ("status", "mode", "tagIdUsed", "expertiseMultiplier")
            assert all(answer.json()[name] == vector["response"][name] for name in same)


def test_the_documents_errors_are_spoken(api, golden):
    """The documented 400 and 401 are answered word for word."""
    vectors = {vector["status"]: vector for vector in golden("errors")}
    invalid = api.call("POST", "tasks/create", {**vectors[400]["request"]["body"], "prompt": "too short"})
    assert (invalid.status_code, invalid.json()) == (400, vectors[400]["response"])
    unauthorized = Api(api.box, "cvf_test_unknown").call("GET", "tags")
    assert (unauthorized.status_code, unauthorized.json()) == (401, vectors[401]["response"])


def test_the_documents_shapes_are_answered(box, golden):
    """Projects, tags, balances and tasks have at least the fields of the documents' examples, of the same types."""
    api = Api(box)
    for vector in golden("projects"):
        answer = api.call("POST", "projects/create", vector["request"]["body"])
        assert answer.status_code == vector["status"]
        assert list(answer.json()) == list(vector["response"])
    tags = api.call("GET", "tags").json()["tags"]
    for wanted, tag in zip(golden("tags")[0]["response"]["tags"], tags, strict=False):
        assert {name for name, value in wanted.items() if value is not None} <= set(tag)
        assert (tag["id"], tag["costMultiplier"]) == (wanted["id"], wanted["costMultiplier"])
    assert list(api.call("GET", "credits/balance").json()) == list(golden("credits")[0]["response"])
    completed = next(vector for vector in golden("tasks_retrieve") if vector["name"] == "completed")["response"]
    file = {"fileName": "a.py", "mimeType": "text/plain", "content": "import os"}
    done = api.answered(attachments=[file])
    assert list(done) == list(completed)
    assert set(done["result"]) == set(completed["result"])
    assert set(completed["result"]["deliverables"][0]) <= set(done["result"]["deliverables"][0])
