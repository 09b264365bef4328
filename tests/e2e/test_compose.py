"""docker-compose.yml and deploy/make-secrets fit each other and the programs; Docker itself is not tried."""

import os
import re
import shutil
import subprocess

import pytest
import yaml

from fleet import PROGRAMS, ROOT

MOUNTED = "/run/secrets/"


@pytest.fixture
def deploy(tmp_path):
    """A folder in which make-secrets may write."""
    folder = tmp_path / "deploy"
    folder.mkdir()
    shutil.copy(os.path.join(ROOT, "deploy", "make-secrets"), folder)
    return folder


@pytest.fixture(scope="module")
def compose():
    with open(os.path.join(ROOT, "docker-compose.yml"), encoding="utf-8") as file:
        return yaml.safe_load(file)


def make_secrets(deploy):
    """What is in the folder afterwards: name -> text."""
    subprocess.run([deploy / "make-secrets"], check=True)
    return {path.name: path.read_text() for path in (deploy / "secrets").iterdir() if path.name != ".gitignore"}


def secrets_of(service):
    """What a service finds in /run/secrets: name there -> name of the secret."""
    found = {}
    for secret in service.get("secrets", []):
        if isinstance(secret, str):
            found[secret] = secret
        else:
            found[secret["target"]] = secret["source"]
    return found


def test_every_secret_is_made(compose, deploy):
    made = {"deploy/secrets/" + name for name in make_secrets(deploy)}
    assert {secret["file"] for secret in compose["secrets"].values()} == made


def test_secrets_are_made_once(deploy):
    made = make_secrets(deploy)
    assert len(set(made.values())) == len(made)
    assert all(text.strip() for text in made.values())
    assert make_secrets(deploy) == made


def test_a_folder_of_an_older_release_gets_what_is_new(deploy):
    made = make_secrets(deploy)
    old = {"rabbitmq-login.conf", "amqp-url", "callback-secret"}
    for name in made.keys() - old:
        (deploy / "secrets" / name).unlink()
    again = make_secrets(deploy)
    assert again.keys() == made.keys()
    assert {name for name in made if again[name] == made[name]} == old


def test_both_ends_have_the_same_password(deploy):
    made = make_secrets(deploy)
    login = dict(line.split(" = ") for line in made["rabbitmq-login.conf"].splitlines())
    assert made["amqp-url"].strip() == f"amqp://{login['default_user']}:{login['default_pass']}@rabbitmq:5672/"
    password = made["postgres-password"].strip()
    assert made["store-url"].strip() == f"postgresql://facefleet:{password}@postgres/facefleet"
    password = made["redis.conf"].removeprefix("requirepass ").strip()
    assert made["redis-url"].strip() == f"redis://:{password}@redis"


def test_others_of_the_host_cannot_read_the_secrets(deploy):
    make_secrets(deploy)
    assert (deploy / "secrets").stat().st_mode & 0o077 == 0


def test_services_get_the_secrets_that_they_name(compose):
    for name, service in compose["services"].items():
        granted = secrets_of(service)
        assert set(granted.values()) <= compose["secrets"].keys(), name
        for variable, value in service.get("environment", {}).items():
            if variable.endswith("_FILE"):
                assert value.startswith(MOUNTED) and value.removeprefix(MOUNTED) in granted, f"{name}: {variable}"


def test_programs_take_the_settings(compose, deploy, bin_dir):
    """With the real files: an unknown option, or a secret that cannot be one, is refused."""
    make_secrets(deploy)
    worker = os.path.join(bin_dir, PROGRAMS["facefleet-worker"])
    for name, service in compose["services"].items():
        granted, settings = secrets_of(service), {}
        for variable, value in service.get("environment", {}).items():
            if not variable.startswith("FACEFLEET_"):
                continue
            if str(value).startswith(MOUNTED):
                value = deploy.parent / compose["secrets"][granted[value.removeprefix(MOUNTED)]]["file"]
            settings[variable] = str(value)
        done = subprocess.run([worker, "--print-config"], env=settings, capture_output=True, text=True)
        assert done.returncode == 0, f"{name}: {done.stderr}"
        assert {line.split(" # env ")[1] for line in done.stdout.splitlines() if " # env " in line} == settings.keys()


def test_every_service_is_heard_outside_its_container(compose):
    """Where its health is asked for, others find its metrics."""
    with open(os.path.join(ROOT, "deploy", "Dockerfile"), encoding="utf-8") as file:
        dockerfile = file.read()
    places = dict(re.findall(r"FACEFLEET_(\w+)_LISTEN=0\.0\.0\.0:(\d+)", dockerfile))
    asked = {
        name.upper(): re.search(r"http://127\.0\.0\.1:(\d+)/readyz", service["healthcheck"]["test"][-1])[1]
        for name, service in compose["services"].items()
        if "/readyz" in str(service.get("healthcheck"))
    }
    assert places == asked


def test_what_holds_data_is_out_of_reach(compose):
    """No port on the host, no way out, and nobody beside it who talks to strangers."""
    assert compose["networks"]["people"]["internal"] is True
    for name in ("postgres", "redis"):
        assert "ports" not in compose["services"][name]
        assert compose["services"][name]["networks"] == ["people"]
    assert "people" not in compose["services"]["callback"].get("networks", [])


def test_every_service_is_bounded(compose):
    for name, service in compose["services"].items():
        if "profiles" not in service:
            assert {"mem_limit", "pids_limit"} <= service.keys(), name
        if name != "rabbitmq":
            assert service["read_only"] is True and service["cap_drop"] == ["ALL"], name
