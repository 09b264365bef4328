#!/usr/bin/python3
"""What the tracker records: messages per second from a full queue into a store.

usage: tracker.py [--bin DIR] [--tasks N] [--rounds N] [--batch N] [--store URL]

In every round the queue is filled with two messages for each task (running, as an event; succeeded, as a MessagePack
reply with two faces), a few hundred tasks under way at a time; then a tracker empties it. The rate is taken between a
tenth and nine tenths of the queue. Without --store every round has a new SQLite file; a PostgreSQL database is used by
all rounds. Broker, tracker and store share the machine.
"""

import argparse
import json
import os
import statistics
import sys
import time

from bench import ROOT, add_bin_option, private_fleet, wait_until

sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))

LIMIT_SECONDS = 600
UNDER_WAY = 300
COUNTER = 'facefleet_tracker_messages_total{{kind="{}",outcome="{}"}}'
FACE = {
    "box": [10.0, 20.0, 100.0, 120.0],
    "score": 0.99,
    "landmarks": [[40.0, 60.0], [80.0, 60.0], [60.0, 85.0], [45.0, 110.0], [75.0, 110.0]],
    "faces": 1,
    "index": 0,
}


def event(task_id, number):
    return {
        "task_id": task_id,
        "op": "match",
        "user_id": None,
        "reference": f"row-{number}",
        "scene": "batch",
        "state": "running",
        "attempt": 1,
        "at": "2026-11-23T12:00:00.000Z",
        "worker": "worker-host-4711",
        "error": None,
        "next_attempt_at": None,
    }


def reply(task_id, number):
    result = {"matched": True, "similarity": 0.8125, "threshold": 0.375, "face_policy": "largest", "candidates": None}
    return {
        **{key: value for key, value in event(task_id, number).items() if key not in ("at", "next_attempt_at")},
        "collection": None,
        "state": "succeeded",
        "result": {**result, "face_a": FACE, "face_b": FACE},
        "timings_ms": {"queue": 0.5, "decode": 1.5, "detect": 2.5, "align": 0.25, "embed": 3.5, "total": 12.5},
        "model": "0123456789abcdef" * 4,
        "accepted_at": "2026-11-23T12:00:00.000Z",
        "finished_at": "2026-11-23T12:00:00.012Z",
    }


def fill(url, tasks):
    """Leaves the messages in the queue, which is there."""
    import msgpack
    import pika
    from jobs import new_task_id

    now_ms = int(time.time() * 1000)
    headers = {"facefleet-accepted": now_ms, "facefleet-deadline": now_ms + 86400000, "facefleet-owner": "0123456789abcdef"}

    def properties(kind, content_type):
        return pika.BasicProperties(
            type=f"facefleet.{kind}.v1", content_type=content_type, headers=headers, delivery_mode=2
        )

    as_event, as_reply = properties("event", "application/json"), properties("reply", "application/msgpack")
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        for first in range(0, tasks, UNDER_WAY):
            ids = [(new_task_id(), number) for number in range(first, min(first + UNDER_WAY, tasks))]
            for task in ids:
                body = json.dumps(event(*task), separators=(",", ":")).encode()
                channel.basic_publish("facefleet.events", "task.batch.running.quiet", body, as_event)
            for task in ids:
                channel.basic_publish("facefleet.replies", "task.batch.succeeded.quiet", msgpack.packb(reply(*task)), as_reply)


def recorded(tracker):
    return sum(
        tracker.metric(COUNTER.format(kind, outcome)) or 0
        for kind in ("event", "reply")
        for outcome in ("accepted", "repeated")
    )


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rate(fleet, tasks, settings):
    fleet.shell("topology", "--apply", check=True)
    fill(fleet.url, tasks)
    wait_until(lambda: fleet.depth("facefleet.tracker") == 2 * tasks, "the queue is full", LIMIT_SECONDS)
    tracker = fleet.tracker(**settings)

    def reached(count):
        done = recorded(tracker)
        return (time.monotonic(), done) if done >= count else None

    begin, at_begin = wait_until(lambda: reached(0.2 * tasks), "a tenth", LIMIT_SECONDS)
    end, at_end = wait_until(lambda: reached(1.8 * tasks), "nine tenths", LIMIT_SECONDS)
    wait_until(lambda: reached(2 * tasks), "all", LIMIT_SECONDS)
    cpu = cpu_seconds(tracker.process.pid)
    tracker.terminate()
    return (at_end - at_begin) / (end - begin), cpu / (2 * tasks) * 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_bin_option(parser)
    parser.add_argument("--tasks", type=int, default=50000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--store", metavar="URL", help="of an empty PostgreSQL database")
    arguments = parser.parse_args()
    rates = []
    with private_fleet(arguments.bin) as fleet:
        for number in range(arguments.rounds):
            fleet.use_store(arguments.store or f"sqlite:{fleet.folder}/tasks-{number}.db")
            messages, cpu = rate(fleet, arguments.tasks, {"tracker__batch": arguments.batch})
            rates.append(messages)
            print(f"{messages:.0f} messages a second, {cpu:.0f} us of the tracker's processor time for each", flush=True)
    print(f"median {statistics.median(rates):.0f} messages a second, load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
