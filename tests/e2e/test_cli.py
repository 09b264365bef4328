"""The shell as a whole: how it is called, what it needs around it, and `facefleet topology`."""

import json
import re
import socket

import pytest

from cli_support import pairs


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
