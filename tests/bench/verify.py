#!/usr/bin/python3
"""How long it takes to verify one person when the store, Redis, or the process itself knows them.

usage: verify.py [--bin DIR] [--store URL] [--count N]

Three workers on virtual hosts of their own, with the same store: one that asks the store each time, one that asks
Redis, one that remembers. They take turns, so that what the machine does meanwhile is the same for all. The photograph
is found in the cache of photographs, so what is left is the broker's way and the look-up. Then Redis is killed in the
middle of as many verifications again, and comes back: no task may fail.
"""

import argparse
import contextlib
import os
import statistics
import time

from bench import SAMPLES, Fleet, add_bin_option, people_client, private_fleet, private_redis, wait_until

COLD, REDIS, PROCESS = "store", "Redis", "process"
SETTINGS = {
    COLD: {"cache__people_bytes": 0},
    REDIS: {"cache__people_bytes": 0},
    PROCESS: {},
}


def photo(name):
    with open(os.path.join(SAMPLES, name + ".jpg"), "rb") as file:
        return file.read()


def verify(client, job, times):
    started = time.perf_counter()
    task_id = client.client.publish(job, content_type="application/msgpack")
    reply = client.client.next_reply_pushed()
    times.append(1000 * (time.perf_counter() - started))
    assert reply["task_id"] == task_id
    return reply["state"] == "succeeded" and reply["result"]["matched"]


def lookup_us(worker, answer):
    """The mean time of the look-ups that were answered there, by the worker's own count."""
    series = 'facefleet_cache_lookup_duration_seconds_{}{{cache="people",answer="' + answer + '"}}'
    count = worker.metric(series.format("count")) or 0
    return 1e6 * worker.metric(series.format("sum")) / count if count else float("nan")


def line(name, times, worker, answer):
    times = sorted(times)
    print(
        f"{name:8} {statistics.median(times):7.3f} {times[int(len(times) * 0.99)]:7.3f} {lookup_us(worker, answer):9.1f}",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_bin_option(parser)
    parser.add_argument("--store", metavar="URL", help="where people are enrolled (default: a new SQLite file)")
    parser.add_argument("--count", type=int, default=1000, help="verifications of each kind (default: 1000)")
    arguments = parser.parse_args()
    with contextlib.ExitStack() as undo:
        first = undo.enter_context(private_fleet(arguments.bin))
        redis = undo.enter_context(private_redis(first.folder))
        store = first.use_store(arguments.store)
        fleets = {COLD: first}
        for name in (REDIS, PROCESS):
            fleets[name] = Fleet(first.broker, first.bin_dir, first.folder)
            fleets[name].environment["FACEFLEET_STORE_URL"] = store
            undo.callback(fleets[name].close)
        workers, clients = {}, {}
        for name, fleet in fleets.items():
            fleet.environment["FACEFLEET_CACHE_PHOTOS_BYTES"] = str(1 << 20)
            if name == REDIS:
                fleet.environment["FACEFLEET_CACHE_REDIS_URL"] = redis.url
            workers[name] = fleet.worker(**SETTINGS[name]).wait_ready()
            clients[name] = undo.enter_context(people_client(fleet))
        enrolment = {"op": "enroll", "user_id": "ada", "image_a": {"data": photo("person01_1")}}
        [(_, reply)] = clients[COLD].run([(None, enrolment)])
        assert reply["state"] == "succeeded", reply
        for worker in workers.values():
            wait_until(lambda w=worker: w.metric("facefleet_gallery_users") == 1, "ada is in every gallery")
        wait_until(lambda: workers[REDIS].metric("facefleet_redis_up") == 1, "Redis is there")

        job = {"op": "verify", "user_id": "ada", "image_a": {"data": photo("person01_2")}}
        times = {name: [] for name in fleets}
        for name in fleets:  # the photograph is computed once, and Redis filled
            verify(clients[name], job, [])
        failed = 0
        for _ in range(arguments.count):
            for name in fleets:
                failed += not verify(clients[name], job, times[name])
        print("answered  median     p99   look-up")
        print("by            ms      ms   mean µs")
        line(COLD, times[COLD], workers[COLD], "store")
        line(REDIS, times[REDIS], workers[REDIS], "redis")
        line(PROCESS, times[PROCESS], workers[PROCESS], "process")

        lost = []
        for number in range(arguments.count):
            if number == arguments.count // 2:
                redis.kill()
            failed += not verify(clients[REDIS], job, lost)
        redis.start()
        wait_until(lambda: workers[REDIS].metric("facefleet_redis_up") == 1, "Redis is back")
        failed += not verify(clients[REDIS], job, lost)
        print(f"Redis killed half-way through {arguments.count}: {failed} failed tasks; longest {max(lost):.1f} ms")
        print(f"store: {store.split(':', 1)[0]}")


if __name__ == "__main__":
    main()
