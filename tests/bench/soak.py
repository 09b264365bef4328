#!/usr/bin/python3
"""Memory over time: the resident set of one worker while it works through a long batch.

usage: soak.py [--bin DIR] [--jobs N]

Prints the worker's RSS when it is ready, after each tenth of the batch and at the end, and the growth between the first
tenth (every buffer has its size by then) and the end.
"""

import argparse
import os

from bench import add_bin_option, private_fleet, tasks_finished, wait_until, write_batch

LIMIT_SECONDS = 3600


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_bin_option(parser)
    parser.add_argument("--jobs", type=int, default=20000)
    arguments = parser.parse_args()

    with private_fleet(arguments.bin) as fleet:
        worker = fleet.worker(log__level="warning").wait_ready()
        samples = []

        def sample(finished):
            samples.append(worker.rss_kib())
            print(f"{finished:6.0f} tasks  {samples[-1] / 1024:7.1f} MiB", flush=True)

        sample(0)
        batch = write_batch(os.path.join(fleet.folder, "batch.csv"), arguments.jobs)
        out = os.path.join(fleet.folder, "results.jsonl")
        with open(os.path.join(fleet.folder, "shell.log"), "wb") as log:
            shell = fleet.start_shell("submit", batch, "--wait", "--out", out, stdout=log, stderr=log)
        for tenth in range(1, 11):
            goal = arguments.jobs * tenth // 10
            wait_until(lambda: tasks_finished(worker) >= goal, f"{goal} tasks", LIMIT_SECONDS)
            sample(goal)
        shell.wait(timeout=LIMIT_SECONDS)
    growth = samples[-1] - samples[1]
    print(f"growth from the first tenth to the end: {growth / 1024:+.1f} MiB ({growth / samples[1]:+.1%})")


if __name__ == "__main__":
    main()
