"""A whole fleet of facefleet's, and a proxy between any two that talk to each other."""

import base64
import json
import os
import shutil
import tempfile
import urllib.parse

from endpoint import Endpoint
from fleet import PRIVATE_BROKER, PRIVATE_POSTGRES, PRIVATE_REDIS, Broker, Fleet, PrivateServer
from jobs import photo
from proxy import Proxy
from store_support import new_database

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
WORKERS = ("worker-1", "worker-2", "worker-3")
PROGRAMS = ("tracker", "callback", "gateway", "scheduler", *WORKERS)
LANES = "^facefleet\\.jobs\\.(realtime|batch)$"
LANE_LENGTH = 30
PHOTOS = ("person01_1", "person01_2", "person01_3", "person02_1", "person03_1")


# It emulates the fused multiply-add of newer processors one number at a time: kernels without it are 25 times quicker, here
# of OpenBLAS, for our own see tests/run.
VALGRIND_BLAS = {"OPENBLAS_CORETYPE": "Sandybridge"}

# Invalid accesses and definite leaks end a program with a status that its fleet takes amiss. The worker looks at suspect
# jobs in a process of its own, and some programs start themselves anew, hence the children.
VALGRIND = (
    "valgrind",
    "--quiet",
    "--trace-children=yes",
    "--fair-sched=yes",
    "--error-exitcode=99",
    "--leak-check=full",
    "--show-leak-kinds=definite",
    "--errors-for-leak-kinds=definite",
)


def kind_of(name):
    """Workers are several, and share their ways."""
    return "worker" if name in WORKERS else name


class Servers:
    """Broker, PostgreSQL and Redis, in a folder of their own. close() is right at any moment."""

    def __init__(self):
        # As root, PostgreSQL runs as another user, who must be able to get there: not into every TMPDIR.
        self.folder = tempfile.mkdtemp(prefix="facefleet-fault.", dir="/tmp")
        os.chmod(self.folder, 0o711)
        self.broker = self.server(PRIVATE_BROKER, "broker")
        self.postgres = self.server(PRIVATE_POSTGRES, "postgres")
        self.redis = self.server(PRIVATE_REDIS, "redis")

    def server(self, script, name):
        return PrivateServer(script, os.path.join(self.folder, name))

    def start(self):
        for server in (self.broker, self.postgres, self.redis):
            server.start()

    def close(self):
        for server in (self.broker, self.postgres, self.redis):
            server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Testbed:
    """Programs with the names in PROGRAMS, `way(program, server)` between them and broker, postgres, redis, good, odd,
    images; ("client", "gateway") and ("shell", "broker") lead there too. Its store starts empty."""

    prefix = ()  # before the command of each program

    def __init__(self, servers, bin_dir, folder):
        self.servers = servers
        self.folder = folder
        self.broker = Broker(servers.broker.folder)
        self.fleet = Fleet(self.broker, bin_dir, folder)
        self.store = new_database(self.fleet, servers.postgres.url)
        self.good, self.odd, self.images = (Endpoint() for _ in range(3))
        self.images.files = {f"/{name}.jpg": photo(name) for name in PHOTOS}
        self.targets = {
            "broker": self.fleet.url,
            "postgres": self.store.url,
            "redis": servers.redis.url,
            "good": self.good.url,
            "odd": self.odd.url,
            "images": self.images.url,
        }
        self.ways = {}
        self.programs = {}
        # For good: RabbitMQ 3.10 goes on refusing those whom a queue refused when its limit was removed.
        policy = ("short", LANES, json.dumps({"max-length": LANE_LENGTH}), "--apply-to", "queues")
        self.broker.command("ctl", "-q", "set_policy", "-p", self.fleet.vhost, *policy)
        try:
            for name in PROGRAMS:
                self.start(name)
            self.wait_ready()
        except BaseException:
            self.close()
            raise

    def way(self, program, server):
        """The proxy between these two."""
        if (program, server) not in self.ways:
            self.ways[program, server] = Proxy(urllib.parse.urlsplit(self.targets[server]).port)
        return self.ways[program, server]

    def url(self, program, server):
        """Where a program finds a server: at its proxy."""
        parts = urllib.parse.urlsplit(self.targets[server])
        host = parts.netloc.replace(f":{parts.port}", f":{self.way(program, server).port}")
        return urllib.parse.urlunsplit(parts._replace(netloc=host))

    def settings(self, kind):
        """Short waits, so that a fault of seconds is a long one."""
        own = {
            "worker": {
                "worker.threads": 1,
                "worker.heartbeat_ms": 1000,
                "cache.redis_url": self.url("worker", "redis"),
                "cache.secret": "fault suite's secret",
                "cache.photos_bytes": 1 << 20,
                "fetch.allow": "127.0.0.0/8",
                "fetch.timeout_ms": 1000,
            },
            "callback": {
                "callback.secret": SECRET,
                "callback.allow": "127.0.0.0/8",
                "callback.timeout_ms": 1000,
                "callback.max_per_endpoint": 4,
                "callback.max_in_flight": 32,
                "callback.schedule": "200ms, 500ms, 1s, 1s, 1s, 2s, 2s, 2s, 4s, 4s, 4s, 4s, 8s, 8s",
            },
            "gateway": {"gateway.max_wait_s": 300},
            "scheduler": {"scheduler.lock_ttl_ms": 1000, "scheduler.poll_ms": 200},
        }
        slow = {"scenes.batch.attempt_ms": 120000, "store.timeout_ms": 20000} if self.prefix else {}
        return {
            "amqp.url": self.url(kind, "broker"),
            "amqp.heartbeat_s": 5,
            "amqp.reconnect_max_ms": 1000,
            "store.url": self.url(kind, "postgres"),
            "store.timeout_ms": 1000,
            **own.get(kind, {}),
            **slow,
        }

    def start(self, name):
        """Starts a program, or another one in its place."""
        kind = kind_of(name)
        program = self.fleet.start("facefleet-" + kind, self.settings(kind), self.prefix)
        self.programs[name] = program
        if name == "gateway":
            self.targets["gateway"] = f"http://127.0.0.1:{program.port}"
            self.way("client", "gateway").target = program.port
        return program

    def wait_ready(self):
        for program in self.programs.values():
            program.wait_ready()

    def mend(self):
        for proxy in self.ways.values():
            proxy.mend()

    def close(self):
        self.mend()
        try:
            self.fleet.close()
        finally:
            for end in (*self.ways.values(), self.good, self.odd, self.images):
                end.close()
