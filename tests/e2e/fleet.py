"""The programs and the broker under test, as processes. Standard library only: the benchmarks use it too."""

import base64
import json
import os
import secrets
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SAMPLES = os.path.join(ROOT, "tests", "data", "people")
PRIVATE_BROKER = os.path.join(ROOT, "deploy", "rabbitmq", "private-broker")
PRIVATE_POSTGRES = os.path.join(ROOT, "tests", "servers", "private-postgres")
PRIVATE_REDIS = os.path.join(ROOT, "tests", "servers", "private-redis")
PROGRAMS = {
    "facefleet": "producer/cli/facefleet",
    "facefleet-worker": "worker/match/facefleet-worker",
    "facefleet-callback": "worker/callback/facefleet-callback",
    "facefleet-tracker": "worker/tracker/facefleet-tracker",
    "facefleet-gateway": "producer/gateway/facefleet-gateway",
    "facefleet-scheduler": "producer/scheduler/facefleet-scheduler",
}
VHOSTS_KEPT = 8
SANITIZER_REPORTS = (
    "ERROR: AddressSanitizer",
    "runtime error:",
    "WARNING: ThreadSanitizer",
    "LeakSanitizer",
    "== Invalid ",  # valgrind
    "== Conditional jump ",
    "== Use of uninitialised ",
    " definitely lost ",
)


# What is slowed down on purpose, by a checker of memory, gets more time for everything.
PATIENCE = 1


def wait_until(condition, what, seconds=60):
    """Returns the first true value of condition(); fails with `what` when none comes in time."""
    seconds *= PATIENCE
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        pause.wait(0.02)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def reserve_port():
    """A socket with a free port that nobody else is given while it is open; who sets SO_REUSEADDR may listen there."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    return holder


class PrivateServer:
    """A server of one's own in a folder, run by its script; the script's help says which words it knows."""

    def __init__(self, script, folder):
        self.script = script
        self.folder = folder
        self.url = None
        os.makedirs(folder, exist_ok=True)

    def command(self, *words):
        return subprocess.run(
            [self.script, words[0], self.folder, *words[1:]], check=True, stdout=subprocess.PIPE, text=True
        ).stdout.strip()

    def start(self):
        """Always under the same URL."""
        self.url = self.command("start")

    def kill(self):
        self.command("kill")

    def stop(self):
        self.command("stop")


class Broker(PrivateServer):
    """A private broker in a folder, started already; every test works in a virtual host of its own."""

    def __init__(self, folder):
        super().__init__(PRIVATE_BROKER, folder)
        self.management = urllib.parse.urlsplit(self.command("management"))
        self.amqp = self.command("url")
        self.left = []

    def restart(self):
        self.left.clear()
        self.command("restart")

    def api(self, method, path, body=None):
        """One request to the management page; its JSON, or None for an empty answer."""
        base = f"http://127.0.0.1:{self.management.port}/api/"
        login = f"{self.management.username}:{self.management.password}".encode()
        request = urllib.request.Request(
            base + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "authorization": "Basic " + base64.b64encode(login).decode(),
                "content-type": "application/json",
            },
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            text = response.read()
        return json.loads(text) if text else None

    def add_vhost(self, name):
        self.api("PUT", f"vhosts/{name}")
        self.api("PUT", f"permissions/{name}/{self.management.username}", dict(configure=".*", write=".*", read=".*"))
        return f"{self.amqp}/{name}"

    def leave_vhost(self, name):
        """Deletes it once its queues are old enough: a queue that dead-letters at-least-once and is deleted just after
        it got its leader can take every other one with it (see CONTRIBUTING). Those of before a restart stay."""
        self.left.append(name)
        if len(self.left) > VHOSTS_KEPT:
            self.api("DELETE", f"vhosts/{self.left.pop(0)}")

    def depth(self, vhost, queue):
        """Messages in a queue, ready and unacknowledged; -1 if there is no such queue. The broker counts every 5 s, so
        this is to be waited for; Client.count() is what is ready at this moment."""
        answer = self.command("ctl", "-q", "list_queues", "-p", vhost, "name", "messages", "--formatter", "json")
        return {row["name"]: row["messages"] for row in json.loads(answer)}.get(queue, -1)


class Program:
    """One running process with its log."""

    def __init__(self, name, command, environment, log_path, holder):
        self.name = name
        self.holder = holder  # keeps its port for it
        self.port = holder.getsockname()[1]
        self.log_path = log_path
        self.killed = False
        with open(log_path, "ab") as log:
            self.process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()

    def log_lines(self):
        """The JSON lines of the log; anything else in it is left out."""
        lines = []
        for line in self.log().splitlines():
            try:
                lines.append(json.loads(line))
            except ValueError:
                continue
        return lines

    def get(self, path):
        """Status and text of a page of the program; status 0 while nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def is_ready(self):
        assert self.process.poll() is None, f"{self.name} ended: {self.log()[-2000:]}"
        return self.get("/readyz")[0] == 200

    def wait_ready(self):
        wait_until(self.is_ready, f"{self.name} is ready")
        return self

    def metric(self, series):
        """The value of one series of the metrics page, None if it is not there."""
        for line in self.get("/metrics")[1].splitlines():
            if line.startswith(series + " "):
                return float(line.rsplit(" ", 1)[1])
        return None

    def kill(self):
        """Ends it as a crash would."""
        self.killed = True
        self.process.kill()
        self.process.wait()

    def terminate(self, seconds=60):
        """Asks it to end and returns its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=seconds * PATIENCE)

    def rss_kib(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


class Fleet:
    """Workers, callback services, schedulers and shells on one virtual host."""

    def __init__(self, broker, bin_dir, folder):
        self.broker = broker
        self.bin_dir = bin_dir
        self.folder = str(folder)
        self.vhost = "t" + secrets.token_hex(6)
        self.url = broker.add_vhost(self.vhost)
        self.programs = []
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith("FACEFLEET_")}
        self.environment["FACEFLEET_AMQP_URL"] = self.url
        self.environment["FACEFLEET_STORE_URL"] = ""  # no people, unless a test says where they are
        # The tests send the same photographs over and over, and are about computing them.
        self.environment["FACEFLEET_CACHE_PHOTOS_BYTES"] = "0"

    def program(self, name):
        return os.path.join(self.bin_dir, PROGRAMS[name])

    def start(self, name, settings, prefix=()):
        """Starts a long-running program with settings as on its command line, listening on a free port."""
        section = name.removeprefix("facefleet-")
        holder = reserve_port()
        settings = {f"{section}.listen": f"127.0.0.1:{holder.getsockname()[1]}", **settings}
        command = [*prefix, self.program(name)]
        for key, value in settings.items():
            command += ["--set", f"{key}={value}"]
        log_path = os.path.join(self.folder, f"{section}-{len(self.programs)}.log")
        program = Program(name, command, self.environment, log_path, holder)
        self.programs.append(program)
        return program

    def worker(self, prefix=(), **settings):
        """A worker; settings are spelled worker__threads=2 for worker.threads."""
        settings = {key.replace("__", "."): value for key, value in settings.items()}
        return self.start("facefleet-worker", {"worker.threads": 1, **settings}, prefix)

    def callback(self, **settings):
        settings = {key.replace("__", "."): value for key, value in settings.items()}
        return self.start("facefleet-callback", settings)

    def tracker(self, **settings):
        """A tracker; use_store() comes first."""
        settings = {key.replace("__", "."): value for key, value in settings.items()}
        return self.start("facefleet-tracker", settings)

    def gateway(self, **settings):
        settings = {key.replace("__", "."): value for key, value in settings.items()}
        return self.start("facefleet-gateway", settings)

    def scheduler(self, prefix=(), **settings):
        settings = {key.replace("__", "."): value for key, value in settings.items()}
        return self.start("facefleet-scheduler", settings, prefix)

    def shell(self, *arguments, **options):
        """Runs `facefleet …` to its end."""
        return subprocess.run(
            [self.program("facefleet"), *arguments],
            **{"env": self.environment, "capture_output": True, "text": True, "timeout": 300, **options},
        )

    def start_shell(self, *arguments, **options):
        """Starts `facefleet …` and returns at once."""
        return subprocess.Popen([self.program("facefleet"), *arguments], **{"env": self.environment, **options})

    def use_store(self, url=None):
        """Enrolled people from now on: in a new file of the fleet's own, or where `url` says."""
        url = url or f"sqlite:{self.folder}/people.db"
        self.environment["FACEFLEET_STORE_URL"] = url
        done = self.shell("store", "migrate")
        assert done.returncode == 0, done.stderr
        return url

    def depth(self, queue):
        return self.broker.depth(self.vhost, queue)

    def close(self):
        """Ends everything; complains about programs that ended badly or said something a sanitizer would."""
        statuses = {program: program.terminate() for program in self.programs}
        for program in self.programs:
            program.holder.close()
        self.broker.leave_vhost(self.vhost)
        for program, status in statuses.items():
            assert program.killed or status == 0, f"{program.name} ended with {status}: {program.log()[-2000:]}"
            for report in SANITIZER_REPORTS:
                assert report not in program.log(), program.log()[-8000:]
