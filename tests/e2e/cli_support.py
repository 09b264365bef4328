"""What the tests of the shell need: a worker that answers as it is told, and input files."""

import collections
import csv
import json
import os
import pty
import subprocess
import threading
import time

import msgpack
import pika
import pika.exceptions

LANES = ("facefleet.jobs.realtime", "facefleet.jobs.batch")
FACE = {
    "box": [10.0, 20.0, 100.0, 120.0],
    "score": 0.99,
    "landmarks": [[40.0, 60.0], [80.0, 60.0], [60.0, 85.0], [45.0, 110.0], [75.0, 110.0]],
    "faces": 1,
    "index": 0,
}

PIPES = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}

Job = collections.namedtuple("Job", "body properties lane")


def reply_to(job, **changes):
    """A reply as a worker would write it: the same person, unless `changes` says otherwise."""
    return {
        "task_id": job.properties.message_id,
        "op": job.body["op"],
        "reference": job.body.get("reference"),
        "scene": job.body.get("scene", "batch"),
        "state": "succeeded",
        "attempt": 1,
        "result": {
            "matched": True,
            "similarity": 0.8125,
            "threshold": 0.375,
            "face_policy": "largest",
            "face_a": FACE,
            "face_b": FACE,
            "candidates": None,
        },
        "error": None,
        "timings_ms": {"queue": 0.5, "total": 12.5},
        "worker": "fake",
        "model": "none",
        "accepted_at": "2026-11-23T12:00:00.000Z",
        "finished_at": "2026-11-23T12:00:00.012Z",
        **changes,
    }


def same(job):
    return [reply_to(job)]


def different(job):
    reply = reply_to(job)
    reply["result"] = {**reply["result"], "matched": False, "similarity": 0.125}
    return [reply]


def failed(job):
    error = {"code": "no_face", "message": "image_b: no face", "retryable": False, "image": "b", "details": {}}
    return [reply_to(job, state="final_failed", result=None, error=error)]


def person(job, **changes):
    """A reply to a job about an enrolled person, which echoes who that is."""
    return reply_to(job, user_id=job.body.get("user_id"), collection=job.body.get("collection"), **changes)


def stored(job):
    """An enrolment, or the end of one, that is done."""
    face = FACE if job.body["op"] == "enroll" else None
    result = {"matched": None, "similarity": None, "threshold": None, "face_policy": "largest", "candidates": None}
    return [person(job, result={**result, "face_a": face, "face_b": None})]


def blurred(job):
    details = {"measure": "sharpness", "value": 4.1, "limit": 10}
    error = {"code": "low_quality", "message": "image_a: too blurred", "retryable": False, "image": "a"}
    return [person(job, state="final_failed", result=None, error={**error, "details": details})]


def recognised(job, similarity=0.75):
    """A verification: the person, or somebody else."""
    result = {"matched": similarity >= 0.375, "similarity": similarity, "threshold": 0.375, "face_policy": "largest"}
    return [person(job, result={**result, "face_a": FACE, "face_b": None, "candidates": None})]


def found(*people):
    """A search that finds these, each a name and a similarity."""

    def answer(job):
        candidates = [
            {"user_id": name, "image_id": "01930000-0000-7000-8000-000000000002", "similarity": similarity}
            for name, similarity in people
        ]
        result = {"matched": None, "similarity": None, "threshold": 0.375, "face_policy": "largest"}
        return [person(job, result={**result, "face_a": FACE, "face_b": None, "candidates": candidates})]

    return answer


def refused(code, message):
    """A task that fails."""

    def answer(job):
        error = {"code": code, "message": message, "retryable": False, "image": None, "details": {}}
        return [person(job, state="final_failed", result=None, error=error)]

    return answer


def silent(job):
    return []


def publish(channel, job, reply):
    """Sends a reply (a dict, or bytes as they are) where the job wants it."""
    channel.basic_publish(
        "",
        job.properties.reply_to,
        reply if isinstance(reply, bytes) else msgpack.packb(reply),
        pika.BasicProperties(
            message_id=job.properties.message_id,
            correlation_id=job.properties.correlation_id,
            type="facefleet.reply.v1",
            content_type="application/msgpack",
            delivery_mode=2,
        ),
    )


def answer_late(url, job):
    """Sends the reply to a job that was taken off its lane before."""
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        publish(connection.channel(), job, reply_to(job))


class FakeWorker:
    """Takes jobs off both lanes, notes them, and sends the replies that `answer(job)` lists: dicts, or
    bytes to be sent as they are. Survives a broker that restarts. The queues must be there."""

    def __init__(self, url, answer=same):
        self.jobs = []
        self.answer = answer
        self.ended = threading.Event()
        self.parameters = pika.URLParameters(url)
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.ended.is_set():
            try:
                with pika.BlockingConnection(self.parameters) as connection:
                    self.serve(connection)
            except pika.exceptions.AMQPError:
                self.ended.wait(0.1)

    def serve(self, connection):
        channel = connection.channel()
        for queue in LANES:
            channel.basic_consume(queue, self.on_job)
        while not self.ended.is_set():
            connection.process_data_events(time_limit=0.05)

    def on_job(self, channel, method, properties, body):
        job = Job(msgpack.unpackb(body), properties, method.routing_key)
        answer = self.answer  # before anybody sees the job, and gives another
        self.jobs.append(job)
        for reply in answer(job) if properties.reply_to else []:
            publish(channel, job, reply)
        channel.basic_ack(method.delivery_tag)

    def close(self):
        self.ended.set()
        self.thread.join()


def photo(folder, name="a.jpg", content=b"\xff\xd8 pixels"):
    """A file that passes for a photograph with everybody who does not look inside."""
    path = folder / name
    path.write_bytes(content)
    return str(path)


def pairs(folder, count, name="pairs.csv"):
    """A CSV of `count` rows with ids "1", "2", … and its photographs."""
    photo(folder, "a.jpg")
    photo(folder, "b.jpg")
    path = folder / name
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "image_a", "image_b", "same"])
        writer.writerows([number, "a.jpg", "b.jpg", 1] for number in range(1, count + 1))
    return str(path)


def ids(count):
    return [str(number) for number in range(1, count + 1)]


def json_lines(text):
    return [json.loads(line) for line in text.splitlines()]


def whole_lines(path):
    """The lines of a file that is still written to, without a last one that is not finished."""
    text = path.read_text() if path.exists() else ""
    return text[: text.rfind("\n") + 1].splitlines()


def read_to_end(terminal):
    """What a terminal that nobody writes to any more still has: not all of it comes at once."""
    text = b""
    try:
        while piece := os.read(terminal, 65536):
            text += piece
    except OSError:  # how the end of a terminal looks
        pass
    return text


def on_terminal(fleet, *arguments, status=0, **variables):
    """What the shell prints on a terminal."""
    ours, theirs = pty.openpty()
    environment = {**fleet.environment, "TERM": "xterm", **variables}
    shell = fleet.start_shell(*arguments, stdout=theirs, stderr=subprocess.PIPE, env=environment)
    assert shell.wait(timeout=60) == status, shell.stderr.read()
    shell.stderr.close()
    os.close(theirs)
    text = read_to_end(ours).decode()
    os.close(ours)
    return text


def wait_for_end(process, seconds=60):
    """Exit status, standard output and error of a process, and how long it took from now."""
    begin = time.monotonic()
    out, err = process.communicate(timeout=seconds)
    return process.returncode, out, err, time.monotonic() - begin
