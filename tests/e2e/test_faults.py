"""What a batch survives: a worker that is killed, a broker that restarts, a worker that is stopped."""

import csv
import json
import os
import subprocess

from fleet import SAMPLES, wait_until

REPEATS = 5


def batch(folder):
    """The sample pairs, several times over, with ids of their own. Returns the file and the ids."""
    path = folder / "batch.csv"
    with open(os.path.join(SAMPLES, "pairs.csv"), encoding="utf-8", newline="") as source:
        pairs = list(csv.DictReader(source))
    ids = []
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "image_a", "image_b"])
        for repeat in range(REPEATS):
            for pair in pairs:
                ids.append(f"{repeat}-{pair['id']}")
                images = (os.path.join(SAMPLES, pair[side]) for side in ("image_a", "image_b"))
                writer.writerow([ids[-1], *images])
    return path, ids


def results(path):
    """The whole lines of a results file that may still grow."""
    if not path.exists():
        return []
    text = path.read_text()
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


def start_batch(fleet, folder, workers=3):
    """Three workers, and a shell in the middle of a batch: as (shell, workers, ids, results file). It cannot end before
    finish(), which gives the shell the rest of its input."""
    programs = [fleet.worker() for _ in range(workers)]
    for program in programs:
        program.wait_ready()
    path, ids = batch(folder)
    out = folder / "results.jsonl"
    with open(folder / "shell.log", "wb") as log:
        shell = fleet.start_shell(
            "submit", "-", "--wait", "--out", str(out), stdin=subprocess.PIPE, stdout=log, stderr=log, bufsize=0
        )
    lines = path.read_bytes().splitlines(keepends=True)
    shell.stdin.write(b"".join(lines[: len(lines) // 2]))

    def is_under_way():
        seen = results(out)
        return len(seen) > len(ids) // 10 and len({line["worker"] for line in seen}) == workers

    wait_until(is_under_way, "a tenth of the results, of all workers")
    return shell, programs, ids, out


def finish(shell, ids, out, folder):
    lines = (folder / "batch.csv").read_bytes().splitlines(keepends=True)
    shell.stdin.write(b"".join(lines[len(lines) // 2 :]))
    shell.stdin.close()
    assert shell.wait(timeout=240) == 0, (folder / "shell.log").read_text()
    lines = results(out)
    assert sorted(line["id"] for line in lines) == sorted(ids), "every id once"
    assert all(line["state"] == "succeeded" for line in lines)
    return lines


def test_worker_killed_mid_batch(fleet, tmp_path):
    shell, workers, ids, out = start_batch(fleet, tmp_path)
    workers[0].kill()
    finish(shell, ids, out, tmp_path)


def test_worker_stopped_mid_batch(fleet, tmp_path):
    shell, workers, ids, out = start_batch(fleet, tmp_path)
    assert workers[0].terminate() == 0
    finish(shell, ids, out, tmp_path)


def test_broker_restarted_mid_batch(fleet, tmp_path):
    shell, workers, ids, out = start_batch(fleet, tmp_path)
    fleet.broker.restart()
    finish(shell, ids, out, tmp_path)
    for worker in workers:
        worker.wait_ready()


def test_shell_stopped_mid_batch_resumes(fleet, tmp_path):
    shell, _, ids, out = start_batch(fleet, tmp_path)
    shell.terminate()
    assert shell.wait(timeout=60) == 130
    shell.stdin.close()
    done = fleet.shell("submit", str(tmp_path / "batch.csv"), "--wait", "--out", str(out), "--resume")
    assert done.returncode == 0, done.stderr
    assert sorted(line["id"] for line in results(out)) == sorted(ids)
