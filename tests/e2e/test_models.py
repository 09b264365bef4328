"""`facefleet models`: sets on this machine, their accuracy, and fetching them from a server that misbehaves."""

import hashlib
import http.server
import json
import os
import pty
import resource
import shutil
import signal
import subprocess
import threading
import xml.etree.ElementTree

import pytest

from cli_support import read_to_end
from fleet import PROGRAMS

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DEFAULT = os.path.join(ROOT, "deploy", "models", "default")
PEOPLE = os.path.join(ROOT, "tests", "data", "people", "pairs.csv")


class FileServer:
    """Serves files over HTTP on loopback, and fails as it is told: see `fault`."""

    def __init__(self):
        self.files = {}
        self.fault = None  # "cut", "missing", "no range", "other range", "no length"
        self.ranges = []
        self.proxied = []
        handler = type("Handler", (Handler,), {"owner": self})
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.base = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    owner = None

    def log_message(self, *_):
        pass

    def do_GET(self):
        server, path = self.owner, self.path
        if path.startswith("http://"):
            server.proxied.append(path)
            path = "/" + path.split("/", 3)[3]
        if path.startswith("/moved/"):
            self.send_response(302)
            self.send_header("Location", path.removeprefix("/moved"))
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        content = server.files.get(path)
        if content is None or server.fault == "missing":
            self.send_error(404)
            return
        wanted = self.headers.get("Range")
        server.ranges.append(wanted)
        begin = 0
        if wanted and server.fault != "no range":
            begin = int(wanted.removeprefix("bytes=").rstrip("-"))
            if begin >= len(content):
                self.send_error(416)
                return
            told = begin + (server.fault == "other range")
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {told}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        if server.fault != "no length":
            self.send_header("Content-Length", str(len(content) - begin))
        self.end_headers()
        body = content[begin:]
        self.wfile.write(body[: len(body) // 2] if server.fault == "cut" else body)


@pytest.fixture
def server():
    server = FileServer()
    for part in ("detector", "embedder"):
        with open(os.path.join(DEFAULT, part, f"{part}.onnx"), "rb") as file:
            server.files[f"/{part}.onnx"] = file.read()
    yield server
    server.close()


@pytest.fixture
def models(bin_dir, tmp_path):
    """Runs `facefleet models …` with a model.folder of the test's own."""

    def run(*arguments, env=None, **options):
        environment = {key: value for key, value in os.environ.items() if not key.startswith("FACEFLEET_")}
        environment["FACEFLEET_MODEL_FOLDER"] = str(tmp_path / "store")
        return subprocess.run(
            [os.path.join(bin_dir, PROGRAMS["facefleet"]), "models", *arguments],
            **{"env": {**environment, **(env or {})}, "capture_output": True, "text": True, "timeout": 300, **options},
        )

    return run


@pytest.fixture
def recipe(server, tmp_path):
    """Writes a recipe of the default set on the test's server; what is given replaces what it says."""

    def write(path="", detector_size=None, detector_sha256=None):
        lines = ["name: local", "about: the default set from a server of the test"]
        for part in ("detector", "embedder"):
            content = server.files[f"/{part}.onnx"]
            size = detector_size if part == "detector" and detector_size else len(content)
            with open(os.path.join(DEFAULT, part, "model.yaml"), encoding="utf-8") as file:
                yaml = file.read()
            if part == "detector" and detector_sha256:
                yaml = yaml.replace(hashlib.sha256(content).hexdigest(), detector_sha256)
            lines += [f"{part}_url: {server.base}{path}/{part}.onnx", f"{part}_size: {size}", f"{part}_yaml: |"]
            lines += ["  " + line for line in yaml.splitlines()]
        target = tmp_path / "local.yaml"
        target.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return str(target)

    return write


def content_of(folder, part="detector"):
    return (folder / "store" / "local" / part / f"{part}.onnx").read_bytes()


def part_of(folder):
    return folder / "store" / "local" / "detector" / "detector.onnx.part"


# --- list, show, verify -----------------------------------------------------------------------------


def test_list(models, tmp_path):
    shutil.copytree(DEFAULT, tmp_path / "store" / "mine")
    (tmp_path / "store" / "no-set").mkdir()
    done = models("list")
    assert done.returncode == 0, done.stderr
    assert [line.split()[:2] for line in done.stdout.splitlines()[1:]] == [["default", "built-in"], ["mine", "folder"]]
    sets = json.loads(models("list", "--json", "--set", f"model.embedder={DEFAULT}/embedder").stdout)
    assert [one["name"] for one in sets] == ["default", "configured", "mine"]
    assert len({one["model_id"] for one in sets}) == 1 and all(one["error"] is None for one in sets)


def test_json_cannot_steer_the_terminal(models, tmp_path):
    name = "\x9b2J\u202e"
    shutil.copytree(DEFAULT, tmp_path / "store" / name)
    assert name in models("list", "--json").stdout
    ours, theirs = pty.openpty()
    done = models("list", "--json", stdout=theirs, stderr=subprocess.PIPE, capture_output=False)
    os.close(theirs)
    text = read_to_end(ours).decode()
    os.close(ours)
    assert done.returncode == 0 and text.isascii() and "\\u009B2J\\u202E" in text, text


def test_list_tells_of_a_broken_set(models, tmp_path):
    broken = tmp_path / "store" / "broken"
    shutil.copytree(DEFAULT, broken)
    with open(broken / "embedder" / "embedder.onnx", "r+b") as file:
        file.write(b"other")
    done = models("list")
    assert done.returncode == 0
    assert "unusable" in done.stdout and "SHA-256" in done.stdout
    done = models("verify")
    assert done.returncode == 1
    assert "good: hashes" in done.stdout and "bad: " in done.stdout


def test_show(models):
    done = models("show", "default")
    assert done.returncode == 0, done.stderr
    for words in ("name: facefleet-embedder-2", "score_threshold: 0.5", "Conv ", "million multiply-adds", "model id"):
        assert words in done.stdout
    shown = json.loads(models("show", "--json", f"{DEFAULT}/embedder").stdout)
    assert shown["embedder"]["file_bytes"] == os.path.getsize(f"{DEFAULT}/embedder/embedder.onnx")
    assert shown["embedder"]["inputs"][0]["width"] == 112
    assert "name: facefleet-detector-1" not in models("show", f"{DEFAULT}/embedder").stdout


def test_verify(models):
    done = models("verify", f"{DEFAULT}/")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "160x160" in done.stdout and "good: hashes, shapes and runs" in done.stdout


@pytest.mark.parametrize(
    "arguments, status, complaint",
    [
        ([], 2, "What should be done?"),
        (["lsit"], 2, "no command"),
        (["show"], 2, "one SET or DIR"),
        (["show", "nobody"], 1, "no model set"),
        (["verify", "./nobody"], 1, "neither model.yaml"),
        (["fetch", "nobody"], 2, "there is: opencv-zoo"),
        (["fetch", "default", "--json"], 2, "--json does not go with fetch"),
        (["list", "--roc", "x"], 2, "go with evaluate"),
        (["evaluate", "x.csv", "--threads", "0"], 2, "from 1 to 256"),
        (["evaluate", "nobody.csv"], 2, "nobody.csv"),
        (["list", "--set", "model.foldre=x"], 2, "model.folder"),
    ],
)
def test_usage(models, arguments, status, complaint):
    done = models(*arguments)
    assert done.returncode == status, done.stderr
    assert complaint.lower() in done.stderr.lower()


# --- evaluate ---------------------------------------------------------------------------------------


def test_evaluate(models, tmp_path):
    plot = tmp_path / "roc.svg"
    done = models("evaluate", PEOPLE, "--roc", str(plot), "--threads", "2")
    assert done.returncode == 0, done.stderr
    assert "failed pairs    0" in done.stdout and "thresholds: {default: " in done.stdout
    root = xml.etree.ElementTree.parse(plot).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    figures = json.loads(models("evaluate", PEOPLE, "--json", "--threads", "1").stdout)
    assert figures["accuracy"] > 0.95
    assert 0 <= figures["rates"][1]["true_accept"] <= figures["rates"][0]["true_accept"] <= 1


def test_evaluate_counts_what_failed(models, tmp_path):
    people = os.path.dirname(PEOPLE)
    rows = [f"1,{people}/person01_1.jpg,{people}/person01_2.jpg,1", "2,gone.jpg,gone.jpg,1"]
    rows += [f"3,{people}/person01_1.jpg,{people}/person02_1.jpg,0"]
    (tmp_path / "pairs.csv").write_text("\n".join(rows))
    done = models("evaluate", str(tmp_path / "pairs.csv"))
    assert done.returncode == 0, done.stderr
    assert "66.67 %" in done.stdout and "failed pairs    1" in done.stdout
    assert "gone.jpg" in done.stderr


# --- fetch ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path, fault", [("", None), ("/moved", None), ("", "no length")])
def test_fetch(models, recipe, server, tmp_path, path, fault):
    server.fault = fault
    done = models("fetch", recipe(path))
    assert done.returncode == 0, done.stderr
    assert "licence Apache-2.0" in done.stdout and "In place" in done.stdout
    assert content_of(tmp_path) == server.files["/detector.onnx"]
    assert content_of(tmp_path, "embedder") == server.files["/embedder.onnx"]
    assert not part_of(tmp_path).exists()
    assert "local" in models("list").stdout
    server.fault = "missing"
    assert models("fetch", recipe()).returncode == 0, "what is there already is not fetched again"


@pytest.mark.parametrize("later", [None, "no range"])
def test_fetch_resumes(models, recipe, server, tmp_path, later):
    size = len(server.files["/detector.onnx"])
    server.fault = "cut"
    done = models("fetch", recipe())
    assert done.returncode == 1
    assert f"cut off after {size // 2} of {size} bytes" in done.stderr and "are kept" in done.stderr
    assert part_of(tmp_path).stat().st_size == size // 2
    assert not (tmp_path / "store" / "local" / "detector" / "model.yaml").exists()
    server.fault = later
    done = models("fetch", recipe())
    assert done.returncode == 0, done.stderr
    assert f"bytes={size // 2}-" in server.ranges
    assert content_of(tmp_path) == server.files["/detector.onnx"]


def test_fetch_of_another_range(models, recipe, server):
    server.fault = "cut"
    models("fetch", recipe())
    server.fault = "other range"
    done = models("fetch", recipe())
    assert done.returncode == 1 and "another range" in done.stderr
    server.fault = None
    assert models("fetch", recipe()).returncode == 0


def test_fetch_of_a_wrong_hash(models, recipe, tmp_path):
    done = models("fetch", recipe(detector_sha256="0" * 64))
    assert done.returncode == 1
    assert "SHA-256" in done.stderr and "0" * 64 in done.stderr
    assert os.listdir(tmp_path / "store" / "local" / "detector") == []


@pytest.mark.parametrize("fault", [None, "no length"])
@pytest.mark.parametrize("difference", [-1000, 1000])
def test_fetch_of_a_wrong_size(models, recipe, server, tmp_path, fault, difference):
    size = len(server.files["/detector.onnx"])
    server.fault = fault
    done = models("fetch", recipe(detector_size=size + difference))
    assert done.returncode == 1
    if difference > 0 and fault:
        assert "cut off" in done.stderr  # without a length the end looks like a cut
        assert part_of(tmp_path).stat().st_size == size
    else:
        assert f"{size + difference} are expected" in done.stderr
        assert not part_of(tmp_path).exists()


def test_fetch_begins_anew_when_there_is_no_more(models, recipe, server, tmp_path):
    size = len(server.files["/detector.onnx"])
    server.fault = "no length"
    assert models("fetch", recipe(detector_size=size + 1000)).returncode == 1
    done = models("fetch", recipe(detector_size=size + 1000))
    assert done.returncode == 1 and "answers 416" in done.stderr
    assert not part_of(tmp_path).exists()
    assert models("fetch", recipe()).returncode == 0


def test_fetch_of_nothing(models, recipe, server, tmp_path):
    server.fault = "missing"
    done = models("fetch", recipe())
    assert done.returncode == 1 and "the server answers 404" in done.stderr
    assert not part_of(tmp_path).exists()
    server.close()
    done = models("fetch", recipe())
    server.__init__()  # the fixture closes it
    assert done.returncode == 1 and "connect" in done.stderr.lower()


def test_fetch_onto_a_full_disk(models, recipe, tmp_path):
    def limit_files():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000))

    done = models("fetch", recipe(), preexec_fn=limit_files)
    assert done.returncode == 1
    assert "detector.onnx.part: File too large" in done.stderr
    assert part_of(tmp_path).stat().st_size == 100000
    assert models("fetch", recipe()).returncode == 0


def test_fetch_through_a_proxy(models, recipe, server):
    proxy = {"http_proxy": server.base, "no_proxy": ""}
    assert models("fetch", recipe(), env=proxy).returncode == 0
    assert server.proxied == [f"{server.base}/detector.onnx", f"{server.base}/embedder.onnx"]
