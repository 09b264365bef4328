#!/usr/bin/python3
"""What queueing costs: matches per second of one worker, next to the same matches without broker or messages.

usage: overhead.py [--bin DIR] [--jobs N] [--rounds N] [--detector DIR --embedder DIR]

In every round the queue is filled first; then a worker with one compute thread, pinned to core 0, empties it (the
broker is pinned to core 1), and bench_inprocess does as many of the same matches on core 0. The worker's rate is taken
between a tenth and nine tenths of the queue, so that start and end do not count. Needs two cores.
"""

import argparse
import json
import os
import statistics
import subprocess
import time

from bench import ROOT, SAMPLES, add_bin_option, private_fleet, tasks_finished, wait_until, write_batch

LIMIT_SECONDS = 600
ON_CORE_0 = ("taskset", "-c", "0")
ON_CORE_1 = ("taskset", "-c", "1")


def queued_rate(fleet, jobs, settings):
    batch = write_batch(os.path.join(fleet.folder, "batch.csv"), jobs)
    fleet.shell("topology", "--apply", check=True)
    fleet.shell("submit", batch, check=True, timeout=LIMIT_SECONDS)
    worker = fleet.worker(ON_CORE_0, **settings)

    def reached(count):
        finished = tasks_finished(worker)
        return (time.monotonic(), finished) if finished >= count else None

    begin, at_begin = wait_until(lambda: reached(0.1 * jobs), "a tenth of the tasks", LIMIT_SECONDS)
    end, at_end = wait_until(lambda: reached(0.9 * jobs), "nine tenths of the tasks", LIMIT_SECONDS)
    wait_until(lambda: reached(jobs), "all tasks", LIMIT_SECONDS)
    worker.terminate()
    return (at_end - at_begin) / (end - begin)


def direct_rate(bin_dir, jobs, detector, embedder):
    program = os.path.join(bin_dir, "tests", "bench", "bench_inprocess")
    command = [*ON_CORE_0, program, os.path.join(SAMPLES, "pairs.csv"), detector, embedder, str(jobs)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)["matches_per_second"]


def main():
    built_in = os.path.join(ROOT, "deploy", "models", "default")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_bin_option(parser)
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--detector", default=os.path.join(built_in, "detector"), metavar="DIR")
    parser.add_argument("--embedder", default=os.path.join(built_in, "embedder"), metavar="DIR")
    arguments = parser.parse_args()
    settings = {
        "model__detector": os.path.abspath(arguments.detector),
        "model__embedder": os.path.abspath(arguments.embedder),
    }

    os.sched_setaffinity(0, {1})  # this script must not take core 0 from what it measures
    ratios = []
    with private_fleet(arguments.bin, ON_CORE_1) as fleet:
        for number in range(1, arguments.rounds + 1):
            queued = queued_rate(fleet, arguments.jobs, settings)
            direct = direct_rate(arguments.bin, arguments.jobs, arguments.detector, arguments.embedder)
            ratios.append(queued / direct)
            print(f"round {number}: {queued:.1f} matches/s through the queue, {direct:.1f} in-process, "
                  f"{ratios[-1]:.1%}", flush=True)
    print(f"median: {statistics.median(ratios):.1%}")


if __name__ == "__main__":
    main()
