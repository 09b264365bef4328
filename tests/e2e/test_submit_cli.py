"""`facefleet submit` against a worker that answers as it is told."""

import csv
import io
import json
import os
import pty
import re
import signal
import subprocess

import pytest

import cli_support
from cli_support import PIPES, FakeWorker, ids, json_lines, pairs, read_to_end, reply_to, wait_for_end, whole_lines
from fleet import wait_until


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
