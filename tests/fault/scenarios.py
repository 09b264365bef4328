"""The table of scenarios: each one fault, and what it may lead to."""

import collections
import functools

import faults
from testbed import PROGRAMS, WORKERS

BROKER_USERS = ("gateway", "worker", "callback", "tracker", "scheduler", "shell")
STORE_USERS = ("gateway", "worker", "callback", "tracker", "scheduler")
GONE = "callback endpoint is gone|its endpoint is switched off"
BAD_REQUESTS = (400, 404, 405, 411, 413, 414, 415, 431, 501, 505)

# `fault(bed, load)` is a context manager: the fault lasts while it is open. `seconds`: how long, if not as long as
# others. `may_park`: a pattern of the reasons why messages may be parked. `refusals`: statuses of the gateway that the
# fault explains. `shows`: the code of a refusal without which the fault was none. `steady`: the fault must not show;
# the load is one in which nothing fails by itself. `alone`: it needs what others break, and is not drawn with them.
Scenario = collections.namedtuple(
    "Scenario", "name fault seconds may_park refusals shows steady alone", defaults=(None, None, (), None, False, False)
)


def scenario(name, fault, arguments=None, **more):
    """`arguments`: what the fault takes beside testbed and load."""
    return Scenario(name, functools.partial(fault, **(arguments or {})), **more)


def on_way(program, server, spoil, **more):
    return scenario(f"{program}-{server}-{spoil}", faults.on_ways, dict(ways=[(program, server)], spoil=spoil), **more)


def of_programs():
    yield scenario("none", faults.none, steady=True)
    yield scenario("workers-restarted-in-turn", faults.workers_restarted, steady=True)
    yield scenario("workers-renewed", faults.workers_renewed, steady=True)
    for name in PROGRAMS:
        if name not in WORKERS[1:]:
            yield scenario(f"{name}-killed", faults.killed, dict(program=name))


def of_the_broker():
    for program in BROKER_USERS:
        for spoil in ("cut", "stalled", "half-closed", "corrupted", "throttled"):
            yield on_way(program, "broker", spoil)
    yield on_way("worker", "broker", "deaf", seconds=12)  # long enough for heartbeats to be missed
    yield scenario("broker-restarted", faults.broker_restarted)
    yield scenario("broker-killed", faults.server_killed, dict(which="broker"))
    yield scenario("broker-without-memory", faults.broker_without_memory, shows="broker_unavailable")
    no_workers = dict(ways=[("worker", "broker")], spoil="stalled")
    yield scenario("queues-full", faults.on_ways, no_workers, seconds=8, shows="queue_full")


def of_the_stores():
    yield scenario("postgres-killed", faults.server_killed, dict(which="postgres"))
    for spoil in ("cut", "stalled", "corrupted"):
        ways = [(program, "postgres") for program in STORE_USERS]
        yield scenario(f"postgres-{spoil}", faults.on_ways, dict(ways=ways, spoil=spoil))
    yield scenario("tracker-cut-off-without-store", faults.tracker_cut_off_without_store, alone=True)
    yield scenario("redis-killed", faults.server_killed, dict(which="redis"))
    yield scenario("redis-frozen", faults.redis_frozen)
    yield on_way("worker", "redis", "corrupted")


def of_others():
    """The servers and clients of those who use facefleet."""
    for answer in (500, 429, 410):
        may_park = GONE if answer == 410 else None
        yield scenario(f"endpoint-answers-{answer}", faults.endpoint_answers, dict(answer=answer), may_park=may_park)
    for spoil in ("stalled", "cut", "delayed", "corrupted"):
        yield on_way("callback", "odd", spoil)
    yield scenario("images-are-garbage", faults.images_are_garbage)
    for spoil in ("stalled", "cut", "corrupted"):
        yield on_way("worker", "images", spoil)
    for spoil in ("cut", "stalled", "half-closed", "half-closed-up", "throttled"):
        yield on_way("client", "gateway", spoil)
    yield on_way("client", "gateway", "corrupted", refusals=BAD_REQUESTS)


def table():
    """All scenarios, in the order in which they run."""
    return [*of_programs(), *of_the_broker(), *of_the_stores(), *of_others()]


# One of each kind, for those in a hurry.
SHORT = """
none workers-restarted-in-turn gateway-killed worker-1-killed callback-killed tracker-killed scheduler-killed
worker-broker-cut gateway-broker-stalled callback-broker-half-closed tracker-broker-corrupted broker-killed
queues-full postgres-killed postgres-stalled tracker-cut-off-without-store redis-frozen endpoint-answers-500
endpoint-answers-410 callback-odd-stalled worker-images-stalled client-gateway-corrupted
""".split()


def short_table():
    by_name = {scenario.name: scenario for scenario in table()}
    return [by_name[name] for name in SHORT]


def drawn(rng, name):
    """A scenario of up to three faults at once, each the fault of one in the table."""
    parts = rng.sample([part for part in table() if not part.steady and not part.alone], rng.choice((1, 2, 2, 3)))
    may_park = "|".join(part.may_park for part in parts if part.may_park) or None
    return Scenario(
        f"{name}:{'+'.join(part.name for part in parts)}",
        faults.together([part.fault for part in parts]),
        rng.uniform(1, 12),
        may_park,
        sum((part.refusals for part in parts), ()),
    )
