"""`facefleet keys` and `facefleet endpoints` on a file."""

import base64
import hashlib
import os
import pty
import re
import subprocess

import pytest

from cli_support import json_lines, read_to_end
from test_store_commands import Shell

HOOKS = "https://example.com/hooks"


@pytest.fixture
def shell(bin_dir, tmp_path):
    shell = Shell(bin_dir, tmp_path)
    shell.good("store", "migrate")
    return shell


def listed(shell, command):
    return json_lines(shell.good(command, "list").stdout)


def on_terminal(shell, *arguments):
    """What is printed on a terminal, and on standard error."""
    ours, theirs = pty.openpty()
    process = shell.start(*arguments, stdout=theirs, stderr=subprocess.PIPE)
    _, err = process.communicate(timeout=60)
    os.close(theirs)
    text = read_to_end(ours).decode()
    os.close(ours)
    assert process.returncode == 0, err
    return text, err


def test_a_key_is_made_listed_and_revoked(shell):
    made = shell.good("keys", "create", "shop", "--scopes", "enroll,match", "--rate", "2.5", "--burst", "10")
    assert re.fullmatch(r"ffk_[0-9a-f]{16}_[A-Za-z0-9_-]{43}\n", made.stdout) and made.stderr == ""
    _, key_id, secret = made.stdout.strip().split("_", 2)
    row = listed(shell, "keys")[0]
    assert row["id"] == key_id and row["name"] == "shop" and row["scopes"] == ["match", "enroll"]
    assert row["rate"] == 2.5 and row["burst"] == 10 and row["created_at"] and row["revoked_at"] is None
    ((stored,),) = shell.rows("SELECT hash FROM api_keys")
    assert stored == hashlib.sha256(base64.urlsafe_b64decode(secret + "=")).digest()
    assert secret.encode() not in shell.path.read_bytes(), "only its hash is kept"
    assert f"key {key_id} is revoked" in shell.good("keys", "revoke", key_id).stdout
    assert listed(shell, "keys")[0]["revoked_at"]
    shell.good("keys", "revoke", key_id)


def test_a_key_without_options(shell):
    shell.good("keys", "create", "plain")
    row = listed(shell, "keys")[0]
    assert row["scopes"] == ["match"] and row["rate"] is None and row["burst"] is None
    assert row["collections"] == ["default"]


def test_the_collections_of_a_key(shell):
    def create(name, *collections):
        options = [word for collection in collections for word in ("--collection", collection)]
        return shell.run("keys", "create", name, *options)

    assert create("door", "staff", "guests, all", "staff").returncode == 0
    assert create("all", "staff", "*").returncode == 0
    assert create("many", *(f"c{i}" for i in range(16))).returncode == 0
    assert [row["collections"] for row in listed(shell, "keys")][:2] == [["staff", "guests, all"], ["*"]]
    refused = create("more", *(f"c{i}" for i in range(17)))
    assert refused.returncode == 2 and "at most 16" in refused.stderr and refused.stdout == ""
    table, _ = on_terminal(shell, "keys")
    assert "collections" in table and "staff,guests, all" in table


def test_on_a_terminal(shell):
    _, err = on_terminal(shell, "keys")
    assert "no API keys" in err
    text, err = on_terminal(shell, "keys", "create", "shop")
    assert text.startswith("ffk_") and "cannot be shown again" in err and text.strip() not in err
    table, _ = on_terminal(shell, "keys")
    assert "shop" in table and "revoked" in table and text.strip() not in table
    text, err = on_terminal(shell, "endpoints", "secret", HOOKS)
    assert text.startswith("whsec_") and "cannot be shown again" in err
    table, _ = on_terminal(shell, "endpoints")
    assert HOOKS in table and "own" in table and text.strip() not in table


def test_secrets_of_an_endpoint(shell):
    first = shell.good("endpoints", "secret", "HTTPS://Example.com:443/hooks").stdout.strip()
    assert first.startswith("whsec_") and len(base64.b64decode(first.removeprefix("whsec_"))) == 32
    again = shell.run("endpoints", "secret", HOOKS)
    assert again.returncode == 1 and again.stdout == "" and "--rotate" in again.stderr
    rotated = shell.good("endpoints", "secret", HOOKS, "--rotate")
    assert rotated.stdout.strip() != first and "24 hours" in rotated.stderr
    row = listed(shell, "endpoints")[0]
    assert row["endpoint"] == HOOKS and row["secret"] == "rotating" and row["disabled_at"] is None
    everything = shell.good("endpoints", "list", "--json").stdout
    assert "whsec_" not in everything
    assert shell.rows("SELECT secret, old_secret FROM callback_endpoints") == [(rotated.stdout.strip(), first)]
    shell.good("endpoints", "remove", HOOKS)
    assert listed(shell, "endpoints") == []


def test_an_endpoint_off_and_on(shell):
    shell.good("endpoints", "disable", "Hooks.Example.com")
    row = listed(shell, "endpoints")[0]
    assert row["endpoint"] == "hooks.example.com" and row["disabled_at"] and row["reason"] == "by an operator"
    assert shell.run("endpoints", "disable", "hooks.example.com").returncode == 1
    shell.good("endpoints", "enable", "hooks.example.com")
    assert listed(shell, "endpoints") == [], "nothing else was known of it"
    assert shell.run("endpoints", "enable", "hooks.example.com").returncode == 1


@pytest.mark.parametrize(
    "arguments, status, complaint",
    [
        (["keys", "drop"], 2, "list, create or revoke?"),
        (["keys", "create"], 2, "more operands"),
        (["keys", "create", ""], 2, "1 to 64 bytes"),
        (["keys", "create", "a\x1b[31m"], 2, "no control characters"),
        (["keys", "create", "x", "--scopes", "everything"], 2, '"everything" is none of match'),
        (["keys", "create", "x", "--scopes", ""], 2, "none of match"),
        (["keys", "create", "x", "--collection", ""], 2, "1 to 128 bytes"),
        (["keys", "create", "x", "--collection", "a\nb"], 2, "no control characters"),
        (["keys", "list", "--collection", "a"], 2, "--collection does not go with list"),
        (["keys", "create", "x", "--rate", "0"], 2, "--rate"),
        (["keys", "create", "x", "--burst", "0.5"], 2, "--burst"),
        (["keys", "list", "--rate", "1"], 2, "--rate does not go with list"),
        (["keys", "revoke", "shop"], 2, "16 hexadecimal digits"),
        (["keys", "revoke", "0123456789abcdef"], 1, "no key 0123456789abcdef"),
        (["keys", "--set", "store.url="], 2, "there is no store"),
        (["endpoints", "lsit"], 2, "list, secret, enable, disable or remove?"),
        (["endpoints", "secret", "example.com/hooks"], 2, "neither a host nor a URL"),
        (["endpoints", "secret", "https://user@example.com/"], 2, "must not carry a user name"),
        (["endpoints", "enable", HOOKS, "--rotate"], 2, "--rotate does not go with enable"),
        (["endpoints", "remove", HOOKS], 1, f"no endpoint {HOOKS}"),
        (["endpoints", "--set", "store.url=sqlite:/nowhere/people.db"], 4, "unable to open"),
    ],
)
def test_usage(shell, arguments, status, complaint):
    done = shell.run(*arguments)
    assert done.returncode == status, done.stderr
    assert complaint in done.stderr and done.stdout == ""
