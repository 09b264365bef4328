"""The tracker: what becomes of every task stands in the store, whatever dies on the way."""

import json
import sqlite3
import time

import pika
import pytest

from conftest import required
from fleet import wait_until
from jobs import Client, match_job, new_task_id, photo
from store_support import Store, new_database, psql

QUEUE = "facefleet.tracker"
PARKED = "facefleet.dead.parked"


@pytest.fixture
def shared_store(fleet):
    return new_database(fleet, required("FACEFLEET_TEST_POSTGRES_URL"))


@pytest.fixture(params=["file", "server"])
def store(request, fleet):
    if request.param == "file":
        return Store(fleet.use_store())
    return new_database(fleet, required("FACEFLEET_TEST_POSTGRES_URL"))


class Publisher:
    """Says things about tasks as workers do."""

    def __init__(self, url):
        self.connection = pika.BlockingConnection(pika.URLParameters(url + "?heartbeat=0"))  # as in jobs.Client
        self.channel = self.connection.channel()
        self.channel.confirm_delivery()

    def say(self, body, kind="event", exchange="facefleet.events", key="task.batch.running.quiet", **headers):
        properties = {"content_type": "application/json", "type": f"facefleet.{kind}.v1", "delivery_mode": 2}
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.channel.basic_publish(exchange, key, text, pika.BasicProperties(headers=headers, **properties))

    def event(self, task_id, state, attempt=1, **headers):
        self.say({"task_id": task_id, "op": "match", "scene": "batch", "state": state, "attempt": attempt}, **headers)

    def reply(self, task_id, attempt=1):
        body = {"task_id": task_id, "op": "match", "scene": "batch", "state": "succeeded", "attempt": attempt}
        self.say(body, "reply", "facefleet.replies", "task.batch.succeeded.quiet")

    def close(self):
        if self.connection.is_open:
            self.connection.close()


@pytest.fixture
def publisher(fleet):
    """The tracker's queue is there from then on."""
    done = fleet.shell("topology", "--apply")
    assert done.returncode == 0, done.stderr
    publisher = Publisher(fleet.url)
    yield publisher
    publisher.close()


def test_a_batch_of_jobs_is_recorded(fleet, store):
    tracker = fleet.tracker().wait_ready()
    fleet.worker().wait_ready()
    client = Client(fleet.url)
    good = [client.publish(match_job(photo("person01_1"), photo("person01_2"), reference="r-1")) for _ in range(5)]
    packed = client.publish(
        match_job(photo("person01_1"), photo("person02_1")), content_type="application/msgpack"
    )
    bad = client.publish(match_job(b"no picture", photo("person01_2")), headers={"facefleet-owner": "key-1"})
    wait_until(lambda: store.terminal() == 7, "all tasks are finished in the store")
    client.close()

    for task_id in [*good, packed]:
        assert store.log(task_id) == [("running", 1), ("succeeded", 1)]
        state, attempt, worker, code, scene, _ = store.task(task_id)
        assert (state, attempt, code, scene) == ("succeeded", "1", "", "batch") and worker
    assert store.task(good[0], "reference, op, user_id") == ["r-1", "match", ""]
    assert store.task(bad)[0:2] == ["final_failed", "1"] and store.task(bad)[3] == "image_unsupported"
    assert store.task(bad)[5] == "key-1"
    accepted, deadline = store.task(good[0], "accepted, deadline")
    assert int(deadline) - int(accepted) == 24 * 3600 * 1000
    store.check()

    wait_until(lambda: tracker.metric('facefleet_tracker_tasks{state="succeeded"}') == 6, "the tracker counts them")
    replies = 'facefleet_tracker_messages_total{kind="reply",outcome="accepted"}'
    wait_until(lambda: tracker.metric(replies) == 7, "it counts the messages, on another thread")
    assert tracker.metric("facefleet_tracker_stuck") == 0
    wait_until(lambda: fleet.depth(QUEUE) == 0, "the queue is empty")


def test_replies_are_kept_as_json(fleet, store, publisher):
    fleet.tracker().wait_ready()
    task_id = new_task_id()
    publisher.reply(task_id)
    wait_until(lambda: store.task(task_id), "the task is there")
    as_text = "CAST(reply AS TEXT)" if store.url.startswith("sqlite:") else "convert_from(reply, 'UTF8')"
    reply = json.loads(store.task(task_id, as_text)[0])
    assert reply["task_id"] == task_id and reply["state"] == "succeeded" and reply["user_id"] is None


COUNT = 3000


def say_much(publisher, ids):
    """Two messages of each task, some said twice, and the ends before some of the beginnings."""
    for number, task_id in enumerate(ids):
        if number % 3 == 0:
            publisher.reply(task_id)
        publisher.event(task_id, "running")
        if number % 3 != 0:
            publisher.reply(task_id)
        if number % 5 == 0:
            publisher.event(task_id, "running")


def test_killed_again_and_again(fleet, store, publisher):
    ids = [new_task_id() for _ in range(COUNT)]
    for number in range(4):
        tracker = fleet.tracker(tracker__batch=50).wait_ready()
        part = ids[number * COUNT // 4 : (number + 1) * COUNT // 4]
        say_much(publisher, part[:-10])
        tracker.kill()
        say_much(publisher, part[-10:])
    wait_until(lambda: fleet.depth(QUEUE) > 0, "something was left")
    tracker = fleet.tracker().wait_ready()
    wait_until(lambda: store.terminal() == COUNT and fleet.depth(QUEUE) == 0, "all are recorded")
    assert store.states() == {"succeeded": COUNT}
    store.check()
    assert tracker.metric('facefleet_tracker_messages_total{kind="unreadable",outcome="parked"}') == 0


def test_two_trackers_share_the_work(fleet, store, publisher):
    trackers = [fleet.tracker(tracker__batch=20).wait_ready() for _ in range(2)]
    ids = [new_task_id() for _ in range(500)]
    say_much(publisher, ids)
    wait_until(lambda: store.terminal() == 500 and fleet.depth(QUEUE) == 0, "all are recorded")
    store.check()
    for tracker in trackers:
        assert tracker.metric('facefleet_tracker_messages_total{kind="event",outcome="accepted"}') > 0


def ready(publisher):
    """Messages that nobody holds. (A cancelled consumer counts as one for as long as it holds messages.)"""
    return publisher.channel.queue_declare(QUEUE, passive=True).method.message_count


def test_a_store_that_is_away(fleet, shared_store, publisher):
    tracker = fleet.tracker(store__timeout_ms=500).wait_ready()
    ids = [new_task_id() for _ in range(1500)]
    say_much(publisher, ids[:500])
    wait_until(lambda: shared_store.terminal() == 500, "the first are recorded")
    shared_store.cut_off()
    say_much(publisher, ids[500:1000])
    wait_until(lambda: tracker.get("/readyz")[0] == 503, "the tracker is not ready")
    assert "store" in tracker.get("/readyz")[1] and tracker.get("/healthz")[0] == 200

    def is_left():
        """Says what changes nothing; the consumer ends some time after /readyz says why."""
        publisher.event(ids[0], "running")
        return ready(publisher) > 0

    wait_until(is_left, "it consumes no more")
    say_much(publisher, ids[1000:])
    # It could hold four batches of 500, and takes none of the 1,100 that were just said.
    assert ready(publisher) >= 1100
    shared_store.let_in()
    wait_until(lambda: shared_store.terminal() == 1500 and fleet.depth(QUEUE) == 0, "it has caught up")
    assert shared_store.states() == {"succeeded": 1500}
    shared_store.check()
    tracker.wait_ready()


def test_started_while_the_store_is_away(fleet, shared_store, publisher):
    task_id = new_task_id()
    shared_store.cut_off()
    tracker = fleet.tracker(store__timeout_ms=500)
    publisher.event(task_id, "running")
    wait_until(lambda: tracker.get("/readyz")[0] == 503, "it runs, and is not ready")
    shared_store.let_in()
    wait_until(lambda: shared_store.task(task_id), "the task is recorded")


def test_a_schema_that_is_missing_ends_it(fleet, tmp_path):
    tracker = fleet.tracker(store__url=f"sqlite:{tmp_path}/empty.db")
    assert tracker.process.wait(timeout=60) == 2
    assert "facefleet store migrate" in tracker.log()
    tracker.killed = True  # it ended on purpose


def test_what_nobody_answers_is_closed(fleet, store, publisher):
    listener = Client(fleet.url)
    replies = listener.listen("facefleet.replies", "task.#")
    now_ms = int(time.time() * 1000)
    overdue, due, done = (new_task_id() for _ in range(3))
    before = {"facefleet-accepted": now_ms - 60000, "facefleet-deadline": now_ms - 20000, "facefleet-owner": "key-1"}
    publisher.event(overdue, "running", **before)
    publisher.event(due, "pending", **{"facefleet-deadline": now_ms + 3600000})
    publisher.event(done, "running", **before)
    publisher.reply(done)
    listener.next_reply(replies)
    tracker = fleet.tracker().wait_ready()
    properties, body = listener.next_message(replies)
    reply = json.loads(body)
    assert reply["task_id"] == overdue and reply["state"] == "final_failed" and reply["op"] == "match"
    assert reply["error"]["code"] == "deadline_exceeded" and reply["worker"].startswith("tracker-")
    assert properties.type == "facefleet.reply.v1" and properties.headers["facefleet-owner"] == "key-1"
    wait_until(lambda: store.task(overdue)[0] == "final_failed", "it is recorded like any other reply")
    assert store.task(overdue)[3] == "deadline_exceeded"
    assert store.task(due)[0] == "pending" and store.task(done)[0] == "succeeded"
    wait_until(lambda: tracker.metric("facefleet_tracker_closed_total") == 1, "the tracker counts it")
    store.check()
    assert listener.count(replies) == 0
    listener.close()


def test_stuck_and_old_tasks(fleet, store, publisher):
    stuck, old = new_task_id(), new_task_id()
    tracker = fleet.tracker(tracker__lease_ms=1000, tracker__keep_ms=1000).wait_ready()
    publisher.event(stuck, "running")
    publisher.reply(old)
    wait_until(lambda: tracker.metric("facefleet_tracker_stuck") == 1, "one is stuck")
    wait_until(lambda: tracker.metric("facefleet_tracker_purged_total") == 1, "one is gone")
    assert store.task(old) is None and store.log(old) == []
    sweeps = wait_until(lambda: tracker.metric("facefleet_tracker_stuck"), "still")
    assert sweeps == 1
    said = [line for line in tracker.log_lines() if line["message"] == "task has been running for too long"]
    assert [line["task_id"] for line in said] == [stuck]
    publisher.reply(stuck)
    wait_until(lambda: tracker.metric("facefleet_tracker_stuck") == 0, "it is not stuck any more")


def test_garbage_is_parked(fleet, store, publisher, client):
    tracker = fleet.tracker().wait_ready()
    good = new_task_id()
    publisher.say(b"no JSON at all")
    publisher.say({"task_id": "not an id", "state": "running", "attempt": 1})
    publisher.say({"task_id": new_task_id(), "state": "sleeping"})
    publisher.say({"task_id": new_task_id(), "state": "succeeded"})  # an end is a reply
    publisher.say({"task_id": new_task_id(), "state": "running"}, kind="rumour")
    publisher.say(b"", kind="reply")
    publisher.event(good, "running", **{"facefleet-owner": b"\xff\xfe"})
    wait_until(lambda: store.task(good), "what makes sense is recorded")
    wait_until(lambda: fleet.depth(PARKED) == 6 and fleet.depth(QUEUE) == 0, "the rest is parked")
    assert store.states() == {"running": 1}
    properties, body = client.next_message(PARKED)
    assert body == b"no JSON at all" and properties.headers["facefleet-origin"] == QUEUE
    assert "not an event, reply or delivery" in properties.headers["facefleet-reason"]
    assert tracker.metric('facefleet_tracker_messages_total{kind="unreadable",outcome="parked"}') == 6


def test_deliveries_of_callbacks(fleet, store, publisher):
    """Recorded once however often they come, beside whatever is said of the task, known or not."""
    tracker = fleet.tracker().wait_ready()
    known, unknown = new_task_id(), new_task_id()
    report = {"at": "2026-11-23T14:53:07.123Z", "attempt": 1, "outcome": "retrying", "origin": "http://x:80"}
    key = "delivery.batch.retrying"
    for task_id in (known, unknown, known):
        publisher.say({"task_id": task_id, **report}, kind="delivery", key=key)
    publisher.reply(known)
    publisher.say({"task_id": known, **report, "origin": "http://x:80/path"}, kind="delivery", key=key)
    wait_until(lambda: fleet.depth(PARKED) == 1, "one makes no sense")
    accepted = 'facefleet_tracker_messages_total{kind="delivery",outcome="accepted"}'
    wait_until(lambda: tracker.metric(accepted) == 3, "the other deliveries are recorded")
    wait_until(lambda: store.states() == {"succeeded": 1}, "the reply is recorded")
    rows = store.query("SELECT task_id, attempt, outcome, origin FROM task_deliveries ORDER BY task_id")
    assert rows == sorted([task_id, "1", "retrying", "http://x:80"] for task_id in (known, unknown))
    store.check()


def test_a_delivery_that_the_store_refuses(fleet, store, publisher, client):
    """It alone is parked: changes and deliveries beside it are recorded, each with an outcome of its own."""
    if store.url.startswith("sqlite:"):
        with sqlite3.connect(store.url.removeprefix("sqlite:"), timeout=30) as connection:
            connection.execute(
                "CREATE TRIGGER refuse BEFORE INSERT ON task_deliveries WHEN NEW.attempt = 13"
                " BEGIN SELECT RAISE(ABORT, 'refused'); END"
            )
    else:
        psql("ALTER TABLE task_deliveries ADD CHECK (attempt <> 13)", store.url)
    tracker = fleet.tracker().wait_ready()
    report = {"at": "2026-11-23T14:53:07.123Z", "outcome": "parked"}
    bad, good = new_task_id(), []

    def is_parked():
        """Once it has met others."""
        good.append(new_task_id())
        publisher.event(good[-1], "running")
        publisher.say({"task_id": good[-1], "attempt": 1, **report}, kind="delivery", key="delivery.batch.parked")
        publisher.reply(good[-1])
        return fleet.depth(PARKED) == 1

    publisher.say({"task_id": bad, "attempt": 13, **report}, kind="delivery", key="delivery.batch.parked")
    wait_until(is_parked, "the one is parked")
    properties, _ = client.next_message(PARKED)
    assert "it alone failed" in properties.headers["facefleet-reason"]
    wait_until(lambda: store.terminal() == len(good) and fleet.depth(QUEUE) == 0, "the others are recorded")
    assert sorted(store.query("SELECT task_id FROM task_deliveries")) == sorted([task_id] for task_id in good)
    assert tracker.metric('facefleet_tracker_messages_total{kind="delivery",outcome="parked"}') == 1
    store.check()


def test_it_stops_with_everything_recorded(fleet, store, publisher):
    tracker = fleet.tracker(tracker__batch=20).wait_ready()
    ids = [new_task_id() for _ in range(300)]
    say_much(publisher, ids)
    assert tracker.terminate() == 0
    recorded = sum(store.states().values())
    wait_until(lambda: recorded == 300 or ready(publisher) > 0, "what is not recorded is on the queue")
    fleet.tracker().wait_ready()
    wait_until(lambda: store.terminal() == 300 and fleet.depth(QUEUE) == 0, "the rest follows")
    store.check()


def test_a_broker_that_restarts(fleet, store, publisher):
    tracker = fleet.tracker(tracker__batch=50).wait_ready()
    ids = [new_task_id() for _ in range(400)]
    say_much(publisher, ids)
    publisher.close()
    fleet.broker.restart()
    wait_until(lambda: store.terminal() == 400 and fleet.depth(QUEUE) == 0, "all are recorded")
    store.check()
    tracker.wait_ready()


def test_erase_takes_the_tasks_of_a_person(fleet, store, publisher):
    fleet.tracker().wait_ready()
    ann, bob = new_task_id(), new_task_id()
    for task_id, user in ((ann, "ann"), (bob, "bob")):
        publisher.say({"task_id": task_id, "op": "verify", "user_id": user, "state": "running", "attempt": 1})
    wait_until(lambda: store.task(ann) and store.task(bob), "both are there")
    done = fleet.shell("erase", "ann", "--yes", "--set", "cache.redis_url=")
    assert done.returncode == 0 and "tasks   1 removed with its history\n" in done.stdout, done
    assert store.task(ann) is None and store.log(ann) == [] and store.task(bob)[0] == "running"
    store.check()


def test_erase_takes_a_person_out_of_the_searches_of_others(fleet, store, publisher):
    fleet.tracker().wait_ready()
    task_id = new_task_id()
    candidates = [{"user_id": user, "image_id": new_task_id(), "similarity": 0.5} for user in ("bob", "ann", "anna")]
    result = {"threshold": 0.3, "face_policy": "largest", "candidates": candidates}
    body = {"task_id": task_id, "op": "search", "collection": "staff", "state": "succeeded", "attempt": 1, "result": result}
    publisher.say(body, "reply", "facefleet.replies", "task.batch.succeeded.quiet")
    wait_until(lambda: store.task(task_id), "it is there")
    for collection, changed in (("others", 0), ("staff", 1)):
        done = fleet.shell("erase", "ann", "--yes", "--collection", collection, "--set", "cache.redis_url=")
        assert done.returncode == 0, done
        assert f"replies {changed} search" in done.stdout
        shown = json.loads(fleet.shell("task", task_id, "--json").stdout)
        found = [candidate["user_id"] for candidate in shown["reply"]["result"]["candidates"]]
        assert found == (["bob", "anna"] if changed else ["bob", "ann", "anna"])
    store.check()
