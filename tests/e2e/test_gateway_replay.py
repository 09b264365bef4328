"""POST /v1/tasks/{id}/replay: failed tasks whose job is still parked are done again."""

import concurrent.futures

import pytest

from fleet import wait_until
from http_support import Api, make_key
from jobs import PARKED, match_job, new_task_id, park, photo

A = "person01_1"
B = "person01_2"
QUEUE = "facefleet.jobs.batch"


@pytest.fixture
def gateway(fleet):
    """A gateway that nobody works for: tasks fail when they are cancelled."""
    fleet.use_store()
    return fleet, Api(fleet.gateway().wait_ready().port)


def good_job():
    return match_job(photo(A), photo(B), reference="r")


def failed_task(api):
    path = api.post_form("/v1/match", {"image_a": photo(A), "image_b": b"no picture"}).headers["location"]
    assert api.ask("DELETE", path).json["state"] == "final_failed"
    return path.rsplit("/", 1)[1]


def replay(api, task_id):
    return api.ask("POST", f"/v1/tasks/{task_id}/replay")


def test_a_failed_task_is_done_again(guarded, client_of):
    fleet, program = guarded
    keys = {name: make_key(fleet, name, "--scopes", scopes) for name, scopes in (
        ("mine", "match"), ("stranger", "match"), ("console", "match,read_all"), ("admin", "admin"))}
    mine, stranger, console, admin = (Api(program.port, key) for key in keys.values())
    fleet.tracker().wait_ready()
    fleet.worker().wait_ready()
    client = client_of(fleet)
    path = mine.post_form("/v1/match", {"image_a": photo(A), "image_b": b"no picture"}).headers["location"]
    task_id = path.rsplit("/", 1)[1]
    wait_until(lambda: mine.get(path).json["state"] == "final_failed", "it failed")
    answer = replay(mine, task_id)
    assert (answer.status, answer.code) == (409, "job_not_kept"), answer.body
    assert "send the job again" in answer.json["detail"]

    owner = {"facefleet-owner": keys["mine"].split("_")[1]}
    park(client, good_job(), reason="poison", message_id=task_id, headers=owner)
    park(client, good_job(), reason="poison")
    assert (replay(stranger, task_id).status, replay(stranger, task_id).code) == (404, "task_not_found")
    assert (replay(console, task_id).status, replay(console, task_id).code) == (403, "forbidden")
    answer = replay(mine, task_id)
    assert answer.status == 202 and answer.json["state"] == "pending", answer.body
    location = answer.headers["location"]
    assert location == "/v1/tasks/" + answer.json["task_id"] and location != path
    wait_until(lambda: mine.get(location).json["state"] == "succeeded", "it is done")
    assert mine.get(location).json["reference"] == "r"
    assert stranger.get(location).code == "task_not_found", "it is still the owner's"
    assert client.count(PARKED) == 1, "others stay"
    assert replay(mine, task_id).code == "job_not_kept", "once"

    park(client, good_job(), reason="poison", message_id=task_id, headers=owner)
    answer = replay(admin, task_id)
    assert answer.status == 202 and mine.get(answer.headers["location"]).status == 200, "also for an admin"


def test_tasks_that_have_not_failed(gateway):
    _, api = gateway
    waiting = api.post_form("/v1/match", {"image_a": photo(A), "image_b": photo(B)}).json["task_id"]
    scheduled = api.post_form("/v1/match", {"image_a": photo(A), "image_b": photo(B), "delay_ms": "60000"})
    for task_id, state in ((waiting, "pending"), (scheduled.json["task_id"], "scheduled")):
        answer = replay(api, task_id)
        assert (answer.status, answer.code) == (409, "task_not_failed") and state in answer.json["detail"], answer.body
    for task_id in (new_task_id(), "x"):
        assert (replay(api, task_id).status, replay(api, task_id).code) == (404, "task_not_found")


def test_a_job_that_would_only_come_back_stays(gateway, client_of):
    fleet, api = gateway
    client = client_of(fleet)
    task_id = failed_task(api)
    park(client, {**good_job(), "scene": "tomorrow"}, message_id=task_id)
    answer = replay(api, task_id)
    assert (answer.status, answer.code) == (400, "invalid_job") and "stays parked" in answer.json["detail"], answer.body
    assert client.count(PARKED) == 1


def test_a_job_that_no_queue_takes_stays(gateway, client_of, broker):
    fleet, api = gateway
    client = client_of(fleet)
    task_id = failed_task(api)
    park(client, good_job(), message_id=task_id)
    policy = {"pattern": "^facefleet\\.jobs\\.batch$", "definition": {"max-length": 1}, "apply-to": "queues"}
    broker.api("PUT", f"policies/{fleet.vhost}/full", policy)

    def refused():
        answer = api.post_form("/v1/match", {"image_a": photo(A), "image_b": photo(B)})
        return answer.status == 503

    wait_until(refused, "the policy holds")
    answer = replay(api, task_id)
    assert (answer.status, answer.code) == (503, "queue_full") and "task_id" not in answer.json, answer.body
    assert client.count(PARKED) == 1
    broker.api("DELETE", f"policies/{fleet.vhost}/full")
    answer = wait_until(lambda: (lambda a: a if a.status == 202 else None)(replay(api, task_id)), "there is room")
    assert api.get(answer.headers["location"]).json["state"] == "pending"
    assert client.count(PARKED) == 0


def test_many_at_once_lose_nothing(gateway, client_of):
    """One looks at a time, few wait, all others are told to come again; meanwhile the gateway serves."""
    fleet, api = gateway
    client = client_of(fleet)
    ids = [failed_task(api) for _ in range(12)]
    client.channel.queue_purge(QUEUE)
    for task_id in ids:
        park(client, good_job(), message_id=task_id)

    def done(task_id):
        answer = replay(api, task_id)
        if answer.status == 202:
            return answer.json["task_id"]
        assert (answer.status, answer.code) == (503, "overloaded") and answer.headers["retry-after"], answer.body
        return None

    with concurrent.futures.ThreadPoolExecutor(len(ids)) as pool:
        under_way = [pool.submit(wait_until, lambda i=task_id: done(i), "it is sent again") for task_id in ids]
        assert api.get("/v1/tasks").status == 200
        new_ids = {future.result() for future in under_way}
    assert len(new_ids) == len(ids)
    assert client.count(PARKED) == 0
    queued = set()
    while len(queued) < len(ids):
        properties, _ = client.next_message(QUEUE)
        queued.add(properties.message_id)
    assert queued == new_ids and client.count(QUEUE) == 0


def test_without_a_broker(gateway, client_of, broker):
    fleet, api = gateway
    client = client_of(fleet)
    task_id = failed_task(api)
    park(client, good_job(), message_id=task_id)
    user = broker.management.username
    broker.api("PUT", f"permissions/{fleet.vhost}/{user}", {"configure": "", "write": "", "read": ""})
    answer = replay(api, task_id)
    assert (answer.status, answer.code) == (503, "broker_unavailable"), answer.body
    broker.api("PUT", f"permissions/{fleet.vhost}/{user}", {"configure": ".*", "write": ".*", "read": ".*"})
    assert replay(api, task_id).status == 202
