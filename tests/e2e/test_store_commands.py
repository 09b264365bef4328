"""`facefleet store` and `facefleet collections` on files: tables, exports, other models, and what goes wrong."""

import base64
import io
import json
import math
import os
import pty
import re
import signal
import sqlite3
import stat
import struct
import subprocess

import pytest
from PIL import Image

from cli_support import read_to_end
from fleet import PROGRAMS, SAMPLES, wait_until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DEFAULT = os.path.join(ROOT, "deploy", "models", "default")
OLD_MODEL = "0" * 64
DIMENSION = 4


class Shell:
    """Runs `facefleet …` with a store of the test's own."""

    def __init__(self, bin_dir, folder):
        self.program = os.path.join(bin_dir, PROGRAMS["facefleet"])
        self.path = folder / "people.db"
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith("FACEFLEET_")}
        self.environment["FACEFLEET_STORE_URL"] = f"sqlite:{self.path}"
        self.environment["FACEFLEET_MODEL_FOLDER"] = str(folder / "models")

    def run(self, *arguments, **options):
        return subprocess.run(
            [self.program, *arguments],
            **{"env": self.environment, "capture_output": True, "text": True, "timeout": 300, **options},
        )

    def start(self, *arguments, **options):
        return subprocess.Popen([self.program, *arguments], **{"env": self.environment, "text": True, **options})

    def good(self, *arguments, **options):
        done = self.run(*arguments, **options)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def rows(self, sql):
        with sqlite3.connect(self.path, timeout=30) as database:
            return database.execute(sql).fetchall()

    def listed(self):
        return [json.loads(line) for line in self.good("collections").stdout.splitlines()]


@pytest.fixture
def shell(bin_dir, tmp_path):
    return Shell(bin_dir, tmp_path)


@pytest.fixture
def store(shell):
    """The same, with tables."""
    shell.good("store", "migrate")
    return shell


def image_id(number):
    return f"00000000-0000-7000-8000-{number:012x}"


def portrait(number):
    """A picture as an enrolment keeps one: 256 pixels square."""
    with Image.open(os.path.join(SAMPLES, f"person{number % 5 + 1:02}_1.jpg")) as photo:
        out = io.BytesIO()
        photo.convert("RGB").resize((256, 256)).save(out, "JPEG", quality=95)
    return out.getvalue()


def line(number, user="ann", collection="staff", crop=b"jpeg", model=OLD_MODEL, vector=None, **changes):
    """One line of an export; `model` None: without an embedding."""
    vector = [number, 0.5, 0, -1] if vector is None else vector
    packed = base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
    embeddings = [{"model_id": model, "dimension": len(vector), "vector": packed}] if model else []
    return {
        "collection": collection,
        "user_id": user,
        "image_id": image_id(number),
        "accepted_ms": 1000 + number,
        "crop": base64.b64encode(crop).decode() if crop else None,
        "embeddings": embeddings,
        **changes,
    }


def export_text(lines, header=None):
    return "".join(json.dumps(one) + "\n" for one in [header or {"facefleet_export": 1}, *lines])


def put(shell, lines):
    return shell.run("collections", "import", "-", input=export_text(lines))


# --- store ------------------------------------------------------------------------------------------


def test_to_look_makes_no_store(shell):
    """It would be of whoever looked, and nobody else could make its tables."""
    done = shell.run("store", "status")
    assert done.returncode == 2 and "no such file" in done.stderr and "facefleet store migrate" in done.stderr
    assert not shell.path.exists()


def test_migrate_and_status(shell):
    sqlite3.connect(shell.path).close()
    done = shell.run("store", "status")
    assert done.returncode == 1
    assert "facefleet store migrate" in done.stdout and "SQLite" in done.stdout
    made = re.fullmatch(r"schema version 0 → (\d+)\n", shell.good("store", "migrate").stdout)
    assert made
    assert shell.good("store", "migrate").stdout == f"schema version {made[1]} is up to date\n"
    put(shell, [line(1), line(2), line(3, "bob", "guests")])
    status = shell.good("store", "status").stdout
    assert f"sqlite:{shell.path}" in status
    for words in (f"version {made[1]}, up to date", "changes     3", "2 in 2 collections", "images      3", "embeddings  3"):
        assert words in status


def test_several_migrate_at_once(shell):
    running = [shell.start("store", "migrate", stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(4)]
    for process in running:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert "schema version" in out


def test_older_store_is_refused_until_it_is_migrated(shell):
    with sqlite3.connect(shell.path) as database:
        database.execute("CREATE TABLE schema_version (version BIGINT NOT NULL)")
    done = shell.run("collections")
    assert done.returncode == 2 and "facefleet store migrate" in done.stderr
    shell.good("store", "migrate")
    assert shell.good("collections").stdout == ""


def test_passwords_are_not_shown(shell):
    url = "postgresql://fleet:hidden-word@127.0.0.1:1/people"
    done = shell.run("store", "status", "--set", f"store.url={url}")
    assert done.returncode == 4
    assert "postgresql://fleet:***@127.0.0.1:1/people" in done.stdout
    assert "hidden-word" not in done.stdout + done.stderr


@pytest.mark.parametrize("password", ["secretive%zzword", "secre%00tive", "secretive/word", "secre@tive"])
def test_passwords_that_make_no_url_are_not_shown(shell, password):
    """The library that reads it quotes what it does not understand."""
    done = shell.run("store", "status", "--set", f"store.url=postgresql://fleet:{password}@localhost:1/people")
    assert done.returncode == 2 and "write % / @ : ? as %25 %2F %40 %3A %3F" in done.stderr
    assert not any(part in done.stdout + done.stderr for part in ("secre", "tive", "word@"))


@pytest.mark.parametrize(
    "arguments, status, complaint",
    [
        (["store"], 2, "migrate, or store status"),
        (["store", "drop"], 2, "migrate, or store status"),
        (["store", "status", "--set", "store.url="], 2, "there is no store"),
        (["store", "status", "--set", "store.url=mysql:x"], 2, "neither sqlite: nor postgresql://"),
        (["store", "status", "--set", "store.url=sqlite:/nowhere/people.db"], 4, "unable to open"),
        (["collections", "lsit"], 2, "reembed?"),
        (["collections", "import"], 2, "more operands"),
        (["collections", "list", "staff"], 2, "fewer operands"),
        (["collections", "list", "--out", "x"], 2, "--out does not go with list"),
        (["collections", "import", "nobody.jsonl"], 2, "nobody.jsonl: No such file"),
        (["collections", "drop-model", "0"], 2, "at least 6 characters"),
        (["collections", "drop-model", "abcdef"], 1, "no embedding"),
        (["collections", "reembed", "nobody"], 2, 'collection "nobody"'),
        (["collections", "reembed", "--threads", "0"], 2, "from 1 to 256"),
        (["models", "list", "--embedder", "x"], 2, "evaluate and reembed"),
    ],
)
def test_usage(store, arguments, status, complaint):
    done = store.run(*arguments)
    assert done.returncode == status, done.stderr
    assert complaint in done.stderr


# --- list, export, import ---------------------------------------------------------------------------


def test_list(store):
    put(store, [line(1), line(2), line(3, "bob"), line(4, "cid", model=None), line(5, "ann", "guests", model="b" * 64)])
    staff = {"collection": "staff", "users": 2, "images": 3, "missing": 1}
    assert store.listed() == [
        {"collection": "guests", "model_id": "b" * 64, "users": 1, "images": 1, "missing": 0},
        {"collection": "staff", "model_id": None, "users": 1, "images": 1, "missing": None},
        {**staff, "model_id": OLD_MODEL},
    ]
    assert store.good("collections", "list", "--json").stdout == store.good("collections").stdout


def test_list_on_a_terminal(store):
    put(store, [line(1, "ann", "st\x1b[31maff")])
    ours, theirs = pty.openpty()
    process = store.start("collections", stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    text = read_to_end(ours)
    os.close(ours)
    assert process.wait(timeout=60) == 0
    assert b"collection" in text and b"missing" in text and b"000000000000 " in text
    assert b"\x1b[31m" not in text and OLD_MODEL.encode() not in text


def test_export_comes_back(store, tmp_path, bin_dir):
    lines = [line(1), line(2, model=None), line(3, "bob", crop=None), line(4, "é '; --", "guests")]
    lines[0]["embeddings"].append({**lines[0]["embeddings"][0], "model_id": "f" * 64})
    assert put(store, lines).stdout == "4 stored, 0 unchanged, 0 superseded, 0 refused\n"
    out = tmp_path / "all.jsonl"
    done = store.good("collections", "export", "--out", str(out))
    assert "4 images exported" in done.stderr
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert not (tmp_path / "all.jsonl.part").exists()
    exported = [json.loads(text) for text in out.read_text(encoding="utf-8").splitlines()]
    assert exported[0] == {"facefleet_export": 1}
    assert exported[1:] == [lines[3], *lines[:3]]
    staff = store.good("collections", "export", "staff").stdout.splitlines()
    assert [json.loads(text) for text in staff[1:]] == lines[:3]

    (tmp_path / "other").mkdir()
    other = Shell(bin_dir, tmp_path / "other")
    other.good("store", "migrate")
    assert "4 stored" in other.good("collections", "import", str(out)).stdout
    assert "0 stored, 4 unchanged" in other.good("collections", "import", str(out)).stdout
    assert other.good("collections", "export").stdout == out.read_text(encoding="utf-8")


def test_export_replaces_a_file_that_others_could_read(store, tmp_path):
    put(store, [line(1)])
    out = tmp_path / "all.jsonl"
    out.write_text("old")
    out.chmod(0o644)
    store.good("collections", "export", "--out", str(out), "--quiet")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert len(out.read_text().splitlines()) == 2


def test_export_that_fails_leaves_the_old_file(store, tmp_path):
    put(store, [line(1)])
    out = tmp_path / "all.jsonl"
    out.write_text("old")
    done = store.run("collections", "export", "--out", str(tmp_path / "nowhere" / "all.jsonl"))
    assert done.returncode == 5 and "No such file" in done.stderr
    store.path.write_bytes(b"no database at all, but long enough to look like something" * 100)
    done = store.run("collections", "export", "--out", str(out))
    assert done.returncode == 2
    assert out.read_text() == "old"


def test_import_reports_bad_lines_and_takes_the_others(store, tmp_path):
    texts = [json.dumps(one) for one in (line(1), line(2, vector=[math.nan, 0, 0, 1]), line(3, user="x" * 200))]
    texts += ["{", "x" * (5 << 20), json.dumps(line(4, image_id="../etc")), json.dumps(line(5))]
    path = tmp_path / "all.jsonl"
    path.write_text('{"facefleet_export": 1}\n' + "\n".join(texts), encoding="utf-8")
    done = store.run("collections", "import", str(path))
    assert done.returncode == 1
    assert done.stdout == "2 stored, 0 unchanged, 0 superseded, 5 refused\n"
    reported = [text.split(":")[0] for text in done.stderr.splitlines()]
    assert reported == ["line 3", "line 4", "line 5", "line 6", "line 7"]
    assert store.rows("SELECT COUNT(*) FROM images") == [(2,)]


@pytest.mark.parametrize("header", ["", "id,image_a,image_b\n", '{"facefleet_export": 2}\n', json.dumps(line(1)) + "\n"])
def test_import_of_something_else(store, header):
    done = store.run("collections", "import", "-", input=header + json.dumps(line(1)) + "\n" if header else "")
    assert done.returncode == 2
    assert "export" in done.stderr
    assert store.listed() == []


def test_import_respects_tombstones(store):
    with sqlite3.connect(store.path) as database:
        database.execute("INSERT INTO persons VALUES ('staff', 'ann', 1, 1005, 'x')")
        database.execute("UPDATE people_version SET version = 1")
    assert put(store, [line(1), line(9)]).stdout == "1 stored, 0 unchanged, 1 superseded, 0 refused\n"


# --- another model ----------------------------------------------------------------------------------


def test_drop_model(store):
    put(store, [line(1), line(2, collection="guests"), line(3, model="0000001" + "a" * 57)])
    done = store.run("collections", "drop-model", "000000")
    assert done.returncode == 2 and "several" in done.stderr
    assert store.good("collections", "drop-model", "00000000", "guests").stdout.startswith("1 embedding of model 0000")
    assert store.good("collections", "drop-model", OLD_MODEL).stdout.startswith("1 embedding ")
    assert {row["model_id"] for row in store.listed()} == {None, "0000001" + "a" * 57}
    assert store.rows("SELECT COUNT(*) FROM images") == [(3,)]


@pytest.fixture
def model_id(shell):
    return json.loads(shell.good("models", "list", "--json").stdout)[0]["model_id"]


def test_reembed_fills_a_model(store, model_id):
    lines = [line(number, f"user{number}", crop=portrait(number)) for number in range(6)]
    lines += [line(6, "dam\x1baged", crop=b"no jpeg"), line(7, "bare", crop=None), line(8, "ann", "guests", portrait(8))]
    put(store, lines)
    done = store.run("collections", "reembed", "staff")
    assert done.returncode == 1, done.stderr
    assert done.stdout.endswith("staff: 6 embedded, 1 without a picture, 1 with a damaged one\n")
    left = [text.split("\t") for text in done.stdout.splitlines()[:-1]]
    assert sorted(row[:3] for row in left) == [["staff", "bare", image_id(7)], ["staff", "dam?aged", image_id(6)]]
    rows = store.rows(f"SELECT collection, image_id, vector FROM embeddings WHERE model_id = '{model_id}'")
    assert sorted(row[:2] for row in rows) == [("staff", image_id(number)) for number in range(6)]
    for *_, vector in rows:
        numbers = struct.unpack(f"<{len(vector) // 4}f", vector)
        assert len(numbers) == 128 and abs(sum(x * x for x in numbers) - 1) < 1e-3
    assert len({vector for *_, vector in rows}) == 5  # five different pictures

    done = store.good("collections", "reembed", "guests", "--embedder", f"{DEFAULT}/embedder", "--threads", "2")
    assert done.stdout == "guests: 1 embedded, 0 without a picture, 0 with a damaged one\n"
    done = store.run("collections", "reembed", "--quiet")
    assert done.returncode == 1 and len(done.stdout.splitlines()) == 2
    missing = {row["collection"]: row["missing"] for row in store.listed() if row["model_id"] == model_id}
    assert missing == {"guests": 0, "staff": 2}


def test_reembed_is_interrupted_and_goes_on(store, model_id):
    picture = portrait(1)
    put(store, [line(number, f"user{number % 50}", crop=picture) for number in range(1500)])
    count = f"SELECT COUNT(*) FROM embeddings WHERE model_id = '{model_id}'"
    process = store.start("collections", "reembed", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_until(lambda: store.rows(count)[0][0] > 0, "something is embedded")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert 0 < store.rows(count)[0][0] < 1500
    assert store.rows("PRAGMA integrity_check") == [("ok",)]
    process = store.start("collections", "reembed", "--threads", "2", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    before = store.rows(count)[0][0]
    wait_until(lambda: store.rows(count)[0][0] > before, "more is embedded")
    put(store, [line(2000, "late", crop=picture)])  # while it works
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, out + err
    assert store.rows(count)[0][0] >= 1500
    store.good("collections", "reembed")
    assert store.rows(count) == [(1501,)]
