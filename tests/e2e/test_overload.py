"""What gives way when there is more to do than can be done: batch jobs, then what is optional, then new jobs."""

import time

import pytest

from fleet import wait_until
from jobs import Client, match_job, photo

SAME = ("person01_1", "person01_2")
BATCH_QUEUE = "facefleet.jobs.batch"


@pytest.fixture
def worker(fleet):
    """A worker, where nothing but press() makes realtime jobs wait for too long."""
    return fleet.worker(worker__realtime_wait_target_ms=20_000).wait_ready()


@pytest.fixture
def client(fleet, worker):
    client = Client(fleet.url)
    yield client
    client.close()


def press(client):
    """A realtime job that has waited for very long, as the worker sees it, and is quickly done."""
    now = int(time.time() * 1000)
    headers = {"facefleet-accepted": now - 60_000, "facefleet-deadline": now + 3_600_000}
    job = match_job(b"no photograph", b"neither", scene="realtime")
    client.publish(job, lane="realtime", headers=headers, reply_to=None)


def press_until(client, condition, what):
    def pressed():
        press(client)
        return condition()

    wait_until(pressed, what)


def consumers(client):
    return client.channel.queue_declare(BATCH_QUEUE, passive=True).method.consumer_count


def test_the_batch_lane_yields_to_realtime_and_returns(worker, client):
    assert worker.metric("facefleet_batch_share") == 1 and consumers(client) == 1
    press_until(client, lambda: worker.metric("facefleet_batch_share") < 1, "the batch lane yields")
    press_until(client, lambda: consumers(client) == 0, "the batch lane is left")
    assert worker.metric("facefleet_batch_share") == 0
    task_id = client.publish(match_job(photo(SAME[0]), photo(SAME[1])))
    wait_until(lambda: press(client) or client.count(BATCH_QUEUE) == 1, "the job waits in its queue")
    assert worker.is_ready(), "a lane that yields is no fault"
    reply = client.next_reply()
    assert reply["task_id"] == task_id and reply["state"] == "succeeded"
    wait_until(lambda: worker.metric("facefleet_batch_share") == 1, "the batch lane is back")
    assert consumers(client) == 1
    assert worker.metric('facefleet_queue_wait_seconds_count{lane="batch"}') == 1


def test_what_is_optional_is_left_out_and_comes_back(worker, client):
    press_until(client, lambda: worker.metric("facefleet_degraded") == 1, "the worker is degraded")
    now = int(time.time() * 1000)
    soon = {"facefleet-accepted": now, "facefleet-deadline": now + 3_600_000}
    job = match_job(photo(SAME[0]), photo(SAME[1]), scene="realtime")
    press(client)
    reply = client.call(job, lane="realtime", headers=soon)
    assert reply["degraded"] == ["timings"] and set(reply["timings_ms"]) == {"queue", "total"}
    assert reply["result"]["matched"] is True and reply["result"]["face_a"]["box"], "the verdict is whole"
    wait_until(lambda: worker.metric("facefleet_degraded") == 0, "the worker has recovered")
    reply = client.call(job, lane="realtime", headers=soon)
    assert "degraded" not in reply and "embed" in reply["timings_ms"]


def test_a_worker_whose_batch_lane_yielded_stops_politely(worker, client):
    press_until(client, lambda: worker.metric("facefleet_batch_share") == 0, "the batch lane is left")
    client.publish(match_job(photo(SAME[0]), photo(SAME[1])))
    assert worker.terminate() == 0
    assert client.count(BATCH_QUEUE) == 1, "it consumed again at its end"
