"""What gives way when there is more to do than can be done: batch jobs, then what is optional, then new jobs."""

import time

import pytest

from fleet import wait_until
from http_support import Api
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


def is_left(worker, client):
    """Its share says so before its consumer has ended; and there is none for a moment, too, when its prefetch changes."""
    return worker.metric("facefleet_batch_share") == 0 and consumers(client) == 0


def test_the_batch_lane_yields_to_realtime_and_returns(worker, client):
    assert worker.metric("facefleet_batch_share") == 1 and consumers(client) == 1
    press_until(client, lambda: worker.metric("facefleet_batch_share") < 1, "the batch lane yields")
    press_until(client, lambda: is_left(worker, client), "the batch lane is left")
    task_id = client.publish(match_job(photo(SAME[0]), photo(SAME[1])))
    press_until(client, lambda: client.count(BATCH_QUEUE) == 1, "the job waits in its queue")
    assert worker.is_ready(), "a lane that yields is no fault"
    reply = client.next_reply()
    assert reply["task_id"] == task_id and reply["state"] == "succeeded"
    wait_until(lambda: worker.metric("facefleet_batch_share") == 1, "the batch lane is back")
    # A consumer with another prefetch is a new one: between the two there is none.
    wait_until(lambda: consumers(client) == 1, "the batch lane is consumed again")
    assert worker.metric('facefleet_queue_wait_seconds_count{lane="batch"}') == 1


def test_what_is_optional_is_left_out_and_comes_back(worker, client):
    press_until(client, lambda: worker.metric("facefleet_degraded") == 1, "the worker is degraded")
    now = int(time.time() * 1000)
    soon = {"facefleet-accepted": now, "facefleet-deadline": now + 3_600_000}
    job = match_job(photo(SAME[0]), photo(SAME[1]), scene="realtime")

    def look():
        """It may recover between a press and this job."""
        press(client)
        reply = client.call(job, lane="realtime", headers=soon)
        return reply if "degraded" in reply else None

    reply = wait_until(look, "a reply without what is optional")
    assert reply["degraded"] == ["timings"] and set(reply["timings_ms"]) == {"queue", "total"}
    assert reply["result"]["matched"] is True and reply["result"]["face_a"]["box"], "the verdict is whole"
    wait_until(lambda: worker.metric("facefleet_degraded") == 0, "the worker has recovered")
    reply = client.call(job, lane="realtime", headers=soon)
    assert "degraded" not in reply and "embed" in reply["timings_ms"]


def test_a_worker_whose_batch_lane_yielded_stops_politely(worker, client):
    press_until(client, lambda: is_left(worker, client), "the batch lane is left")
    client.publish(match_job(photo(SAME[0]), photo(SAME[1])))
    press_until(client, lambda: client.count(BATCH_QUEUE) == 1, "the job waits in its queue")
    assert worker.terminate() == 0
    assert client.count(BATCH_QUEUE) == 1, "it consumed again at its end"


# --- the gateway -----------------------------------------------------------------------------------------------


def post(api, scene="realtime"):
    return api.post_form("/v1/match", {"image_a": b"no photograph", "image_b": b"neither", "scene": scene})


def make_key(fleet, name):
    done = fleet.shell("keys", "create", name)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def retry_after(answer):
    return int(answer.headers["retry-after"])


def test_realtime_jobs_that_would_come_too_late_are_refused(fleet):
    """Nobody works, so those that are accepted wait; who sends much is refused first, and a worker ends it all."""
    fleet.use_store()
    gateway = fleet.gateway(gateway__allow_anonymous="false").wait_ready()
    greedy = Api(gateway.port, make_key(fleet, "greedy"))
    modest = Api(gateway.port, make_key(fleet, "modest"))
    assert post(greedy).status == 202
    seen = {"greedy": {}, "modest": {}}

    def flood():
        for name, api, times in (("greedy", greedy, 10), ("modest", modest, 1)):
            for _ in range(times):
                answer = post(api)
                seen[name].setdefault((answer.status, answer.code if answer.status != 202 else ""), []).append(answer)

    wait_until(lambda: flood() or (429, "over_share") in seen["greedy"], "who sends much is refused")
    wait_until(lambda: flood() or (503, "overloaded") in seen["modest"], "who sends little is refused at last")
    for answers in seen.values():
        assert set(answers) <= {(202, ""), (503, "overloaded"), (429, "over_share")}, set(answers)
        for (status, _), refused in answers.items():
            assert status == 202 or all(1 <= retry_after(answer) <= 30 for answer in refused)
    assert (429, "over_share") not in seen["modest"]
    seen["greedy"].clear()
    wait_until(lambda: flood() or (202, "") in seen["greedy"], "some are taken all the same")
    assert post(greedy, "batch").status == 202, "batch jobs have time"
    assert gateway.metric('facefleet_gateway_shed_total{lane="realtime",code="over_share"}') > 0

    fleet.worker().wait_ready()
    wait_until(lambda: gateway.metric("facefleet_gateway_realtime_part") == 1, "all are taken again")
    assert post(greedy).status == 202 and post(modest).status == 202


def test_batch_jobs_above_the_bound_are_refused(fleet):
    gateway = fleet.gateway(gateway__max_queue_depth=3).wait_ready()
    api = Api(gateway.port)
    refused = wait_until(lambda: (lambda a: a if a.status != 202 else None)(post(api, "batch")), "batch is refused")
    assert (refused.status, refused.code) == (503, "overloaded") and retry_after(refused) >= 1, refused.body
    fleet.worker().wait_ready()
    wait_until(lambda: post(api, "batch").status == 202, "batch is taken again")
