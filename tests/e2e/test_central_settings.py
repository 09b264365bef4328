"""Settings that the whole fleet shares: set in the shell, taken over by programs that run and that start later."""

import json

import pytest

from fleet import wait_until
from jobs import match_job, photo

GOOD = "person01_1"


@pytest.fixture
def config(fleet):
    """Runs `facefleet config …` on a store of the fleet's own."""
    fleet.use_store()

    def run(*arguments, status=0):
        done = fleet.shell("config", *arguments)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout if status == 0 else done.stderr

    return run


def threshold(client):
    reply = client.call(match_job(photo(GOOD), photo(GOOD)))
    assert reply["state"] == "succeeded"
    return reply["result"]["threshold"]


def test_a_worker_that_runs_and_one_that_starts_later(fleet, client_of, config):
    worker = fleet.worker().wait_ready()
    client = client_of(fleet)
    assert threshold(client) < 0.9
    assert config("set", "face.min_threshold", "0.987") == "revision 1\n"
    wait_until(lambda: threshold(client) == pytest.approx(0.987), "the worker follows")
    assert worker.terminate() == 0

    later = fleet.worker().wait_ready()
    assert threshold(client) == pytest.approx(0.987)
    assert config("unset", "face.min_threshold") == "revision 2\n"
    wait_until(lambda: threshold(client) < 0.9, "the later worker follows too")
    assert config("rollback", "1") == "revision 3\n"
    wait_until(lambda: threshold(client) == pytest.approx(0.987), "back again")
    assert later.is_ready()


def level(program):
    changes = [line for line in program.log_lines() if line.get("key") == "log.level"]
    return changes[-1]["after"] if changes else None


def test_one_program_and_the_others(fleet, config):
    fleet.environment["FACEFLEET_CALLBACK_SECRET"] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    programs = [fleet.worker(), fleet.gateway(), fleet.callback(), fleet.tracker(), fleet.scheduler()]
    for program in programs:
        program.wait_ready()
    config("set", "log.level", "debug", "--for", "scheduler")
    wait_until(lambda: level(programs[-1]) == "debug", "the scheduler follows")
    config("set", "log.level", "warning")
    for program in programs[:-1]:
        wait_until(lambda program=program: level(program) == "warning", f"{program.name} follows")
    assert level(programs[-1]) == "debug"


def test_the_command_line_is_stronger_and_the_file_is_not(fleet, client_of, config, tmp_path):
    path = tmp_path / "facefleet.yaml"
    path.write_text("face: {min_threshold: 0.95}")
    fleet.environment["FACEFLEET_CONFIG"] = str(path)
    config("set", "face.min_threshold", "0.96")
    worker = fleet.worker().wait_ready()
    client = client_of(fleet)
    assert threshold(client) == pytest.approx(0.96)
    assert config("diff") == "face.min_threshold: 0.95 → 0.96\n"
    worker.terminate()
    fleet.worker(face__min_threshold=0.97).wait_ready()
    assert threshold(client) == pytest.approx(0.97)


def test_scenes_of_the_fleet(fleet, client_of, config):
    fleet.worker().wait_ready()
    client = client_of(fleet)
    job = match_job(photo(GOOD), photo(GOOD), scene="gala")
    assert client.call(job)["error"]["code"] == "invalid_job"
    assert "no lane" in config("set", "scenes.gala.deadline_ms", "60000", status=2)
    config("set", "scenes.gala.lane", "batch")
    wait_until(lambda: client.call(job)["state"] == "succeeded", "the worker knows the scene")


def test_what_is_refused(fleet, config):
    assert "cannot change without a restart" in config("set", "worker.name", "x", status=2)
    assert "a secret cannot be shared" in config("set", "callback.secret", "x", status=2)
    assert "the nearest is log.level" in config("set", "log.levle", "debug", status=2)
    assert "expected one of debug|info|warning|error" in config("set", "log.level", "loud", status=2)
    assert "must be worker" in config("set", "log.level", "debug", "--for", "shell", status=2)
    assert "is not shared by the fleet" in config("get", "log.level", status=1)
    assert "nothing to change" in config("unset", "log.level", status=1)
    assert "no revision 1: the newest is 0" in config("rollback", "1", status=2)
    assert config("get") == config("history") == ""


def test_get_and_history(fleet, config):
    config("set", "gateway.rate", "5", "--for", "gateway")
    config("set", "gateway.rate", "7")
    config("set", "gateway.rate", "8")
    assert config("get", "gateway.rate") == "8\n"
    assert config("get", "gateway.rate", "--for", "gateway") == "5\n"
    rows = [json.loads(line) for line in config("get").splitlines()]
    assert [(row["setting"], row["value"], row["program"], row["revision"]) for row in rows] == [
        ("gateway.rate", "8", None, 3),
        ("gateway.rate", "5", "gateway", 1),
    ]
    rows = [json.loads(line) for line in config("history").splitlines()]
    assert [(row["revision"], row["before"], row["after"]) for row in rows] == [
        (3, "7", "8"),
        (2, None, "7"),
        (1, None, "5"),
    ]
    assert all("@" in row["who"] for row in rows)
    config("rollback", "0")
    assert config("get") == ""
    assert "must be a revision" in config("rollback", "yesterday", status=2)


def test_a_store_that_is_away_at_the_start(fleet, client_of, config, tmp_path):
    """The program begins with its own settings, and follows when the store is there."""
    config("set", "log.level", "debug")
    store = fleet.environment["FACEFLEET_STORE_URL"]
    fleet.environment["FACEFLEET_STORE_URL"] = f"sqlite:{tmp_path}/away/people.db"
    fleet.environment["FACEFLEET_CALLBACK_SECRET"] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    program = fleet.callback().wait_ready()
    assert level(program) is None
    (tmp_path / "away").symlink_to(fleet.folder)
    wait_until(lambda: level(program) == "debug", "the callback service follows")
    fleet.environment["FACEFLEET_STORE_URL"] = store
