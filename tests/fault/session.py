"""Runs scenarios one after the other on one testbed, and prints a line for each."""

import collections
import os
import threading
import time
import traceback

import fleet
from fleet import wait_until
from http_support import Api
from invariants import TERMINAL, Auditor
from jobs import photo
from load import KNOWN, Load

FAULT_SECONDS = 1.5
LIMIT_SECONDS = 120
BEFORE = 6  # tasks that have ended when the fault begins
AFTER = 6  # tasks accepted after its end
SHOWN = 12  # broken invariants of a scenario, in full
ROW = "{:32} {:>5} {:>5} {:>7} {:>6} {:>8} {:>8}  {}"
HEADER = ("scenario", "jobs", "lost", "doubled", "differ", "first s", "all s", "states")


class Session:
    """On `servers`, which it starts and closes, and testbeds of the class `bed_class`. `seconds`: the length of each
    fault, or None for what the scenario or FAULT_SECONDS says."""

    def __init__(self, servers, bed_class, bin_dir, folder, seconds=None):
        self.bin_dir = bin_dir
        self.folder = folder
        self.seconds = seconds
        self.passed = self.failed = 0
        self.bed = None
        self.servers = servers
        self.bed_class = bed_class
        print(ROW.format(*HEADER), flush=True)

    def close(self):
        try:
            self.close_bed()
        finally:
            self.servers.close()

    def close_bed(self):
        bed, self.bed = self.bed, None
        if bed:
            bed.close()

    def open_bed(self):
        if not self.bed:
            self.servers.start()
            folder = os.path.join(self.folder, f"fleet-{self.passed + self.failed}")
            os.mkdir(folder)
            self.bed = self.bed_class(self.servers, self.bin_dir, folder)
            answer = Api(self.bed.programs["gateway"].port).post_form(
                f"/v1/users/{KNOWN}/faces", {"image": photo("person01_1")}, prefer=f"wait={30 * fleet.PATIENCE}"
            )
            assert answer.status == 200 and answer.json["state"] == "succeeded", answer.body
        return self.bed

    def run(self, scenario, seed):
        """A fleet in which something broke is not used again."""
        started = time.monotonic()
        run = None
        try:
            run = Run(self.open_bed(), scenario, seed, f"s{self.passed + self.failed}")
            faults = run.to_its_end(self.seconds or scenario.seconds or FAULT_SECONDS)
        except Exception:  # noqa: BLE001
            faults = [traceback.format_exc()]
        try:
            row = run.row() if run else scenario.name
        except Exception:  # noqa: BLE001
            row = scenario.name
            faults.append(traceback.format_exc())
        print(row, f"({time.monotonic() - started:.0f} s)", flush=True)
        if not faults:
            self.passed += 1
            return
        self.failed += 1
        self.complain(scenario, seed, faults)
        try:
            self.close_bed()
        except Exception:  # noqa: BLE001
            print(f"    the end of the fleet: {traceback.format_exc()}", flush=True)

    def complain(self, scenario, seed, faults):
        print(f"FAILED {scenario.name}, seed {seed}: {len(faults)} invariants are broken", flush=True)
        for fault in faults[:SHOWN]:
            print("    " + fault.replace("\n", "\n    "))
        log = os.path.join(self.folder, scenario.name.partition(":")[0] + ".faults")
        with open(log, "w", encoding="utf-8") as out:
            print(*faults, sep="\n", file=out)
        print(f"    all of them: {log}", flush=True)


class Run:
    """One scenario with its load."""

    def __init__(self, bed, scenario, seed, prefix):
        self.bed = bed
        self.scenario = scenario
        self.load = Load(bed, prefix, f"{seed} {scenario.name}", scenario.steady, scenario.refusals)
        self.auditor = Auditor(bed, self.load, scenario.may_park)
        self.all_seconds = None
        self.mended = float("inf")
        self.lost = []

    def to_its_end(self, seconds):
        """The invariants that are broken."""
        load, auditor = self.load, self.auditor
        load.start()
        try:
            stuck = self.under_load(seconds)
        finally:
            self.bed.mend()
            load.stop()
        stuck += self.wait_for(auditor.open_ends)
        self.lost = auditor.not_ended(load.ledger.copy())
        return [*stuck, *auditor.faults(), *self.failures()]

    def under_load(self, seconds):
        """The fault, and what it takes to get over it: sentences about what does not go on."""
        load, auditor = self.load, self.auditor
        wait_until(lambda: self.ended() >= BEFORE, "the load runs", LIMIT_SECONDS)
        with self.scenario.fault(self.bed, load):
            threading.Event().wait(seconds)
        self.mended, mended = time.time(), time.monotonic()
        before = load.ledger.copy()
        left = self.wait_for(lambda: auditor.not_ended(before))
        self.all_seconds = time.monotonic() - mended
        return left or self.wait_for(
            lambda: ["no client gets on after the fault"] if len(load.ledger.copy()) < len(before) + AFTER else []
        )

    def wait_for(self, left):
        """What is left of a list that ought to become empty."""
        end = time.monotonic() + LIMIT_SECONDS * fleet.PATIENCE
        while (rest := left()) and time.monotonic() < end:
            threading.Event().wait(0.1)
        return rest

    def ended(self):
        return sum(task.state in TERMINAL for task in self.auditor.tasks().values())

    def first_seconds(self):
        """From the end of the fault to the first task that succeeded after it."""
        times = [int(t.finished) / 1000 for t in self.auditor.tasks().values() if t.state == "succeeded"]
        return min((at - self.mended for at in times if at > self.mended), default=None)

    def failures(self):
        """Where the scenario says more than that nothing may be lost."""
        faults = []
        if self.scenario.steady:
            failed = [task for task in self.auditor.tasks().values() if task.state != "succeeded"]
            faults = [f"task {t.task_id} ({t.reference}) is {t.state}: {t.error_code}" for t in failed]
        if self.scenario.shows and not self.load.ledger.refusals[self.scenario.shows]:
            faults.append(f"nobody was refused with {self.scenario.shows}: {dict(self.load.ledger.refusals)}")
        return faults

    def row(self):
        tasks = self.auditor.tasks().values()
        states = collections.Counter(task.error_code or task.state for task in tasks)
        refusals = self.load.ledger.refusals
        return ROW.format(
            self.scenario.name,
            len(self.load.ledger.copy()),
            len(self.lost),
            len(self.auditor.doubled()),
            len(self.auditor.told_otherwise()),
            seconds_text(self.first_seconds()),
            seconds_text(self.all_seconds),
            counts_text(states) + (f"; refused: {counts_text(refusals)}" if refusals else ""),
        )


def seconds_text(value):
    return "-" if value is None else f"{value:.1f}"


def counts_text(counts):
    return " ".join(f"{name} {count}" for name, count in counts.most_common())
