"""A fleet on three RabbitMQ nodes, and what happens to those. `amqp.url` lists all three: clients fail over."""

import contextlib
import json
import os
import signal
import subprocess

import faults
from fleet import PRIVATE_BROKER, PrivateServer, wait_until
from scenarios import scenario
from testbed import Servers, Testbed

NODES = 3
LANE = "facefleet.jobs.batch"
CONFIGURATION = "cluster_partition_handling = pause_minority\n"


class Node(PrivateServer):
    """The first is the cluster; the others join it."""

    def __init__(self, folder, first=None):
        super().__init__(PRIVATE_BROKER, folder)
        self.first = first
        os.makedirs(os.path.join(folder, "conf.d"), exist_ok=True)
        with open(os.path.join(folder, "conf.d", "cluster.conf"), "w", encoding="ascii") as file:
            file.write(CONFIGURATION)

    def command(self, *words):
        if words[0] == "start" and self.first:
            words = ("join", self.first.folder)
        return super().command(*words)

    def end(self, number):
        """By a signal; not its epmd, which serves the others."""
        os.kill(int(self.command("pid")), number)
        wait_until(lambda: not self.is_running(), "the node has ended")

    def is_running(self):
        return subprocess.run([self.script, "pid", self.folder], capture_output=True).returncode == 0

    def evaluate(self, expression):
        return self.command("ctl", "-q", "eval", expression)

    def name(self):
        return self.evaluate("node().").strip("'")


class ClusterServers(Servers):
    """`broker` is the first of `nodes`."""

    def __init__(self):
        super().__init__()
        self.nodes = [self.broker]

    def server(self, script, name):
        if script != PRIVATE_BROKER:
            return super().server(script, name)
        return Node(os.path.join(self.folder, name))

    def start(self):
        super().start()
        while len(self.nodes) < NODES:
            self.nodes.append(Node(os.path.join(self.folder, f"node{len(self.nodes) + 1}"), self.broker))
        for node in self.nodes:
            node.start()

    def close(self):
        for node in reversed(self.nodes[1:]):
            node.stop()
        super().close()

    def leader(self, vhost, queue):
        """The node that leads a queue."""
        words = ("-p", vhost, "name", "leader", "--formatter", "json")
        rows = json.loads(self.broker.command("ctl", "-q", "list_queues", *words))
        name = next(row["leader"] for row in rows if row["name"] == queue)
        return next(node for node in self.nodes if node.name() == name)


class ClusterBed(Testbed):
    """No proxies to the broker: programs know its nodes."""

    def url(self, program, server):
        if server != "broker":
            return super().url(program, server)
        return ",".join(f"{node.url}/{self.fleet.vhost}" for node in self.servers.nodes)


@contextlib.contextmanager
def leader_killed(bed, load):
    leader = bed.servers.leader(bed.fleet.vhost, LANE)
    leader.end(signal.SIGKILL)
    yield
    leader.start()


@contextlib.contextmanager
def leader_cut_off(bed, load):
    """From the other nodes, not from its clients: it has another cookie for them, and pauses in its minority."""
    leader = bed.servers.leader(bed.fleet.vhost, LANE)
    others = "[N || N <- rabbit_nodes:all(), N =/= node()]"
    cookie = leader.evaluate("erlang:get_cookie().").strip("'")
    leader.evaluate(f"[begin erlang:set_cookie(N, wrong), erlang:disconnect_node(N) end || N <- {others}].")
    yield
    for node in bed.servers.nodes:
        if node is not leader:
            leader.evaluate(f"erlang:set_cookie('{node.name()}', '{cookie}').")


@contextlib.contextmanager
def nodes_restarted(bed, load):
    """One after the other, as for a new version."""
    for node in bed.servers.nodes:
        node.end(signal.SIGTERM)
        node.start()
    yield


def table():
    """The scenarios of a cluster."""
    return [
        scenario("cluster-none", faults.none, steady=True),
        scenario("cluster-leader-killed", leader_killed, seconds=5),
        scenario("cluster-leader-cut-off", leader_cut_off, seconds=15),
        scenario("cluster-nodes-restarted", nodes_restarted),
    ]
