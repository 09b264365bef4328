"""The auditor finds what is wrong: it is the only one who would."""

import json
import types

import pytest

from endpoint import Endpoint, Request as Post, signature
from invariants import Auditor
from load import SHELL, Ledger, Request
from store_support import Store
from testbed import SECRET

SCHEMA = (
    "CREATE TABLE tasks (task_id TEXT, reference TEXT, state TEXT, error_code TEXT, finished BIGINT, user_id TEXT,"
    " transitions BIGINT)",
    "CREATE TABLE task_log (task_id TEXT, number BIGINT, state TEXT, attempt BIGINT)",
    "CREATE TABLE task_counts (pending BIGINT, running BIGINT, succeeded BIGINT, failed BIGINT, retrying BIGINT,"
    " final_failed BIGINT)",
    "CREATE TABLE images (collection TEXT, user_id TEXT, image_id TEXT)",
    "INSERT INTO task_counts VALUES (0, 0, 0, 0, 0, 0)",
)


class Scene:
    """Tasks, callbacks and queues as a test wants them."""

    def __init__(self, folder):
        self.store = Store(f"sqlite:{folder}/store.db")
        for statement in SCHEMA:
            self.store.query(statement)
        self.good, self.odd = Endpoint(), Endpoint()
        self.queues = []
        self.programs = {}
        self.fleet = types.SimpleNamespace(vhost="v", url="")
        self.broker = types.SimpleNamespace(command=lambda *_: json.dumps(self.queues))
        self.ledger = Ledger()
        load = types.SimpleNamespace(ledger=self.ledger, prefix="s1")
        self.auditor = Auditor(self, load)
        self.auditor.read_parked = lambda: None

    def task(self, task_id, *states, reference=None, **request):
        """Accepted, and recorded with these transitions (none: not recorded)."""
        words = (request.pop("op", "match"), request.pop("path", "/"))
        request = Request(reference or f"s1/{task_id}", *words, {}, **request)
        self.ledger.accept(task_id, request)
        for number, state in enumerate(states, 1):
            self.store.query(f"INSERT INTO task_log VALUES ('{task_id}', {number}, '{state}', 1)")
        if states:
            row = f"'{task_id}', '{request.reference}', '{states[-1]}', '', 1, '', {len(states)}"
            self.store.query(f"INSERT INTO tasks VALUES ({row})")
            self.store.query(f"UPDATE task_counts SET {states[-1]} = {states[-1]} + 1")

    def callback(self, task_id, secret=SECRET, about=None, state="succeeded"):
        body = json.dumps({"data": {"task_id": about or task_id, "state": state}}).encode()
        post = Post("/s1", {"webhook-id": task_id, "webhook-timestamp": "1"}, body)
        post.headers["webhook-signature"] = signature(secret, post)
        self.good.requests.append(post)

    def queue(self, ready, unacknowledged):
        self.queues.append(dict(name="q", messages_ready=ready, messages_unacknowledged=unacknowledged))


@pytest.fixture
def scene(tmp_path):
    scene = Scene(tmp_path)
    yield scene
    scene.good.close()
    scene.odd.close()


def test_all_is_well(scene):
    scene.task("a", "pending", "running", "succeeded", callback="good")
    scene.task("b", "running", "failed", "final_failed")
    scene.callback("a")
    scene.callback("a")
    scene.queue(0, 0)
    assert scene.auditor.open_ends() == [] and scene.auditor.faults() == []
    assert scene.auditor.told_otherwise() == set()


def test_a_task_that_is_lost(scene):
    scene.task("a", "succeeded")
    scene.task("b")
    assert scene.auditor.open_ends() == ["task b was accepted and is not in the store"]


def test_a_task_that_does_not_end(scene):
    scene.task("a", "pending", "running")
    assert scene.auditor.open_ends() == ["task a was accepted and is running"]


def test_a_callback_that_does_not_come(scene):
    scene.task("a", "succeeded", callback="odd")
    assert scene.auditor.open_ends() == ["task a: no callback to the odd endpoint"]
    scene.auditor.parked.append(("a", "gone"))
    assert scene.auditor.open_ends() == []
    assert scene.auditor.faults() == ["message a is parked: gone"]
    scene.auditor.may_park = "go.e"
    assert scene.auditor.faults() == []


@pytest.mark.parametrize("counts", [(1, 0), (0, 1)])
def test_a_message_that_is_left(scene, counts):
    scene.queue(*counts)
    assert scene.auditor.open_ends() == ["queue q: {} ready, {} unacknowledged".format(*counts)]


@pytest.mark.parametrize(
    "states",
    [("pending", "running", "pending", "succeeded"), ("succeeded", "running"), ("succeeded", "final_failed")],
)
def test_a_log_that_goes_backwards(scene, states):
    scene.task("a", *states)
    assert any("goes backwards" in fault for fault in scene.auditor.faults())


def test_a_task_that_ends_twice(scene):
    scene.task("a", "succeeded", "final_failed")
    assert "task a ended 2 times" in scene.auditor.faults()


@pytest.mark.parametrize("has_key", [True, False])
def test_a_request_that_is_done_twice(scene, has_key):
    for task_id in ("a", "b"):
        scene.task(task_id, "succeeded", reference="s1/r", is_safe_to_repeat=has_key)
        scene.task(task_id + "2", "succeeded", reference="s1/row", path=SHELL)  # which the shell may send again
    assert scene.auditor.faults() == ["s1/r: 2 tasks of one request"]


def test_an_answer_that_was_for_somebody_else(scene):
    scene.task("a", "succeeded")
    scene.ledger.accepted["a"] = Request("s1/other", "match", "/", {})
    assert scene.auditor.faults() == ["task a was promised for s1/other, and is s1/a"]


def test_a_task_that_is_given_to_two(scene):
    for reference in ("s1/one", "s1/other"):
        scene.ledger.accept("a", Request(reference, "match", "/", {}))
    assert scene.ledger.problems == ["task a was given to two requests"]


def test_a_request_that_is_done_though_it_was_refused(scene):
    scene.task("a", "succeeded")
    scene.ledger.leave_refused(scene.ledger.accepted.pop("a"))
    assert scene.auditor.faults() == ["s1/a: was refused, and is task a"]


def test_a_callback_that_is_wrong(scene):
    scene.task("a", "succeeded", callback="good")
    scene.task("b", "succeeded")
    scene.callback("a", secret="whsec_" + "A" * 32)
    scene.callback("a", about="b")
    scene.callback("b")
    scene.callback("c")
    assert sorted(scene.auditor.faults()) == [
        "a callback of task c, which the store does not know",
        "task a: a callback about b",
        "task a: a callback with a wrong signature",
        "task b: a callback that nobody wants",
    ]


def test_an_end_that_somebody_was_told_otherwise(scene):
    scene.task("a", "final_failed", callback="good")
    scene.callback("a", state="succeeded")
    assert scene.auditor.told_otherwise() == {"a"}


def test_people_who_are_not_as_promised(scene):
    scene.task("a", "succeeded", op="enroll", user="ann")
    scene.task("b", "succeeded", op="enroll", user="ben")
    scene.task("c", "succeeded", op="unenroll", user="ben")
    scene.store.query("INSERT INTO images VALUES ('s1', 'ben', 'b')")
    assert scene.auditor.faults() == [
        "task a has enrolled ann, who is not there",
        "task c has removed ben, who is still there",
    ]
