"""Settings that change while the programs run."""

import json
import signal
import time

import pytest

from fleet import wait_until
from http_support import Api
from jobs import match_job, photo
from settings_support import Settings, reloads, says

GOOD = "person01_1"
JOBS = 24


@pytest.fixture
def settings(fleet, tmp_path):
    return Settings(fleet, tmp_path / "facefleet.yaml")


def under_load(client, act):
    """Calls act() while jobs are worked on; none of them may fail."""
    job = match_job(photo(GOOD), photo(GOOD))
    for _ in range(JOBS // 2):
        client.publish(job)
    act()
    for _ in range(JOBS // 2):
        client.publish(job)
    replies = [client.next_reply() for _ in range(JOBS)]
    assert {reply["state"] for reply in replies} == {"succeeded"}, replies
    return replies


def test_a_threshold_changes_under_load(fleet, client_of, settings):
    worker = fleet.worker().wait_ready()
    client = client_of(fleet)
    under_load(client, lambda: settings.change(worker, "face: {min_threshold: 0.987}"))
    assert client.call(match_job(photo(GOOD), photo(GOOD)))["result"]["threshold"] == pytest.approx(0.987)
    under_load(client, lambda: settings.change(worker, ""))
    assert client.call(match_job(photo(GOOD), photo(GOOD)))["result"]["threshold"] < 0.9


def test_scenes_change_under_load(fleet, client_of, settings):
    settings.write("scenes: {kiosk: {lane: batch, deadline_ms: 5000}}")
    worker = fleet.worker().wait_ready()
    client = client_of(fleet)

    def minute_old():
        headers = {"facefleet-accepted": int(time.time() * 1000) - 60000}
        return client.call(match_job(photo(GOOD), photo(GOOD), scene="kiosk"), headers=headers)

    assert minute_old()["error"]["code"] == "deadline_exceeded"
    under_load(
        client,
        lambda: settings.change(worker, "scenes: {kiosk: {lane: batch, deadline_ms: 86400000}, gala: {lane: batch}}"),
    )
    assert minute_old()["state"] == "succeeded"
    assert client.call(match_job(photo(GOOD), photo(GOOD), scene="gala"))["state"] == "succeeded"
    under_load(client, lambda: settings.change(worker, ""))
    assert minute_old()["error"]["code"] == "invalid_job"


def prefetches(fleet):
    rows = fleet.broker.command(
        "ctl", "-q", "list_consumers", "-p", fleet.vhost, "queue_name", "prefetch_count", "--formatter", "json"
    )
    return {row["queue_name"]: row["prefetch_count"] for row in json.loads(rows)}


def test_a_prefetch_changes_under_load(fleet, client_of, settings):
    worker = fleet.worker().wait_ready()
    client = client_of(fleet)
    assert prefetches(fleet)["facefleet.jobs.batch"] == 2
    under_load(client, lambda: settings.change(worker, "worker: {prefetch_batch: 7, prefetch_realtime: 5}"))
    wait_until(lambda: prefetches(fleet).get("facefleet.jobs.batch") == 7, "seven jobs at once")
    wait_until(lambda: prefetches(fleet).get("facefleet.jobs.realtime") == 5, "five jobs at once")
    under_load(client, lambda: settings.change(worker, "worker: {prefetch_batch: 1}"))
    wait_until(lambda: prefetches(fleet).get("facefleet.jobs.batch") == 1, "one job at a time")
    worker.wait_ready()


def test_a_log_level_changes_under_load(fleet, client_of, settings):
    worker = fleet.worker().wait_ready()
    client = client_of(fleet)
    under_load(client, lambda: settings.change(worker, "log: {level: error}"))
    before = len(worker.log_lines())
    client.call(match_job(photo(GOOD), photo(GOOD)))
    assert len(worker.log_lines()) == before
    under_load(client, lambda: settings.change(worker, "log: {level: info}"))
    before = len(worker.log_lines())
    client.call(match_job(photo(GOOD), photo(GOOD)))
    wait_until(lambda: len(worker.log_lines()) > before, "the worker says what it does")


def test_a_rate_changes_under_load(fleet, settings):
    gateway = fleet.gateway().wait_ready()
    fleet.worker().wait_ready()
    api = Api(gateway.port)
    pair = {"image_a": photo(GOOD), "image_b": photo(GOOD)}

    def match():
        return api.post_form("/v1/match", pair, prefer="wait=30").status

    assert [match() for _ in range(3)] == [200, 200, 200]
    settings.change(gateway, "gateway: {rate: 0.001, burst: 2}")
    assert [match() for _ in range(3)] == [200, 200, 429]
    settings.change(gateway, "")
    assert [match() for _ in range(3)] == [200, 200, 200]


def test_a_wait_target_changes_under_load(fleet, client_of, settings):
    """Realtime jobs that have waited for half a minute, as the worker sees it: above one target and below the other."""
    settings.write("worker: {realtime_wait_target_ms: 60000}")
    worker = fleet.worker().wait_ready()
    client = client_of(fleet)

    def press():
        now = int(time.time() * 1000)
        headers = {"facefleet-accepted": now - 30_000, "facefleet-deadline": now + 3_600_000}
        job = match_job(b"no photograph", b"neither", scene="realtime")
        client.publish(job, lane="realtime", headers=headers, reply_to=None)

    def share():
        return worker.metric("facefleet_batch_share")

    press()
    under_load(client, lambda: settings.change(worker, "worker: {realtime_wait_target_ms: 20000}"))
    wait_until(lambda: press() or share() < 1, "the batch lane yields")
    settings.change(worker, "worker: {realtime_wait_target_ms: 0}")
    wait_until(lambda: share() == 1, "it does not any longer")
    press()
    under_load(client, lambda: None)
    assert share() == 1


def test_a_bound_of_the_batch_queue_changes(fleet, settings):
    gateway = fleet.gateway().wait_ready()
    api = Api(gateway.port)
    pair = {"image_a": photo(GOOD), "image_b": photo(GOOD), "scene": "batch"}

    def post():
        return api.post_form("/v1/match", pair).status

    assert [post() for _ in range(3)] == [202, 202, 202]
    wait_until(
        lambda: gateway.metric('facefleet_gateway_queue_depth{lane="batch"}') == 3, "the gateway has counted them"
    )
    settings.change(gateway, "gateway: {max_queue_depth: 2}")
    assert post() == 503
    settings.change(gateway, "gateway: {max_queue_depth: 1000}")
    assert post() == 202
    settings.change(gateway, "")
    assert post() == 202


def test_a_tracker_forgets_sooner(fleet, client_of, settings):
    fleet.use_store()
    tracker = fleet.tracker().wait_ready()
    fleet.worker().wait_ready()
    client = client_of(fleet)
    client.call(match_job(photo(GOOD), photo(GOOD)))

    def tasks():
        return fleet.shell("tasks", "--json", "--state", "succeeded").stdout

    wait_until(tasks, "the task is recorded")
    settings.change(tracker, "tracker: {keep_ms: 1000}")
    wait_until(lambda: not tasks(), "the task is removed")


def test_a_changed_file_is_noticed_without_a_signal(fleet, settings):
    worker = fleet.worker().wait_ready()
    settings.write("face: {min_threshold: 0.5}\nworker: {name: other}\n")
    wait_until(lambda: reloads(worker) == 1, "the worker has seen that its file changed")
    assert says(worker, "a setting changed", key="face.min_threshold", before="-1", after="0.5")
    assert says(worker, "a setting changed that needs a restart", key="worker.name", after="other")


@pytest.mark.parametrize("name", ["worker", "gateway", "callback", "tracker", "scheduler"])
def test_every_program_reads_again_and_refuses_what_is_wrong(fleet, settings, name):
    fleet.environment["FACEFLEET_CALLBACK_SECRET"] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    fleet.use_store()
    program = getattr(fleet, name)().wait_ready()
    settings.write("log:\n  level: debug\ncallback:\n  timeout_ms: soon\n")
    program.process.send_signal(signal.SIGHUP)
    wait_until(lambda: reloads(program, "refused") == 1, f"{name} refuses the file")
    (line,) = says(program, "the settings cannot be read again; the old ones hold")
    assert "facefleet.yaml:4:15: callback.timeout_ms: expected an integer" in line["error"]

    settings.change(program, "callback: {timeout_ms: 1000}")
    assert program.is_ready()
