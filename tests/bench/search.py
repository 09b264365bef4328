#!/usr/bin/python3
"""How many searches a second a worker makes in a large gallery, alone and several together.

usage: search.py [--bin DIR] [--images N] [--count N] [--rounds N]

Fills a new SQLite file with N random embeddings under the built-in model, then lets two workers (one compute thread
each, on virtual hosts of their own) take turns: one runs every search alone, one up to eight together. The photographs
are found in the cache of photographs, so what is measured is the gallery and the broker. Also says how long the worker
took to load the gallery, and what memory it has.
"""

import argparse
import contextlib
import json
import math
import os
import random
import sqlite3
import statistics
import struct
import time

from bench import SAMPLES, Fleet, add_bin_option, people_client, private_fleet

DIMENSION = 128
TOGETHER = (1, 8)


def model_id(fleet):
    shown = fleet.shell("models", "show", "default", "--json")
    assert shown.returncode == 0, shown.stderr
    return json.loads(shown.stdout)["model_id"]


def embedding(generator):
    vector = [generator.gauss(0, 1) for _ in range(DIMENSION)]
    length = math.sqrt(sum(value * value for value in vector))
    return struct.pack(f"<{DIMENSION}f", *(value / length for value in vector))


def fill(path, model, images):
    """One image each; random directions, of which a thousand are made once and turned into others by their order."""
    generator = random.Random(1)
    halves = [embedding(generator) for _ in range(2000)]
    ids = [f"00000000-0000-7000-8000-{number:012x}" for number in range(images)]

    def vector(number):
        a, b = halves[number % 1999], halves[(number // 1999 + 7 * number) % 2000]
        numbers = [x + y for x, y in zip(struct.unpack(f"<{DIMENSION}f", a), struct.unpack(f"<{DIMENSION}f", b))]
        length = math.sqrt(sum(value * value for value in numbers))
        return struct.pack(f"<{DIMENSION}f", *(value / length for value in numbers))

    with sqlite3.connect(path) as database:
        database.executemany(
            "INSERT INTO persons (collection, user_id, version) VALUES ('default', ?, ?)",
            ((f"user-{number}", number + 1) for number in range(images)),
        )
        database.executemany(
            "INSERT INTO images (collection, user_id, image_id, accepted) VALUES ('default', ?, ?, 0)",
            ((f"user-{number}", ids[number]) for number in range(images)),
        )
        database.executemany(
            "INSERT INTO embeddings VALUES ('default', ?, ?, ?, ?)",
            ((f"user-{number}", ids[number], model, vector(number)) for number in range(images)),
        )
        database.execute("UPDATE people_version SET version = ?", (images,))


def searches_per_second(client, count):
    photos = []
    for number in range(1, 9):
        with open(os.path.join(SAMPLES, f"person0{number}_1.jpg"), "rb") as file:
            photos.append(file.read())
    jobs = (
        (number, {"op": "search", "image_a": {"data": photos[number % len(photos)]}, "options": {"threshold": -1}})
        for number in range(count)
    )
    started = time.perf_counter()
    for _, reply in client.run(jobs):
        assert reply["state"] == "succeeded" and len(reply["result"]["candidates"]) == 10, reply
    return count / (time.perf_counter() - started)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_bin_option(parser)
    parser.add_argument("--images", type=int, default=300000)
    parser.add_argument("--count", type=int, default=400, help="searches in each round")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with contextlib.ExitStack() as undo:
        first = undo.enter_context(private_fleet(arguments.bin))
        store = first.use_store()
        fill(store.removeprefix("sqlite:"), model_id(first), arguments.images)
        fleets = {TOGETHER[0]: first}
        for together in TOGETHER[1:]:
            fleets[together] = Fleet(first.broker, first.bin_dir, first.folder)
            fleets[together].environment["FACEFLEET_STORE_URL"] = store
            undo.callback(fleets[together].close)
        clients, rates = {}, {together: [] for together in TOGETHER}
        for together, fleet in fleets.items():
            fleet.environment["FACEFLEET_CACHE_PHOTOS_BYTES"] = str(1 << 20)
            started = time.monotonic()
            worker = fleet.worker(worker__searches_together=together, worker__prefetch_batch=16)
            while not worker.is_ready():
                time.sleep(0.05)
            print(
                f"worker ready after {time.monotonic() - started:.1f} s with {worker.metric('facefleet_gallery_images'):.0f} "
                f"images in {worker.metric('facefleet_gallery_bytes') / 1e6:.0f} MB; RSS {worker.rss_kib() / 1024:.0f} MiB"
            )
            clients[together] = undo.enter_context(people_client(fleet))
            searches_per_second(clients[together], 50)
        for _ in range(arguments.rounds):
            for together in TOGETHER:
                rates[together].append(searches_per_second(clients[together], arguments.count))
        for together in TOGETHER:
            print(f"up to {together} together: {statistics.median(rates[together]):.0f} searches/s (median)")
        gains = [many / one for one, many in zip(rates[TOGETHER[0]], rates[TOGETHER[1]])]
        print(f"gain {statistics.median(gains):.2f} (rounds: {', '.join(f'{gain:.2f}' for gain in gains)})")


if __name__ == "__main__":
    main()
