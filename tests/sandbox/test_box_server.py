"""The server as a server: limits, garbage, many connections, stopping and starting again."""

import base64
import json
import logging
import socket
import threading
import time

import pytest

from codevf_nb.sandbox import Sandbox, SandboxError
from codevf_nb.sandbox import _rules as rules

from .conftest import PROMPT, Api

GOOD = b'{"prompt": "Is it so at all?", "maxCredits": 240, "projectId": 1, "metadata": {"a": %b}}'


def connect(box: Sandbox) -> socket.socket:
    port = int(box.base_url.split(":")[2].split("/")[0])
    return socket.create_connection(("127.0.0.1", port), timeout=20)


def exchange(box: Sandbox, data: bytes) -> bytes:
    """What comes back for raw bytes until the connection is closed."""
    with connect(box) as sock:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        received = b""
        while chunk := sock.recv(65536):
            received += chunk
        return received


def head(box: Sandbox, length: str, extra: str = "") -> bytes:
    lines = f"POST /api/v1/tasks/create HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {box.api_key}\r\n{extra}"
    return f"{lines}Content-Length: {length}\r\n\r\n".encode()


def test_a_body_over_the_limit_is_413_before_it_is_sent(box):
    """413 comes from the announced length alone: nothing of 350 MB has to arrive for it."""
    with connect(box) as sock:
        sock.sendall(head(box, str(350 * 1024 * 1024)))
        began = time.monotonic()
        answer = sock.recv(65536)
        assert time.monotonic() - began < 2
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "payload_too_large"
    assert box.requests()[-1][2] == 413


def test_a_client_that_waits_for_continue_gets_413_at_once(box):
    """With Expect: 100-continue the 413 is the only answer, and the connection ends."""
    with connect(box) as sock:
        sock.sendall(head(box, str(350 * 1024 * 1024), "Expect: 100-continue\r\n"))
        received = b""
        while chunk := sock.recv(65536):
            received += chunk
    assert received.startswith(b"HTTP/1.1 413 ")
    assert b"100 (Continue)" not in received


def test_a_client_that_sends_everything_first_still_reads_its_413(box, monkeypatch):
    """A plain client that writes its whole body before it reads gets the answer, not a reset."""
    monkeypatch.setattr(rules, "BODY_BYTES", 1024 * 1024)
    refused = Api(box).create(prompt="x" * (8 * 1024 * 1024))
    assert refused.status_code == 413


def test_a_chunked_body_over_the_limit_is_413(box, monkeypatch):
    """A body of unknown length is refused as soon as it is too long."""
    monkeypatch.setattr(rules, "BODY_BYTES", 1000)
    api = Api(box)
    body = (b"x" * 100 for _ in range(100))
    refused = api.session.post(
        box.base_url + "tasks/create", data=body, headers={"Authorization": f"Bearer {api.key}"}, timeout=20
    )
    assert refused.status_code == 413


def test_a_body_that_does_not_arrive_is_408(box, monkeypatch):
    """A body that takes too long is a 408, and the connection ends; a connection that merely waits is left alone."""
    monkeypatch.setattr("codevf_nb.sandbox._server.BODY_SECONDS", 0.1)
    with connect(box) as idle, connect(box) as slow:
        slow.sendall(head(box, "10") + b"{")
        received = b""
        while chunk := slow.recv(65536):
            received += chunk
        assert received.startswith(b"HTTP/1.1 408 ")
        idle.sendall(b"GET /api/v1/tags HTTP/1.1\r\nHost: x\r\n\r\n")
        assert idle.recv(65536).startswith(b"HTTP/1.1 401 ")


def test_the_largest_legal_attachment_is_taken(api):
    """One file of 50 MB in base64 is within the limit."""
    content = base64.b64encode(bytes(rules.ATTACHMENT_BYTES)).decode()
    task = {"fileName": "a.bin", "mimeType": "application/octet-stream", "content": content}
    assert api.create(attachments=[task]).status_code == 201
    (kept,) = api.box.tasks()[0]["attachments"]
    assert (kept["size"], kept["sent"]) == (rules.ATTACHMENT_BYTES, None)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"\xff\xfe",
        GOOD % b"NaN",
        GOOD % b"1e999",
        GOOD % b'"\\ud800"',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"maxCredits": ' + b"9" * 10_000 + b"}",
    ],
)
def test_bodies_that_are_no_request_are_400(api, body):
    """What is no JSON object is a 400 in the envelope, however it is broken."""
    assert api.session.post(
        api.box.base_url + "tasks/create", data=GOOD % b"1", headers={"Authorization": f"Bearer {api.key}"}, timeout=20
    ).ok
    answer = api.session.post(
        api.box.base_url + "tasks/create", data=body, headers={"Authorization": f"Bearer {api.key}"}, timeout=20
    )
    assert answer.status_code == 400
    assert answer.json()["error"]["details"]["errors"]


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /api/v1/tasks/create HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"POST /api/v1/tasks/create HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /api/v1/tags HTTP/1.1\r\n" + b"A: b\r\n" * 50_000 + b"\r\n",
        b"GET /%ff%fe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /api/v1/tasks/%ff%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ],
)
def test_garbage_neither_crashes_it_nor_stays(api, garbage, caplog):
    """After garbage the sandbox answers as before, and remembers no task, key or account of it."""
    caplog.set_level(logging.CRITICAL, logger="tornado")
    accounts = len(api.box.engine.accounts)
    try:
        received = exchange(api.box, garbage)
    except OSError:  # the sandbox has hung up already: a reset while sending, or nothing left to shut down
        received = b""
    assert not received.startswith(b"HTTP/1.1 2")
    assert api.call("GET", "tags").status_code == 200
    assert (len(api.box.engine.accounts), api.box.tasks()) == (accounts, [])


def test_five_hundred_connections_are_held(boxes):
    """500 open connections are all answered."""
    box = boxes(rate_limit=None)
    request = f"GET /api/v1/tags HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {box.api_key}\r\n\r\n".encode()
    sockets = [connect(box) for _ in range(500)]
    try:
        for sock in sockets:
            sock.sendall(request)
        assert all(sock.recv(100).startswith(b"HTTP/1.1 200") for sock in sockets)
    finally:
        for sock in sockets:
            sock.close()


def test_it_is_on_loopback_and_says_nothing_to_other_origins(api):
    """It binds 127.0.0.1 only, and sends no CORS header even to a preflight."""
    assert api.box.base_url.startswith("http://127.0.0.1:")
    answer = api.call("OPTIONS", "tasks/create", headers={"Origin": "https://example.invalid"})
    assert answer.status_code == 405
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_it_stops_and_starts_again_on_the_same_port(box):
    """Stopped, the port refuses; started again, the same address answers with the same tasks."""
    api = Api(box)
    api.project()
    task_id, address = api.task(), box.base_url
    box.stop()
    box.stop()
    with pytest.raises(OSError, match="refused"):
        connect(box)
    box.start()
    assert box.base_url == address
    assert Api(box).get(task_id)["id"] == task_id


def test_a_port_that_is_taken_is_one_line(box):
    """A second sandbox on the same port says which port."""
    port = int(box.base_url.split(":")[2].split("/")[0])
    with pytest.raises(SandboxError, match=f"port {port}"):
        Sandbox(port=port).start()


def test_a_stop_does_not_wait_for_a_slow_answer(boxes):
    """Stopping ends answers that are under way."""
    box = boxes(faults=("tags:*:delay=60",))
    api = Api(box)

    def call():
        with pytest.raises(OSError):  # noqa: PT011 - however the connection ends
            api.call("GET", "tags")

    caller = threading.Thread(target=call)
    caller.start()
    while not box.faults["tags:*:delay=60"]:
        caller.join(0.01)
    began = time.monotonic()
    box.stop()
    caller.join(10)
    assert time.monotonic() - began < 5


def test_state_survives_in_a_file(boxes, tmp_path):
    """With `state` accounts, tasks, keys, files and clock are there again in another sandbox; the file is 0600."""
    path = tmp_path / "state.json"
    options = {"state": path, "reviewer": "auto"}
    key = "5f0c7a1e-8a52-4b61-9c55-0d6f3f6b1c11"
    first = Api(boxes(**options))
    first.project()
    done = first.answered(attachments=[{"fileName": "a.py", "mimeType": "text/plain", "content": "import os\n"}])
    still = first.task(idempotencyKey=key)
    balance, now = first.box.balance(), first.box.engine.clock.now()
    first.box.stop()
    assert path.stat().st_mode & 0o777 == 0o600
    assert "import os" not in path.read_text()
    again = Api(boxes(**options))
    assert again.box.engine.clock.now() == now
    assert again.box.balance() == balance
    before, after = (
        json.dumps(item).replace(box.base_url[:-8], "")
        for item, box in ((done, first.box), (again.get(done["id"]), again.box))
    )
    assert before == after
    url = again.get(done["id"])["result"]["deliverables"][0]["url"]
    assert "UnusedImport" in again.session.get(url, timeout=10).text
    assert again.create(idempotencyKey=key).json()["id"] == still
    assert again.task() not in {done["id"], still}


def test_a_broken_state_file_is_one_line(tmp_path):
    """A state file that can't be read is refused, and not overwritten."""
    path = tmp_path / "state.json"
    for text in ("{", "[]", '{"version": 1}'):
        path.write_text(text)
        with pytest.raises(SandboxError, match="state"):
            Sandbox(state=path)
        assert path.read_text() == text


def test_old_attachments_are_let_go(api, monkeypatch):
    """Only the newest tasks keep what was attached; older ones keep its digest."""
    monkeypatch.setattr("codevf_nb.sandbox._engine.KEPT_ATTACHMENTS", 2)
    for _ in range(3):
        api.task(attachments=[{"fileName": "a.txt", "mimeType": "text/plain", "content": PROMPT}])
    assert [task["attachments"][0]["sent"] for task in api.box.tasks()] == [None, PROMPT, PROMPT]
