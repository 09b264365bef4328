"""What a worker hears and says on the control exchange."""

import json

import pika

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


def test_a_roll_call_is_answered(fleet, client_of):
    workers = [fleet.worker(worker__name=name, worker__heartbeat_ms=60000).wait_ready() for name in ("first", "second")]
    client = client_of(fleet)
    queue = client.listen(CONTROL)
    assert client.call(match_job(photo("person01_1"), photo("person01_2")))["state"] == "succeeded"
    tell(client, kind="roll_call")
    seen = {}

    def everybody():
        seen.update({beat["worker"]: beat for beat in heartbeats(client, queue)})
        return len(seen) == 2

    wait_until(everybody, "both answer")
    assert set(seen) == {"first", "second"}
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


def test_a_cancelled_job_is_not_computed(fleet, client_of):
    worker = fleet.worker().wait_ready()
    client = client_of(fleet)
    task_id = new_task_id()
    tell(client, kind="task_cancelled", task_id=task_id)
    # The worker takes what is said in turn: once it answers the roll call, it has heard of the cancellation.
    queue = client.listen(CONTROL)
    tell(client, kind="roll_call")
    wait_until(lambda: heartbeats(client, queue), "the worker answers")
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
