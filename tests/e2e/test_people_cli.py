"""The shell's commands about enrolled people, against a worker that answers as it is told."""

import csv
import io
import json
import os
import pty
import signal
import socket
import subprocess

import msgpack
import pika
import pytest

import cli_support
from cli_support import FACE, json_lines, on_terminal, photo, wait_for_end, whole_lines
from fleet import wait_until
from jobs import as_json

PIPES = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
IMAGE_ID = "01930000-0000-7000-8000-000000000002"


@pytest.fixture
def camera(tmp_path):
    return photo(tmp_path, "camera.jpg", b"\xff\xd8 camera")


def folder_of_people(folder):
    """Five photographs of three people, in both ways to lay them out, and one file that is none."""
    people = folder / "people"
    (people / "ann").mkdir(parents=True)
    for name in ("ann/1.jpg", "ann/2.png", "bob_1.jpg", "bob_2.jpg", "carla lee.jpeg"):
        (people / name).write_bytes(b"\xff\xd8 " + name.encode())
    (people / ".hidden").write_bytes(b"nobody asks")
    return people


PEOPLE = {
    "ann/1.jpg": "ann",
    "ann/2.png": "ann",
    "bob_1.jpg": "bob",
    "bob_2.jpg": "bob",
    "carla lee.jpeg": "carla lee",
}


# --- enroll ----------------------------------------------------------------------------------------


def test_enroll_sends_what_the_wire_says(fleet, worker, camera):
    worker.answer = cli_support.stored
    done = fleet.shell("enroll", "ann", camera, "--collection", "staff", "--policy", "reject_multiple")
    assert done.returncode == 0, done.stderr
    (job,) = worker.jobs
    assert job.body["op"] == "enroll" and job.body["user_id"] == "ann" and job.body["collection"] == "staff"
    assert job.body["image_a"] == {"data": b"\xff\xd8 camera"} and not job.body.get("image_b")
    assert job.body["options"]["face_policy"] == "reject_multiple"
    assert job.properties.headers["facefleet-accepted"] > 0
    assert done.stdout == f"{camera}: stored {job.properties.message_id}   face score 0.990\n"
    assert done.stderr == ""


def test_enroll_tells_what_is_to_be_better(fleet, worker, tmp_path, camera):
    good = photo(tmp_path, "good.jpg", b"\xff\xd8 good")
    worker.answer = lambda job: (cli_support.stored if b"good" in job.body["image_a"]["data"] else cli_support.blurred)(job)
    done = fleet.shell("enroll", "ann", camera, good)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[0] == f"{camera}: refused low_quality: sharpness 4.1 is below 10"
    assert lines[1].startswith(f"{good}: stored ")
    done = fleet.shell("enroll", "ann", camera)
    assert done.returncode == 3


def test_each_image_has_its_own_id(fleet, worker, tmp_path):
    worker.answer = cli_support.stored
    photos = [photo(tmp_path, f"{number}.jpg", b"%d" % number) for number in range(5)]
    done = fleet.shell("enroll", "ann", *photos, "--json")
    assert done.returncode == 0, done.stderr
    replies = json_lines(done.stdout)
    assert [reply["task_id"] for reply in replies] == [job.properties.message_id for job in worker.jobs]
    assert len({reply["task_id"] for reply in replies}) == 5
    assert [job.body["image_a"]["data"] for job in worker.jobs] == [b"%d" % number for number in range(5)]
    assert replies[0]["result"]["face_a"]["score"] == pytest.approx(FACE["score"])


def test_a_misspelt_file_leaves_nothing_half_done(fleet, worker, camera):
    done = fleet.shell("enroll", "ann", camera, "/nonexistent/b.jpg")
    assert done.returncode == 2
    assert "/nonexistent/b.jpg: No such file" in done.stderr and done.stdout == ""
    assert worker.jobs == []


def test_enroll_without_a_reply_ends_there(fleet, worker, camera):
    worker.answer = lambda job: cli_support.stored(job) if len(worker.jobs) == 1 else []
    done = fleet.shell("enroll", "ann", camera, camera, camera, "--timeout", "3")  # the first one is answered in it
    assert done.returncode == 3
    assert len(done.stdout.splitlines()) == 1
    assert "ended at image 2 of 3" in done.stderr
    wait_until(lambda: len(worker.jobs) == 2, "the second job, which the shell did not wait for")


def test_enroll_interrupted(fleet, worker, camera):
    worker.answer = cli_support.silent
    shell = fleet.start_shell("enroll", "ann", camera, camera, **PIPES)
    wait_until(lambda: worker.jobs, "the job")
    shell.send_signal(signal.SIGINT)
    assert wait_for_end(shell)[0] == 130
    assert len(worker.jobs) == 1


# --- enroll --from -----------------------------------------------------------------------------------


def test_enroll_a_folder(fleet, worker, tmp_path):
    worker.answer = cli_support.stored
    people = folder_of_people(tmp_path)
    done = fleet.shell("enroll", "--from", str(people), "--collection", "staff")
    assert done.returncode == 0, done.stderr
    results = {result["id"]: result for result in json_lines(done.stdout)}
    assert {id: result["user_id"] for id, result in results.items()} == PEOPLE
    assert all(result["state"] == "succeeded" and result["score"] == 0.99 for result in results.values())
    assert "5 sent, 5 answered (5 stored, 0 failed)" in done.stderr
    for job in worker.jobs:
        assert job.body["op"] == "enroll" and job.body["collection"] == "staff"
        assert job.body["user_id"] == PEOPLE[job.body["reference"]]
        assert job.body["image_a"]["data"] == b"\xff\xd8 " + job.body["reference"].encode()
        assert results[job.body["reference"]]["task_id"] == job.properties.message_id


def test_what_is_no_photograph_does_not_stop_the_rest(fleet, worker, tmp_path):
    worker.answer = cli_support.stored
    people = folder_of_people(tmp_path)
    (people / "ann" / "notes.txt").write_text("hello")
    (people / "secret.jpg").symlink_to("/etc/passwd")
    (people / "etc").symlink_to("/etc")
    (people / "ann" / "\033[2J\n.jpg").write_bytes(b"x")
    (people / "empty.jpg").write_bytes(b"")
    (people / ("u" * 129 + ".jpg")).write_bytes(b"x")
    done = fleet.shell("enroll", "--from", str(people))
    assert done.returncode == 1
    assert {result["id"] for result in json_lines(done.stdout)} == set(PEOPLE)
    assert "\033" not in done.stderr
    for complaint in (
        "ann/notes.txt: is no .jpg",
        "secret.jpg: is a symbolic link",
        "etc: is a symbolic link",
        "ann/\\x1b[2J\\n.jpg: id: has a control character",
        "empty.jpg: the file: the file is empty",
        "user_id: 129 bytes",
        "6 refused",
    ):
        assert complaint in done.stderr
    assert not any(b"root" in job.body["image_a"]["data"] for job in worker.jobs)


@pytest.mark.parametrize("header", ["", "user_id,image,collection\n"])
def test_enroll_a_list(fleet, worker, tmp_path, header):
    worker.answer = lambda job: (cli_support.stored, cli_support.blurred)[job.body["user_id"] == "bob"](job)
    photo(tmp_path, "a.jpg")
    path = tmp_path / "people.csv"
    path.write_text(header + "ann,a.jpg\nann,https://example.com/a.jpg,staff\nbob,a.jpg,\ncarl,missing.jpg\n")
    out = tmp_path / "out.csv"
    done = fleet.shell("enroll", "--from", str(path), "--out", str(out))
    assert done.returncode == 1 and done.stdout == ""
    assert f"line {5 if header else 4}: image: " in done.stderr and "missing.jpg: No such file" in done.stderr
    assert "3 sent, 3 answered (2 stored, 1 failed), 1 refused" in done.stderr
    rows = {row["id"]: row for row in csv.DictReader(io.StringIO(out.read_text()))}
    assert set(rows) == {"ann a.jpg", "ann https://example.com/a.jpg staff", "bob a.jpg"}
    assert rows["bob a.jpg"]["error"] == "low_quality" and rows["bob a.jpg"]["measure"] == "sharpness"
    assert rows["bob a.jpg"]["value"] == "4.1" and rows["bob a.jpg"]["limit"] == "10"
    jobs = {job.body["reference"]: job.body for job in worker.jobs}
    assert jobs["ann https://example.com/a.jpg staff"]["collection"] == "staff"
    assert jobs["ann https://example.com/a.jpg staff"]["image_a"] == {"url": "https://example.com/a.jpg"}
    assert jobs["ann a.jpg"].get("collection", "default") == "default"


def test_enroll_jsonl_from_standard_input(fleet, worker, tmp_path, camera):
    worker.answer = cli_support.stored
    text = json.dumps({"user_id": 7, "image": camera, "id": "x", "scene": "realtime"}) + "\n"
    done = fleet.shell("enroll", "--from", "-", input=text)
    assert done.returncode == 0, done.stderr
    (result,) = json_lines(done.stdout)
    assert result["id"] == "x" and result["user_id"] == "7"
    assert worker.jobs[0].lane == "realtime"


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_resume_enrolls_who_has_no_result(fleet, worker, tmp_path, kind):
    worker.answer = cli_support.stored
    people, out = folder_of_people(tmp_path), tmp_path / f"out.{kind}"
    (people / "bob_2.jpg").rename(tmp_path / "later.jpg")
    command = ("enroll", "--from", str(people), "--out", str(out))
    assert fleet.shell(*command).returncode == 0
    (tmp_path / "later.jpg").rename(people / "bob_2.jpg")
    out.write_text(out.read_text()[:-5])  # the last line was not written to its end
    done = fleet.shell(*command, "--resume")
    assert done.returncode == 0, done.stderr
    assert "2 sent, 2 answered (2 stored, 0 failed), 3 skipped" in done.stderr
    text = out.read_text()
    rows = json_lines(text) if kind == "jsonl" else list(csv.DictReader(io.StringIO(text)))
    assert sorted(row["id"] for row in rows) == sorted(PEOPLE)
    assert len(worker.jobs) == 6


def test_enroll_a_folder_interrupted_then_resumed(fleet, worker, tmp_path):
    worker.answer = cli_support.stored
    people, out = tmp_path / "people", tmp_path / "out.jsonl"
    people.mkdir()
    for number in range(1500):
        (people / f"user{number}x.jpg").write_bytes(b"x")
    command = ("enroll", "--from", str(people), "--out", str(out), "--in-flight", "10")
    shell = fleet.start_shell(*command, **PIPES)
    wait_until(lambda: len(whole_lines(out)) > 20, "some results")
    shell.send_signal(signal.SIGINT)
    assert wait_for_end(shell)[0] == 130
    assert len(whole_lines(out)) < 1500
    done = fleet.shell(*command, "--resume")
    assert done.returncode == 0, done.stderr
    assert sorted(r["id"] for r in json_lines(out.read_text())) == sorted(f"user{n}x.jpg" for n in range(1500))


def test_an_enrolment_that_is_never_answered(fleet, worker, tmp_path):
    worker.answer = lambda job: [] if job.body["user_id"] == "carla lee" else cli_support.stored(job)
    done = fleet.shell("enroll", "--from", str(folder_of_people(tmp_path)), "--scene", "realtime", timeout=120)
    assert done.returncode == 1
    results = {result["id"]: result for result in json_lines(done.stdout)}
    assert results["carla lee.jpeg"]["error"] == "no_reply" and results["carla lee.jpeg"]["user_id"] == "carla lee"


# --- unenroll --------------------------------------------------------------------------------------


def test_unenroll(fleet, worker):
    worker.answer = cli_support.stored
    done = fleet.shell("unenroll", "a\033nn", "--collection", "staff")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "unenrolled a\\x1bnn\n"
    (job,) = worker.jobs
    assert job.body["op"] == "unenroll" and job.body["user_id"] == "a\033nn" and job.body["collection"] == "staff"
    assert not job.body.get("image_a")
    done = fleet.shell("unenroll", "ann", "--json")
    assert json.loads(done.stdout)["state"] == "succeeded"
    assert worker.jobs[1].body.get("collection", "default") == "default"


def test_unenroll_that_fails(fleet, worker):
    worker.answer = cli_support.refused("store_unavailable", "the store does not answer")
    done = fleet.shell("unenroll", "ann")
    assert done.returncode == 3
    assert "store_unavailable" in done.stdout and "does not answer" in done.stdout


# --- verify ----------------------------------------------------------------------------------------


def test_verify(fleet, worker, camera):
    worker.answer = cli_support.recognised
    done = fleet.shell("verify", "ann", camera, "--threshold", "0.25", "--collection", "staff")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(
        "same person\n  person      ann\n  collection  staff\n  similarity  0.7500\n  threshold   0.3750\n"
    )
    (job,) = worker.jobs
    assert job.body["op"] == "verify" and job.body["user_id"] == "ann" and job.body["collection"] == "staff"
    assert job.body["image_a"] == {"data": b"\xff\xd8 camera"} and not job.body.get("image_b")
    assert job.body["options"]["threshold"] == 0.25


def test_verify_of_somebody_else(fleet, worker, camera):
    worker.answer = lambda job: cli_support.recognised(job, 0.125)
    done = fleet.shell("verify", "ann", camera)
    assert done.returncode == 1
    assert done.stdout.startswith("not the same person\n")
    done = fleet.shell("verify", "ann", camera, "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["result"]["similarity"] == 0.125


@pytest.mark.parametrize("code", ["user_not_found", "model_mismatch"])
def test_verify_against_nobody(fleet, worker, camera, code):
    worker.answer = cli_support.refused(code, "ann is not there")
    done = fleet.shell("verify", "ann", camera)
    assert done.returncode == 3
    assert code in done.stdout and "ann is not there" in done.stdout


# --- search ----------------------------------------------------------------------------------------


def test_search_sends_and_prints_what_travelled(fleet, worker, camera):
    worker.answer = cli_support.found(("ann", 0.75), ("bob", 0.5))
    done = fleet.shell("search", camera, "--top", "2", "--collection", "staff")
    assert done.returncode == 0, done.stderr
    reply = json.loads(done.stdout)
    assert [candidate["user_id"] for candidate in reply["result"]["candidates"]] == ["ann", "bob"]
    (job,) = worker.jobs
    assert job.body["op"] == "search" and job.body["collection"] == "staff" and not job.body.get("user_id")
    assert job.body["options"]["top_k"] == 2


def test_search_on_a_terminal(fleet, worker, camera):
    worker.answer = cli_support.found(("ann\033[2J", 0.75), ("bob", 0.5))
    lines = on_terminal(fleet, "search", camera, NO_COLOR="1").splitlines()
    assert lines == [
        " rank  person      similarity  image",
        f"    1  ann\\x1b[2J      0.7500  {IMAGE_ID}",
        f"    2  bob             0.5000  {IMAGE_ID}",
    ]
    assert json.loads(on_terminal(fleet, "search", camera, "--json"))["state"] == "succeeded"


def test_search_finds_nobody(fleet, worker, camera):
    worker.answer = cli_support.found()
    done = fleet.shell("search", camera)
    assert done.returncode == 1
    assert json.loads(done.stdout)["result"]["candidates"] == []
    text = on_terminal(fleet, "search", camera, status=1, NO_COLOR="1")
    assert text == "nobody at or above the threshold of 0.3750\r\n"


def test_search_that_fails(fleet, worker, camera):
    worker.answer = cli_support.refused("no_face", "image_a: no face")
    done = fleet.shell("search", camera)
    assert done.returncode == 3
    assert json.loads(done.stdout)["error"]["code"] == "no_face"


# --- usage -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments, complaint",
    [
        (["enrol", "ann"], "did you mean enroll"),
        (["enroll", "ann"], "a user id and photographs"),
        (["enroll", "ann", *["a.jpg"] * 65], "65 photographs; a person can have at most 64"),
        (["enroll", "ann", "a.jpg", "--from", "people"], "takes the place"),
        (["enroll", "--from", "people", "--json"], "--json does not go with --from"),
        (["enroll", "ann", "a.jpg", "--resume"], "--resume goes with --from only"),
        (["enroll", "--from", "people", "--resume"], "--out"),
        (["enroll", "--from", "/nonexistent"], "/nonexistent: No such file"),
        (["enroll", "ann", "a.jpg", "--threshold", "0.5"], "unknown option --threshold"),
        (["unenroll"], "one user id"),
        (["verify", "ann"], "a user id and a photograph"),
        (["verify", "ann", "/nonexistent/a.jpg"], "No such file"),
        (["search"], "one photograph"),
        (["search", "a.jpg", "--top", "1001"], "from 1 to 1000"),
        (["search", "a.jpg", "--collection", ""], "--collection: is empty"),
        (["search", "a.jpg", "--collection", "c" * 129], "longer than 128 bytes"),
    ],
)
def test_usage(fleet, arguments, complaint):
    done = fleet.shell(*arguments)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert done.stdout == ""


def test_a_job_that_the_wire_refuses(fleet, camera):
    done = fleet.shell("verify", "u" * 129, camera)
    assert done.returncode == 2 and "user_id: 129 bytes" in done.stderr
    done = fleet.shell("verify", "ann", camera, "--policy", "best_pair")
    assert done.returncode == 2 and "best_pair is for a match only" in done.stderr
    done = fleet.shell("unenroll", os.fsdecode(b"\xff"))
    assert done.returncode == 2 and "UTF-8" in done.stderr


# --- erase -----------------------------------------------------------------------------------------

PARKED = "facefleet.dead.parked"
NOWHERE = ("--set", "store.url=", "--set", "cache.redis_url=")


def park(url, *bodies):
    """Leaves messages as workers and the callback service do: jobs in JSON or MessagePack, replies."""
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        for number, body in enumerate(bodies):
            is_reply = isinstance(body, dict) and "state" in body
            packed = isinstance(body, dict) and not is_reply and number % 2
            content = body if isinstance(body, bytes) else msgpack.packb(body) if packed else as_json(body)
            properties = pika.BasicProperties(
                message_id=str(number),
                type="facefleet.reply.v1" if is_reply else "facefleet.job.v1",
                content_type="application/msgpack" if packed else "application/json",
                delivery_mode=2,
                headers={"facefleet-reason": "it was no good"},
            )
            channel.basic_publish("", PARKED, content, properties)


def parked_numbers(url):
    """The ids of all parked messages, in order, which stay there."""
    numbers = []
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        while (got := channel.basic_get(PARKED))[0]:
            assert got[1].headers["facefleet-reason"] == "it was no good"
            numbers.append(int(got[1].message_id))
    return numbers


def verify_job(user_id):
    return {"op": "verify", "user_id": user_id, "image_a": {"data": b"\xff\xd8"}}


def test_erase_takes_the_parked_messages_of_one_person(fleet, worker):
    reply = {"task_id": IMAGE_ID, "op": "verify", "user_id": "ann", "state": "final_failed", "attempt": 1}
    park(
        fleet.url,
        verify_job("ann"),
        verify_job("ann"),
        verify_job("bob"),
        verify_job("anna"),
        {**reply, "error": {"code": "no_face", "message": "", "retryable": False}},
        {"op": "verify", "user_id": "ann"},
        b"no job at all",
        verify_job("bob"),
    )
    done = fleet.shell("erase", "ann", "--yes", *NOWHERE)
    assert done.returncode == 0, done.stderr
    assert "parked  4 of 8 messages removed\n" in done.stdout
    assert "store   none is configured\n" in done.stdout and "Redis   none is configured\n" in done.stdout
    assert "1 parked message cannot be read and stayed" in done.stderr
    again = fleet.shell("erase", "ann", "--yes", *NOWHERE)
    assert again.returncode == 0 and "parked  0 of 4 messages removed\n" in again.stdout
    assert parked_numbers(fleet.url) == [2, 3, 6, 7]


def test_erase_tells_the_fleet(fleet, worker):
    with pika.BlockingConnection(pika.URLParameters(fleet.url)) as connection:
        channel = connection.channel()
        channel.exchange_declare("facefleet.control", "fanout", durable=True)
        queue = channel.queue_declare("", exclusive=True).method.queue
        channel.queue_bind(queue, "facefleet.control")
        assert fleet.shell("-q", "erase", "ann", "--yes", *NOWHERE).stdout == ""
        told = []
        for _ in range(2):
            _, properties, body = channel.basic_get(queue, auto_ack=True)
            assert properties.type == "facefleet.control.v1"
            told.append(json.loads(body))
        assert told == [{"kind": "photos_forget"}, {"kind": "person_erased", "user_id": "ann", "collection": None}]


def test_erase_says_what_it_could_not_reach(fleet, worker, tmp_path):
    settings = ("--set", f"store.url=sqlite:{tmp_path}/nowhere/people.db", "--set", "cache.redis_url=redis://127.0.0.1:1")
    park(fleet.url, verify_job("ann"))
    done = fleet.shell("erase", "ann", "--yes", *settings)
    assert done.returncode == 1
    assert "store: not reached: " in done.stderr and "Redis: not reached: " in done.stderr
    assert "parked  1 of 1 message removed\n" in done.stdout


def test_erase_without_a_broker(fleet):
    with socket.socket() as closed:  # bound, not listening: nobody else can get the port
        closed.bind(("127.0.0.1", 0))
        broker = f"amqp://127.0.0.1:{closed.getsockname()[1]}"
        done = fleet.shell("--broker", broker, "erase", "ann", "--yes", *NOWHERE)
    assert done.returncode == 1
    assert "workers: not reached: " in done.stderr and "parked messages: not reached: " in done.stderr


@pytest.mark.parametrize("answer, erased", [("y\n", True), ("yes\n", True), ("n\n", False), ("\n", False), ("\x04", False)])
def test_erase_asks_on_a_terminal(fleet, worker, answer, erased):
    ours, theirs = pty.openpty()
    shell = fleet.start_shell("erase", "a\033nn", "--collection", "staff", *NOWHERE, **{**PIPES, "stdin": theirs})
    os.close(theirs)
    os.write(ours, answer.encode())
    status, out, err, _ = wait_for_end(shell)
    os.close(ours)
    assert 'Erase "a\\x1bnn" from collection "staff" for good? [y/N]' in err
    assert status == (0 if erased else 1)
    assert ("parked" in out) == erased


@pytest.mark.parametrize(
    "arguments, complaint",
    [
        (["erase"], "one user id"),
        (["erase", "ann"], "--yes says that it is meant"),
        (["erase", "", "--yes"], "a user id is 1 to 128 bytes"),
        (["erase", "u" * 129, "--yes"], "a user id is 1 to 128 bytes"),
        (["erase", "ann", "--yes", "--collection", ""], "a collection is 1 to 128 bytes"),
    ],
)
def test_usage_of_erase(fleet, arguments, complaint):
    done = fleet.shell(*arguments, stdin=subprocess.DEVNULL)
    assert done.returncode == 2
    assert complaint in done.stderr and done.stdout == ""
