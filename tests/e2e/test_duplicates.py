"""A job that comes again after its end is answered from the store; where the store cannot say, it is done again."""

import time

import pika
import pytest

from fleet import wait_until
from jobs import as_json, match_job, new_task_id, photo
from test_poison import PARKED, give_back
from test_tracker import Store

JOB = match_job(photo("person01_1"), photo("person01_2"), reference="row 7")


@pytest.fixture
def store(fleet):
    store = Store(fleet.use_store())
    done = fleet.shell("topology", "--apply")
    assert done.returncode == 0, done.stderr
    return store


def publish_again(client, task_id, **properties):
    """The same message, as one that a worker took and never settled."""
    client.publish(JOB, message_id=task_id, **properties)
    give_back(client, 1)


def do_once(fleet, store, client):
    """A job done and recorded: its first worker, which is gone by now, and the reply."""
    fleet.tracker().wait_ready()
    worker = fleet.worker(worker__name="first").wait_ready()
    reply = client.call(JOB)
    wait_until(lambda: store.task(reply["task_id"], "state") == ["succeeded"], "it is recorded")
    assert worker.terminate() == 0
    return reply


def test_a_job_that_comes_again_is_answered_as_before(fleet, store, client):
    first = do_once(fleet, store, client)
    exchange = client.listen("facefleet.replies")
    publish_again(client, first["task_id"])
    worker = fleet.worker(worker__name="second").wait_ready()
    assert client.next_reply() == first
    assert client.next_reply(exchange) == first
    assert worker.metric("facefleet_worker_answered_again_total") == 1
    wait_until(lambda: fleet.depth("facefleet.jobs.batch") == 0, "it is acknowledged")
    assert store.log(first["task_id"]).count(("running", 1)) == 1
    store.check()


def test_a_job_that_the_broker_gave_up_on_after_its_end_is_answered_as_before(fleet, store, client):
    first = do_once(fleet, store, client)
    properties = pika.BasicProperties(
        message_id=first["task_id"],
        type="facefleet.job.v1",
        content_type="application/json",
        reply_to=client.reply_queue,
    )
    client.channel.basic_publish("facefleet.dead", "jobs", as_json(JOB), properties, mandatory=True)
    worker = fleet.worker(worker__name="second").wait_ready()
    assert client.next_reply() == first
    assert worker.metric("facefleet_worker_answered_again_total") == 1
    wait_until(lambda: fleet.depth("facefleet.dead.jobs") == 0, "it is acknowledged")
    assert client.count(PARKED) == 0


def test_its_callback_is_told_again(fleet, store, client):
    """The URL is in the job, and no part of what is recorded."""
    first = do_once(fleet, store, client)
    fleet.callback(callback__secret="whsec_" + "A" * 43 + "=").wait_ready()
    exchange = client.listen("facefleet.replies")
    client.publish({**JOB, "callback": {"url": "https://127.0.0.1:9/"}}, message_id=first["task_id"])
    give_back(client, 1)
    fleet.worker().wait_ready()
    properties, _ = client.next_message(exchange)
    assert properties.headers["facefleet-callback"] == "https://127.0.0.1:9/"


def test_without_the_store_it_is_done_again(fleet, store, client, tmp_path):
    first = do_once(fleet, store, client)
    publish_again(client, first["task_id"])
    fleet.environment["FACEFLEET_STORE_URL"] = "postgresql://nobody@127.0.0.1:1/none"
    worker = fleet.worker(worker__name="second").wait_ready()
    again = client.next_reply()
    assert (again["task_id"], again["worker"], again["state"]) == (first["task_id"], "second", "succeeded")
    assert worker.metric("facefleet_worker_answered_again_total") == 0


def test_a_job_cancelled_before_its_worker_started_is_skipped(fleet, store, client):
    """It has waited; nobody who heard of the cancellation is there any more."""
    accepted = int(time.time() * 1000) - 60000
    task_id = client.publish(JOB, message_id=new_task_id(), headers={"facefleet-accepted": accepted})
    done = fleet.shell("cancel", task_id)
    assert done.returncode == 0, done.stderr
    fleet.worker().wait_ready()
    reply = client.next_reply()
    assert (reply["task_id"], reply["error"]["code"]) == (task_id, "cancelled")
    assert reply["reference"] == "row 7"
    assert "embed" not in reply["timings_ms"]
