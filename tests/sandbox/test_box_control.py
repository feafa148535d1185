"""The sandbox's own routes: driven from outside, closed to who has no key, unknown to the API."""

from .conftest import Api


def control(api, method, what, **body):
    return api.call(method, api.box.base_url.replace("/api/v1/", f"/_sandbox/{what}"), body)


def test_the_control_routes_need_the_first_key(boxes):
    """Without the sandbox's first key nothing can be driven or seen."""
    box = boxes(api_keys=("cvf_test_other",))
    for key in ("cvf_test_other", "cvf_test_unknown"):
        assert control(Api(box, key), "GET", "state").status_code == 401
        assert control(Api(box, key), "POST", "stop").status_code == 401
    assert control(Api(box), "GET", "state").status_code == 200


def test_a_sandbox_is_driven_from_outside(boxes):
    """Advance, answer, top up, add a fault, reset; the state shows it, and none of it moves the virtual clock."""
    api = Api(boxes(reviewer="none"))
    api.project()
    task_id = api.task(tagId=5)
    control(api, "POST", "advance", seconds=60)
    control(api, "POST", "answer", task_id=task_id, message="Done.", credits_used=10)
    control(api, "POST", "top-up", credits=5)
    control(api, "POST", "fault", rule="tags:1:status=500")
    state = control(api, "GET", "state").json()
    assert (state["now"], state["tasks"][0]["result"]["message"]) == ("2026-01-05T15:01:02Z", "Done.")
    assert (state["faults"], state["requests"]) == ({"tags:1:status=500": 0}, 2)
    assert api.call("GET", "tags").status_code == 500
    assert api.balance() == (99_995, 0, 99_995)
    assert "api_key" not in state["options"]
    control(api, "POST", "reset")
    assert control(api, "GET", "state").json()["tasks"] == []


def test_a_wrong_control_request_is_400(api):
    """What can't be done is said, and nothing breaks."""
    for what, body in (
        ("advance", {}),
        ("advance", {"seconds": -1}),
        ("answer", {"x": 1}),
        ("end", {"task_id": "x", "status": "lost"}),
        ("fault", {"rule": "x"}),
    ):
        assert control(api, "POST", what, **body).status_code == 400
    assert control(api, "POST", "unknown").status_code == 404
