"""The HTTP API: what is accepted, and what becomes of it."""

import base64
import concurrent.futures
import json

from fleet import wait_until
from gateway_support import A, B, OTHER, pair, task, wait_finished
from http_support import Api, make_key
from jobs import Client, photo


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
