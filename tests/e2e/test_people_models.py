"""People and the shell with workers that compute, and the change from one embedder to another while searches run."""

import itertools
import json
import os
import threading

import pytest

from fleet import ROOT, SAMPLES, wait_until
from jobs import Client, photo

PEOPLE = range(1, 9)
OTHER_EMBEDDER = os.path.join(os.path.dirname(ROOT), "shared", "models", "mobilefacenet")
needs_other_embedder = pytest.mark.skipif(not os.path.isdir(OTHER_EMBEDDER), reason="MobileFaceNet is not beside the repository")


def path_of(name):
    return os.path.join(SAMPLES, name + ".jpg")


def test_the_shell_enrols_verifies_searches_unenrols(fleet):
    fleet.use_store()
    worker = fleet.worker().wait_ready()
    folder = os.path.join(fleet.folder, "people")
    for number in PEOPLE:
        os.makedirs(os.path.join(folder, f"user-{number}"))
        for copy in (1, 2):
            with open(os.path.join(folder, f"user-{number}", f"{copy}.jpg"), "wb") as file:
                file.write(photo(f"person0{number}_{copy}"))
    enrolled = fleet.shell("enroll", "--from", folder)
    assert enrolled.returncode == 0, enrolled.stderr
    wait_until(lambda: worker.metric("facefleet_gallery_images") == 2 * len(PEOPLE), "everybody is in the gallery")

    same = fleet.shell("verify", "user-3", path_of("person03_3"))
    assert same.returncode == 0, same.stderr
    different = fleet.shell("verify", "user-3", path_of("person04_3"))
    assert different.returncode == 1, different.stderr
    nobody = fleet.shell("verify", "user-99", path_of("person04_3"))
    assert nobody.returncode == 3 and "user_not_found" in nobody.stdout + nobody.stderr

    found = fleet.shell("search", path_of("person05_3"))
    assert found.returncode == 0, found.stderr
    candidates = json.loads(found.stdout)["result"]["candidates"]
    assert [candidate["user_id"] for candidate in candidates] == ["user-5"]
    assert fleet.shell("unenroll", "user-5").returncode == 0
    wait_until(lambda: fleet.shell("search", path_of("person05_3")).returncode == 1, "user-5 is found no more")
    listed = [json.loads(line) for line in fleet.shell("collections").stdout.splitlines()]
    assert [row["users"] for row in listed] == [len(PEOPLE) - 1]


class Searcher(threading.Thread):
    """Searches without a pause, for everybody in turn, until it is told to end. Keeps every reply."""

    def __init__(self, url):
        super().__init__()
        self.url = url
        self.replies = []
        self.over = threading.Event()

    def run(self):
        client = Client(self.url)
        for number in itertools.cycle(PEOPLE):
            if self.over.is_set():
                break
            image = {"data": photo(f"person0{number}_2")}
            self.replies.append(client.call({"op": "search", "image_a": image, "reference": f"user-{number}"}))
        client.close()

    def end(self):
        self.over.set()
        self.join()
        return self.replies


@needs_other_embedder
def test_another_embedder_takes_over_while_searches_run(fleet):
    fleet.use_store()
    old = fleet.worker().wait_ready()
    client = Client(fleet.url)
    for number in PEOPLE:
        reply = client.call({"op": "enroll", "user_id": f"user-{number}", "image_a": {"data": photo(f"person0{number}_1")}})
        assert reply["state"] == "succeeded", reply
    wait_until(lambda: old.metric("facefleet_gallery_users") == len(PEOPLE), "everybody is in the gallery")
    old_name = reply["model"]

    searcher = Searcher(fleet.url)
    searcher.start()
    try:
        wait_until(lambda: len(searcher.replies) > 20, "searches run")
        filled = fleet.shell("collections", "reembed", "--embedder", OTHER_EMBEDDER)
        assert filled.returncode == 0, filled.stderr
        # Somebody comes between filling and switching: filling again finds them.
        late = client.call({"op": "enroll", "user_id": "late", "image_a": {"data": photo("person09_1")}})
        assert late["state"] == "succeeded" and late["model"] == old_name
        new = fleet.worker(model__embedder=OTHER_EMBEDDER).wait_ready()
        assert new.metric("facefleet_gallery_users") == len(PEOPLE)
        assert old.terminate() == 0
        before = len(searcher.replies)
        wait_until(lambda: len(searcher.replies) > before + 20, "searches run with the new model")
        mismatch = client.call({"op": "verify", "user_id": "late", "image_a": {"data": photo("person09_2")}})
        assert mismatch["error"]["code"] == "model_mismatch"
        again = fleet.shell("collections", "reembed", "--embedder", OTHER_EMBEDDER)
        assert again.returncode == 0, again.stderr
        wait_until(lambda: new.metric("facefleet_gallery_users") == len(PEOPLE) + 1, "the late one is in the gallery too")
        verified = client.call({"op": "verify", "user_id": "late", "image_a": {"data": photo("person09_2")}})
        assert verified["result"]["matched"] is True
    finally:
        replies = searcher.end()
        client.close()

    assert {reply["state"] for reply in replies} == {"succeeded"}
    models = {reply["model"] for reply in replies}
    assert len(models) == 2 and old_name in models
    for reply in replies:
        candidates = reply["result"]["candidates"]
        # Embeddings of different models agree no better than chance.
        assert candidates[0]["user_id"] == reply["reference"] and candidates[0]["similarity"] > 0.6, reply
