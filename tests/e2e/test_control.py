"""What a worker hears and says on the control exchange."""

import json

import pika
import pytest

from fleet import wait_until
from jobs import match_job, new_task_id, photo

CONTROL = "facefleet.control"


def tell(client, **fields):
    client.channel.basic_publish(
        CONTROL, "", json.dumps(fields).encode(), pika.BasicProperties(type="facefleet.control.v1", content_type="application/json")
    )


def heartbeats(client, queue):
    """Those that lie in the queue, oldest first."""
    found = []
    while True:
        method, _, body = client.channel.basic_get(queue, auto_ack=True)
        if not method:
            return found
        message = json.loads(body)
        if message["kind"] == "heartbeat":
            found.append(message)


def wait_for_all(client, queue, names):
    """The last heartbeat of each of these workers."""
    seen = {}

    def everybody():
        seen.update({beat["worker"]: beat for beat in heartbeats(client, queue)})
        return set(seen) == set(names)

    wait_until(everybody, f"heard of {names}")
    return seen


@pytest.fixture
def queue(fleet, client):
    """What is said to everybody, from before the first worker starts."""
    done = fleet.shell("topology", "--apply")
    assert done.returncode == 0, done.stderr
    return client.listen(CONTROL)


@pytest.fixture
def start(fleet, client, queue):
    """Starts workers; what they say from then on answers a roll call: their first heartbeat, which can come later than
    /readyz, was heard, and the next is a minute away."""

    def start(*names):
        workers = [fleet.worker(worker__name=name, worker__heartbeat_ms=60000).wait_ready() for name in names]
        wait_for_all(client, queue, names)
        return workers

    return start


def test_a_roll_call_is_answered(client, queue, start):
    workers = start("first", "second")
    assert client.call(match_job(photo("person01_1"), photo("person01_2")))["state"] == "succeeded"
    tell(client, kind="roll_call")
    seen = wait_for_all(client, queue, ("first", "second"))
    assert {beat["pid"] for beat in seen.values()} == {worker.process.pid for worker in workers}
    assert sum(beat["tasks"] for beat in seen.values()) == 1
    for beat in seen.values():
        assert beat["threads"] == 1 and beat["rss_bytes"] > 1 << 20 and beat["model"] and beat["program_version"]


def test_heartbeats_come_by_themselves(fleet, client_of):
    fleet.worker(worker__name="lonely", worker__heartbeat_ms=100).wait_ready()
    client = client_of(fleet)
    queue = client.listen(CONTROL)
    count = 0

    def several():
        nonlocal count
        count += len(heartbeats(client, queue))
        return count >= 3

    wait_until(several, "three heartbeats")


def test_a_cancelled_job_is_not_computed(client, queue, start):
    (worker,) = start("only")
    task_id = new_task_id()
    tell(client, kind="task_cancelled", task_id=task_id)
    # The worker takes what is said in turn: once it answers the roll call, it has heard of the cancellation.
    tell(client, kind="roll_call")
    wait_for_all(client, queue, ("only",))
    reply = client.call(match_job(photo("person01_1"), photo("person01_2")), message_id=task_id)
    assert reply["state"] == "final_failed" and reply["error"]["code"] == "cancelled"
    assert "decode" not in reply["timings_ms"]
    assert client.call(match_job(photo("person01_1"), photo("person01_2")))["state"] == "succeeded"
    assert "makes no sense" not in worker.log()


def test_nonsense_is_survived(fleet, client_of):
    worker = fleet.worker().wait_ready()
    client = client_of(fleet)
    for body in (b"", b"\xff", b"[]", b'{"kind":"people_changed"}', b'{"kind":"tomorrow"}', b"{" * 100000):
        client.channel.basic_publish(CONTROL, "", body, pika.BasicProperties(type="facefleet.control.v1"))
    client.channel.basic_publish(CONTROL, "", b"{}", pika.BasicProperties(type="facefleet.control.v2"))
    assert client.call(match_job(photo("person01_1"), photo("person01_2")))["state"] == "succeeded"
    assert worker.is_ready()
