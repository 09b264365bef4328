"""POST /v1/schedules and /v1/schedules/{id}/run-now."""

import base64

import pytest

from fleet import Fleet, wait_until
from http_support import Api, make_key
from jobs import photo

A = "person01_1"
B = "person01_2"
NOBODY = "01900000-0000-7000-8000-000000000000"


def image(name):
    return {"data": base64.b64encode(photo(name)).decode()}


def job(**fields):
    return {"op": "match", "image_a": image(A), "image_b": image(B), **fields}


@pytest.fixture(scope="module")
def api(broker, bin_dir, tmp_path_factory):
    fleet = Fleet(broker, bin_dir, tmp_path_factory.mktemp("schedules"))
    fleet.use_store()
    yield Api(fleet.gateway().wait_ready().port)
    fleet.close()


@pytest.mark.parametrize(
    "when, shown",
    [
        ({"in_ms": 60000}, {"cron": None, "every_ms": None, "misfire": "run_once"}),
        ({"at": "2035-12-24T18:00:00+01:00"}, {"due": "2035-12-24T17:00:00.000Z"}),
        ({"every_ms": 3600000, "misfire": "skip"}, {"every_ms": 3600000, "misfire": "skip"}),
        ({"cron": "30 2 * * mon-fri", "time_zone": "Europe/Berlin"}, {"cron": "30 2 * * mon-fri", "time_zone": "Europe/Berlin"}),
    ],
)
def test_schedules_are_made(api, when, shown):
    answer = api.post_json("/v1/schedules", {"name": "n", **when, "job": job(scene="realtime")})
    assert answer.status == 201, answer.body
    made = answer.json
    assert answer.headers["location"] == "/v1/schedules/" + made["schedule_id"]
    assert {**made, **shown, "name": "n", "op": "match", "scene": "realtime", "task_id": None} == made
    assert api.get(answer.headers["location"]).json == made
    assert api.ask("DELETE", answer.headers["location"]).status == 200


@pytest.mark.parametrize(
    "body, field",
    [
        ({}, "job"),
        ({"job": job()}, None),
        ({"job": job(), "in_ms": 1, "every_ms": 1000}, None),
        ({"job": job(), "at": "2020-01-01T00:00:00Z"}, "at"),
        ({"job": job(), "in_ms": -1}, "in_ms"),
        ({"job": job(), "every_ms": 10}, "every_ms"),
        ({"job": job(), "cron": "61 * * * *"}, "cron"),
        ({"job": job(), "cron": "@daily", "time_zone": "../../etc/passwd"}, "time_zone"),
        ({"job": job(), "in_ms": 1, "time_zone": "UTC"}, "time_zone"),
        ({"job": job(), "in_ms": 1, "misfire": "skip"}, "misfire"),
        ({"job": job(), "in_ms": 1, "name": "n" * 129}, "name"),
        ({"job": {"op": "match", "image_a": image(A)}, "in_ms": 1}, "job.image_b"),
        ({"job": {"op": "search", "image_a": {"url": "file:///etc/passwd"}}, "in_ms": 1}, "job.image_a.url"),
    ],
)
def test_schedules_that_are_refused(api, body, field):
    answer = api.post_json("/v1/schedules", body)
    assert (answer.status, answer.code, answer.json.get("field")) == (400, "invalid_schedule", field), answer.body
    assert answer.json["detail"]


def test_other_bodies(api):
    assert api.post_form("/v1/schedules", {"in_ms": "1"}).code == "unsupported_media_type"
    assert api.ask("POST", "/v1/schedules", b"{", "application/json").code == "invalid_schedule"
    assert api.post_json("/v1/schedules?colour=blue", {}).code == "invalid_query"


def test_a_repeated_request_makes_one(api):
    def send(name):
        return api.post_json("/v1/schedules", {"name": name, "in_ms": 60000, "job": job()}, idempotency_key="k")

    first = send("one")
    assert first.status == 201, first.body
    again = send("one")
    assert again.status == 201 and again.headers["idempotent-replayed"] == "true", again.body
    assert again.json == first.json and again.headers["location"] == first.headers["location"]
    assert send("other").code == "idempotency_reused"
    assert [s["name"] for s in api.get("/v1/schedules").json["schedules"]].count("one") == 1


def test_what_keys_may_schedule(guarded):
    fleet, program = guarded
    planner, registrar, plain = (
        Api(program.port, make_key(fleet, name, "--scopes", scopes))
        for name, scopes in (("planner", "match,schedule"), ("registrar", "enroll,schedule"), ("plain", "match"))
    )
    enrolment = {"in_ms": 60000, "job": {"op": "enroll", "user_id": "ann", "image_a": image(A)}}
    match = {"in_ms": 60000, "job": job()}
    assert plain.post_json("/v1/schedules", match).code == "forbidden"
    assert planner.post_json("/v1/schedules", enrolment).code == "forbidden", "what it may not do at once"
    assert registrar.post_json("/v1/schedules", match).code == "forbidden"
    answer = registrar.post_json("/v1/schedules", enrolment)
    assert answer.status == 201 and answer.json["user_id"] == "ann", answer.body
    path = answer.headers["location"]
    made = planner.post_json("/v1/schedules", match)
    assert made.status == 201 and planner.get(path).code == "schedule_not_found", made.body
    assert planner.ask("POST", path + "/run-now").code == "schedule_not_found"
    console = Api(program.port, make_key(fleet, "console", "--scopes", "schedule,read_all"))
    assert console.ask("POST", path + "/run-now").code == "forbidden"
    assert planner.ask("POST", f"/v1/schedules/{NOBODY}/run-now").code == "schedule_not_found"


def test_one_that_is_run_now(fleet):
    fleet.use_store()
    api = Api(fleet.gateway().wait_ready().port)
    made = api.post_json("/v1/schedules", {"cron": "@yearly", "job": job(reference="r")})
    answer = api.ask("POST", made.headers["location"] + "/run-now")
    assert answer.status == 202 and answer.json["state"] == "scheduled", answer.body
    location = answer.headers["location"]
    assert location == "/v1/tasks/" + answer.json["task_id"]
    before = api.get(location).json
    assert (before["state"], before["reference"]) == ("pending", "r"), "it is known before it is published"
    again = api.ask("POST", made.headers["location"] + "/run-now")
    assert again.json["task_id"] == answer.json["task_id"], "its run has not begun"
    fleet.scheduler().wait_ready()
    fleet.tracker().wait_ready()
    fleet.worker().wait_ready()
    wait_until(lambda: api.get(location).json["state"] == "succeeded", "it has run")
    shown = api.get(location).json
    assert shown["reference"] == "r" and shown["reply"]["result"]["matched"] is True
    left = wait_until(lambda: (lambda s: s if s["last_run_at"] else None)(api.get(made.headers["location"]).json), "it ran")
    assert left["due"] == made.json["due"], "and goes on"


def test_one_that_is_removed_before_it_runs(api):
    made = api.post_json("/v1/schedules", {"every_ms": 3600000, "job": job()})
    task = api.ask("POST", made.headers["location"] + "/run-now").headers["location"]
    assert api.get(task).json["state"] == "pending"
    assert api.ask("DELETE", made.headers["location"]).status == 200
    assert api.get(task).code == "task_not_found"


def test_no_more_than_a_key_may_have(fleet):
    fleet.use_store()
    program = fleet.gateway(gateway__allow_anonymous="false", gateway__max_schedules=2).wait_ready()
    greedy, other = (
        Api(program.port, make_key(fleet, name, "--scopes", "match,schedule")) for name in ("greedy", "other")
    )
    body = {"every_ms": 3600000, "job": job()}
    first = greedy.post_json("/v1/schedules", body)
    assert first.status == 201, first.body
    assert greedy.post_json("/v1/match", {"image_a": image(A), "image_b": image(B), "delay_ms": 3600000}).status == 202
    for path, again in (("/v1/schedules", body), ("/v1/match", {"image_a": image(A), "image_b": image(B), "delay_ms": 1})):
        answer = greedy.post_json(path, again, idempotency_key=path)
        assert (answer.status, answer.code) == (429, "too_many_schedules"), answer.body
        assert answer.headers["retry-after"] == "1"
    assert len(greedy.get("/v1/schedules").json["schedules"]) == 2
    assert other.post_json("/v1/schedules", body).status == 201
    assert greedy.ask("DELETE", first.headers["location"]).status == 200
    wait_until(
        lambda: greedy.post_json("/v1/schedules", body, idempotency_key="/v1/schedules").status == 201, "there is room"
    )
