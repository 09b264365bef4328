"""The HTTP API: what is accepted, what is refused and how, and what becomes of it."""

import base64
import concurrent.futures
import json
import re
import secrets
import socket
import ssl
import subprocess
import time
import urllib.request

import pytest

from fleet import Fleet, free_port, wait_until
from http_support import Api, form, make_key
from jobs import Client, photo

A = "person01_1"
B = "person01_2"
OTHER = "person02_1"


@pytest.fixture(scope="module")
def site(broker, bin_dir, tmp_path_factory):
    """A gateway and a worker for all tests that do them no harm."""
    fleet = Fleet(broker, bin_dir, tmp_path_factory.mktemp("gateway"))
    fleet.use_store()
    fleet.api_program = fleet.gateway(gateway__max_wait_s=60).wait_ready()
    fleet.worker().wait_ready()
    yield fleet
    fleet.close()


@pytest.fixture
def api(site):
    """Ready again, if the test before took the broker away."""
    return Api(site.api_program.wait_ready().port)


@pytest.fixture
def alone(fleet):
    """A gateway that nobody works for."""
    program = fleet.gateway().wait_ready()
    return Api(program.port), program


def pair(**fields):
    return {"image_a": photo(A), "image_b": photo(B), **fields}


def task(api, task_id):
    answer = api.get(f"/v1/tasks/{task_id}")
    assert answer.status == 200, answer.body
    return answer.json


def refused(api, code):
    """The answer to a job when it is refused for that reason."""
    answer = api.post_form("/v1/match", pair())
    return answer if answer.status == 503 and answer.code == code else None


def wait_finished(api, task_id):
    return wait_until(
        lambda: (lambda t: t if t["state"] in ("succeeded", "final_failed") else None)(task(api, task_id)),
        f"task {task_id} is finished",
    )


# --- accepted --------------------------------------------------------------------------------------


def test_accepted_polled_and_done(api):
    answer = api.post_form("/v1/match", pair(reference="r1"))
    assert answer.status == 202, answer.body
    accepted = answer.json
    assert accepted["state"] == "pending"
    assert answer.headers["location"] == f"/v1/tasks/{accepted['task_id']}"
    done = wait_finished(api, accepted["task_id"])
    assert done["state"] == "succeeded" and done["reference"] == "r1" and done["op"] == "match"
    assert done["reply"]["result"]["matched"] is True
    assert done["reply"]["task_id"] == accepted["task_id"]
    assert done["accepted_at"] == accepted["accepted_at"] and done["deadline"] == accepted["deadline"]


def test_waited_for(api):
    answer = api.post_form("/v1/match", {"image_a": photo(A), "image_b": photo(OTHER)}, prefer="wait=50")
    assert answer.status == 200, answer.body
    assert answer.headers["preference-applied"] == "wait=50"
    assert answer.json["state"] == "succeeded" and answer.json["result"]["matched"] is False


def test_json_bodies(api):
    def image(name):
        return {"data": base64.b64encode(photo(name)).decode()}

    body = {"image_a": image(A), "image_b": image(B), "scene": "batch", "options": {"threshold": 0.999}}
    answer = api.post_json("/v1/match", body, prefer="wait=50")
    assert answer.status == 200, answer.body
    assert answer.json["result"]["matched"] is False and answer.json["result"]["threshold"] == 0.999


def test_people_come_and_go(api):
    user = "/v1/users/anna%2Fb%20%C3%A9/faces"
    enrolled = api.post_form(user, {"image": photo(A), "collection": "c"}, prefer="wait=50")
    assert enrolled.status == 200 and enrolled.json["state"] == "succeeded", enrolled.body
    assert enrolled.json["user_id"] == "anna/b é"

    def verify():
        fields = {"image": photo(B), "collection": "c", "user_id": "anna/b é"}
        return api.post_form("/v1/verify", fields, prefer="wait=50").json

    assert verify()["result"]["matched"] is True

    def search():
        found = api.post_form("/v1/search", {"image": photo(B), "collection": "c", "top_k": "3"}, prefer="wait=50")
        return found.json["result"]["candidates"]

    assert [found["user_id"] for found in wait_until(search, "she is found")] == ["anna/b é"]
    gone = api.ask("DELETE", user + "?", json.dumps({"collection": "c"}).encode(), "application/json", prefer="wait=50")
    assert gone.status == 200 and gone.json["state"] == "succeeded", gone.body
    assert verify()["error"]["code"] == "user_not_found"
    assert api.ask("DELETE", user, prefer="wait=50").status == 200, "no body means the default collection"


def test_an_erased_person_is_forgotten(site, api):
    """No tracker runs, so all that is shown of these tasks is what the gateway remembers."""

    def ask(path, **fields):
        answer = api.post_form(path, {"collection": "erased", **fields}, prefer="wait=50")
        assert answer.json["state"] == "succeeded", answer.body
        return answer.json["task_id"]

    def search():
        task_id = ask("/v1/search", image=photo(A))
        return task_id if task(api, task_id)["reply"]["result"]["candidates"] else None

    def status(task_id):
        return api.get(f"/v1/tasks/{task_id}").status

    other = ask("/v1/users/otto/faces", image=photo(OTHER))
    about_her = [ask("/v1/users/erna/faces", image=photo(A))]
    about_her += [wait_until(search, "she is found"), ask("/v1/verify", user_id="erna", image=photo(A))]
    assert [status(task_id) for task_id in (other, *about_her)] == [200] * 4

    def erase(collection):
        done = site.shell("erase", "erna", "--yes", "--collection", collection, "--set", "cache.redis_url=")
        assert done.returncode == 0, done.stderr

    erase("another")
    erase("erased")
    for task_id in about_her:
        wait_until(lambda task_id=task_id: status(task_id) == 404, "what was asked about her is forgotten")
    assert status(other) == 200


def test_a_trace_goes_on(site, api):
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    listener = Client(site.url)
    queue = listener.listen("facefleet.events", "task.#")
    answer = api.post_form("/v1/match", pair(), traceparent=f"00-{trace_id}-00f067aa0ba902b7-01", tracestate="a=1")

    def announced():
        """The gateway's own event; the worker's first one may overtake it."""
        properties, body = listener.next_message(queue)
        mine = properties.message_id == answer.json["task_id"] and properties.type == "facefleet.event.v1"
        return properties if mine and json.loads(body)["state"] == "pending" else None

    properties = wait_until(announced, "the pending event")
    listener.close()
    assert properties.headers["traceparent"].split("-")[1] == trace_id
    assert properties.headers["tracestate"] == "a=1"
    assert properties.headers["facefleet-deadline"] - properties.headers["facefleet-accepted"] == 24 * 3600 * 1000


def test_many_at_once(api):
    accepted = [api.post_form("/v1/match", pair(reference=str(i))).json["task_id"] for i in range(20)]
    assert len(set(accepted)) == 20
    for i, task_id in enumerate(accepted):
        assert wait_finished(api, task_id)["reference"] == str(i)


# --- cancelled ----------------------------------------------------------------------------------------


def test_a_waiting_task_is_cancelled(fleet, client_of):
    fleet.use_store()
    api = Api(fleet.gateway().wait_ready().port)
    client = client_of(fleet)
    told = client.listen("facefleet.control")
    task_id = api.post_form("/v1/match", pair(reference="r")).json["task_id"]
    events = api.events(f"/v1/tasks/{task_id}/events")
    answer = api.ask("DELETE", f"/v1/tasks/{task_id}")
    assert answer.status == 200, answer.body
    assert (answer.json["state"], answer.json["error"]["code"]) == ("final_failed", "cancelled")
    assert (answer.json["op"], answer.json["reference"], answer.json["reply"]["op"]) == ("match", "r", "match")
    assert events.ended.wait(60) and events.states(task_id)[-1] == "final_failed", "its stream ends"

    def broadcast():
        _, body = client.next_message(told)
        return json.loads(body).get("task_id") == task_id

    assert wait_until(broadcast, "the workers are told")
    again = api.ask("DELETE", f"/v1/tasks/{task_id}")
    assert again.status == 200 and again.json["finished_at"] == answer.json["finished_at"], again.body
    tracker = fleet.tracker().wait_ready()
    fleet.worker().wait_ready()
    late = 'facefleet_tracker_messages_total{kind="reply",outcome="repeated"}'
    wait_until(lambda: tracker.metric(late) == 1, "the reply of a worker that was not there to be told")
    shown = task(api, task_id)
    assert (shown["state"], shown["error"]["code"]) == ("final_failed", "cancelled"), "what comes later does not count"


def test_who_waits_for_a_cancelled_task_is_answered(fleet):
    fleet.use_store()
    api = Api(fleet.gateway().wait_ready().port)
    events = api.events("/v1/events")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(api.post_form, "/v1/match", pair(), prefer="wait=50")
        wait_until(lambda: events.events, "it is accepted")
        task_id = events.events[0]["data"]["task_id"]
        assert api.ask("DELETE", f"/v1/tasks/{task_id}").status == 200
        answer = waiting.result(60)
    events.close()
    assert answer.status == 200 and answer.json["error"]["code"] == "cancelled", answer.body


def test_a_task_that_has_ended_stays(api):
    task_id = api.post_form("/v1/match", pair(), prefer="wait=50").json["task_id"]
    answer = api.ask("DELETE", f"/v1/tasks/{task_id}")
    assert (answer.status, answer.code) == (409, "task_finished"), answer.body
    assert task(api, task_id)["state"] == "succeeded"


def test_nobody_cancels_for_others(guarded):
    fleet, program = guarded
    mine, console, admin = (
        Api(program.port, make_key(fleet, name, "--scopes", scopes))
        for name, scopes in (("mine", "match"), ("console", "match,read_all"), ("admin", "admin"))
    )
    stranger = Api(program.port, make_key(fleet, "stranger", "--scopes", "match"))
    path = mine.post_form("/v1/match", pair()).headers["location"]
    assert (stranger.ask("DELETE", path).status, stranger.ask("DELETE", path).code) == (404, "task_not_found")
    assert (console.ask("DELETE", path).status, console.ask("DELETE", path).code) == (403, "forbidden")
    assert mine.get(path).json["state"] == "pending"
    assert admin.ask("DELETE", path).json["state"] == "final_failed"
    assert mine.get(path).json["error"]["code"] == "cancelled", "its owner sees it"


# --- later ---------------------------------------------------------------------------------------------------


@pytest.fixture
def calendar(fleet):
    """A gateway whose scheduler is not there yet."""
    fleet.use_store()
    return fleet, Api(fleet.gateway().wait_ready().port)


def iso(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


def test_a_job_that_runs_later(calendar):
    fleet, api = calendar
    answer = api.post_form("/v1/match", pair(reference="r", delay_ms="1"))
    assert answer.status == 202 and answer.json["state"] == "scheduled", answer.body
    path = answer.headers["location"]
    assert path == "/v1/tasks/" + answer.json["task_id"]
    shown = api.get(path).json
    assert (shown["state"], shown["next_attempt_at"]) == ("scheduled", answer.json["run_at"])
    assert (shown["op"], shown["history"], shown["reply"]) == ("match", [], None)
    assert fleet.depth("facefleet.jobs.batch") == 0
    events = api.events(path + "/events")
    fleet.scheduler().wait_ready()
    fleet.tracker().wait_ready()
    fleet.worker().wait_ready()
    assert events.ended.wait(60) and events.states(answer.json["task_id"])[-1] == "succeeded"
    done = wait_finished(api, answer.json["task_id"])
    assert done["state"] == "succeeded" and done["reference"] == "r" and done["reply"]["result"]["matched"] is True


def test_a_job_of_json_at_a_time(calendar):
    _, api = calendar
    body = {"image_a": {"data": base64.b64encode(photo(A)).decode()}, "run_at": iso(3600)}
    answer = api.post_json("/v1/users/ann/faces", body)
    assert answer.status == 202 and answer.json["state"] == "scheduled", answer.body
    assert answer.json["run_at"].split(".")[0] + "Z" == body["run_at"]
    shown = api.get(answer.headers["location"]).json
    assert (shown["state"], shown["user_id"], shown["op"]) == ("scheduled", "ann", "enroll")


def test_a_scheduled_job_is_cancelled(calendar):
    fleet, api = calendar
    path = api.post_form("/v1/match", pair(delay_ms="3600000")).headers["location"]
    assert len(fleet.shell("schedule", "list", "--json").stdout.splitlines()) == 1
    other = Api(fleet.gateway().wait_ready().port)
    answer = other.ask("DELETE", path)
    assert answer.status == 200 and answer.json["error"]["code"] == "cancelled", answer.body
    assert answer.json["op"] == "match"
    assert fleet.shell("schedule", "list", "--json").stdout == "", "it does not run any more"
    assert api.get(path).json["error"]["code"] == "cancelled"


def test_a_repeated_request_is_scheduled_once(calendar):
    fleet, api = calendar

    def send(delay):
        return api.post_form("/v1/match", pair(delay_ms=delay), idempotency_key="k")

    first = send("3600000")
    assert first.status == 202, first.body
    again = send("3600000")
    assert again.status == 202 and again.json["task_id"] == first.json["task_id"], again.body
    assert send("3600001").code == "idempotency_reused", "another time is another request"
    assert len(fleet.shell("schedule", "list", "--json").stdout.splitlines()) == 1


@pytest.mark.parametrize(
    "fields, field",
    [
        ({"delay_ms": "-1"}, "delay_ms"),
        ({"delay_ms": "1.5"}, "delay_ms"),
        ({"delay_ms": "1e30"}, "delay_ms"),
        ({"delay_ms": "31622400001"}, "delay_ms"),
        ({"run_at": "tomorrow"}, "run_at"),
        ({"run_at": iso(-120)}, "run_at"),
        ({"run_at": iso(367 * 86400)}, "run_at"),
        ({"run_at": iso(60), "delay_ms": "1"}, "run_at"),
    ],
)
def test_times_that_are_refused(api, fields, field):
    answer = api.post_form("/v1/match", pair(**fields))
    assert (answer.status, answer.code, answer.json.get("field")) == (400, "invalid_job", field), answer.body
    if field == "delay_ms":
        body = {"image_a": {"url": "https://x/"}, "image_b": {"url": "https://x/"}, field: json.loads(fields[field])}
        assert api.post_json("/v1/match", body).json["field"] == field


def test_keys_that_may_schedule(guarded):
    fleet, program = guarded
    plain = Api(program.port, make_key(fleet, "plain", "--scopes", "match"))
    planner = Api(program.port, make_key(fleet, "planner", "--scopes", "match,schedule"))
    assert plain.post_form("/v1/match", pair(delay_ms="60000")).code == "forbidden"
    path = planner.post_form("/v1/match", pair(delay_ms="60000")).headers["location"]
    assert planner.get(path).json["state"] == "scheduled"
    assert plain.get(path).code == "task_not_found" and plain.ask("DELETE", path).code == "task_not_found"


def test_schedules_are_shown_and_removed(guarded):
    fleet, program = guarded
    planner, other, console, plain = (
        Api(program.port, make_key(fleet, name, "--scopes", scopes))
        for name, scopes in (
            ("planner", "match,schedule"),
            ("other", "match,schedule"),
            ("console", "schedule,read_all"),
            ("plain", "match"),
        )
    )
    ids = [planner.post_form("/v1/match", pair(delay_ms="3600000")).json["task_id"] for _ in range(3)]
    first = planner.get("/v1/schedules?limit=2").json
    rest = planner.get("/v1/schedules?limit=2&cursor=" + first["next"]).json
    assert [s["schedule_id"] for s in first["schedules"] + rest["schedules"]] == sorted(ids) and rest["next"] is None
    assert other.get("/v1/schedules").json["schedules"] == [] and len(console.get("/v1/schedules").json["schedules"]) == 3
    assert plain.get("/v1/schedules").code == "forbidden"
    assert planner.get("/v1/schedules?cursor=x").json["field"] == "cursor"
    path = f"/v1/schedules/{ids[0]}"
    assert planner.get(path).json["task_id"] == ids[0]
    assert other.get(path).code == other.ask("DELETE", path).code == "schedule_not_found"
    assert console.get(path).status == 200 and console.ask("DELETE", path).code == "forbidden"
    assert planner.ask("DELETE", path).json["schedule_id"] == ids[0]
    assert planner.ask("DELETE", path).code == "schedule_not_found"
    assert planner.get(f"/v1/tasks/{ids[0]}").code == "task_not_found"


# --- streams ------------------------------------------------------------------------------------------


def test_the_events_of_one_task(api):
    everything = api.events("/v1/events")
    task_id = api.post_form("/v1/match", pair()).json["task_id"]
    events = api.events(f"/v1/tasks/{task_id}/events")
    assert events.ended.wait(60), "the stream ends with the task"
    assert events.states(task_id)[-1] == "succeeded"
    assert events.events[-1]["data"]["result"]["matched"] is True
    assert events.events[-1]["id"] == f"{task_id}/1/succeeded"
    # The gateway's own word, that it is pending, may be the last.
    states = {"pending", "running", "succeeded"}
    wait_until(lambda: set(everything.states(task_id)) == states, "it is on the other stream too")
    assert not everything.ended.is_set()
    everything.close()
    again = api.events(f"/v1/tasks/{task_id}/events")
    assert again.ended.wait(60) and again.states(task_id) == ["succeeded"], "of a finished task the end is told at once"


def test_streams_are_limited(fleet):
    program = fleet.gateway(gateway__max_streams=1).wait_ready()
    api = Api(program.port)
    first = api.events("/v1/events")
    assert api.get("/v1/events").code == "too_many_streams"
    first.close()

    def metric():
        return program.metric("facefleet_gateway_streams")

    assert metric() == 1, "who left is found out by the next event or comment"
    wait_until(lambda: api.post_form("/v1/match", pair()).status == 202 and metric() == 0, "the place is free again")
    api.events("/v1/events").close()


# --- refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path, fields, status, code, field",
    [
        ("/v1/match", {"image_a": photo(A)}, 400, "invalid_job", "image_b"),
        ("/v1/match", {}, 400, "invalid_job", "image_a"),
        ("/v1/match", pair(image_a=b""), 400, "invalid_job", "image_a"),
        ("/v1/match", pair(scene="slow"), 400, "invalid_job", "scene"),
        ("/v1/match", pair(scene="\u00e9" * 40), 400, "invalid_job", "scene"),
        ("/v1/match", pair(threshold="2"), 400, "invalid_job", "options.threshold"),
        ("/v1/match", pair(threshold="nan"), 400, "invalid_job", "threshold"),
        ("/v1/match", pair(threshold="0x1"), 400, "invalid_job", "threshold"),
        ("/v1/match", pair(threshold="0.5", far="0.1"), 400, "invalid_job", "options"),
        ("/v1/match", pair(face_policy="smallest"), 400, "invalid_job", "face_policy"),
        ("/v1/match", pair(callback="ftp://x/"), 400, "invalid_job", "callback.url"),
        ("/v1/match", pair(callback="http://u:p@x/"), 400, "invalid_job", "callback.url"),
        ("/v1/match", pair(colour="blue"), 400, "invalid_job", None),
        ("/v1/match", pair(reference=b"file"), 400, "invalid_job", "reference"),
        ("/v1/match", pair(reference="x" * 257), 400, "invalid_job", "reference"),
        ("/v1/match", pair(image_a_url="https://x/y.jpg"), 400, "invalid_job", "image_a_url"),
        ("/v1/verify", {"image": photo(A)}, 400, "invalid_job", "user_id"),
        ("/v1/verify", {"image": photo(A), "user_id": "u" * 129}, 400, "invalid_job", "user_id"),
        ("/v1/search", {"image": photo(A), "top_k": "1001"}, 400, "invalid_job", "top_k"),
        ("/v1/search", {"image": photo(A), "top_k": "1.5"}, 400, "invalid_job", "top_k"),
        ("/v1/users/u/faces", {"image": photo(A), "user_id": "v"}, 400, "invalid_job", "user_id"),
        ("/v1/users/" + "u" * 129 + "/faces", {"image": photo(A)}, 400, "invalid_job", "user_id"),
        ("/v1/users/%FF/faces", {"image": photo(A)}, 400, "invalid_job", "user_id"),
        ("/v1/users/%00/faces", {"image": photo(A)}, 400, "bad_request", None),
        ("/v1/nothing", {}, 404, "not_found", None),
        ("/v1/tasks", {}, 405, "method_not_allowed", None),
        ("/v1/match", {"image_a": b"x" * 7000000, "image_b": b"y" * 7000000}, 413, "image_too_large", None),
    ],
)
def test_forms_that_are_refused(api, path, fields, status, code, field):
    answer = api.post_form(path, fields)
    assert (answer.status, answer.code, answer.json.get("field")) == (status, code, field), answer.body


@pytest.mark.parametrize(
    "body, field",
    [
        (b"", None),
        (b"{", None),
        (b"[]", None),
        (b"null", None),
        (b"{}", "image_a"),
        (b'{"op": "search"}', "op"),
        (b'{"op": 5}', "op"),
        (b'{"image_a": {"data": "!"}}', "image_a.data"),
        (b'{"image_a": {"url": "https://x/", "data": "aa=="}}', None),
        (b'{"image_a": {"url": "file:///etc/passwd"}, "image_b": {"url": "https://x/"}}', "image_a.url"),
        (b'{"image_a": "/etc/passwd"}', "image_a"),
        (b'{"scene": "batch", "scene": "batch"}', None),
        (b'{"a":' * 100 + b"1" + b"}" * 100, None),
        (b'{"reference": "\xff"}', None),
    ],
)
def test_json_that_is_refused(api, body, field):
    answer = api.ask("POST", "/v1/match", body, "application/json")
    assert (answer.status, answer.code) == (400, "invalid_job"), answer.body
    if field:
        assert answer.json["field"] == field, answer.body


@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "application/msgpack", "multipart/form-data", "multipart/form-data; boundary="]
)
def test_other_kinds_of_bodies(api, content_type):
    # urllib names a type of its own where none is given
    answer = api.ask("POST", "/v1/match", b"x", content_type)
    assert (answer.status, answer.code) == (415, "unsupported_media_type"), answer.body


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--b",
        b"--b--",
        b"--b\r\n\r\nx\r\n--b--",
        b'--b\r\nContent-Disposition: form-data; name="image_a"\r\n\r\nx',
        b'--b\r\nContent-Disposition: form-data; name="image_a"\r\nX',
        b'--b\r\nContent-Disposition: form-data; name="image_a\r\n\r\nx\r\n--b--',
        b'--b\r\nContent-Disposition: form-data; name="image_a"\r\nContent-Transfer-Encoding: base64\r\n\r\nx\r\n--b--',
        b"--b\r\nContent-Disposition: attachment\r\n\r\nx\r\n--b--",
        b"--bb\r\n",
        b"\r\n--b" * 1000,
    ],
)
def test_forms_that_are_broken(api, body):
    answer = api.ask("POST", "/v1/match", body, "multipart/form-data; boundary=b")
    assert answer.status == 400 and answer.code in ("invalid_form", "invalid_job"), answer.body


@pytest.mark.parametrize(
    "query, field",
    [
        ("?state=done", "state"),
        ("?scene=A", "scene"),
        ("?since=yesterday", "since"),
        ("?limit=0", "limit"),
        ("?limit=201", "limit"),
        ("?limit=-1", "limit"),
        ("?limit=1&limit=2", "limit"),
        ("?cursor=abc", "cursor"),
        ("?cursor=%2F", "cursor"),
        ("?user=%zz", "user"),
        ("?user=" + "u" * 200, "user"),
        ("?user=%FF", "user"),
        ("?colour=blue", "query"),
    ],
)
def test_queries_that_are_refused(api, query, field):
    answer = api.get("/v1/tasks" + query)
    assert (answer.status, answer.code, answer.json["field"]) == (400, "invalid_query", field), answer.body


def test_tasks_that_are_not_there(api):
    unknown = "01900000-0000-7000-8000-000000000000"
    for path in (f"/v1/tasks/{unknown}", "/v1/tasks/x", f"/v1/tasks/{unknown}/events", "/v1/tasks/" + "9" * 250):
        answer = api.get(path)
        assert (answer.status, answer.code) == (404, "task_not_found"), answer.body


def test_a_body_that_is_too_large_is_not_read(site, api):
    head = b"POST /v1/match HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n"
    answer = api.raw(head)
    assert answer.startswith(b"HTTP/1.1 413 ") and b'"body_too_large"' in answer
    assert api.get("/healthz").status == 200


# --- when something is away --------------------------------------------------------------------------------


def test_nobody_works_and_the_wait_ends(alone):
    api, _ = alone
    answer = api.post_form("/v1/match", pair(), prefer="wait=1")
    assert answer.status == 202 and answer.headers["preference-applied"] == "wait=1"
    assert task(api, answer.json["task_id"])["state"] == "pending"
    events = api.events(f"/v1/tasks/{answer.json['task_id']}/events")
    wait_until(lambda: events.states(answer.json["task_id"]) == ["pending"], "the stream begins with the state")
    events.close()
    answer = api.post_form("/v1/match", pair(), prefer="respond-async, wait=1")
    assert answer.status == 202 and answer.headers["preference-applied"] == "wait=1"
    answer = api.post_form("/v1/match", pair(), prefer="respond-async")
    assert answer.status == 202 and answer.headers["preference-applied"] == "respond-async"


def test_without_a_store(alone):
    api, _ = alone
    assert api.get("/v1/tasks").code == "store_unavailable"
    assert api.get("/v1/tasks/01900000-0000-7000-8000-000000000000").code == "store_unavailable"


def test_a_store_that_is_away(fleet):
    fleet.environment["FACEFLEET_STORE_URL"] = "postgresql://facefleet:secret@127.0.0.1:1/facefleet"
    program = fleet.gateway(store__timeout_ms=500).wait_ready()
    api = Api(program.port)
    for path in ("/v1/tasks", "/v1/tasks/01900000-0000-7000-8000-000000000000"):
        answer = api.get(path)
        assert (answer.status, answer.code) == (503, "store_unavailable"), answer.body
        assert answer.headers["retry-after"] == "1" and b"secret" not in answer.body
        assert "detail" not in answer.json, "where the store is, is not the client's business"
    assert "Connection refused" in program.log() and "secret" not in program.log()
    accepted = api.post_form("/v1/match", pair())
    assert accepted.status == 202, "jobs need no store"
    assert task(api, accepted.json["task_id"])["state"] == "pending", "known from memory"
    assert api.post_form("/v1/match", pair(), idempotency_key="k").code == "store_unavailable"
    assert program.get("/readyz")[0] == 200


def test_recorded_by_the_tracker(fleet):
    fleet.use_store()
    api = Api(fleet.gateway().wait_ready().port)
    fleet.tracker().wait_ready()
    fleet.worker().wait_ready()
    accepted = [api.post_form("/v1/match", pair(reference=str(i))).json["task_id"] for i in range(5)]

    def recorded(task_id):
        shown = task(api, task_id)
        return shown if shown["history"] and shown["history"][-1]["state"] == "succeeded" else None

    for task_id in accepted:
        shown = wait_until(lambda: recorded(task_id), "it is recorded")
        # The worker's first word may overtake the gateway's.
        assert shown["history"][0]["state"] in ("pending", "running")
        assert shown["state"] == "succeeded" and shown["reply"]["result"]["matched"] is True
    pages, cursor = [], ""
    while cursor is not None:
        page = api.get(f"/v1/tasks?state=succeeded&limit=2&cursor={cursor}").json
        pages += [row["task_id"] for row in page["tasks"]]
        cursor = page["next"]
    assert pages == accepted[::-1], "newest first, each once"
    assert api.get("/v1/tasks?scene=realtime").json["tasks"] == []


def test_a_broker_that_is_away(alone, broker):
    api, program = alone
    waiting = socket.create_connection(("127.0.0.1", api.port), timeout=60)
    content_type, body = form(pair())
    waiting.sendall(
        f"POST /v1/match HTTP/1.1\r\nHost: x\r\nPrefer: wait=30\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n".encode() + body
    )
    wait_until(lambda: program.metric('facefleet_gateway_accepted_total{op="match"}') == 1, "the job is with the broker")
    broker.command("ctl", "stop_app")
    try:
        wait_until(lambda: program.get("/readyz")[0] == 503, "the gateway has noticed")
        # Perhaps of the other of its two connections only.
        answer = wait_until(lambda: refused(api, "broker_unavailable"), "jobs are refused")
        assert answer.headers["retry-after"] == "1"
        assert program.get("/healthz")[0] == 200
    finally:
        broker.command("ctl", "start_app")
    program.wait_ready()
    assert api.post_form("/v1/match", pair()).status == 202
    waiting.close()


def test_a_broker_that_is_short_of_memory(fleet, broker):
    """The first job goes out before the broker says that it takes none."""
    program = fleet.gateway(gateway__confirm_timeout_ms=300).wait_ready()
    api = Api(program.port)
    broker.command("ctl", "set_vm_memory_high_watermark", "absolute", "1")
    try:
        answer = wait_until(lambda: refused(api, "unconfirmed"), "it does not confirm")
        assert answer.headers["retry-after"] == "1"
        assert task(api, answer.json["task_id"])["state"] == "pending", "it may exist"
        answer = wait_until(lambda: refused(api, "broker_unavailable"), "it has said so")
        assert "task_id" not in answer.json
        assert program.get("/readyz")[0] == 503
    finally:
        broker.command("ctl", "set_vm_memory_high_watermark", "0.8")
    program.wait_ready()
    wait_until(lambda: api.post_form("/v1/match", pair()).status == 202, "it confirms in time again")


def test_a_queue_that_is_full(alone, fleet, broker):
    api, _ = alone
    policy = {"pattern": "^facefleet\\.jobs\\.batch$", "definition": {"max-length": 1}, "apply-to": "queues"}
    broker.api("PUT", f"policies/{fleet.vhost}/full", policy)
    answer = wait_until(lambda: refused(api, "queue_full"), "the policy holds")
    assert answer.headers["retry-after"] == "1"
    assert "task_id" not in answer.json


# --- clients that do not behave -----------------------------------------------------------------------------


def test_slow_clients(fleet):
    program = fleet.gateway(gateway__body_timeout_ms=2000).wait_ready()
    api = Api(program.port)
    began = api.raw(b"POST /v1/match HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nab")
    assert b"202" not in began, "it is closed long before anything else would"
    assert api.post_form("/v1/match", pair()).status == 202


def test_over_tls(fleet, tmp_path):
    cert, key = str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command = ["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-keyout", key, "-out", cert, "-days", "2"]
    subprocess.run([*command, *names], check=True, capture_output=True)
    program = fleet.gateway(gateway__cert_file=cert, gateway__key_file=key)
    context = ssl.create_default_context(cafile=cert)

    def ready():
        try:
            url = f"https://localhost:{program.port}/readyz"
            return urllib.request.urlopen(url, context=context, timeout=60).status == 200
        except OSError:
            return False

    wait_until(ready, "it answers over TLS")
    content_type, body = form(pair())
    request = urllib.request.Request(
        f"https://localhost:{program.port}/v1/match", data=body, headers={"content-type": content_type}
    )
    assert urllib.request.urlopen(request, context=context, timeout=60).status == 202


def test_a_client_that_leaves(alone):
    api, program = alone
    content_type, body = form(pair())
    head = (
        f"POST /v1/match HTTP/1.1\r\nHost: x\r\nPrefer: wait=1\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode()
    for _ in range(10):
        with socket.create_connection(("127.0.0.1", api.port), timeout=60) as connection:
            connection.sendall(head + body)
    wait_until(lambda: program.metric('facefleet_gateway_accepted_total{op="match"}') == 10, "all are accepted")
    wait_until(lambda: program.metric("facefleet_gateway_waiting") == 0, "nobody waits any more")
    assert api.post_form("/v1/match", pair()).status == 202


def test_nothing_accepted_is_lost(alone, fleet, broker):
    """Clients that stay and clients that leave, streams, and connections to the broker that break in the middle."""
    api, program = alone
    content_type, body = form({"image_a": b"a" * 20000, "image_b": b"b" * 20000})
    head = f"POST /v1/match HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    accepted = []

    def client(number):
        for i in range(40):
            if i % 8 == number:
                with socket.create_connection(("127.0.0.1", api.port), timeout=60) as leaving:
                    leaving.sendall(head.encode() + body[: 1000 * i])
            if i % 10 == number:
                api.events("/v1/events").close()
            answer = api.ask("POST", "/v1/match", body, content_type)
            if answer.status == 202:
                accepted.append(answer.json["task_id"])
            else:
                assert answer.code in ("unconfirmed", "broker_unavailable"), answer.body
                wait_until(lambda: program.get("/readyz")[0] == 200, "the broker is back")

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        clients = [pool.submit(client, number) for number in range(6)]
        for share in (40, 120):
            wait_until(lambda: len(accepted) >= share, f"{share} are accepted")
            broker.command("ctl", "close_all_connections", "--vhost", fleet.vhost, "test")
        for done in clients:
            done.result()
    assert len(set(accepted)) == len(accepted) >= 120
    assert program.terminate() == 0
    reader = Client(fleet.url)
    queued = set()
    while True:
        method, properties, _ = reader.channel.basic_get("facefleet.jobs.batch", auto_ack=True)
        if not method:
            break
        queued.add(properties.message_id)
    reader.close()
    assert set(accepted) <= queued, "what was confirmed is there"


def test_a_polite_stop_answers_who_waits(alone):
    api, program = alone
    content_type, body = form(pair())
    with socket.create_connection(("127.0.0.1", api.port), timeout=60) as connection:
        connection.sendall(
            f"POST /v1/match HTTP/1.1\r\nHost: x\r\nPrefer: wait=30\r\nContent-Type: {content_type}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode() + body
        )
        wait_until(lambda: program.metric('facefleet_gateway_accepted_total{op="match"}') == 1, "it is accepted")
        began = time.monotonic()
        assert program.terminate() == 0
        assert re.match(rb"HTTP/1.1 202 ", connection.recv(65536))
        assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    "settings, words",
    [
        ({"gateway__listen": "0.0.0.0:0"}, "gateway.allow_anonymous"),
        ({"gateway__listen": "127.0.0.1"}, "127.0.0.1"),
        ({"gateway__cert_file": "/nowhere.pem"}, "/nowhere.pem"),
    ],
)
def test_settings_it_does_not_start_with(fleet, settings, words):
    program = fleet.gateway(**settings)
    fleet.programs.remove(program)  # it is meant to fail
    assert program.process.wait(timeout=60) == 2
    assert words in program.log()


# --- keys, rates, repetitions ------------------------------------------------------------------------------------


def test_keys(guarded):
    fleet, program = guarded
    key = make_key(fleet, "shop", "--scopes", "match")
    other = make_key(fleet, "other", "--scopes", "match,enroll")
    everything = make_key(fleet, "console", "--scopes", "match,read_all")
    nobody, shop, neighbour, console = (Api(program.port, k) for k in (None, key, other, everything))
    for stranger in (nobody, Api(program.port, "x"), Api(program.port, key[:-1] + ("A" if key[-1] != "A" else "B"))):
        answer = stranger.post_form("/v1/match", pair())
        assert (answer.status, answer.code) == (401, "unauthorized"), answer.body
        assert answer.headers["www-authenticate"] == "Bearer"
    assert nobody.get("/readyz").status == 200 and nobody.get("/v1/events").status == 401
    assert nobody.ask("POST", "/v1/match", b"", "text/plain", x_api_key=key).status == 415, "the other header will do"
    answer = shop.post_form("/v1/users/u/faces", {"image": photo(A)})
    assert (answer.status, answer.code) == (403, "forbidden")
    assert neighbour.post_form("/v1/users/u/faces", {"image": photo(A)}).status == 202

    events = neighbour.events("/v1/events")
    accepted = shop.post_form("/v1/match", pair())
    assert accepted.status == 202, accepted.body
    task_id = accepted.json["task_id"]
    assert task(shop, task_id)["state"] == "pending" and task(console, task_id)["state"] == "pending"
    assert neighbour.get(f"/v1/tasks/{task_id}").status == 404, "somebody else's task is not there"
    assert neighbour.get(f"/v1/tasks/{task_id}/events").status == 404
    own = neighbour.post_form("/v1/match", pair()).json["task_id"]
    wait_until(lambda: events.states(own), "its own event came")
    assert events.states(task_id) == []
    events.close()

    assert fleet.shell("keys", "revoke", key.split("_")[1]).returncode == 0
    wait_until(lambda: shop.get("/v1/tasks").status == 401, "the revocation shows")
    assert key.split("_", 2)[2] not in program.log()


def test_guessed_keys(guarded):
    fleet, program = guarded
    shop = Api(program.port, make_key(fleet, "shop", "--scopes", "match"))
    assert shop.get("/v1/tasks").status == 200

    def guess():
        return Api(program.port, f"ffk_{secrets.token_hex(8)}_{'A' * 43}").post_form("/v1/match", pair())

    assert guess().status == 401
    answer = wait_until(lambda: next((a for a in [guess()] if a.status != 401), None), "an end is put to it")
    assert (answer.status, answer.code) == (429, "rate_limited")
    assert int(answer.headers["retry-after"]) == 1
    assert shop.get("/v1/tasks").status == 200, "who was known before is not kept out"


def test_rates(guarded):
    fleet, program = guarded
    api = Api(program.port, make_key(fleet, "slow", "--rate", "0.01", "--burst", "2"))

    def rate(answer):
        return [int(answer.headers["ratelimit-" + name]) for name in ("limit", "remaining", "reset")]

    first, second = api.get("/v1/tasks"), api.get("/v1/tasks/01900000-0000-7000-8000-000000000000")
    assert (first.status, second.status) == (200, 404)
    assert rate(first) == [2, 1, 100] and rate(second)[:2] == [2, 0] and 100 < rate(second)[2] <= 200
    answer = api.get("/v1/tasks")
    assert (answer.status, answer.code) == (429, "rate_limited")
    assert 1 <= int(answer.headers["retry-after"]) <= 100
    assert rate(answer)[:2] == [2, 0]
    unlimited = Api(program.port, make_key(fleet, "fast"))
    assert not [name for name in unlimited.get("/v1/tasks").headers if name.lower().startswith("ratelimit")]


def test_a_request_that_is_repeated(site, api):
    def send(reference, key="k-1", **headers):
        return api.post_form("/v1/match", pair(reference=reference), idempotency_key=key, **headers)

    first = send("same")
    assert first.status == 202, first.body

    def again():
        answer = send("same")
        assert answer.status in (202, 409), answer.body
        return answer if answer.status == 202 else None

    answer = wait_until(again, "the first one is recorded")
    assert answer.json["task_id"] == first.json["task_id"] and answer.headers["idempotent-replayed"] == "true"
    assert answer.headers["location"] == first.headers["location"]
    assert send("another").code == "idempotency_reused"
    assert send("another", "k-2").json["task_id"] != first.json["task_id"]
    assert send("x", "\x7f" * 3).code == "invalid_header"
    assert send("x", "k" * 256).code == "invalid_header"


def test_strangers_from_elsewhere_need_keys(fleet):
    fleet.use_store()
    refused = fleet.gateway(gateway__listen="0.0.0.0:0")
    fleet.programs.remove(refused)
    assert refused.process.wait(timeout=60) == 2 and "there are no API keys" in refused.log()
    make_key(fleet, "k")
    port = free_port()
    program = fleet.gateway(gateway__listen=f"0.0.0.0:{port}")
    program.port = port
    program.wait_ready()
    assert Api(port).get("/v1/tasks").status == 401
