"""A mixed load from HTTP clients and the shell, and what it was promised."""

import collections
import dataclasses
import http.client
import json
import os
import random
import threading
import time
import urllib.parse

from fleet import SAMPLES
from http_support import Api, form
from jobs import photo

CLIENTS = 3
PAUSE_SECONDS = 0.2  # between two requests of a client
GIVE_UP_SECONDS = 5  # how long a client goes on with what is not decided when the load ends
SHELL_SECONDS = 150
ROWS = 8  # of each batch of the shell
NOT_NOW = (409, 429, 503)
UNDECIDED = ("unconfirmed", "idempotency_in_flight")
KNOWN = "anna"
SHELL = "shell"  # in place of the path of a request


@dataclasses.dataclass
class Request:
    """One thing that a client wants done, once."""

    reference: str
    op: str
    path: str
    fields: dict
    callback: str = None  # good, odd, or nobody
    method: str = "POST"
    is_safe_to_repeat: bool = False  # has an Idempotency-Key
    user: str = None  # whom it enrols or removes
    wait: bool = False


class Ledger:
    """What was accepted, by task id; what may have been; and what no fault excuses. For all threads."""

    def __init__(self):
        self.lock = threading.Lock()
        self.accepted = {}
        self.undecided = []
        self.refused = []  # given up, and every answer said that it was not done
        self.answers = []  # (task id, state) as somebody was told
        self.refusals = collections.Counter()  # answers of the gateway by their code
        self.problems = []

    def accept(self, task_id, request, state=None):
        with self.lock:
            if self.accepted.get(task_id, request) is not request:
                self.problems.append(f"task {task_id} was given to two requests")
            self.accepted[task_id] = request
            if state:
                self.answers.append((task_id, state))

    def refuse(self, code):
        with self.lock:
            self.refusals[code] += 1

    def leave_undecided(self, request):
        with self.lock:
            self.undecided.append(request)

    def leave_refused(self, request):
        with self.lock:
            self.refused.append(request)

    def problem(self, text):
        with self.lock:
            self.problems.append(text)

    def copy(self):
        with self.lock:
            return dict(self.accepted)


class Mixture:
    """Draws requests of one client. `steady`: only what must succeed in a fleet that merely changes its workers."""

    def __init__(self, bed, prefix, client, rng, steady):
        self.bed = bed
        self.prefix = prefix
        self.client = client
        self.rng = rng
        self.steady = steady
        self.count = 0
        self.enrolled = []

    def next(self):
        self.count += 1
        reference = f"{self.prefix}/{self.client}-{self.count}"
        ops = ["match", "match", "match", "by_url", "verify", "search", "enroll", "enroll", "unenroll", "later"]
        ops = ops if self.steady else [*ops, "garbage", "stranger", "realtime"]
        op = self.rng.choice(ops)
        if op == "unenroll" and not self.enrolled:
            op = "enroll"
        request = getattr(self, op)(reference)
        request.is_safe_to_repeat = op in ("enroll", "unenroll") or self.rng.random() < 0.4
        request.wait = self.rng.random() < 0.2
        request.callback = self.rng.choice(("good", "good", "odd", None, None))
        return request

    def picture(self):
        return photo(self.rng.choice(("person01_1", "person01_2", "person01_3", "person02_1")))

    def match(self, reference, **fields):
        fields = {"image_a": self.picture(), "image_b": self.picture(), **fields}
        return Request(reference, "match", "/v1/match", fields)

    def by_url(self, reference):
        url = self.bed.url("worker", "images") + "/person02_1.jpg"
        return Request(reference, "match", "/v1/match", {"image_a": self.picture(), "image_b_url": url})

    def garbage(self, reference):
        return self.match(reference, image_b=b"no picture")

    def realtime(self, reference):
        return self.match(reference, scene="realtime")

    def later(self, reference):
        return self.match(reference, delay_ms=str(self.rng.randrange(100, 800)))

    def verify(self, reference):
        return Request(reference, "verify", "/v1/verify", {"image": self.picture(), "user_id": KNOWN})

    def stranger(self, reference):
        return Request(reference, "verify", "/v1/verify", {"image": self.picture(), "user_id": "nobody"})

    def search(self, reference):
        return Request(reference, "search", "/v1/search", {"image": self.picture(), "top_k": "3"})

    def enroll(self, reference):
        path = f"/v1/users/{urllib.parse.quote(reference, safe='')}/faces"
        fields = {"image": photo("person03_1"), "collection": self.prefix}
        self.enrolled.append(reference)
        return Request(reference, "enroll", path, fields, user=reference)

    def unenroll(self, reference):
        user = self.enrolled.pop(0)
        path = f"/v1/users/{urllib.parse.quote(user, safe='')}/faces"
        return Request(reference, "unenroll", path, {"collection": self.prefix}, method="DELETE", user=user)


class Load:
    """Runs from start() to stop(). Every reference begins with `prefix`, which is also the collection of those it
    enrols and the path of its callbacks. The requests depend on the text `seed`. `refusals`: statuses that the fault
    explains."""

    def __init__(self, bed, prefix, seed, steady=False, refusals=()):
        self.bed = bed
        self.prefix = prefix
        self.refusals = refusals
        self.ledger = Ledger()
        self.stopping = threading.Event()
        self.gives_up = float("inf")
        mixtures = [Mixture(bed, prefix, n, random.Random(f"{seed} {n}"), steady) for n in range(CLIENTS)]
        self.threads = [threading.Thread(target=self.guard, args=(self.be_client, mixture)) for mixture in mixtures]
        self.threads.append(threading.Thread(target=self.guard, args=(self.be_shell,)))

    def start(self):
        for thread in self.threads:
            thread.start()

    def stop(self):
        """Returns when every client has its last answer."""
        self.gives_up = time.monotonic() + GIVE_UP_SECONDS
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def guard(self, function, *arguments):
        """A client that breaks is a fault of this suite, and must not look like a quiet one."""
        try:
            function(*arguments)
        except Exception as error:  # noqa: BLE001
            self.ledger.problem(f"the load's own {function.__name__} failed: {error!r}")

    # --- over HTTP ---

    def be_client(self, mixture):
        while not self.stopping.is_set():
            self.carry_out(mixture.next())
            self.stopping.wait(PAUSE_SECONDS * mixture.rng.uniform(0.5, 1.5))

    def carry_out(self, request):
        """Until it is accepted, or cannot be repeated without doing it twice."""
        may_exist = False
        while not (outcome := self.send(request)) == "accepted":
            may_exist = may_exist or outcome == "unknown"
            if (may_exist and not request.is_safe_to_repeat) or time.monotonic() > self.gives_up:
                break
            threading.Event().wait(0.2)  # as a client does that is told to come again
        if outcome != "accepted":
            (self.ledger.leave_undecided if may_exist else self.ledger.leave_refused)(request)

    def send(self, request):
        """accepted; refused (it was not done); or unknown."""
        api = Api(self.bed.way("client", "gateway").port, seconds=4)
        fields = {"reference": request.reference, **request.fields}
        if request.callback:
            fields["callback"] = f"{self.bed.url('callback', request.callback)}/{self.prefix}"
        headers = {"prefer": "wait=1"} if request.wait else {}
        if request.is_safe_to_repeat:
            headers["idempotency_key"] = request.reference
        content_type, body = form(fields)
        try:
            answer = api.ask(request.method, request.path, body, content_type, **headers)
            return self.take(request, answer)
        except (OSError, http.client.HTTPException, ValueError):
            self.ledger.refuse("no answer")
            return "unknown"

    def take(self, request, answer):
        document = json.loads(answer.body)
        if answer.status in (200, 202):
            self.ledger.accept(document["task_id"], request, document["state"] if answer.status == 200 else None)
            return "accepted"
        if answer.status not in (*NOT_NOW, *self.refusals):
            self.ledger.problem(f"{request.reference}: {answer.status} {answer.body[:300]}")
        code = document.get("code")
        self.ledger.refuse(code)
        is_sure = answer.status not in self.refusals and code not in UNDECIDED and "task_id" not in document
        return "refused" if is_sure else "unknown"

    # --- from the shell ---

    def be_shell(self):
        """One batch after the other; every other one waits for its replies."""
        number = 0
        while not self.stopping.is_set():
            number += 1
            self.submit(f"{self.prefix}/shell{number}", "--wait" if number % 2 else "--quiet")
            self.stopping.wait(1)

    def submit(self, name, option):
        stem = os.path.join(self.bed.folder, name.replace("/", "-"))
        with open(stem + ".csv", "w", encoding="utf-8") as file:
            file.write("id,image_a,image_b\n")
            for row in range(ROWS):
                file.write(f"{name}-{row},{SAMPLES}/person01_1.jpg,{SAMPLES}/person0{1 + row % 2}_2.jpg\n")
        broker = self.bed.url("shell", "broker")
        command = ("submit", stem + ".csv", "--broker", broker, "--out", stem + ".jsonl", "--in-flight", "2", option)
        done = self.bed.fleet.shell(*command, timeout=SHELL_SECONDS)
        while done.returncode == 4 and time.monotonic() < self.gives_up:
            self.stopping.wait(0.5)
            done = self.bed.fleet.shell(*command, "--resume", timeout=SHELL_SECONDS)
        self.note_batch(name, stem + ".jsonl", done)

    def note_batch(self, name, out, done):
        results = []
        if os.path.exists(out):
            with open(out, encoding="utf-8") as lines:
                results = [json.loads(line) for line in lines]
        for result in results:
            request = Request(result["id"], "match", SHELL, {})
            ended = result["state"] in ("succeeded", "final_failed")
            self.ledger.accept(result["task_id"], request, result["state"] if ended else None)
        if done.returncode not in (0, 1, 4) or (done.returncode != 4 and len(results) != ROWS):
            ending = f"status {done.returncode}: {done.stderr[-500:]}"
            self.ledger.problem(f"{name}: {len(results)} results of {ROWS}, {ending}")
        if len({result["id"] for result in results}) != len(results):
            self.ledger.problem(f"{name}: a row has two results in {out}")
