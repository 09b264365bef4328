#!/usr/bin/python3
"""Breaks a fleet under load in every way it knows, and checks that nothing is lost.

usage: run.py [--bin DIR] [--scenario NAME] [--short] [--seed N] [--seconds N] [--random] [--cluster] [--valgrind] [--list] [--counts FILE]

Starts servers and programs of its own. Exit status 1 when an invariant is broken; the logs are kept then.
tests/fault/README.md explains the table and how to reproduce a failure.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "e2e")]

import cluster  # noqa: E402
import fleet  # noqa: E402
import scenarios  # noqa: E402
import testbed  # noqa: E402
from fleet import ROOT  # noqa: E402
from session import Session  # noqa: E402

RANDOM_SECONDS = 1800


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    build = os.path.join(ROOT, "build-test")
    parser.add_argument("--bin", default=build, metavar="DIR", help="build folder of the programs")
    parser.add_argument("--scenario", default="", metavar="NAME", help="only those whose name contains NAME")
    parser.add_argument("--short", action="store_true", help="one scenario of each kind")
    parser.add_argument("--seed", type=int, default=1, help="of the load, and of the faults with --random")
    parser.add_argument("--seconds", type=float, help="length of a fault; with --random, of everything (default 1800)")
    parser.add_argument("--random", action="store_true", help="up to three faults at once, drawn by the seed")
    parser.add_argument("--cluster", action="store_true", help="the scenarios of three RabbitMQ nodes")
    parser.add_argument("--valgrind", action="store_true", help="the programs run under it, many times slower")
    parser.add_argument("--list", action="store_true", help="name the scenarios and end")
    parser.add_argument("--counts", metavar="FILE", help='write "N passed, N failed" there')
    return parser.parse_args()


def table_of(arguments):
    if arguments.cluster:
        return cluster.table()
    return scenarios.short_table() if arguments.short else scenarios.table()


def chosen(arguments):
    """(seed, scenario): those of the table once, or drawn ones until the time is over."""
    if not arguments.random:
        for scenario in table_of(arguments):
            if arguments.scenario in scenario.name:
                yield arguments.seed, scenario
        return
    end = time.monotonic() + (arguments.seconds or RANDOM_SECONDS)
    seed = arguments.seed
    while time.monotonic() < end:
        yield seed, scenarios.drawn(random.Random(seed), f"seed-{seed}")
        seed += 1


def main():
    arguments = options()
    if arguments.list:
        print("\n".join(scenario.name for scenario in table_of(arguments)))
        return 0
    if arguments.valgrind:
        testbed.Testbed.prefix = testbed.VALGRIND
        os.environ.update(testbed.VALGRIND_BLAS)
        fleet.PATIENCE = 10
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = tempfile.mkdtemp(prefix="facefleet-fault-logs.")
    seconds = None if arguments.random else arguments.seconds
    kinds = (cluster.ClusterServers, cluster.ClusterBed) if arguments.cluster else (testbed.Servers, testbed.Testbed)
    session = Session(kinds[0](), kinds[1], os.path.abspath(arguments.bin), folder, seconds)
    try:
        for seed, scenario in chosen(arguments):
            session.run(scenario, seed)
    finally:
        session.close()
        if session.failed:
            print(f"logs: {folder}")
        else:
            shutil.rmtree(folder)
    counts = f"{session.passed} passed, {session.failed} failed"
    print(counts)
    if arguments.counts:
        with open(arguments.counts, "w", encoding="utf-8") as file:
            print(counts, file=file)
    return 1 if session.failed or not session.passed else 0


if __name__ == "__main__":
    sys.exit(main())
