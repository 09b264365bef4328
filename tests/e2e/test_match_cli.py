"""`facefleet match` against a worker that answers as it is told."""

import json
import re
import signal
import subprocess

import pytest
from PIL import Image

import cli_support
from cli_support import PIPES, on_terminal, photo, reply_to, wait_for_end
from fleet import wait_until
from photos import plain


def test_match_sends_what_the_wire_says(fleet, worker, two):
    done = fleet.shell("match", *two, "--scene", "realtime", "--threshold", "0.5", "--policy", "best_pair")
    assert done.returncode == 0, done.stderr
    (job,) = worker.jobs
    assert job.lane == "realtime"
    assert job.body["op"] == "match"
    assert job.body["image_a"] == {"data": b"\xff\xd8 pixels"}
    assert job.body["image_b"] == {"data": b"\xff\xd8 others"}
    assert job.body["scene"] == "realtime"
    assert job.body["options"]["threshold"] == 0.5
    assert job.body["options"]["face_policy"] == "best_pair"
    properties = job.properties
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", properties.message_id)
    assert properties.type == "facefleet.job.v1"
    assert properties.content_type == "application/msgpack"
    assert properties.delivery_mode == 2
    assert properties.correlation_id == properties.message_id
    assert properties.reply_to.startswith("facefleet.cli.")
    assert properties.headers["facefleet-attempt"] == 1
    assert properties.headers["facefleet-deadline"] - properties.headers["facefleet-accepted"] == 300
    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]", properties.headers["traceparent"])


def test_its_reply_queue_ends_with_it(fleet, worker, two):
    """Or a script that matches all day leaves thousands on the broker."""
    assert fleet.shell("match", *two).returncode == 0
    (job,) = worker.jobs
    assert fleet.depth(job.properties.reply_to) == -1


def test_match_of_the_same_person(fleet, worker, two):
    done = fleet.shell("match", *two)
    assert done.returncode == 0
    assert done.stdout.startswith("same person\n  similarity  0.8125\n  threshold   0.3750\n")
    assert "100 x 120 at 10, 20" in done.stdout
    assert "total 12.5" in done.stdout
    assert "\033" not in done.stdout
    assert done.stderr == ""


def test_match_of_two_people(fleet, worker, two):
    worker.answer = cli_support.different
    done = fleet.shell("match", *two)
    assert done.returncode == 1
    assert done.stdout.startswith("not the same person\n")


def test_match_that_fails(fleet, worker, two):
    worker.answer = cli_support.failed
    done = fleet.shell("match", *two)
    assert done.returncode == 3
    assert "no_face" in done.stdout and "image_b: no face" in done.stdout


def test_match_in_json_is_the_reply(fleet, worker, two):
    done = fleet.shell("match", "--json", *two)
    assert done.returncode == 0
    reply = json.loads(done.stdout)
    assert reply["task_id"] == worker.jobs[0].properties.message_id
    assert reply["state"] == "succeeded"
    assert reply["result"]["matched"] is True
    assert reply["result"]["similarity"] == 0.8125
    assert reply["result"]["face_a"]["box"] == [10, 20, 100, 120]
    assert reply["timings_ms"] == {"queue": 0.5, "total": 12.5}
    assert reply["error"] is None


def test_match_passes_urls_on(fleet, worker, two):
    done = fleet.shell("match", two[0], "https://example.com/b.jpg", "--callback", "https://example.com/hook")
    assert done.returncode == 0, done.stderr
    assert worker.jobs[0].body["image_b"] == {"url": "https://example.com/b.jpg"}
    assert worker.jobs[0].body["callback"] == {"url": "https://example.com/hook"}


@pytest.mark.parametrize(
    "answer, status, colour",
    [
        (cli_support.same, 0, (0x3D, 0xDC, 0x68)),
        (cli_support.different, 1, (0xFF, 0x5A, 0x4D)),
        (cli_support.failed, 3, None),
    ],
)
def test_match_draws_a_picture(fleet, worker, tmp_path, answer, status, colour):
    worker.answer = answer
    photographs = [photo(tmp_path, "a.jpg", plain(300, 200)), photo(tmp_path, "b.png", plain(200, 300, "PNG"))]
    out = tmp_path / "out.jpg"
    done = fleet.shell("match", *photographs, "--picture", str(out))
    assert done.returncode == status, done.stderr
    picture = Image.open(out)
    picture.load()
    assert picture.format == "JPEG" and picture.width == 640 and 340 < picture.height < 480
    if colour:  # the upper edge of the box at 10, 20, behind the margin and the line with the name
        pixel = picture.getpixel((16 + 60, 34 + 20))
        assert all(abs(have - want) < 60 for have, want in zip(pixel, colour)), pixel


def test_match_draws_only_files(fleet, worker, two, tmp_path):
    out = tmp_path / "out.jpg"
    done = fleet.shell("match", two[0], "https://example.com/b.jpg", "--picture", str(out))
    assert done.returncode == 2 and "as files" in done.stderr
    assert worker.jobs == [] and not out.exists()
    before = open(two[1], "rb").read()
    out.symlink_to(two[1])
    done = fleet.shell("match", *two, "--picture", str(out))
    assert done.returncode == 2 and "is a photograph that is read" in done.stderr
    assert worker.jobs == [] and open(two[1], "rb").read() == before
    done = fleet.shell("match", *two, "--picture", str(tmp_path / "nowhere" / "out.jpg"))
    assert done.returncode == 5 and "nowhere" in done.stderr
    assert done.stdout.startswith("same person")


def test_match_without_a_reply(fleet, worker, two):
    worker.answer = cli_support.silent
    done = fleet.shell("match", "--timeout", "0.5", "--json", *two)
    assert done.returncode == 3
    assert done.stdout == ""
    wait_until(lambda: worker.jobs, "the job, which the shell did not wait for")
    assert worker.jobs[0].properties.message_id in done.stderr


def test_match_ignores_what_is_not_its_reply(fleet, worker, two):
    worker.answer = lambda job: [
        b"\xc1 no MessagePack",
        {"task_id": 7},
        reply_to(job, task_id="01930000-0000-7000-8000-000000000001", state="final_failed"),
        reply_to(job),
    ]
    done = fleet.shell("match", "-v", *two)
    assert done.returncode == 0, done.stderr
    assert "no reply" in done.stderr


def test_match_cannot_be_made_to_steer_the_terminal(fleet, worker, two):
    worker.answer = lambda job: [reply_to(job, worker="\033[2J\033]0;owned\007\u202e", model="a\nsame person")]
    done = fleet.shell("match", *two)
    assert "\033" not in done.stdout and "\u202e" not in done.stdout
    assert "\\x1b[2J" in done.stdout
    assert done.stdout.count("\nsame person") == 0


def test_json_cannot_steer_the_terminal(fleet, worker, two):
    worker.answer = lambda job: [reply_to(job, worker="\x9b2J\u202e")]
    text = on_terminal(fleet, "match", "--json", *two)
    assert json.loads(text)["worker"] == "\x9b2J\u202e" and text.isascii()
    assert "\x9b2J\u202e" in fleet.shell("match", "--json", *two).stdout


def test_match_in_colour_only_on_a_terminal(fleet, worker, two):
    assert on_terminal(fleet, "match", *two).startswith("\033[1;32msame person\033[0m")
    assert on_terminal(fleet, "match", *two, NO_COLOR="1").startswith("same person")


def test_match_survives_a_broker_that_restarts(fleet, worker, two):
    worker.answer = cli_support.silent
    shell = fleet.start_shell("-q", "match", "--timeout", "120", *two, **PIPES)
    wait_until(lambda: worker.jobs, "the job")
    fleet.broker.restart()
    cli_support.answer_late(fleet.url, worker.jobs[0])
    status, out, err, _ = wait_for_end(shell)
    assert status == 0, err
    assert out.startswith("same person")


def test_match_interrupted(fleet, worker, two):
    worker.answer = cli_support.silent
    shell = fleet.start_shell("match", *two, **PIPES)
    wait_until(lambda: worker.jobs, "the job")
    shell.send_signal(signal.SIGINT)
    status, _, _, seconds = wait_for_end(shell)
    assert status == 130
    assert seconds < 10


def test_a_job_that_no_queue_takes(fleet, worker, two):
    # A shell declares what it uses when it connects, so the binding must go while it is connected.
    unroutable = fleet.start_shell("submit", "-", **{**PIPES, "stdin": subprocess.PIPE})
    row = f"1,{two[0]},{two[1]}\n"
    unroutable.stdin.write(row)
    unroutable.stdin.flush()
    wait_until(lambda: worker.jobs, "the first job")
    fleet.broker.api("DELETE", f"bindings/{fleet.vhost}/e/facefleet.jobs/q/facefleet.jobs.batch/batch")
    unroutable.stdin.write(row)
    status, _, err, _ = wait_for_end(unroutable)
    assert status == 4
    assert "no queue takes the job" in err
