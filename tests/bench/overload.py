#!/usr/bin/env python3
"""What a worker does with several times more than it can: how realtime jobs fare, what is left for batch jobs, and how
long it takes to come back.

First the capacity is measured, with batch jobs alone; then jobs are sent at a multiple of it, some of them realtime.
"""

import argparse
import collections
import itertools
import os
import sys
import threading
import time

import msgpack
import pika

from bench import SAMPLES, add_bin_option, private_fleet, read_pairs, wait_until
from jobs import match_job, new_task_id

DEADLINE_MS = 300
IN_FLIGHT = 32
BATCH_QUEUE = "facefleet.jobs.batch"

Sent = collections.namedtuple("Sent", "lane at")
Answer = collections.namedtuple("Answer", "lane seconds at code")


class Jobs:
    """Sends the sample pairs over one connection and hears the replies on another, each with a thread."""

    def __init__(self, url):
        self.url = url
        self.channel = pika.BlockingConnection(pika.URLParameters(url)).channel()
        self.bodies = {lane: itertools.cycle(list(self.make_bodies(lane))) for lane in ("realtime", "batch")}
        self.sent = {}
        self.answers = []
        self.changed = threading.Condition()
        self.reply_queue = None
        self.hearing = None
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()
        wait_until(lambda: self.reply_queue, "replies are listened for")

    @staticmethod
    def make_bodies(lane):
        for pair in read_pairs(os.path.join(SAMPLES, "pairs.csv")):
            pictures = []
            for side in ("image_a", "image_b"):
                with open(os.path.join(SAMPLES, pair[side]), "rb") as file:
                    pictures.append(file.read())
            yield msgpack.packb(match_job(*pictures, scene=lane))

    def listen(self):
        channel = pika.BlockingConnection(pika.URLParameters(self.url)).channel()
        queue = channel.queue_declare("", exclusive=True).method.queue
        channel.basic_consume(queue, self.hear, auto_ack=True)
        self.hearing = channel
        self.reply_queue = queue
        channel.start_consuming()
        channel.connection.close()

    def hear(self, _channel, _method, properties, body):
        now = time.monotonic()
        error = msgpack.unpackb(body)["error"]
        with self.changed:
            sent = self.sent.pop(properties.message_id)
            self.answers.append(Answer(sent.lane, now - sent.at, now, error["code"] if error else None))
            self.changed.notify()

    def send(self, lane):
        now_ms = int(time.time() * 1000)
        headers = {"facefleet-accepted": now_ms}
        if lane == "realtime":
            headers["facefleet-deadline"] = now_ms + DEADLINE_MS
        task_id = new_task_id()
        self.sent[task_id] = Sent(lane, time.monotonic())
        properties = pika.BasicProperties(
            message_id=task_id,
            type="facefleet.job.v1",
            content_type="application/msgpack",
            reply_to=self.reply_queue,
            delivery_mode=2,
            headers=headers,
        )
        self.channel.basic_publish("facefleet.jobs", lane, next(self.bodies[lane]), properties)

    def close(self):
        self.hearing.connection.add_callback_threadsafe(self.hearing.stop_consuming)
        self.thread.join()
        self.channel.connection.close()

    def take(self):
        """The answers since the last call."""
        with self.changed:
            answers, self.answers = self.answers, []
        return answers


def measure_capacity(jobs, seconds):
    """Jobs a second with as many in flight as keep the worker busy."""
    began = time.monotonic()
    while time.monotonic() < began + seconds:
        with jobs.changed:
            jobs.changed.wait_for(lambda: len(jobs.sent) < IN_FLIGHT, timeout=1)
        if len(jobs.sent) < IN_FLIGHT:
            jobs.send("batch")
    count = sum(answer.at >= began + seconds / 4 for answer in jobs.take())
    wait_until(lambda: not jobs.sent, "the last ones are answered")
    jobs.take()
    return count / (seconds * 3 / 4)


class ShareWatch:
    """Looks at the batch lane's share now and then: (time, share)."""

    def __init__(self, worker):
        self.worker = worker
        self.seen = []
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()

    def watch(self):
        while not self.done.wait(0.25):
            share = self.worker.metric("facefleet_batch_share")
            if share is not None:
                self.seen.append((time.monotonic(), share))

    def stop(self):
        self.done.set()
        self.thread.join()
        return self.seen


def overload(jobs, rate, realtime, seconds):
    """Sends on time, whatever the answers; every so many-th is realtime. Returns how many of each lane were sent."""
    counts = collections.Counter()
    began = time.monotonic()
    for number in range(int(rate * seconds)):
        pause = began + number / rate - time.monotonic()
        if pause > 0:
            jobs.channel.connection.sleep(pause)
        lane = "realtime" if int((number + 1) * realtime) > int(number * realtime) else "batch"
        jobs.send(lane)
        counts[lane] += 1
    return counts, time.monotonic() - began


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] * 1000 if values else float("nan")


def print_realtime(answers, sent):
    good = [a.seconds for a in answers if a.code is None]
    late = sum(s * 1000 > DEADLINE_MS for s in good)
    codes = collections.Counter(a.code for a in answers if a.code)
    print(
        f"realtime: {sent} sent, {len(good)} matched ({100 * len(good) / max(sent, 1):.1f} %), "
        f"p50 {percentile(good, 0.5):.0f} ms, p99 {percentile(good, 0.99):.0f} ms, "
        f"{late} of them heard of after {DEADLINE_MS} ms; not matched: {dict(codes) or 'none'}"
    )


def recover(jobs, fleet, watch, ended, limit):
    """Waits for the lanes to be as before; then drops what is left. Returns when share and queue were back, or None."""
    empty = None
    while time.monotonic() < ended + limit and not (empty and watch.seen and watch.seen[-1][1] == 1):
        jobs.channel.connection.sleep(0.2)
        if not empty and not jobs.sent:
            empty = time.monotonic()
    back = next((at for at, share in watch.seen if at > ended and share == 1), None)
    if not empty:
        jobs.channel.queue_purge(BATCH_QUEUE)
    return back, empty


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_bin_option(parser)
    parser.add_argument("--seconds", type=float, default=60, help="of overload (default: 60)")
    parser.add_argument("--measure", type=float, default=10, help="seconds for the capacity (default: 10)")
    parser.add_argument("--times", type=float, default=3, help="as much as the capacity (default: 3)")
    parser.add_argument("--realtime", type=float, default=0.2, help="part of the jobs (default: 0.2)")
    parser.add_argument("--recover", type=float, default=180, help="seconds that recovery may take (default: 180)")
    parser.add_argument("--target", type=int, default=100, help="worker.realtime_wait_target_ms; 0: never yields")
    parser.add_argument("--threads", type=int, default=0, help="of the worker; 0: all processors")
    arguments = parser.parse_args()
    with private_fleet(arguments.bin) as fleet:
        worker = fleet.worker(
            worker__threads=arguments.threads, worker__realtime_wait_target_ms=arguments.target
        ).wait_ready()
        jobs = Jobs(fleet.url)
        capacity = measure_capacity(jobs, arguments.measure)
        print(f"capacity: {capacity:.1f} jobs/s")
        watch = ShareWatch(worker)
        counts, seconds = overload(jobs, arguments.times * capacity, arguments.realtime, arguments.seconds)
        ended = time.monotonic()
        during = jobs.take()
        back, empty = recover(jobs, fleet, watch, ended, arguments.recover)
        after = jobs.take()
        seen = watch.stop()
        jobs.close()
    matched = [a for a in during if a.code is None]
    realtime = [a for a in matched if a.lane == "realtime"]
    batch = len(matched) - len(realtime)
    print(f"overload: {sum(counts.values()) / seconds:.1f} jobs/s for {seconds:.0f} s")
    print_realtime([a for a in during + after if a.lane == "realtime"], counts["realtime"])
    share = 100 * len(realtime) / max(len(matched), 1)
    print(f"matched meanwhile: {len(matched) / seconds:.1f} jobs/s, {share:.0f} % of them realtime")
    print(f"batch: {counts['batch']} sent, {batch / seconds:.1f} matched a second meanwhile")
    shares = [share for at, share in seen if at <= ended]
    yielded = 100 * sum(share < 1 for share in shares) / max(len(shares), 1)
    print(f"the batch lane's share was below 1 for {yielded:.0f} % of that time")
    print(
        "after it: "
        + (f"the share was 1 again after {back - ended:.1f} s" if back else "the share was not 1 again")
        + (f", all was answered after {empty - ended:.1f} s" if empty else ", the backlog was dropped")
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
