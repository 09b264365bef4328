"""The shell against a worker that answers as it is told: what it sends, prints, writes and exits with."""

import csv
import io
import json
import os
import pty
import re
import signal
import socket
import subprocess

import pytest
from PIL import Image

import cli_support
from cli_support import FakeWorker, ids, json_lines, on_terminal, pairs, photo, read_to_end, reply_to, wait_for_end, whole_lines
from fleet import wait_until
from photos import plain

PIPES = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}


@pytest.fixture
def two(tmp_path):
    return photo(tmp_path, "a.jpg"), photo(tmp_path, "b.jpg", b"\xff\xd8 others")


# --- match -----------------------------------------------------------------------------------------


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


# --- usage and surroundings -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments, complaint",
    [
        ([], "Name a command"),
        (["mtach"], "did you mean match"),
        (["match", "a.jpg"], "two photographs"),
        (["match", "a.jpg", "b.jpg", "--treshold", "1"], "did you mean --threshold"),
        (["match", "a.jpg", "b.jpg", "--threshold", "2"], "from -1 to 1"),
        (["match", "a.jpg", "b.jpg", "--threshold", "0.5", "--far", "0.1"], "exclude"),
        (["match", "a.jpg", "b.jpg", "--scene", "tomorrow"], "no such scene"),
        (["match", "a.jpg", "b.jpg", "--policy", "nicest"], "--policy"),
        (["match", "a.jpg", "b.jpg", "--callback", "ftp://x"], "--callback"),
        (["match", "/nonexistent/a.jpg", "b.jpg"], "No such file"),
        (["--set", "amqp.ulr=x", "match", "a.jpg", "b.jpg"], "amqp.url"),
        (["submit"], "one file"),
        (["submit", "/nonexistent/pairs.csv"], "No such file"),
        (["submit", "pairs.csv", "--resume"], "--out"),
        (["submit", "pairs.csv", "--format", "xml"], "jsonl or csv"),
        (["topology", "--check", "--apply"], "only one"),
        (["help", "topologie"], "did you mean topology"),
    ],
)
def test_usage(fleet, arguments, complaint):
    done = fleet.shell(*arguments)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("resume", [(), ("--resume",)])
def test_results_do_not_replace_what_is_read(fleet, tmp_path, resume):
    path = pairs(tmp_path, 2)
    before = open(path, encoding="utf-8").read()
    other = tmp_path / "other.csv"
    other.symlink_to(path)
    done = fleet.shell("submit", path, "--wait", "--out", str(other), *resume)
    assert done.returncode == 2 and "is the file that is read" in done.stderr
    assert open(path, encoding="utf-8").read() == before


@pytest.mark.parametrize("arguments", [["--help"], ["help"], ["help", "submit"], ["match", "-h"], ["--version"]])
def test_help_and_version(fleet, arguments):
    done = fleet.shell(*arguments)
    assert done.returncode == 0
    assert "facefleet" in done.stdout
    assert done.stderr == ""


def test_names_cannot_steer_the_terminal_either(fleet):
    done = fleet.shell("match", "\033[2J.jpg", "b.jpg")
    assert done.returncode == 2
    assert "\033" not in done.stderr and "\\x1b[2J.jpg" in done.stderr


@pytest.mark.parametrize("command", ["match", "submit", "topology"])
def test_no_broker(fleet, tmp_path, two, command):
    with socket.socket() as closed:  # bound, not listening: nobody else can get the port
        closed.bind(("127.0.0.1", 0))
        broker = f"amqp://127.0.0.1:{closed.getsockname()[1]}"
        operands = {"match": two, "submit": [pairs(tmp_path, 1)], "topology": ["--check"]}[command]
        done = fleet.shell("--broker", broker, command, *operands, timeout=60)
    assert done.returncode == 4
    assert done.stderr


def test_a_broker_that_says_nothing(fleet, two):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        broker = f"amqp://127.0.0.1:{mute.getsockname()[1]}"
        done = fleet.shell("--broker", broker, "match", *two, timeout=60)
    assert done.returncode == 4


def test_wrong_password(fleet, two):
    done = fleet.shell("--broker", re.sub("//.*@", "//nobody:wr0ng@", fleet.url), "match", *two, timeout=60)
    assert done.returncode == 4
    assert "wr0ng" not in done.stderr


def test_topology(fleet):
    assert "facefleet.jobs.batch" in fleet.shell("topology").stdout
    assert json.loads(fleet.shell("topology", "--json").stdout)
    assert "set_policy" in fleet.shell("topology", "--policies").stdout
    assert fleet.shell("topology", "--check").returncode == 1
    assert fleet.shell("topology", "--apply").returncode == 0
    assert fleet.shell("topology", "--check").returncode == 0


# --- submit ----------------------------------------------------------------------------------------


def test_submit_and_wait(fleet, worker, tmp_path):
    worker.answer = lambda job: (cli_support.same, cli_support.different)[int(job.body["reference"]) % 2](job)
    done = fleet.shell("submit", pairs(tmp_path, 500), "--wait", "--in-flight", "20")
    assert done.returncode == 0, done.stderr
    results = json_lines(done.stdout)
    assert sorted(result["id"] for result in results) == sorted(ids(500))
    assert all(result["matched"] == (int(result["id"]) % 2 == 0) for result in results)
    assert {result["task_id"] for result in results} == {job.properties.message_id for job in worker.jobs}
    assert results[0]["state"] == "succeeded" and results[0]["total_ms"] == 12.5
    assert "500 sent, 500 answered (250 same, 250 different, 0 failed)" in done.stderr


def test_submit_without_waiting(fleet, worker, tmp_path):
    worker.answer = cli_support.silent
    done = fleet.shell("submit", pairs(tmp_path, 20))
    assert done.returncode == 0, done.stderr
    results = json_lines(done.stdout)
    assert [result["state"] for result in results] == ["pending"] * 20
    wait_until(lambda: len(worker.jobs) == 20, "all jobs")
    assert all(job.properties.reply_to is None for job in worker.jobs)


def test_submit_writes_csv(fleet, worker, tmp_path):
    out = tmp_path / "results.csv"
    done = fleet.shell("-q", "submit", pairs(tmp_path, 3), "--wait", "--out", str(out))
    assert done.returncode == 0 and done.stderr == "" and done.stdout == ""
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    assert sorted(row["id"] for row in rows) == ids(3)
    assert rows[0]["matched"] == "true" and rows[0]["similarity"] == "0.8125"


def test_submit_jsonl_from_standard_input(fleet, worker, tmp_path, two):
    rows = [
        {"id": 1, "image_a": "a.jpg", "image_b": two[1], "user_id": "ann", "scene": "realtime"},
        {"id": "2", "image_a": "https://example.com/a.jpg", "image_b": "b.jpg", "callback": "https://e.com/h"},
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    done = fleet.shell("submit", "-", "--wait", "--base-dir", str(tmp_path), input=text)
    assert done.returncode == 0, done.stderr
    jobs = {job.body["reference"]: job for job in worker.jobs}
    assert jobs["1"].lane == "realtime" and jobs["1"].body["user_id"] == "ann"
    assert jobs["2"].lane == "batch" and jobs["2"].body["callback"] == {"url": "https://e.com/h"}
    assert jobs["2"].body["image_a"] == {"url": "https://example.com/a.jpg"}


def test_unusable_rows_do_not_stop_the_rest(fleet, worker, tmp_path):
    path = pairs(tmp_path, 2)
    (tmp_path / "large.jpg").write_bytes(bytes(10 << 20 | 1))
    (tmp_path / "half.jpg").write_bytes(bytes(7 << 20))
    with open(path, "a", encoding="utf-8") as file:
        file.write('3,"a.jpg,b.jpg\n')
        file.write("4,missing.jpg,b.jpg\n")
        file.write("5,large.jpg,b.jpg\n")
        file.write("6,half.jpg,half.jpg\n")
        file.write(f"7,{'x' * 70000},b.jpg\n")
        file.write("8,a.jpg\n")
        file.write("9,a.jpg,b.jpg\n")
    done = fleet.shell("submit", path, "--wait")
    assert done.returncode == 1
    assert sorted(result["id"] for result in json_lines(done.stdout)) == ["1", "2", "9"]
    complaints = dict(re.findall(r"^line (\d+): (.*)$", done.stderr, re.MULTILINE))
    assert sorted(complaints) == ["4", "5", "6", "7", "8", "9"]
    assert "missing.jpg" in complaints["5"]
    assert "10485761 bytes" in complaints["6"]
    assert "12" in complaints["7"] and "65536" in complaints["8"]
    assert "6 refused" in done.stderr


def test_failed_tasks_are_told_apart(fleet, worker, tmp_path):
    worker.answer = lambda job: (cli_support.same, cli_support.failed)[job.body["reference"] == "2"](job)
    done = fleet.shell("submit", pairs(tmp_path, 3), "--wait")
    assert done.returncode == 1
    (failure,) = [result for result in json_lines(done.stdout) if result["state"] == "final_failed"]
    assert failure["id"] == "2" and failure["error"] == "no_face" and failure["message"] == "image_b: no face"
    assert failure["matched"] is None


def test_header_without_a_column(fleet, worker, tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text("id,image_a\n1,a\n")
    done = fleet.shell("submit", str(path))
    assert done.returncode == 2
    assert "no column image_b" in done.stderr


def test_repeated_and_foreign_replies_are_written_once(fleet, worker, tmp_path):
    strange = "01930000-0000-7000-8000-000000000001"
    worker.answer = lambda job: [reply_to(job), reply_to(job), reply_to(job, task_id=strange), b"\xc1"]
    done = fleet.shell("submit", pairs(tmp_path, 50), "--wait", "--in-flight", "5")
    assert done.returncode == 0, done.stderr
    assert sorted(result["id"] for result in json_lines(done.stdout)) == sorted(ids(50))


def test_the_reply_does_not_choose_the_id(fleet, worker, tmp_path):
    worker.answer = lambda job: [reply_to(job, reference="another")]
    done = fleet.shell("submit", pairs(tmp_path, 1), "--wait")
    assert json_lines(done.stdout)[0]["id"] == "1"


def test_a_reply_that_never_comes(fleet, worker, tmp_path):
    worker.answer = lambda job: [] if job.body["reference"] == "2" else [reply_to(job)]
    done = fleet.shell("submit", pairs(tmp_path, 3), "--wait", "--scene", "realtime", timeout=120)
    assert done.returncode == 1
    results = {result["id"]: result for result in json_lines(done.stdout)}
    assert sorted(results) == ids(3)
    assert results["2"]["state"] == "final_failed" and results["2"]["error"] == "no_reply"
    assert "3 sent, 2 answered" in done.stderr and "1 without a reply" in done.stderr


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_resume_sends_what_has_no_result(fleet, worker, tmp_path, kind):
    out = tmp_path / f"results.{kind}"
    path = pairs(tmp_path, 30)
    short = pairs(tmp_path, 10, "short.csv")
    assert fleet.shell("submit", short, "--wait", "--out", str(out)).returncode == 0
    torn = out.read_text()
    out.write_text(torn[:-5])  # the last line was not written to its end
    done = fleet.shell("submit", path, "--wait", "--out", str(out), "--resume")
    assert done.returncode == 0, done.stderr
    assert "21 sent" in done.stderr and "9 skipped" in done.stderr
    text = out.read_text()
    rows = json_lines(text) if kind == "jsonl" else list(csv.DictReader(io.StringIO(text)))
    assert sorted(row["id"] for row in rows) == sorted(ids(30))
    done = fleet.shell("submit", path, "--wait", "--out", str(out), "--resume")
    assert done.returncode == 0 and out.read_text() == text and len(worker.jobs) == 31


def test_a_lost_reply_queue_ends_the_run_and_resume_mends_it(fleet, worker, tmp_path):
    """As after a broker that died and forgot the queue it had just made: replies to it are gone."""
    path, out = pairs(tmp_path, 5), str(tmp_path / "results.jsonl")
    worker.answer = lambda job: [reply_to(job)] if job.body["reference"] == "1" else []
    shell = fleet.start_shell("submit", path, "--wait", "--out", out, **PIPES)
    wait_until(lambda: len(worker.jobs) == 5 and os.path.getsize(out) > 0, "five jobs, one result")
    fleet.broker.api("DELETE", f"queues/{fleet.vhost}/{worker.jobs[0].properties.reply_to}")
    status, _, err, _ = wait_for_end(shell)
    assert status == 4
    assert "lost the queue facefleet.cli." in err and "--resume" in err
    worker.answer = cli_support.same
    done = fleet.shell("submit", path, "--wait", "--out", out, "--resume")
    assert done.returncode == 0 and "1 skipped" in done.stderr
    with open(out, encoding="utf-8") as lines:
        assert sorted(result["id"] for result in json_lines(lines.read())) == ids(5)


def test_never_more_in_flight_than_asked(fleet, worker, tmp_path):
    worker.answer = cli_support.silent
    shell = fleet.start_shell("submit", pairs(tmp_path, 100), "--wait", "--in-flight", "7", **PIPES)
    wait_until(lambda: len(worker.jobs) == 7, "seven jobs")
    worker.answer = cli_support.same
    # On the same lane: what was sent before this one has come before its reply.
    done = fleet.shell("match", "--scene", "batch", *[str(tmp_path / "a.jpg")] * 2)
    assert done.returncode == 0, done.stderr
    assert len(worker.jobs) == 8
    shell.send_signal(signal.SIGINT)
    status, _, err, _ = wait_for_end(shell)
    assert status == 130
    assert "7 sent, 0 answered" in err and "7 tasks that were sent have no result here" in err


def test_interrupted_while_it_waits_for_input(fleet, worker, two):
    shell = fleet.start_shell("submit", "-", "--wait", **{**PIPES, "stdin": subprocess.PIPE})
    shell.stdin.write(f"1,{two[0]},{two[1]}\n")
    shell.stdin.flush()
    wait_until(lambda: worker.jobs, "the job")
    assert json.loads(shell.stdout.readline())["id"] == "1"
    shell.send_signal(signal.SIGTERM)
    status, _, err, seconds = wait_for_end(shell)
    assert status == 130 and seconds < 10
    assert "1 sent, 1 answered" in err


def test_interrupted_then_resumed_loses_nothing(fleet, worker, tmp_path):
    path, out = pairs(tmp_path, 3000), tmp_path / "results.jsonl"
    command = ("submit", path, "--wait", "--out", str(out), "--in-flight", "10")
    shell = fleet.start_shell(*command, **PIPES)
    wait_until(lambda: len(whole_lines(out)) > 20, "some results")
    shell.send_signal(signal.SIGINT)
    assert wait_for_end(shell)[0] == 130
    assert len(whole_lines(out)) < 3000
    done = fleet.shell(*command, "--resume")
    assert done.returncode == 0, done.stderr
    assert sorted(result["id"] for result in json_lines(out.read_text())) == sorted(ids(3000))


def test_broker_restarted_in_the_middle(fleet, worker, tmp_path):
    out = tmp_path / "results.jsonl"
    shell = fleet.start_shell("submit", pairs(tmp_path, 5000), "--wait", "--out", str(out), **PIPES)
    wait_until(lambda: len(whole_lines(out)) > 50, "some results")
    fleet.broker.restart()
    assert len(whole_lines(out)) < 5000
    status, _, err, _ = wait_for_end(shell, 180)
    assert status == 0, err
    assert sorted(result["id"] for result in json_lines(out.read_text())) == sorted(ids(5000))


def test_a_full_queue_is_waited_for(fleet, worker, tmp_path):
    worker.close()
    fleet.broker.command(
        "ctl", "-q", "set_policy", "-p", fleet.vhost, "short", "^facefleet.jobs.batch$", '{"max-length": 5}'
    )
    shell = fleet.start_shell("submit", pairs(tmp_path, 400), "--in-flight", "50", **PIPES)
    wait_until(lambda: fleet.depth("facefleet.jobs.batch") >= 5, "a full queue")
    again = FakeWorker(fleet.url)
    try:
        status, out, err, _ = wait_for_end(shell, 120)
        assert status == 0, err
        assert sorted(result["id"] for result in json_lines(out)) == sorted(ids(400))
        wait_until(lambda: len({job.body["reference"] for job in again.jobs}) == 400, "all jobs")
    finally:
        again.close()


def test_the_reader_of_the_results_goes(fleet, worker, tmp_path):
    shell = fleet.start_shell("submit", pairs(tmp_path, 2000), "--wait", **PIPES)
    shell.stdout.readline()
    shell.stdout.close()
    assert shell.wait(timeout=60) == 5
    err = shell.stderr.read()
    shell.stderr.close()
    assert "ipe" not in err and "sent" in err


def test_results_that_cannot_be_written(fleet, worker, tmp_path):
    done = fleet.shell("submit", pairs(tmp_path, 5), "--wait", "--out", "/dev/full")
    assert done.returncode == 5
    assert "No space left" in done.stderr


def test_progress_on_a_terminal(fleet, worker, tmp_path):
    ours, theirs = pty.openpty()
    shell = fleet.start_shell(
        "submit", pairs(tmp_path, 3000), "--wait", "--in-flight", "5", stdout=subprocess.DEVNULL, stderr=theirs
    )
    os.close(theirs)
    text = read_to_end(ours)
    os.close(ours)
    assert shell.wait(timeout=60) == 0
    assert re.search(rb"\r\[=* *\] +\d+ % [\d,]+, [\d.]+/s", text)
    assert b"3,000 sent, 3,000 answered" in text.splitlines()[-1]


def test_memory_does_not_grow_with_the_input(fleet, worker, tmp_path):
    """Two thousand large rows in the time in which few are answered: they are not all read."""
    (tmp_path / "a.jpg").write_bytes(bytes(2 << 20))
    path = tmp_path / "pairs.csv"
    path.write_text("".join(f"{number},a.jpg,a.jpg\n" for number in range(2000)))
    fleet.broker.command(
        "ctl", "-q", "set_policy", "-p", fleet.vhost, "short", "^facefleet.jobs.batch$", '{"max-length": 2}'
    )
    worker.close()
    shell = fleet.start_shell("submit", str(path), "--wait", **PIPES)
    wait_until(lambda: fleet.depth("facefleet.jobs.batch") >= 2, "a full queue")
    with open(f"/proc/{shell.pid}/status", encoding="ascii") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    shell.send_signal(signal.SIGINT)
    assert wait_for_end(shell)[0] == 130
    assert peak < 1024 * 1024, f"{peak} KiB"  # all rows are 8 GiB; a sanitizer needs some room
