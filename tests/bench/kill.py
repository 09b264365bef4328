#!/usr/bin/python3
"""Loses nothing: three workers share a batch, one is killed and the broker restarted in the middle of it.

usage: kill.py [--bin DIR] [--jobs N]

Prints what happened when and how many distinct results came. Exit status 1 if one is missing, doubled or failed.
"""

import argparse
import collections
import os
import sys
import time

from bench import add_bin_option, private_fleet, read_results, wait_until, write_batch

LIMIT_SECONDS = 600


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_bin_option(parser)
    parser.add_argument("--jobs", type=int, default=2000)
    arguments = parser.parse_args()

    with private_fleet(arguments.bin) as fleet:
        workers = [fleet.worker() for _ in range(3)]
        for worker in workers:
            worker.wait_ready()
        batch = write_batch(os.path.join(fleet.folder, "batch.csv"), arguments.jobs)
        out = os.path.join(fleet.folder, "results.jsonl")
        started = time.monotonic()

        def say(text):
            print(f"{time.monotonic() - started:7.2f} s  {len(read_results(out)):5} results  {text}", flush=True)

        def wait_for_share(share):
            wait_until(
                lambda: len(read_results(out)) >= share * arguments.jobs, f"{share:.0%} of the results", LIMIT_SECONDS
            )

        with open(os.path.join(fleet.folder, "shell.log"), "wb") as log:
            shell = fleet.start_shell("submit", batch, "--wait", "--out", out, stdout=log, stderr=log)
        say(f"{arguments.jobs} jobs, three workers")
        wait_for_share(0.25)
        workers[0].kill()
        say("kill -9 of one worker")
        wait_for_share(0.5)
        say("broker stops")
        fleet.broker.restart()
        say("broker is back")
        status = shell.wait(timeout=LIMIT_SECONDS)
        say(f"facefleet submit ended with {status}")
        results = read_results(out)

    ids = {result["id"] for result in results}
    states = collections.Counter(result["state"] for result in results)
    shares = collections.Counter(result["worker"] for result in results)
    print(f"{len(ids)} distinct results of {arguments.jobs}, {arguments.jobs - len(ids)} lost, ", end="")
    print(f"{len(results) - len(ids)} doubled; states {dict(states)}; by worker {sorted(shares.values())}")
    complete = len(ids) == len(results) == arguments.jobs == states["succeeded"]
    return 0 if complete and status == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
