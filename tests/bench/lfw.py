#!/usr/bin/python3
"""Accuracy on labelled pairs, through the whole line: shell, broker, worker and back.

usage: lfw.py [--bin DIR] [--set NAME=DETECTOR,EMBEDDER]... PAIRS.csv

PAIRS.csv has the columns id, image_a, image_b, same, the images relative to it; its first half is one fold and its
second half another. The threshold that is best on one fold judges the other, and the two accuracies are averaged. A
pair that failed counts as wrong. Every set given is measured in turn; without --set the built-in one is.
"""

import argparse
import collections
import os
import time

from bench import add_bin_option, add_set_option, model_sets, private_fleet, read_pairs, read_results


def submit(fleet, pairs_path):
    """The results by the pairs' ids."""
    out = os.path.join(fleet.folder, "results.jsonl")
    done = fleet.shell("submit", os.path.abspath(pairs_path), "--wait", "--out", out, timeout=3600)
    if done.returncode not in (0, 1):  # 1: some pairs failed
        raise SystemExit(f"facefleet submit ended with {done.returncode}: {done.stderr}")
    return {result["id"]: result for result in read_results(out)}


def accuracy(pairs, threshold):
    """`pairs` is a list of (same, similarity or None)."""
    right = sum(similarity is not None and (similarity >= threshold) == same for same, similarity in pairs)
    return right / len(pairs)


def best_threshold(pairs):
    """The middle of the gap whose ends judge the pairs best."""
    values = sorted(similarity for _, similarity in pairs if similarity is not None)
    candidates = [-1.0] + [(low + high) / 2 for low, high in zip(values, values[1:])] + [1.0]
    return max(candidates, key=lambda threshold: accuracy(pairs, threshold))


def measure(name, settings, bin_dir, pairs_path):
    workers = os.cpu_count()
    with private_fleet(bin_dir) as fleet:
        for _ in range(workers):
            fleet.worker(**settings).wait_ready()
        started = time.monotonic()
        results = submit(fleet, pairs_path)
        seconds = time.monotonic() - started
    pairs, failed = [], collections.Counter()
    for row in read_pairs(pairs_path):
        result = results.get(row["id"], {"similarity": None, "error": "lost"})
        pairs.append((row["same"] == "1", result["similarity"]))
        if result["similarity"] is None:
            failed[result["error"]] += 1
    first, second = pairs[: len(pairs) // 2], pairs[len(pairs) // 2 :]
    thresholds = best_threshold(first), best_threshold(second)
    two_way = (accuracy(second, thresholds[0]) + accuracy(first, thresholds[1])) / 2
    print(f"{name}: {100 * two_way:.2f} % two-way on {len(pairs)} pairs")
    print(f"  thresholds {thresholds[0]:.3f} and {thresholds[1]:.3f}; failed pairs: {dict(failed) or 'none'}")
    print(f"  {len(pairs) / seconds:.0f} pairs/s, {workers} workers with one compute thread each", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_bin_option(parser)
    add_set_option(parser)
    parser.add_argument("pairs", metavar="PAIRS.csv")
    arguments = parser.parse_args()
    for name, settings in model_sets(arguments.sets).items():
        measure(name, settings, arguments.bin, arguments.pairs)


if __name__ == "__main__":
    main()
