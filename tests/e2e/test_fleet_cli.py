"""The shell's commands about the fleet itself: who works, what waits, what died."""

import fcntl
import json
import os
import pty
import re
import signal
import sqlite3
import struct
import subprocess
import termios

import pika
import pytest

from cli_support import json_lines, on_terminal, wait_for_end
from fleet import wait_until
from jobs import PARKED, as_json, match_job, new_task_id, park, photo
from photos import plain

def answers(fleet, count):
    """What `workers` prints once that many answer."""

    def everybody():
        done = fleet.shell("workers", "--timeout", "0.5")
        rows = json_lines(done.stdout)
        assert done.returncode == (0 if rows else 1), done.stderr
        return rows if len(rows) == count else None

    return wait_until(everybody, f"{count} workers answer")


class Watched:
    """A shell on a terminal of its own."""

    def __init__(self, fleet, *arguments):
        self.ours, theirs = pty.openpty()
        environment = {**fleet.environment, "TERM": "xterm"}
        self.process = fleet.start_shell(*arguments, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
        os.close(theirs)
        os.set_blocking(self.ours, False)
        self.text = ""

    def read(self):
        """All that was printed by now, which does not come at once."""
        try:
            while piece := os.read(self.ours, 65536):
                self.text += piece.decode(errors="replace")
        except OSError:  # there is no more now, or ever
            pass
        return self.text

    def wait_for(self, words):
        wait_until(lambda: words in self.read(), f"the screen shows {words!r}")

    def press(self, keys):
        os.write(self.ours, keys.encode())

    def end(self):
        """Its exit status; the terminal must be as it was."""

        def ended():
            self.read()
            return self.process.poll() is not None

        wait_until(ended, "it ends")
        self.read()
        os.close(self.ours)
        assert self.text.count("\033[?1049h") == self.text.count("\033[?1049l") == 1
        assert self.text.rindex("\033[?25h") > self.text.rindex("\033[?25l")
        return self.process.returncode


@pytest.fixture
def topology(fleet):
    done = fleet.shell("topology", "--apply")
    assert done.returncode == 0, done.stderr


# --- workers ---------------------------------------------------------------------------------------


def test_nobody_answers(fleet):
    done = fleet.shell("workers", "--timeout", "0.2")
    assert done.returncode == 1 and done.stdout == "" and "No worker" in done.stderr


def test_workers_answer(fleet, client_of):
    workers = [fleet.worker(worker__name=name, worker__heartbeat_ms=60000).wait_ready() for name in ("first", "second")]
    client = client_of(fleet)
    assert client.call(match_job(photo("person01_1"), photo("person01_2")))["state"] == "succeeded"
    rows = answers(fleet, 2)
    assert [row["worker"] for row in rows] == ["first", "second"]
    assert [row["pid"] for row in rows] == [worker.process.pid for worker in workers]
    assert sum(row["tasks"] for row in rows) == 1
    for row in rows:
        assert row["threads"] == 1 and row["rss_bytes"] > 1 << 20 and row["model"] and row["program_version"]
        assert row["host"] == os.uname().nodename and row["seen_s"] >= 0 and row["started_at"] < row["at"]
    text = on_terminal(fleet, "workers", "--timeout", "5")
    assert "first" in text and "second" in text and "tasks/s" in text and "{" not in text


def test_a_busy_worker_answers(fleet, client_of):
    fleet.worker(worker__name="busy", worker__heartbeat_ms=60000).wait_ready()
    client = client_of(fleet)
    # Each takes a good part of a second to decode.
    large = plain(6000, 6000, "PNG")
    for _ in range(20):
        client.publish(match_job(large, large), reply_to=None, correlation_id=None)
    (row,) = answers(fleet, 1)
    assert row["worker"] == "busy" and row["in_hand"] >= 1


def heartbeat(client, **fields):
    """A worker of anybody's making."""
    body = json.dumps({"kind": "heartbeat", "worker": "fake", "pid": 1, "tasks": 1, **fields}).encode()
    properties = pika.BasicProperties(type="facefleet.control.v1", content_type="application/json")
    client.channel.basic_publish("facefleet.control", "", body, properties)


def test_a_name_cannot_steer_the_terminal(fleet, topology, client_of):
    client = client_of(fleet)
    watched = Watched(fleet, "workers", "--watch")
    watched.wait_for("No worker")
    heartbeat(client, worker="evil\033[2J", host="\u202eno", model="a\nb", program_version=7)
    heartbeat(client, worker="e\033[2J", host="\u202eno", model="a\nb")
    watched.wait_for("e\\x1b[2J")
    watched.press("q")
    assert watched.end() == 0
    assert "\033[2J" not in watched.text and "\u202e" not in watched.text and "a\\nb" in watched.text


def test_workers_watched(fleet):
    fleet.worker(worker__name="lonely").wait_ready()
    watched = Watched(fleet, "workers", "--watch")
    watched.wait_for("lonely")
    fleet.worker(worker__name="company").wait_ready()
    watched.wait_for("company")
    watched.press("q")
    assert watched.end() == 0


def test_a_signal_gives_the_terminal_back(fleet):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        watched = Watched(fleet, "workers", "--watch")
        watched.wait_for("No worker")
        watched.process.send_signal(number)
        assert watched.end() == 130


@pytest.mark.parametrize("command", [("erase", "ann"), ("dead", "drop", "--all")])
def test_a_signal_ends_a_question(fleet, command):
    asked = Watched(fleet, *command)
    asked.wait_for("[y/N]")
    asked.process.send_signal(signal.SIGINT)
    wait_until(lambda: asked.process.poll() is not None, "it ends", 20)
    os.close(asked.ours)
    assert asked.process.returncode == 130


def test_watched_without_a_terminal(fleet):
    fleet.worker(worker__name="lonely").wait_ready()
    shell = fleet.start_shell("workers", "--watch", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for _ in range(2):
        assert json.loads(shell.stdout.readline())["worker"] == "lonely"
    shell.terminate()
    status, _, err, _ = wait_for_end(shell)
    assert status == 130 and err == ""


# --- top -------------------------------------------------------------------------------------------


def test_top_is_watched(fleet, client_of):
    fleet.worker(worker__name="busy").wait_ready()
    client = client_of(fleet)
    watched = Watched(fleet, "top", "--interval", "0.2", "--window", "600")
    watched.wait_for("busy")
    watched.wait_for("facefleet.jobs.batch")
    assert client.call(match_job(photo("person01_1"), photo("person01_2")))["state"] == "succeeded"
    assert client.call(match_job(photo("person01_1"), b"no picture"))["state"] == "final_failed"
    watched.wait_for("of 2")
    watched.wait_for("image_unsupported 1")
    fcntl.ioctl(watched.ours, termios.TIOCSWINSZ, struct.pack("HHHH", 3, 20, 0, 0))
    before = watched.read().count("\033[H")  # with those that were drawn large
    wait_until(lambda: watched.read().count("\033[H") > before + 2, "it is drawn again")
    small = watched.text.rsplit("\033[H", 2)[1]
    lines = [re.sub(r"\033\[[0-9;]*[A-Za-z]", "", line).strip("\r") for line in small.split("\r\n")]
    assert len(lines) <= 3 and all(len(line) <= 20 for line in lines), lines
    watched.press("q")
    assert watched.end() == 0


def test_top_without_a_terminal(fleet, topology, client_of):
    client = client_of(fleet)
    ids = [client.publish(match_job(b"a", b"b")) for _ in range(3)]
    done = fleet.shell("top", "--interval", "0.3", stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    (row,) = [line.split() for line in done.stdout.splitlines() if line.startswith("facefleet.jobs.batch")]
    assert row[1] == "3" and row[3] == "0" and ids
    assert "No worker answers" in done.stdout and "\033" not in done.stdout


def test_top_of_no_broker(fleet):
    for command in ("top", "workers", "dead"):
        done = fleet.shell(command, "--broker", "amqp://127.0.0.1:1/")
        assert done.returncode == 4 and done.stdout == "" and done.stderr, command


# --- dead ------------------------------------------------------------------------------------------

def parked_ids(fleet, *arguments):
    done = fleet.shell("dead", "list", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    return [row["id"] for row in json_lines(done.stdout)]


def test_a_dead_job_is_listed_and_shown(fleet, client_of):
    """One that a real worker gave up."""
    fleet.worker().wait_ready()
    client = client_of(fleet)
    body = {**match_job(photo("person01_1"), photo("person01_2")), "scene": "tomorrow"}
    task_id = client.publish(body)
    assert client.next_reply()["error"]["code"] == "invalid_job"
    wait_until(lambda: client.count(PARKED) == 1, "it is parked")
    (row,) = json_lines(fleet.shell("dead").stdout)
    assert row["id"] == task_id and row["type"] == "job" and row["op"] == "match" and row["bytes"] > 1000
    assert "scene" in row["reason"] and row["origin"] == "facefleet.jobs.batch" and row["parked_at"] > "2020"
    shown = json.loads(fleet.shell("dead", "show", task_id).stdout)
    assert shown["id"] == task_id and shown["body"] is None and "scene" in shown["body_error"]
    done = fleet.shell("dead", "replay", task_id)
    assert done.returncode == 1 and "stays" in done.stderr and done.stdout == ""
    assert client.count(PARKED) == 1


def test_dead_jobs_are_chosen(fleet, topology, client_of):
    client = client_of(fleet)
    job = match_job(b"PIXELS", "https://example.com/b.jpg", user_id="ann")
    ids = [park(client, job, reason=f"reason {number} of \033[2J") for number in range(4)]
    assert parked_ids(fleet) == ids
    assert parked_ids(fleet, "--limit", "2") == ids[:2]
    assert "There are more" in fleet.shell("dead", "list", "--limit", "2").stderr
    assert parked_ids(fleet, "--reason", "reason 2") == [ids[2]]
    text = on_terminal(fleet, "dead")
    assert all(task_id in text for task_id in ids) and "reason 0 of \\x1b[2J" in text and "\033[2J" not in text
    shown = fleet.shell("dead", "show", ids[1])
    assert json.loads(shown.stdout)["body"]["image_a"] == {"bytes": 6} and "PIXELS" not in shown.stdout
    assert json.loads(shown.stdout)["body"]["user_id"] == "ann"
    missing = new_task_id()
    shown = fleet.shell("dead", "show", ids[3], missing)
    assert shown.returncode == 1 and missing in shown.stderr and ids[3] in shown.stdout
    assert parked_ids(fleet) == ids


def test_dead_jobs_are_dropped(fleet, topology, client_of):
    client = client_of(fleet)
    ids = [park(client, b"nonsense", reason=f"reason {number}") for number in range(4)]
    done = fleet.shell("dead", "drop", ids[1])
    assert done.returncode == 0 and done.stdout == "1 message dropped\n"
    assert parked_ids(fleet) == [ids[0], *ids[2:]]
    done = fleet.shell("dead", "drop", "--all", stdin=subprocess.DEVNULL)
    assert done.returncode == 2 and "--yes" in done.stderr
    assert fleet.shell("dead", "drop", "--all", "--reason", "reason 3", "--yes").stdout == "1 message dropped\n"
    assert parked_ids(fleet) == [ids[0], ids[2]]
    assert fleet.shell("dead", "drop", "--all", "--yes").returncode == 0
    assert parked_ids(fleet) == [] and client.count(PARKED) == 0


def test_a_dead_job_is_replayed(fleet, client_of):
    fleet.worker().wait_ready()
    client = client_of(fleet)
    job = match_job(photo("person01_1"), photo("person01_2"), reference="row 7")
    common = {"reply_to": client.reply_queue, "correlation_id": "mine"}
    ids = [park(client, job, **common), park(client, b"nonsense"), park(client, job, **common)]
    done = fleet.shell("dead", "replay", ids[2])
    assert done.returncode == 0, done.stderr
    old, new = done.stdout.split(" replayed as ")
    assert old == ids[2] and new.strip() != ids[2]
    properties, body = client.next_message()
    reply = json.loads(body)
    assert properties.correlation_id == "mine" and reply["task_id"] == new.strip() and reply["reference"] == "row 7"
    assert reply["state"] == "succeeded" and reply["attempt"] == 1 and reply["accepted_at"] > "2026"
    assert parked_ids(fleet) == ids[:2]
    assert fleet.shell("dead", "replay", "--same-id", ids[0]).stdout == f"{ids[0]} replayed\n"
    assert client.next_reply()["task_id"] == ids[0]
    assert parked_ids(fleet) == [ids[1]]
    done = fleet.shell("dead", "replay", new_task_id())
    assert done.returncode == 1 and "is parked" in done.stderr


def test_all_are_replayed_once(fleet, topology, client_of):
    """Nobody works: what was replayed is found on its lane, without what was said of its death."""
    client = client_of(fleet)
    job = match_job(b"a", b"b")
    ids = [park(client, job, reason="one"), park(client, job, reason="other"), park(client, job, reason="one")]
    done = fleet.shell("dead", "replay", "--all", "--reason", "one")
    assert done.returncode == 0 and done.stdout.count("replayed as") == 2
    assert parked_ids(fleet) == [ids[1]]
    for _ in range(2):
        properties, body = client.next_message("facefleet.jobs.batch")
        assert json.loads(body) == json.loads(as_json(job))
        headers = {key for key in properties.headers if not key.startswith("x-")}
        assert headers == {"facefleet-accepted", "facefleet-deadline", "facefleet-attempt"}
        assert properties.headers["facefleet-attempt"] == 1 and properties.message_id not in ids


def test_dead_without_a_queue(fleet):
    assert parked_ids(fleet) == []
    done = fleet.shell("dead")
    assert done.returncode == 0 and "No message" in done.stderr


def test_wrong_words_about_the_dead(fleet):
    for arguments in (["replay"], ["drop", "--all", "x"], ["bury"], ["show"], ["list", "x"], ["show", "x", "--all"],
                      ["list", "--limit", "0"], ["replay", "x", "--reason", "y"], ["list", "--same-id"]):
        done = fleet.shell("dead", *arguments)
        assert done.returncode == 2 and done.stdout == "", arguments


# --- task, tasks, cancel, replay -------------------------------------------------------------------


@pytest.fixture
def tracked(fleet):
    """A fleet whose tasks are recorded."""
    fleet.use_store()
    fleet.tracker().wait_ready()
    return fleet


def recorded(fleet, task_id, state):
    """What is recorded of a task, once it is in that state."""

    def look():
        done = fleet.shell("task", task_id, "--json")
        task = json.loads(done.stdout) if done.returncode == 0 else None
        return task if task and task["state"] == state else None

    return wait_until(look, f"{task_id} is recorded as {state}")


def test_a_task_is_followed(tracked, client_of):
    fleet = tracked
    client = client_of(fleet)
    task_id = new_task_id()
    shell = fleet.start_shell("task", task_id, "--watch", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    lines = fleet.start_shell("task", task_id, "--watch", "--json", stdout=subprocess.PIPE, text=True)
    assert "waiting" in shell.stderr.readline()
    fleet.worker(worker__name="someone").wait_ready()
    job = match_job(photo("person01_1"), photo("person01_2"), reference="row\n7")
    assert client.call(job, message_id=task_id)["state"] == "succeeded"
    status, out, _, _ = wait_for_end(shell)
    assert status == 0 and "succeeded" in out and "same person" in out and "row\\n7" in out and "someone" in out
    assert "running" in out.split("\n\n")[0]
    status, out, _, _ = wait_for_end(lines)
    *transitions, task = json_lines(out)
    assert status == 0 and transitions[-1]["state"] == "succeeded" and task["history"] == transitions
    assert task["task_id"] == task_id and task["reply"]["result"]["matched"] and task["reference"] == "row\n7"
    text = fleet.shell("task", task_id)
    assert text.returncode == 0 and "same person" in text.stdout and "running" in text.stdout


def test_a_task_that_fails_is_followed(tracked, client_of):
    fleet = tracked
    fleet.worker().wait_ready()
    client = client_of(fleet)
    task_id = client.publish(match_job(photo("person01_1"), b"no picture"))
    done = fleet.shell("task", task_id, "--watch")
    assert done.returncode == 3 and "final_failed" in done.stdout and "image_unsupported" in done.stdout
    done = fleet.shell("task", new_task_id())
    assert done.returncode == 1 and done.stdout == "" and "recorded" in done.stderr


def test_tasks_are_listed(tracked, client_of):
    fleet = tracked
    done = fleet.shell("tasks")
    assert done.returncode == 0 and done.stdout == "" and "No such task" in done.stderr
    fleet.worker().wait_ready()
    client = client_of(fleet)
    good = [client.call(match_job(photo("person01_1"), photo("person01_2"), reference=f"r{i}"))["task_id"] for i in range(3)]
    bad = client.call(match_job(photo("person01_1"), b"no picture"), lane="batch")["task_id"]
    recorded(fleet, bad, "final_failed")
    for task_id in good:
        recorded(fleet, task_id, "succeeded")

    def listed(*arguments):
        done = fleet.shell("tasks", *arguments)
        assert done.returncode == 0, done.stderr
        return [row["task_id"] for row in json_lines(done.stdout)]

    assert listed() == [bad, *reversed(good)]
    assert listed("--limit", "2") == [bad, good[2]]
    assert listed("--state", "succeeded", "--scene", "batch", "--since", "1h") == list(reversed(good))
    assert listed("--state", "running") == [] and listed("--scene", "realtime") == [] and listed("--user", "ann") == []
    assert listed("--since", "2100-01-01T00:00:00Z") == []
    text = on_terminal(fleet, "tasks", "--state", "final_failed")
    assert bad in text and "image_unsupported" in text and good[0] not in text


def test_json_of_the_store_cannot_steer_the_terminal(fleet):
    """Whoever may ask for a job chooses such texts."""
    name, task_id = "\x9b2J\u202e", new_task_id()
    path = fleet.use_store().removeprefix("sqlite:")
    assert fleet.shell("schedule", "add", "--in", "1h", "unenroll", name).returncode == 0
    with sqlite3.connect(path) as store:
        place = ", ".join("?" * 20)
        task = (task_id, 1, "running", 1, 1, "", "", "", 0, None, 1, 0, "match", "batch", "", "", name, "", 1, 1)
        store.execute(f"INSERT INTO tasks VALUES ({place})", task)
        store.execute("INSERT INTO persons (collection, user_id, version) VALUES (?, 'ann', 1)", (name,))
        store.execute("INSERT INTO images VALUES (?, 'ann', 'i', 1, NULL)", (name,))
    for command in (["tasks"], ["task", task_id], ["schedule", "list"], ["collections"]):
        text = on_terminal(fleet, *command, "--json")
        assert text.isascii() and "\\u009B2J\\u202E" in text, text
        assert name in fleet.shell(*command, "--json").stdout


def test_a_waiting_task_is_cancelled(tracked, client_of):
    """First nobody has heard of it; then a worker takes it."""
    fleet = tracked
    assert fleet.shell("topology", "--apply").returncode == 0
    client = client_of(fleet)
    job = match_job(photo("person01_1"), photo("person01_2"))
    worker = fleet.worker(worker__threads="1").wait_ready()
    done = client.call(job)["task_id"]
    recorded(fleet, done, "succeeded")
    task_id = new_task_id()
    result = fleet.shell("cancel", task_id, done)
    assert result.returncode == 1 and f"{task_id} cancelled" in result.stdout
    assert f"{done} stays" in result.stderr and "succeeded" in result.stderr
    wait_until(lambda: fleet.shell("workers").returncode == 0, "the worker has heard of it")
    client.publish(job, message_id=task_id)
    reply = client.next_reply()
    assert reply["state"] == "final_failed" and reply["error"]["code"] == "cancelled"
    task = recorded(fleet, task_id, "final_failed")
    assert task["error"]["code"] == "cancelled" and task["reply"]["error"]["code"] == "cancelled"
    assert fleet.shell("cancel", task_id).returncode == 1
    assert worker.is_ready()


def test_a_failed_task_is_replayed(tracked, client_of):
    fleet = tracked
    fleet.worker().wait_ready()
    client = client_of(fleet)
    job = match_job(photo("person01_1"), photo("person01_2"))
    done = client.call(job)["task_id"]
    recorded(fleet, done, "succeeded")
    refused = fleet.shell("replay", done)
    assert refused.returncode == 1 and "has not failed" in refused.stderr
    bad = client.call(match_job(photo("person01_1"), b"no picture"))["task_id"]
    recorded(fleet, bad, "final_failed")
    refused = fleet.shell("replay", bad)
    assert refused.returncode == 1 and "not kept" in refused.stderr and "facefleet match" in refused.stderr
    task_id = park(client, job, reason="poison", reply_to=client.reply_queue, correlation_id="c")
    replayed = fleet.shell("replay", task_id)
    assert replayed.returncode == 0, replayed.stderr
    new_id = replayed.stdout.strip().rsplit(" ", 1)[1]
    assert client.next_reply()["task_id"] == new_id
    recorded(fleet, new_id, "succeeded")


def test_without_a_store(fleet):
    for arguments in (["tasks"], ["task", new_task_id()], ["cancel", new_task_id()], ["replay", new_task_id()]):
        assert fleet.shell(*arguments).returncode == 2
    for arguments in (["task"], ["task", "x"], ["cancel"], ["cancel", "x"], ["replay"], ["tasks", "x"],
                      ["tasks", "--state", "x"], ["tasks", "--since", "x"], ["tasks", "--limit", "0"]):
        done = fleet.shell(*arguments)
        assert done.returncode == 2 and done.stdout == "", arguments
