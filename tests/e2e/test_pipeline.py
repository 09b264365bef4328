"""The straight line: a pair of photographs in, one answer out, with programs as they are shipped."""

import csv
import json
import os
import re
import signal
import time

import msgpack
import pytest

import photos
from fleet import SAMPLES, wait_until
from jobs import match_job, photo

SAME = ("person01_1", "person01_2")
DIFFERENT = ("person01_1", "person02_1")


def test_match_at_the_shell(shared_fleet):
    same = shared_fleet.shell("match", *(os.path.join(SAMPLES, name + ".jpg") for name in SAME))
    assert same.returncode == 0, same.stderr
    different = shared_fleet.shell("match", *(os.path.join(SAMPLES, name + ".jpg") for name in DIFFERENT))
    assert different.returncode == 1, different.stderr


def test_match_in_json(shared_fleet):
    done = shared_fleet.shell("match", "--json", *(os.path.join(SAMPLES, name + ".jpg") for name in SAME))
    reply = json.loads(done.stdout)
    assert reply["state"] == "succeeded"
    assert reply["result"]["matched"] is True
    assert reply["result"]["similarity"] > 0.7


def test_match_without_broker(shared_fleet):
    environment = {**shared_fleet.environment, "FACEFLEET_AMQP_URL": "amqp://127.0.0.1:1/"}
    done = shared_fleet.shell("match", *(os.path.join(SAMPLES, name + ".jpg") for name in SAME), env=environment)
    assert done.returncode == 4, done.stderr


def test_every_sample_pair_is_judged_right(shared_fleet, tmp_path):
    pairs = os.path.join(SAMPLES, "pairs.csv")
    out = tmp_path / "results.jsonl"
    done = shared_fleet.shell("submit", pairs, "--wait", "--out", str(out))
    assert done.returncode == 0, done.stderr
    with open(pairs, encoding="utf-8", newline="") as file:
        wanted = {row["id"]: row["same"] == "1" for row in csv.DictReader(file)}
    results = [json.loads(line) for line in out.read_text().splitlines()]
    assert {result["id"]: result["matched"] for result in results} == wanted


def test_reply_says_all_the_wire_promises(shared_client):
    before = int(time.time() * 1000)
    reply = shared_client.call(
        match_job(photo(SAME[0]), photo(SAME[1]), reference="order 7", scene="batch"),
        headers={"facefleet-accepted": before},
    )
    assert reply["op"] == "match"
    assert reply["reference"] == "order 7"
    assert reply["scene"] == "batch"
    assert reply["attempt"] == 1
    assert reply["state"] == "succeeded"
    assert reply.get("error") is None
    assert reply["worker"] and reply["model"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", reply["accepted_at"])
    assert reply["accepted_at"] <= reply["finished_at"]
    assert {"queue", "decode", "detect", "align", "embed", "compare", "total"} <= set(reply["timings_ms"])
    result = reply["result"]
    assert -1 <= result["threshold"] <= result["similarity"] <= 1.0001
    assert result["matched"] is True
    assert result["face_policy"] == "largest"
    for face in (result["face_a"], result["face_b"]):
        assert face["faces"] == 1 and face["index"] == 0
        assert len(face["box"]) == 4 and len(face["landmarks"]) == 5
        assert face["landmarks"][0][0] < face["landmarks"][1][0], "the eye on the picture's left comes first"


def test_unknown_scene_is_refused(shared_client):
    reply = shared_client.call(match_job(photo(SAME[0]), photo(SAME[1]), scene="onboarding"))
    assert reply["error"]["code"] == "invalid_job"
    assert "scene" in reply["error"]["message"]


def test_messagepack_is_answered_in_messagepack(shared_client):
    task_id = shared_client.publish(match_job(photo(SAME[0]), photo(SAME[1])), content_type="application/msgpack")
    properties, body = shared_client.next_message()
    assert properties.content_type == "application/msgpack"
    assert properties.type == "facefleet.reply.v1"
    assert properties.message_id == task_id
    assert msgpack.unpackb(body)["result"]["matched"] is True


def test_same_answer_in_both_encodings(shared_client):
    job = match_job(photo(DIFFERENT[0]), photo(DIFFERENT[1]))
    in_json = shared_client.call(job)
    in_msgpack = shared_client.call(job, content_type="application/msgpack")
    assert in_json["result"]["similarity"] == pytest.approx(in_msgpack["result"]["similarity"], abs=1e-6)
    assert in_json["result"]["matched"] is False


@pytest.mark.parametrize("lane", ["batch", "realtime"])
def test_both_lanes_are_served(shared_client, lane):
    now = int(time.time() * 1000)
    reply = shared_client.call(
        match_job(photo(SAME[0]), photo(SAME[1]), scene=lane),
        lane=lane,
        headers={"facefleet-accepted": now, "facefleet-deadline": now + 60_000},
    )
    assert reply["state"] == "succeeded", reply


def test_reply_to_gets_a_copy_and_the_exchange_too(shared_client):
    replies = shared_client.listen("facefleet.replies", "task.*.succeeded.quiet")
    events = shared_client.listen("facefleet.events", "task.*.running.quiet")
    task_id = shared_client.publish(match_job(photo(SAME[0]), photo(SAME[1])), correlation_id="mine")
    properties, _ = shared_client.next_message()
    assert properties.correlation_id == "mine"
    assert shared_client.next_reply_to(task_id, replies)["state"] == "succeeded"
    assert shared_client.next_reply_to(task_id, events)["state"] == "running"


def test_requester_that_left_blocks_nobody(shared_client):
    shared_client.publish(match_job(photo(SAME[0]), photo(SAME[1])), reply_to="a queue that is not there")
    reply = shared_client.call(match_job(photo(SAME[0]), photo(SAME[1])))
    assert reply["state"] == "succeeded"


def test_trace_id_is_passed_on(shared_client):
    traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    shared_client.publish(match_job(photo(SAME[0]), photo(SAME[1])), headers={"traceparent": traceparent})
    properties, _ = shared_client.next_message()
    assert properties.headers["traceparent"].split("-")[1] == traceparent.split("-")[1]


def test_expired_job_is_answered_without_being_computed(shared_client):
    now = int(time.time() * 1000)
    reply = shared_client.call(
        match_job(photo(SAME[0]), photo(SAME[1])),
        headers={"facefleet-accepted": now - 10_000, "facefleet-deadline": now - 5_000},
    )
    assert reply["state"] == "final_failed"
    assert reply["error"]["code"] == "deadline_exceeded"
    assert not {"decode", "detect", "embed"} & set(reply["timings_ms"])


def test_picture_kinds(shared_client):
    """PNG, and a JPEG turned by EXIF, give what the plain JPEG gives."""
    for picture in (photos.as_png(SAME[1]), photos.upside_down(SAME[1])):
        reply = shared_client.call(match_job(photo(SAME[0]), picture))
        assert reply["state"] == "succeeded", reply
        assert reply["result"]["matched"] is True


def test_two_faces(shared_client):
    pair = photos.side_by_side(DIFFERENT[0], DIFFERENT[1])
    refused = shared_client.call(match_job(pair, photo(SAME[1]), options={"face_policy": "reject_multiple"}))
    assert refused["error"]["code"] == "multiple_faces"
    assert refused["error"]["image"] == "a"
    best = shared_client.call(match_job(pair, photo(SAME[1]), options={"face_policy": "best_pair"}))
    assert best["result"]["matched"] is True
    assert best["result"]["face_a"]["faces"] == 2


def test_threshold_of_the_job_decides(shared_client):
    reply = shared_client.call(match_job(photo(DIFFERENT[0]), photo(DIFFERENT[1]), options={"threshold": -1}))
    assert reply["result"]["matched"] is True
    assert reply["result"]["threshold"] == -1


def test_image_by_url(shared_client, endpoint):
    endpoint.files["/a.jpg"] = photo(SAME[0])
    reply = shared_client.call(match_job(endpoint.url + "/a.jpg", photo(SAME[1])))
    assert reply["state"] == "succeeded", reply
    assert reply["timings_ms"]["fetch"] > 0


def test_health_and_metrics(fleet, client):
    worker = fleet.worker().wait_ready()
    assert worker.get("/healthz")[0] == 200
    client.call(match_job(photo(SAME[0]), photo(SAME[1])))
    status, text = worker.get("/metrics")
    assert status == 200
    series = dict(re.findall(r"^(\w+(?:\{[^}]*\})?) (\S+)$", text, re.MULTILINE))
    assert float(series["process_resident_memory_bytes"]) > 1e6
    finished = {name: value for name, value in series.items() if name.startswith("facefleet_") and "succeeded" in name}
    assert any(float(value) == 1 for value in finished.values()), text
    assert "# TYPE facefleet_" in text and "_seconds_bucket{" in text
    assert worker.get("/nothing")[0] == 404


def test_worker_is_not_ready_without_a_broker(fleet):
    fleet.environment["FACEFLEET_AMQP_URL"] = "amqp://127.0.0.1:1/"
    worker = fleet.worker()
    status, text = wait_until(lambda: worker.get("/readyz") if worker.get("/readyz")[0] else None, "an answer")
    assert status == 503 and text
    assert worker.get("/healthz")[0] == 200
    assert worker.terminate() == 0


def test_one_log_line_for_a_finished_task(fleet, client):
    worker = fleet.worker(log__format="json").wait_ready()
    reply = client.call(match_job(photo(SAME[0]), photo(SAME[1]), reference="r1"))
    lines = wait_until(
        lambda: [line for line in worker.log_lines() if reply["task_id"] in line.values() and "state" in line],
        "the log line of the task",
    )
    assert len(lines) == 1
    assert lines[0]["state"] == "succeeded"
    assert not any("guest:guest" in str(line) or fleet.broker.management.password in str(line)
                   for line in worker.log_lines()), "no password in a log"


def test_terminate_drains(fleet, client):
    """What the worker holds when SIGTERM comes is answered; what it does not hold waits for the next worker."""
    worker = fleet.worker().wait_ready()
    tasks = {client.publish(match_job(photo(SAME[0]), photo(SAME[1]))) for _ in range(40)}
    client.next_reply()
    worker.process.send_signal(signal.SIGTERM)
    assert worker.process.wait(timeout=60) == 0
    fleet.worker().wait_ready()
    answered = [client.next_reply()["task_id"] for _ in range(len(tasks) - 1)]
    assert len(set(answered)) == len(tasks) - 1, "every task was answered, and once"


def test_settings_that_are_wrong_stop_the_start(fleet):
    for name in ("facefleet-worker", "facefleet-callback"):
        program = fleet.start(name, {"amqp.heartbeat": "15"})
        assert program.process.wait(timeout=30) != 0
        program.killed = True
        assert "amqp.heartbeat_s" in program.log(), "the nearest known key is named"
