"""A job that kills whoever matches it: it is found out, answered and parked, and nothing else is lost for it."""

import json
import threading

import pika
import pytest

from fleet import wait_until
from jobs import Client, as_json, match_job, new_task_id, photo
from test_tracker import Store

GOOD = ("person01_1", "person01_2")
PARKED = "facefleet.dead.parked"
JOBS = 50


class Supervisor:
    """Starts a worker anew each time it dies, as systemd does."""

    def __init__(self, fleet, workers, **settings):
        self.deaths = []
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.start = lambda: fleet.worker(**settings)
        self.threads = [threading.Thread(target=self.look_after, args=(self.start(),)) for _ in range(workers)]
        for thread in self.threads:
            thread.start()

    def look_after(self, worker):
        while not self.stopping.wait(0.05):
            status = worker.process.poll()
            if status is None:
                continue
            worker.killed = True
            with self.lock:
                self.deaths.append(status)
                worker = self.start()

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()


@pytest.fixture
def supervised(fleet):
    supervisors = []

    def supervise(workers, **settings):
        supervisors.append(Supervisor(fleet, workers, **settings))
        return supervisors[-1]

    yield supervise
    for supervisor in supervisors:
        supervisor.stop()


def bad_and_good(client):
    """Publishes one poison job in the middle of good ones; its id and theirs."""
    body = as_json(match_job(photo(GOOD[0]), photo(GOOD[1])))
    good = [client.publish(body) for _ in range(JOBS // 2)]
    bad = client.publish(match_job(photo(GOOD[0]), photo(GOOD[1]), reference="crash:SIGSEGV"))
    return bad, good + [client.publish(body) for _ in range(JOBS - len(good))]


def test_one_poison_job_among_many_good_ones(fleet, supervised):
    store = Store(fleet.use_store())
    done = fleet.shell("topology", "--apply")
    assert done.returncode == 0, done.stderr
    fleet.tracker().wait_ready()
    client = Client(fleet.url)
    bad, good = bad_and_good(client)
    supervisor = supervised(2, worker__prefetch_batch=4)

    wait_until(lambda: store.terminal() == JOBS + 1, "every task ended", seconds=180)
    wait_until(lambda: len(supervisor.deaths) >= 2, "the supervisor has seen two die")
    assert len(supervisor.deaths) in (2, 3), supervisor.deaths
    assert store.states() == {"succeeded": JOBS, "final_failed": 1}
    assert store.task(bad, "state, error_code") == ["final_failed", "poison"]
    assert all(store.task(task_id, "state") == ["succeeded"] for task_id in good)
    store.check()

    replies = {}
    while len(replies) < JOBS + 1:
        reply = client.next_reply()
        replies[reply["task_id"]] = reply
    error = replies[bad]["error"]
    assert (error["code"], error["retryable"]) == ("poison", False)
    assert "SIGSEGV" in error["message"]
    assert (error["details"]["measure"], error["details"]["value"]) == ("signal", 11)

    properties, body = client.next_message(PARKED)
    assert properties.message_id == bad
    assert "SIGSEGV" in properties.headers["facefleet-reason"]
    assert json.loads(body)["reference"] == "crash:SIGSEGV"
    assert client.count(PARKED) == 0
    wait_until(lambda: fleet.depth("facefleet.jobs.batch") == 0, "the queue is empty")
    client.close()


def give_back(client, times, queue="facefleet.jobs.batch"):
    """Takes the one job there is and gives it back: then it is as suspect as one that killed workers."""

    def take():
        method, _, _ = client.channel.basic_get(queue)
        return method

    for _ in range(times):
        client.channel.basic_nack(wait_until(take, "the job again").delivery_tag, requeue=True)


def suspect(fleet, client, job, **settings):
    """Publishes a job, makes it suspect, starts a worker. The worker and the reply."""
    client.publish(job)
    give_back(client, 2)
    worker = fleet.worker(**settings).wait_ready()
    return worker, client.next_reply()


@pytest.fixture
def queues(fleet):
    done = fleet.shell("topology", "--apply")
    assert done.returncode == 0, done.stderr


def test_a_suspect_that_is_innocent_succeeds(fleet, queues, client):
    worker, reply = suspect(fleet, client, match_job(photo(GOOD[0]), photo(GOOD[1])))
    assert reply["state"] == "succeeded" and reply["result"]["matched"]
    assert reply["timings_ms"]["embed"] > 0
    assert worker.metric("facefleet_worker_quarantined_total") == 1
    assert client.count(PARKED) == 0


def test_a_suspect_that_never_ends_is_ended(fleet, queues, client):
    """Its process is killed when the time of the attempt is over. So is that of the next attempt: its message is a new
    one, which the broker has not counted, and is suspect all the same."""
    job = match_job(photo(GOOD[0]), photo(GOOD[1]), reference="crash:hang")
    worker, reply = suspect(fleet, client, job)
    assert (reply["state"], reply["attempt"], reply["error"]["code"]) == ("final_failed", 2, "attempt_timeout")
    assert worker.metric("facefleet_worker_quarantined_total") == 2
    client.publish(match_job(photo(GOOD[0]), photo(GOOD[1])))
    assert client.next_reply()["state"] == "succeeded"


def give_up(client, times):
    """A job that the broker gave up on, taken so often since by workers that died of it, as its reader sees it."""
    body = as_json(match_job(photo(GOOD[0]), photo(GOOD[1]), reference="read"))
    properties = pika.BasicProperties(
        message_id=new_task_id(), type="facefleet.job.v1", content_type="application/json", reply_to=client.reply_queue
    )
    client.channel.basic_publish("facefleet.dead", "jobs", body, properties, mandatory=True)
    give_back(client, times, "facefleet.dead.jobs")
    return properties.message_id


@pytest.mark.parametrize("times, reference", [(4, "read"), (5, None)])
def test_what_kills_who_reads_it_is_answered_unread(fleet, queues, client, times, reference):
    """Workers read a job that was given up, to answer it. What they die of meanwhile must not kill them for ever."""
    task_id = give_up(client, times)
    fleet.worker().wait_ready()
    reply = client.next_reply()
    assert (reply["task_id"], reply["state"], reply["error"]["code"]) == (task_id, "final_failed", "poison")
    assert reply["reference"] == reference
    properties, body = client.next_message(PARKED)
    assert (properties.message_id, json.loads(body)["reference"]) == (task_id, "read")


def test_a_dead_letter_that_is_no_job_is_answered_with_the_reason(fleet, queues, client):
    properties = pika.BasicProperties(
        message_id=new_task_id(), type="facefleet.job.v1", content_type="application/json", reply_to=client.reply_queue
    )
    client.channel.basic_publish("facefleet.dead", "jobs", b'{"op": "dance"}', properties, mandatory=True)
    fleet.worker().wait_ready()
    reply = client.next_reply()
    assert (reply["state"], reply["error"]["code"]) == ("final_failed", "invalid_job")
    parked, _ = client.next_message(PARKED)
    assert "op" in parked.headers["facefleet-reason"]
