"""The HTTP commands of the README, run as they stand there: only the port and the names of photographs are ours."""

import json
import os
import re
import shutil
import subprocess

import pytest

from fleet import ROOT, SAMPLES


def commands():
    """The curl lines of the section HTTP."""
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as readme:
        section = readme.read().split("\n## HTTP\n")[1].split("\n## ")[0]
    lines = [line.strip().split("#")[0].strip() for line in section.splitlines() if line.startswith("    curl ")]
    # What is at https://… is for the reader to say.
    return [line for line in lines if "…" not in line]


@pytest.fixture(scope="module")
def site(broker, bin_dir, tmp_path_factory):
    from fleet import Fleet

    fleet = Fleet(broker, bin_dir, tmp_path_factory.mktemp("readme"))
    fleet.use_store()
    fleet.worker().wait_ready()
    fleet.tracker().wait_ready()
    gateway = fleet.gateway().wait_ready()
    for name, sample in (("A.jpg", "person01_1.jpg"), ("B.jpg", "person01_2.jpg")):
        shutil.copy(os.path.join(SAMPLES, sample), os.path.join(fleet.folder, name))
    yield fleet, gateway
    fleet.close()


def run(site, command, **environment):
    fleet, gateway = site
    command = command.replace("localhost:8080", f"127.0.0.1:{gateway.port}")
    command = re.sub(r"^curl ", "curl --fail-with-body -sS --max-time 30 ", command)
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=fleet.folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}"
    return done.stdout


def test_every_command_of_the_readme_runs(site):
    found = commands()
    assert len(found) >= 7
    task_id = ""
    for command in found:
        answer = run(site, command, ID=task_id)
        if "/v1/match" in command and "Prefer" not in command:
            task_id = json.loads(answer)["task_id"]
        if "Prefer" in command:
            assert json.loads(answer)["result"]["matched"] is True
        if command.endswith("/events"):
            assert "event: succeeded" in answer
