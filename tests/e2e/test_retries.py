"""Attempts that fail and jobs that the broker gives up on: what is announced, answered and parked."""

import json

from fleet import wait_until
from jobs import match_job, photo

GOOD = "person01_1"
DELIVERY_LIMIT = 20


def states_of(client, events):
    """The states announced up to and with the reply, each with its attempt, and the reply."""
    seen = []
    while True:
        _, body = client.next_message(events)
        message = json.loads(body)
        seen.append((message["state"], message["attempt"]))
        if message["state"] in ("succeeded", "final_failed"):
            return seen, message


def test_a_failed_attempt_is_followed_by_one_more(shared_client, endpoint):
    events = shared_client.listen("facefleet.events")
    shared_client.publish(match_job(photo(GOOD), endpoint.url + "/missing.jpg"))
    seen, reply = states_of(shared_client, events)
    assert seen == [
        ("running", 1),
        ("failed", 1),
        ("retrying", 1),
        ("running", 2),
        ("failed", 2),
        ("final_failed", 2),
    ]
    assert reply["error"]["code"] == "image_fetch_failed"
    assert len(endpoint.requests) == 2


def test_a_host_that_keeps_failing_is_not_asked_for_a_while(fleet, client, endpoint):
    worker = fleet.worker(fetch__allow="127.0.0.0/8").wait_ready()
    endpoint.plan["/a.jpg"] = [503]
    for _ in range(5):
        reply = client.call(match_job(photo(GOOD), endpoint.url + "/a.jpg"))
        assert reply["error"]["message"] == "the image's server answered 503"
    assert len(endpoint.requests) == 10, "two attempts each"
    assert worker.metric('facefleet_breakers_open{of="image_host"}') == 1
    reply = client.call(match_job(photo(GOOD), endpoint.url + "/a.jpg"))
    assert reply["error"]["code"] == "image_fetch_failed"
    assert "not asked" in reply["error"]["message"]
    assert len(endpoint.requests) == 10


def test_what_cannot_get_better_is_not_tried_again(shared_client):
    events = shared_client.listen("facefleet.events")
    shared_client.publish(match_job(photo(GOOD), b"no picture"))
    seen, _ = states_of(shared_client, events)
    assert seen == [("running", 1), ("failed", 1), ("final_failed", 1)]


def test_realtime_is_never_tried_again(shared_client, endpoint):
    events = shared_client.listen("facefleet.events")
    shared_client.publish(match_job(photo(GOOD), endpoint.url + "/missing.jpg", scene="realtime"), lane="realtime")
    seen, _ = states_of(shared_client, events)
    assert seen[-1] == ("final_failed", 1)
    assert ("retrying", 1) not in seen


def give_back_for_ever(client, queue):
    """Takes a job and gives it back until the broker has had enough: what a job that kills workers looks like."""

    def take():
        method, _, _ = client.channel.basic_get(queue)
        return method

    for _ in range(DELIVERY_LIMIT + 1):
        client.channel.basic_nack(wait_until(take, f"the job on {queue} again").delivery_tag, requeue=True)


def test_a_job_the_broker_gave_up_on_is_answered_and_parked(fleet, client):
    assert fleet.shell("topology", "--apply").returncode == 0
    task_id = client.publish(match_job(photo(GOOD), photo(GOOD), reference="row 9"))
    give_back_for_ever(client, "facefleet.jobs.batch")
    wait_until(lambda: client.count("facefleet.dead.jobs") == 1, "the broker gives up on the job")

    fleet.worker().wait_ready()
    reply = client.next_reply()
    assert (reply["task_id"], reply["state"], reply["reference"]) == (task_id, "final_failed", "row 9")
    assert reply["error"]["code"] == "poison"
    assert reply["error"]["retryable"] is False
    properties, body = client.next_message("facefleet.dead.parked")
    assert properties.message_id == task_id
    assert properties.headers["facefleet-origin"] == "facefleet.jobs.batch"
    assert "delivery_limit" in properties.headers["facefleet-reason"]
    assert json.loads(body)["reference"] == "row 9"
    wait_until(lambda: client.count("facefleet.dead.jobs") == 0, "the dead job is acknowledged")
