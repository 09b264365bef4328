"""Enrolled people over the wire: a fleet with a store, and without caches unless a test is about them."""

import itertools
import json
import secrets
import subprocess
import time

import pytest

from conftest import required
from fleet import wait_until
from jobs import Client, match_job, new_task_id, photo
from photos import plain, side_by_side
from settings_support import Settings


def person_job(op, user_id, image=None, **fields):
    job = {"op": op, "user_id": user_id, **fields}
    if image is not None:
        job["image_a"] = {"data": image}
    return {key: value for key, value in job.items() if value is not None}


class People:
    """What can be done to people, one job at a time."""

    def __init__(self, client, **fields):
        self.client = client
        self.fields = fields

    def call(self, op, user_id, image, properties, **fields):
        return self.client.call(person_job(op, user_id, image, **self.fields, **fields), **properties)

    def enroll(self, user_id, name, **properties):
        return self.call("enroll", user_id, photo(name), properties)

    def unenroll(self, user_id, **properties):
        return self.call("unenroll", user_id, None, properties)

    def verify(self, user_id, name, **fields):
        return self.call("verify", user_id, photo(name), {}, **fields)

    def search(self, name, **fields):
        return self.call("search", None, photo(name), {}, **fields)

    def found(self, name, **fields):
        """Who a search finds, best first."""
        return [candidate["user_id"] for candidate in self.search(name, **fields)["result"]["candidates"]]


def command_at(unix_ms):
    """Properties of a job that was accepted at that moment."""
    return {"headers": {"facefleet-accepted": unix_ms}}


def code(reply):
    return reply["error"]["code"] if reply["error"] else reply["state"]


@pytest.fixture
def people(fleet):
    """One worker, a file."""
    fleet.use_store()
    fleet.worker().wait_ready()
    client = Client(fleet.url)
    yield People(client)
    client.close()


def test_enrol_verify_search_unenrol(people):
    enrolled = people.enroll("ada", "person01_1")
    assert enrolled["state"] == "succeeded"
    assert enrolled["result"]["face_a"]["score"] > 0.8
    assert enrolled["user_id"] == "ada" and enrolled["collection"] == "default"
    people.enroll("bob", "person02_1")

    verified = people.verify("ada", "person01_2")
    assert verified["result"]["matched"] is True
    assert verified["result"]["similarity"] > 0.7
    assert people.verify("ada", "person02_2")["result"]["matched"] is False
    assert code(people.verify("eve", "person01_2")) == "user_not_found"

    wait_until(lambda: people.found("person01_2") == ["ada"], "ada is found")
    candidate = people.search("person01_3")["result"]["candidates"][0]
    assert candidate["image_id"] == enrolled["task_id"]
    assert candidate["similarity"] > 0.7

    assert people.unenroll("ada")["state"] == "succeeded"
    assert code(people.verify("ada", "person01_2")) == "user_not_found"
    wait_until(lambda: people.found("person01_2") == [], "ada is found no more")
    assert people.verify("bob", "person02_2")["result"]["matched"] is True


def test_top_k_threshold_and_collections(people):
    for number in range(1, 6):
        people.enroll(f"user-{number}", f"person0{number}_1")
    elsewhere = People(people.client, collection="elsewhere")
    elsewhere.enroll("somebody", "person01_2")
    wait_until(lambda: elsewhere.found("person01_1") == ["somebody"], "the other collection is found")
    everybody = people.search("person03_2", options={"threshold": -1, "top_k": 3})["result"]["candidates"]
    assert len(everybody) == 3
    assert everybody[0]["user_id"] == "user-3"
    assert [c["similarity"] for c in everybody] == sorted((c["similarity"] for c in everybody), reverse=True)
    assert people.found("person03_2") == ["user-3"]
    assert people.found("person03_2", options={"threshold": 1}) == []
    assert People(people.client, collection="nobody-here").found("person03_2") == []


def test_several_images_each_user_once(people):
    ids = [people.enroll("ada", f"person01_{number}")["task_id"] for number in (1, 2)]

    def images():
        return [candidate["image_id"] for candidate in people.search("person01_2")["result"]["candidates"]]

    wait_until(lambda: images() == [ids[1]], "ada is found once, by the better of the two")
    assert people.verify("ada", "person01_1")["result"]["similarity"] > 0.99


def test_what_cannot_be_enrolled_says_why(fleet, people):
    strict = fleet.worker(face__min_eye_distance=500)
    strict.wait_ready()
    fleet.programs[0].terminate()
    reply = people.enroll("ada", "person01_1")
    assert code(reply) == "low_quality"
    assert reply["error"]["image"] == "a"
    details = reply["error"]["details"]
    assert details["measure"] == "eye_distance" and details["limit"] == 500 and 0 < details["value"] < 500
    assert code(people.call("enroll", "ada", plain(300, 300), {})) == "no_face"
    two = people.call("enroll", "ada", side_by_side("person01_1", "person02_1"), {}, options={"face_policy": "reject_multiple"})
    assert code(two) == "multiple_faces"
    assert code(people.verify("ada", "person01_1")) == "user_not_found"


def test_jobs_that_name_nobody_are_invalid(people):
    assert code(people.call("enroll", None, photo("person01_1"), {})) == "invalid_job"
    assert code(people.call("verify", "", photo("person01_1"), {})) == "invalid_job"
    assert code(people.call("enroll", "ada", None, {})) == "invalid_job"
    assert code(people.call("unenroll", "a" * 129, None, {})) == "invalid_job"


def test_every_order_with_redeliveries_ends_with_the_newest_command(people):
    """Enrolment 1, unenrolment 2, enrolment 3; each comes twice, in an order of its own for each user."""
    start = int(time.time() * 1000) - 60000
    orders = list(itertools.permutations((1, 2, 3)))
    for number, order in enumerate(orders):
        user = f"user-{number}"
        ids = {step: new_task_id() for step in order}
        for step in (*order, order[0], order[2]):
            command = {"message_id": ids[step], **command_at(start + step)}
            if step == 2:
                reply = people.unenroll(user, **command)
            else:
                reply = people.enroll(user, "person02_1" if step == 1 else "person01_1", **command)
            assert code(reply) == "succeeded" or (step == 1 and code(reply) == "superseded"), (order, step, reply)
        assert people.verify(user, "person01_1")["result"]["similarity"] > 0.99, order
        assert people.verify(user, "person02_1")["result"]["similarity"] < 0.5, order


def test_a_late_enrolment_does_not_come_back(people):
    start = int(time.time() * 1000) - 60000
    assert code(people.unenroll("ada", **command_at(start + 1000))) == "succeeded"
    assert code(people.enroll("ada", "person01_1", **command_at(start))) == "superseded"
    assert code(people.verify("ada", "person01_1")) == "user_not_found"
    assert code(people.enroll("ada", "person01_1", **command_at(start + 2000))) == "succeeded"


def test_a_worker_without_a_store_says_so(fleet, client_of):
    fleet.worker().wait_ready()
    reply = client_of(fleet).call(person_job("verify", "ada", photo("person01_1")))
    assert code(reply) == "store_unavailable"
    assert "store.url" in reply["error"]["message"]


def test_a_store_without_schema_names_the_way_out(fleet):
    fleet.environment["FACEFLEET_STORE_URL"] = f"sqlite:{fleet.folder}/empty.db"
    worker = fleet.worker()
    assert wait_until(lambda: worker.process.poll() is not None and worker, "the worker ends").process.returncode != 0
    worker.killed = True
    assert "facefleet store migrate" in worker.log()


def test_a_photograph_seen_before_is_not_computed_again(fleet, client_of):
    fleet.worker(cache__photos_bytes=1 << 20).wait_ready()
    client = client_of(fleet)
    job = match_job(photo("person01_1"), photo("person01_2"))
    first, second = client.call(job), client.call(job)
    assert "embed" in first["timings_ms"] and "embed" not in second["timings_ms"]
    assert first["result"] == second["result"]
    assert fleet.programs[0].metric('facefleet_cache_lookup_duration_seconds_count{cache="photos",answer="process"}') == 2


# --- PostgreSQL, two workers ---


def psql(sql):
    server = required("FACEFLEET_TEST_POSTGRES_URL")
    subprocess.run(["psql", "-q", server, "-c", sql], check=True, stdout=subprocess.DEVNULL)


@pytest.fixture
def shared_store(fleet):
    """A database of one's own on the PostgreSQL that tests/run starts."""
    name = "t" + secrets.token_hex(6)
    psql(f"CREATE DATABASE {name}")
    return fleet.use_store(required("FACEFLEET_TEST_POSTGRES_URL").rsplit("/", 1)[0] + "/" + name)


def wait_for_galleries(workers, version, users, images):
    """Until they are at that version, and hold so many. (All at one version may still be all behind.)"""

    def state(worker):
        return tuple(worker.metric(f"facefleet_gallery_{what}") for what in ("version", "users", "images"))

    wait_until(lambda: {state(worker) for worker in workers} == {(version, users, images)}, "the workers agree")


def test_two_workers_agree_during_searches(fleet, shared_store, client_of):
    workers = [fleet.worker(people__poll_ms=60000).wait_ready() for _ in range(2)]
    people = People(client_of(fleet))
    searcher = client_of(fleet)
    searches = 0
    for round_number in range(3):
        for number in range(1, 10):
            searcher.publish(person_job("search", None, photo(f"person0{number}_2")))
            searches += 1
            people.enroll(f"user-{number}", f"person0{number}_1")
        for number in range(1, 10, 2):
            searcher.publish(person_job("search", None, photo(f"person0{number}_2")))
            searches += 1
            people.unenroll(f"user-{number}")
    for _ in range(searches):
        reply = searcher.next_reply()
        assert reply["state"] == "succeeded", reply
        wanted = {candidate["user_id"] for candidate in reply["result"]["candidates"]}
        assert len(wanted) <= 1
    wait_for_galleries(workers, version=3 * (9 + 5), users=4, images=12)  # users 2, 4, 6, 8, enrolled three times
    # One alone finds what both have.
    assert workers[0].terminate() == 0
    assert people.found("person02_2") == ["user-2"]
    assert people.found("person01_2") == []


def test_a_worker_that_hears_nothing_catches_up(fleet, shared_store, client_of):
    """Cut off from facefleet.control, a worker learns of changes by asking the store."""
    deaf = fleet.worker(people__poll_ms=300).wait_ready()
    # Its queue is its own, so it is the exchange that goes; the next worker makes a new one, without that queue.
    fleet.broker.api("DELETE", f"exchanges/{fleet.vhost}/facefleet.control")
    fleet.worker(people__poll_ms=60000).wait_ready()
    people = People(client_of(fleet))
    for number in range(1, 6):
        people.enroll(f"user-{number}", f"person0{number}_1")
    people.unenroll("user-1")
    wait_until(lambda: deaf.metric("facefleet_gallery_version") == 6, "the deaf worker catches up")
    assert deaf.metric("facefleet_gallery_users") == 4


def test_what_needs_the_store_waits_for_it(fleet, shared_store, client_of, tmp_path):
    """An enrolment while the store is away is tried again; searches, and people known, go on from memory."""
    # It is tried once more only, and by then the store must be back.
    Settings(fleet, tmp_path / "facefleet.yaml").write("scenes: {batch: {backoff_ms: 5000}}")
    worker = fleet.worker().wait_ready()
    people = People(client_of(fleet))
    listener = client_of(fleet)
    people.enroll("ada", "person01_1")
    assert people.verify("ada", "person01_2")["result"]["matched"] is True
    wait_until(lambda: worker.metric("facefleet_gallery_users") == 1, "ada is in the gallery")
    events = listener.listen("facefleet.events", "task.batch.retrying.quiet")
    name = shared_store.rsplit("/", 1)[1]
    psql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    psql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    assert people.found("person01_2") == ["ada"]
    assert people.verify("ada", "person01_2")["result"]["matched"] is True
    bob = people.client.publish(person_job("enroll", "bob", photo("person02_1")))
    _, event = listener.next_message(events)
    assert json.loads(event)["error"]["code"] == "store_unavailable"
    psql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    reply = people.client.next_reply()
    assert reply["task_id"] == bob and reply["state"] == "succeeded" and reply["attempt"] == 2, reply
    wait_until(lambda: people.found("person02_2") == ["bob"], "bob is found")
