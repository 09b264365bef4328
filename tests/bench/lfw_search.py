#!/usr/bin/python3
"""Rank-1 identification on photographs of people of whom there are several, through the whole line.

usage: lfw_search.py [--bin DIR] [--store URL] [--set NAME=DETECTOR,EMBEDDER]... FOLDER

FOLDER holds NAME_NUMBER.jpg. The first photograph of everybody who has several is enrolled, the others are searched
for. Rank-1 is the share of the others whose best candidate is the right person; a photograph that failed counts as
wrong. Every set given is measured in turn; without --set the built-in one is.
"""

import argparse
import collections
import os
import time

from bench import add_bin_option, add_set_option, model_sets, people_client, private_fleet, wait_until


def photographs(folder):
    """The paths of each person's photographs, of people who have several."""
    people = collections.defaultdict(list)
    for name in sorted(os.listdir(folder)):
        person = name.rpartition("_")[0]
        if person and name.endswith(".jpg"):
            people[person].append(os.path.join(folder, name))
    return {person: paths for person, paths in people.items() if len(paths) > 1}


def read(path):
    with open(path, "rb") as file:
        return file.read()


def measure(name, settings, bin_dir, store, people):
    refused, wrong, failed, below = collections.Counter(), 0, collections.Counter(), 0
    with private_fleet(bin_dir) as fleet:
        fleet.use_store(store)
        workers = [fleet.worker(**settings).wait_ready() for _ in range(os.cpu_count())]
        with people_client(fleet) as client:
            enrolments = (
                (person, {"op": "enroll", "user_id": person, "image_a": {"data": read(paths[0])}})
                for person, paths in people.items()
            )
            for person, reply in client.run(enrolments):
                if reply["state"] != "succeeded":
                    refused[reply["error"]["code"]] += 1
            enrolled = len(people) - sum(refused.values())
            for worker in workers:
                wait_until(lambda w=worker: w.metric("facefleet_gallery_users") == enrolled, "everybody is in the gallery")
            probes = [(person, path) for person, paths in people.items() for path in paths[1:]]
            searches = (
                (person, {"op": "search", "image_a": {"data": read(path)}, "options": {"threshold": -1, "top_k": 1}})
                for person, path in probes
            )
            started = time.monotonic()
            for person, reply in client.run(searches):
                if reply["state"] != "succeeded":
                    failed[reply["error"]["code"]] += 1
                elif reply["result"]["candidates"][0]["user_id"] != person:
                    wrong += 1
            seconds = time.monotonic() - started
            models = {reply["model"]}
    right = len(probes) - wrong - sum(failed.values())
    print(f"{name} (embedder {', '.join(models)}): rank-1 {100 * right / len(probes):.2f} % ({right} of {len(probes)})")
    print(f"  {enrolled} of {len(people)} people enrolled; refused: {dict(refused) or 'none'}")
    print(f"  failed searches: {dict(failed) or 'none'}; {len(probes) / seconds:.0f} searches/s", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_bin_option(parser)
    add_set_option(parser)
    parser.add_argument("--store", metavar="URL", help="where people are enrolled (default: a new SQLite file)")
    parser.add_argument("folder", metavar="FOLDER")
    arguments = parser.parse_args()
    people = photographs(arguments.folder)
    for name, settings in model_sets(arguments.sets).items():
        measure(name, settings, arguments.bin, arguments.store, people)


if __name__ == "__main__":
    main()
