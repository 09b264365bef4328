"""What the benchmarks share: a fleet of their own on a private broker, and long batches of the sample pairs."""

import contextlib
import csv
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

# Used here and handed on: the benchmarks import from this file alone.
from fleet import (  # noqa: E402,F401
    PRIVATE_BROKER,
    PRIVATE_POSTGRES,
    PRIVATE_REDIS,
    ROOT,
    SAMPLES,
    Broker,
    Fleet,
    PrivateServer,
    wait_until,
)


def add_bin_option(parser):
    parser.add_argument(
        "--bin",
        default=os.path.join(ROOT, "build"),
        metavar="DIR",
        help="build folder of the programs to measure (default: build)",
    )


def add_set_option(parser):
    parser.add_argument("--set", action="append", default=[], metavar="NAME=DETECTOR,EMBEDDER", dest="sets")


def model_sets(texts):
    """Worker settings by the name of the set; the built-in set when none is given."""
    sets = {}
    for text in texts:
        name, _, folders = text.partition("=")
        detector, _, embedder = folders.partition(",")
        folders = [os.path.abspath(folder) if folder else "" for folder in (detector, embedder)]
        sets[name] = {"model__detector": folders[0], "model__embedder": folders[1]}
    return sets or {"built-in set": {}}


@contextlib.contextmanager
def private_fleet(bin_dir, broker_prefix=()):
    """A fleet on a private broker; programs, broker and files are gone when the block ends, by SIGTERM too.
    `broker_prefix` goes before the command that starts the broker."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="facefleet-bench.") as folder, contextlib.ExitStack() as undo:
        broker_folder = os.path.join(folder, "broker")
        os.mkdir(broker_folder)
        undo.callback(subprocess.run, [PRIVATE_BROKER, "stop", broker_folder], check=True)
        subprocess.run([*broker_prefix, PRIVATE_BROKER, "start", broker_folder], check=True, stdout=subprocess.DEVNULL)
        fleet = Fleet(Broker(broker_folder), os.path.abspath(bin_dir), folder)
        undo.callback(fleet.close)
        yield fleet


@contextlib.contextmanager
def private_redis(parent):
    redis = PrivateServer(PRIVATE_REDIS, os.path.join(parent, "redis"))
    redis.start()
    try:
        yield redis
    finally:
        redis.stop()


@contextlib.contextmanager
def private_postgres():
    with tempfile.TemporaryDirectory(prefix="facefleet-postgres.", dir="/tmp") as folder:
        os.chmod(folder, 0o711)  # the server may run as another user
        postgres = PrivateServer(PRIVATE_POSTGRES, os.path.join(folder, "data"))
        postgres.start()
        try:
            yield postgres
        finally:
            postgres.stop()


class PeopleClient:
    """Sends jobs through a client that is not ours (pika), a few at a time."""

    IN_FLIGHT = 16

    def __init__(self, client):
        self.client = client

    def run(self, jobs):
        """Yields (key, reply) for every (key, job), as the replies come."""
        waiting = {}
        for key, job in jobs:
            waiting[self.client.publish(job, content_type="application/msgpack")] = key
            if len(waiting) >= self.IN_FLIGHT:
                yield self.next(waiting)
        while waiting:
            yield self.next(waiting)

    def next(self, waiting):
        reply = self.client.next_reply()
        return waiting.pop(reply["task_id"]), reply


@contextlib.contextmanager
def people_client(fleet):
    """For benchmarks about enrolled people; needs the packages of the tests."""
    from jobs import Client

    client = Client(fleet.url)
    yield PeopleClient(client)
    client.close()


def read_pairs(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_batch(path, count):
    """`count` lines for `facefleet submit`: the sample pairs, over and over, with the ids 0, 1, 2, …"""
    pairs = read_pairs(os.path.join(SAMPLES, "pairs.csv"))
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "image_a", "image_b"])
        for number, pair in zip(range(count), itertools.cycle(pairs)):
            writer.writerow([number, *(os.path.join(SAMPLES, pair[side]) for side in ("image_a", "image_b"))])
    return path


def read_results(path):
    """The whole lines of a results file, which may still grow."""
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        text = file.read()
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


def tasks_finished(worker):
    """How many tasks a worker has finished, by its own count."""
    text = worker.get("/metrics")[1]
    lines = (line for line in text.splitlines() if line.startswith("facefleet_worker_tasks_total{"))
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines)
