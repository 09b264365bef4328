"""The shell's commands about the fleet itself: who works, what waits, what died."""

import json
import os
import pty
import signal
import subprocess

import pika

from cli_support import json_lines, on_terminal, wait_for_end
from fleet import wait_until
from jobs import match_job, photo

LONG = ("--timeout", "20")


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
        try:
            self.text += os.read(self.ours, 65536).decode(errors="replace")
        except (BlockingIOError, OSError):
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


def test_a_name_cannot_steer_the_terminal(fleet):
    fleet.worker(worker__name="evil\033[2J").wait_ready()
    text = on_terminal(fleet, "workers", "--timeout", "5")
    assert "evil\\x1b[2J" in text and "\033[2J" not in text


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


def test_watched_without_a_terminal(fleet):
    fleet.worker(worker__name="lonely").wait_ready()
    shell = fleet.start_shell("workers", "--watch", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for _ in range(2):
        assert json.loads(shell.stdout.readline())["worker"] == "lonely"
    shell.terminate()
    status, _, err, _ = wait_for_end(shell)
    assert status == 130 and err == ""
