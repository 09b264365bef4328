#!/usr/bin/python3
"""Adds up test results: meson's testlog.json, pytest's JUnit XML, and lines "N passed, N failed[, N skipped]".

usage: summary.py [--brief FILE] RESULT...

Names what failed and what was skipped, then prints one line "N passed, N failed". A skip is a failure unless it is for
want of ../shared or of Docker, which are not part of the repository; those are counted as ", N skipped". With --brief
the line goes to FILE instead. Exit status 1 when something failed or nothing ran.
"""

import json
import os
import re
import sys
import xml.etree.ElementTree

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TAP_LINE = re.compile(r"(not )?ok\b\s*(\d*)[\s-]*([^#]*)(?:#\s*(SKIP)\b\s*(.*))?", re.IGNORECASE)
LAST_LINES = 40
COUNTS_LINE = re.compile(r"(\d+) passed, (\d+) failed(?:, (\d+) skipped)?")


class Summary:
    def __init__(self):
        self.passed = 0
        self.failures = []
        self.skips = []

    def skip(self, name, reason):
        """cmocka gives no reason, so what counts is whether ../shared is there: then nothing may skip for want of it."""
        if not os.path.isdir(os.path.join(ROOT, "..", "shared")) or "docker" in reason.lower():
            self.skips.append(f"{name}: {reason or 'no ../shared'}")
        else:
            self.failures.append(f"{name}: skipped, {reason or 'no reason given'}")

    def line(self):
        skipped = f", {len(self.skips)} skipped" if self.skips else ""
        return f"{self.passed} passed, {len(self.failures)} failed{skipped}"


def read_tap_program(summary, program):
    """Counts the cases of one program; a bad end of the program is a failure of its own."""
    planned = seen = bad = 0
    for line in program.get("stdout", "").splitlines():
        plan = re.match(r"1\.\.(\d+)(?:\s*#\s*SKIP\b\s*(.*))?", line, re.IGNORECASE)
        if plan:
            planned = int(plan[1])
            if planned == 0:
                summary.skip(program["name"], plan[2] or "")
            continue
        case = TAP_LINE.match(line)
        if not case:
            continue
        seen += 1
        name = f"{program['name']}: {case[3].strip() or case[5] or case[2]}"
        if case[4]:
            summary.skip(name, "")
        elif case[1]:
            bad += 1
            summary.failures.append(name)
        else:
            summary.passed += 1
    status = program.get("returncode", 0)
    if program["result"] in ("TIMEOUT", "INTERRUPT"):
        summary.failures.append(f"{program['name']}: {program['result'].lower()}")
    elif seen < planned or (status != 0 and bad == 0):
        ending = f"ended with status {status} after {seen} of {planned} cases"
        summary.failures.append(f"{program['name']}: {ending}{last_words(program)}")


def last_words(program):
    """What a program that ended badly said of it, so that the reason stands in the last lines of a long log."""
    lines = (program.get("stdout", "") + "\n" + program.get("stderr", "")).splitlines()
    words = [line for line in lines if line.strip() and not TAP_LINE.match(line)]
    return "".join(f"\n         | {line}" for line in words[-LAST_LINES:])


def read_meson(summary, path):
    with open(path, encoding="utf-8") as log:
        for line in log:
            program = json.loads(line)
            if re.search(r"^1\.\.\d", program.get("stdout", ""), re.MULTILINE):
                read_tap_program(summary, program)
            elif program["result"] == "OK":
                summary.passed += 1
            elif program["result"] == "SKIP":
                summary.skip(program["name"], program.get("stdout", "").strip())
            else:
                summary.failures.append(f"{program['name']}: {program['result'].lower()}")


def read_junit(summary, path):
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        name = f"{case.get('classname')}: {case.get('name')}"
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            summary.failures.append(name)
        elif skipped is not None:
            summary.skip(name, skipped.get("message", ""))
        else:
            summary.passed += 1


def read_counts(summary, path):
    """The names are not in such a file: they were printed when it was written."""
    name = os.path.basename(path)
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            counts = COUNTS_LINE.fullmatch(line.strip())
            if counts:
                summary.passed += int(counts[1])
                summary.failures += [f"{name}: see above"] * int(counts[2])
                summary.skips += [f"{name}: see above"] * int(counts[3] or 0)


def main(arguments):
    brief = None
    if arguments[:1] == ["--brief"]:
        brief, arguments = arguments[1], arguments[2:]
    summary = Summary()
    for path in arguments:
        read = {".json": read_meson, ".xml": read_junit}.get(os.path.splitext(path)[1], read_counts)
        try:
            read(summary, path)
        except (OSError, ValueError, xml.etree.ElementTree.ParseError) as error:
            summary.failures.append(f"{path}: no results ({error})")
    for name in sorted(set(summary.skips)):
        print(f"skipped  {name}")
    for name in summary.failures:
        print(f"FAILED   {name}")
    if brief:
        with open(brief, "w", encoding="utf-8") as out:
            print(summary.line(), file=out)
    else:
        print(summary.line())
    return 1 if summary.failures or not summary.passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
