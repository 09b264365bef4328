"""Settings for which a worker renews itself: it executes itself anew, and no job is lost or fails."""

import os
import shutil
import signal
import threading

import pytest

from fleet import ROOT, wait_until
from jobs import Client, match_job, photo
from settings_support import Settings, reloads, says

GOOD = "person01_1"
DEFAULT = os.path.join(ROOT, "deploy", "models", "default")
AT_ONCE = "worker: {renew_within_ms: 0, threads: %d}\n"
OUTSTANDING = 8


class Load(threading.Thread):
    """Keeps some jobs outstanding until it is told to end; then every one must have succeeded, once."""

    def __init__(self, url):
        super().__init__()
        self.url = url
        self.over = threading.Event()
        self.sent = []
        self.replies = []

    def run(self):
        client = Client(self.url)
        job = match_job(photo(GOOD), photo(GOOD))
        self.sent += [client.publish(job) for _ in range(OUTSTANDING)]
        while len(self.replies) < len(self.sent):
            self.replies.append(client.next_reply())
            if not self.over.is_set():
                self.sent.append(client.publish(job))
        client.close()

    def wait_for_more(self):
        before = len(self.replies)
        wait_until(lambda: len(self.replies) > before + 2 * OUTSTANDING, "jobs are worked on")

    def end(self):
        self.over.set()
        self.join()
        assert {reply["state"] for reply in self.replies} == {"succeeded"}
        assert sorted(reply["task_id"] for reply in self.replies) == sorted(self.sent)
        return self.replies


@pytest.fixture
def settings(fleet, tmp_path):
    settings = Settings(fleet, tmp_path / "facefleet.yaml")
    settings.write(AT_ONCE % 1)
    return settings


@pytest.fixture
def loads():
    loads = []
    yield loads
    for load in loads:
        load.over.set()
        load.join()


@pytest.fixture
def begin(fleet, loads):
    """Starts a worker that does what its file says, and jobs for it."""

    def start():
        worker = fleet.start("facefleet-worker", {}).wait_ready()
        loads.append(Load(fleet.url))
        loads[-1].start()
        loads[-1].wait_for_more()
        return worker, loads[-1]

    return start


def starts(worker):
    return says(worker, "worker started")


def hang_up(worker):
    worker.process.send_signal(signal.SIGHUP)


def wait_renewed(worker, times=1):
    wait_until(lambda: len(starts(worker)) == times + 1, "the worker has begun anew")
    worker.wait_ready()
    assert len(says(worker, "renewing")) == times


def process(worker, name):
    with open(f"/proc/{worker.process.pid}/{name}", encoding="utf-8") as file:
        return file.read()


def descriptors(worker):
    return len(os.listdir(f"/proc/{worker.process.pid}/fd"))


def copy_models(folder, name="other-embedder", threshold=0.31):
    """The default set under another name, with another threshold."""
    shutil.copytree(DEFAULT, folder, dirs_exist_ok=True)
    path = folder / "embedder" / "model.yaml"
    text = path.read_text().replace("name: facefleet-embedder-2", f"name: {name}")
    path.write_text(text.replace("default: 0.25", f"default: {threshold}"))


def test_threads_change_under_load(fleet, settings, begin):
    worker, load = begin()
    # Not waited for by /readyz.
    wait_until(lambda: worker.metric('facefleet_amqp_connected{link="facefleet-worker dead"}') == 1, "all links are up")
    load.wait_for_more()
    before, opened = process(worker, "cmdline"), descriptors(worker)
    settings.write(AT_ONCE % 2)
    hang_up(worker)
    wait_renewed(worker)
    load.wait_for_more()
    load.end()
    assert [line["threads"] for line in starts(worker)] == [1, 2]
    (line,) = says(worker, "renewing")
    assert line["what"] == "worker.threads: 1 → 2"
    assert process(worker, "cmdline") == before and process(worker, "comm") == "facefleet-worke\n"

    # As many descriptors as before, for as many threads: none is left over by the program of before.
    settings.write(AT_ONCE % 1)
    wait_renewed(worker, 2)
    wait_until(lambda: descriptors(worker) <= opened, "no more descriptors than at the start")


def test_models_change_under_load(fleet, settings, begin, tmp_path):
    copy_models(tmp_path / "models")
    worker, load = begin()
    models = "model: {detector: %s/detector, embedder: %s/embedder}\n" % (tmp_path / "models", tmp_path / "models")
    settings.write(AT_ONCE % 1 + models)
    hang_up(worker)
    wait_renewed(worker)
    load.wait_for_more()
    replies = load.end()
    assert replies[0]["model"] == "facefleet-embedder-2" and replies[0]["result"]["threshold"] == 0.25
    assert replies[-1]["model"] == "other-embedder" and replies[-1]["result"]["threshold"] == 0.31


def test_models_that_were_replaced_where_they_lie(fleet, settings, begin, tmp_path):
    copy_models(tmp_path / "models")
    settings.write(AT_ONCE % 1 + f"model: {{embedder: {tmp_path}/models/embedder}}\n")
    worker, load = begin()
    hang_up(worker)
    wait_until(lambda: reloads(worker, "unchanged") == 1, "the same models change nothing")
    copy_models(tmp_path / "models", name="third-embedder")
    hang_up(worker)
    wait_renewed(worker)
    load.wait_for_more()
    assert load.end()[-1]["model"] == "third-embedder"
    (line,) = says(worker, "renewing")
    before, after = line["what"].split(" → ")
    assert before.startswith("models on disk: facefleet-detector-1 ") and " other-embedder " in before
    assert after.startswith("facefleet-detector-1 ") and " third-embedder " in after


def test_models_that_do_not_load_change_nothing(fleet, settings, begin, tmp_path):
    copy_models(tmp_path / "models")
    with open(tmp_path / "models" / "embedder" / "embedder.onnx", "r+b") as file:
        file.write(b"other")
    worker, load = begin()
    settings.write(AT_ONCE % 2 + f"log: {{level: error}}\nmodel:\n  embedder: {tmp_path}/models/embedder\n")
    hang_up(worker)
    wait_until(lambda: reloads(worker, "refused") == 1, "the worker refuses the models")
    (line,) = says(worker, "the settings cannot be read again; the old ones hold")
    assert "facefleet.yaml:4: model.embedder: " in line["error"]
    assert f"{tmp_path}/models/embedder/embedder.onnx: its SHA-256 is" in line["error"]
    load.wait_for_more()
    load.end()
    # Nothing else of the file was taken over: what is said at this level still is.
    hang_up(worker)
    wait_until(lambda: reloads(worker, "refused") == 2, "it still refuses them")
    assert not says(worker, "a setting changed") and len(starts(worker)) == 1


def test_models_that_broke_since_put_a_renewal_off(fleet, settings, begin, tmp_path):
    """Nobody has said so of the models: the renewal is for something else."""
    copy_models(tmp_path / "models")
    folder = f"model: {{embedder: {tmp_path}/models/embedder}}\n"
    settings.write(AT_ONCE % 1 + folder)
    worker, load = begin()
    description = tmp_path / "models" / "embedder" / "model.yaml"
    whole = description.read_text()
    description.write_text(whole + "nonsense: 1\n")
    settings.write(AT_ONCE % 2 + folder)
    wait_until(lambda: says(worker, "cannot renew yet"), "the worker looks before it ends")
    assert "model.yaml" in says(worker, "cannot renew yet")[0]["error"]
    load.wait_for_more()
    assert len(starts(worker)) == 1
    description.write_text(whole)
    wait_renewed(worker)
    load.wait_for_more()
    load.end()
    assert [line["threads"] for line in starts(worker)] == [1, 2]


def test_what_needs_a_restart_waits_for_one(fleet, settings, begin):
    """Wrong as it is, it is in the file when the worker executes itself anew for something else."""
    broker = "amqp: {url: %s}\n" % fleet.environment.pop("FACEFLEET_AMQP_URL")
    settings.write(AT_ONCE % 1 + broker)
    worker, load = begin()
    settings.write(AT_ONCE % 2 + "amqp: {url: 'amqp://nobody:wrong@127.0.0.1:1/nowhere'}\nfetch: {allow: everybody}\n")
    hang_up(worker)
    wait_renewed(worker)
    load.wait_for_more()
    load.end()
    assert [line["threads"] for line in starts(worker)] == [1, 2]
    for key in "amqp.url", "fetch.allow":
        wait_until(
            lambda key=key: len(says(worker, "a setting changed that needs a restart", key=key)) == 2,
            f"{key} is said to need a restart, before and after",
        )

    # It is the second one's as well.
    settings.write(AT_ONCE % 1 + broker)
    wait_renewed(worker, 2)
    assert worker.terminate() == 0


def test_a_file_that_is_wrong_by_then_changes_nothing(fleet, settings, begin):
    settings.write("worker: {renew_within_ms: 2000, threads: 1}\n")
    worker, load = begin()
    settings.write("worker: {renew_within_ms: 2000, threads: 2}\n")
    hang_up(worker)
    wait_until(lambda: says(worker, "going to renew"), "a renewal is due")
    settings.write("worker: {threads: many}\n")
    wait_renewed(worker)
    wait_until(lambda: reloads(worker, "refused") == 1, "the file is refused")
    load.wait_for_more()
    load.end()
    assert [line["threads"] for line in starts(worker)] == [1, 2]


def test_a_central_setting_renews_a_fleet(fleet, settings, begin):
    fleet.use_store()
    worker, load = begin()
    other = fleet.start("facefleet-worker", {}).wait_ready()
    done = fleet.shell("config", "set", "worker.threads", "2")
    assert done.returncode == 0, done.stderr
    for one in (worker, other):
        wait_renewed(one)
        assert [line["threads"] for line in starts(one)] == [1, 2]
    load.wait_for_more()
    load.end()


def test_it_waits_some_time_before(fleet, settings, begin):
    """A time so long that nobody waits for it; what is changed back meanwhile renews nothing."""
    settings.write("worker: {renew_within_ms: 3600000, threads: 1}\n")
    worker, load = begin()
    settings.change(worker, "worker: {renew_within_ms: 3600000, threads: 2}\n")
    (line,) = says(worker, "going to renew")
    assert 0 <= line["in_ms"] <= 3600000
    settings.change(worker, AT_ONCE % 1)
    load.wait_for_more()
    load.end()
    assert not says(worker, "renewing") and worker.is_ready()


@pytest.mark.parametrize("moment", ["renewing", "worker stopped"])
def test_a_stop_in_the_middle_ends_it(fleet, settings, begin, moment):
    worker, load = begin()
    settings.write(AT_ONCE % 2)
    hang_up(worker)
    wait_until(lambda: says(worker, moment), moment)
    assert worker.terminate() == 0
    fleet.worker().wait_ready()
    load.wait_for_more()
    load.end()


def test_signals_while_it_executes_itself_anew(fleet, settings, begin):
    """SIGHUP, which ends a program that does not listen, is sent without a pause."""
    worker, load = begin()
    settings.write(AT_ONCE % 2)
    hang_up(worker)

    def renewed():
        hang_up(worker)
        return len(starts(worker)) == 2

    wait_until(renewed, "the worker has begun anew")
    worker.wait_ready()
    load.wait_for_more()
    load.end()
    assert worker.terminate() == 0
