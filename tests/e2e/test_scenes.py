"""Scenes that the settings add or change, on their way through the programs."""

import subprocess

import pytest

from cli_support import photo as small_photo
from http_support import Api
from jobs import match_job, photo

GOOD = "person01_1"


@pytest.fixture
def scenes(fleet, tmp_path):
    """Writes the settings of all programs of the fleet."""

    def write(text):
        path = tmp_path / "facefleet.yaml"
        path.write_text(text)
        fleet.environment["FACEFLEET_CONFIG"] = str(path)

    return write


def run(fleet, program, *arguments):
    """Runs a program that ends by itself."""
    command = [fleet.program(program), *arguments]
    return subprocess.run(command, env=fleet.environment, capture_output=True, text=True, timeout=60)


def test_the_shell_sends_to_the_lane_and_with_the_deadline_of_a_scene(fleet, worker, tmp_path, scenes):
    scenes("scenes: {kiosk: {lane: realtime, deadline_ms: 8000}}")
    pictures = small_photo(tmp_path, "a.jpg"), small_photo(tmp_path, "b.jpg")
    done = fleet.shell("match", *pictures, "--scene", "kiosk")
    assert done.returncode == 0, done.stderr
    (job,) = worker.jobs
    assert job.lane == "realtime"
    assert job.body["scene"] == "kiosk"
    headers = job.properties.headers
    assert headers["facefleet-deadline"] - headers["facefleet-accepted"] == 8000

    done = fleet.shell("match", *pictures, "--scene", "kiosks")
    assert done.returncode == 2
    assert "--scene kiosks: no such scene in the settings" in done.stderr


def test_a_worker_takes_deadline_and_retries_from_its_settings(fleet, client_of, scenes, endpoint):
    scenes("scenes: {keen: {lane: batch, deadline_ms: 60000, retries: 2}, late: {lane: batch, deadline_ms: 5000}}")
    fleet.worker(fetch__allow="127.0.0.0/8").wait_ready()
    client = client_of(fleet)
    reply = client.call(match_job(photo(GOOD), photo(GOOD), scene="keen"))
    assert (reply["state"], reply["scene"]) == ("succeeded", "keen")

    reply = client.call(match_job(photo(GOOD), endpoint.url + "/missing.jpg", scene="keen"))
    assert reply["error"]["code"] == "image_fetch_failed"
    assert reply["attempt"] == 3

    accepted = {"facefleet-accepted": 1}
    reply = client.call(match_job(photo(GOOD), photo(GOOD), scene="late"), headers=accepted)
    assert reply["error"]["code"] == "deadline_exceeded"
    assert client.call(match_job(photo(GOOD), photo(GOOD), scene="gala"))["error"]["code"] == "invalid_job"


def test_the_gateway_takes_scenes_from_its_settings(fleet, scenes):
    scenes("scenes: {kiosk: {lane: realtime, deadline_ms: 60000}}")
    fleet.worker().wait_ready()
    gateway = fleet.gateway().wait_ready()
    api = Api(gateway.port)
    pair = {"image_a": photo(GOOD), "image_b": photo(GOOD)}
    answer = api.post_form("/v1/match", {**pair, "scene": "kiosk"}, prefer="wait=30")
    assert answer.status == 200, answer.body
    assert answer.json["scene"] == "kiosk"
    assert api.post_form("/v1/match", {**pair, "scene": "gala"}).code == "invalid_job"


def test_print_config_shows_scenes_and_a_bad_one_is_refused(fleet, scenes):
    scenes("scenes:\n  kiosk:\n    lane: realtime\n")
    done = run(fleet, "facefleet-worker", "--print-config", "--set", "scenes.kiosk.deadline_ms=900")
    assert "scenes.kiosk.deadline_ms: 900 " in done.stdout
    assert "scenes.batch.retries: 1 " in done.stdout

    scenes("scenes: {kiosk: {lane: realtime, backoff_ms: 70}}")
    done = run(fleet, "facefleet-gateway")
    assert done.returncode == 2
    assert "scenes.kiosk.backoff_ms: expected one of 1000|5000|30000" in done.stderr
