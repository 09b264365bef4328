"""The faults: context managers of a testbed and a load. A fault lasts while its context is open."""

import contextlib

from fleet import wait_until
from proxy import BOTH, DOWN, UP
from settings_support import says
from testbed import WORKERS

SPOILS = {
    "cut": lambda proxy: proxy.cut(),
    "stalled": lambda proxy: proxy.stall(),
    "deaf": lambda proxy: proxy.stall(DOWN),
    "half-closed": lambda proxy: proxy.half_close(DOWN),
    "half-closed-up": lambda proxy: proxy.half_close(UP),
    "corrupted": lambda proxy: proxy.corrupt(1, BOTH),
    "throttled": lambda proxy: proxy.throttle(30000),
    "delayed": lambda proxy: proxy.delay(0.1),
}


def together(faults):
    """Several at once."""

    @contextlib.contextmanager
    def all_of_them(bed, load):
        with contextlib.ExitStack() as stack:
            for fault in faults:
                stack.enter_context(fault(bed, load))
            yield

    return all_of_them


@contextlib.contextmanager
def none(bed, load):
    yield


# --- programs ---


@contextlib.contextmanager
def killed(bed, load, program):
    bed.programs[program].kill()
    yield
    bed.start(program)


@contextlib.contextmanager
def workers_restarted(bed, load):
    """Each is stopped and replaced before the next."""
    for name in WORKERS:
        status = bed.programs[name].terminate()
        assert status == 0, f"{name} ended with {status}"
        bed.start(name).wait_ready()
    yield


def renew(bed, *words):
    """All of them, by a setting that the fleet shares; waits until each has executed itself anew."""
    workers = [bed.programs[name] for name in WORKERS]
    before = [len(says(worker, "worker started")) for worker in workers]
    done = bed.fleet.shell("config", *words)
    assert done.returncode == 0, done.stderr
    for worker, times in zip(workers, before):
        wait_until(lambda worker=worker, times=times: len(says(worker, "worker started")) > times, "it is renewed")
        worker.wait_ready()


@contextlib.contextmanager
def workers_renewed(bed, load):
    renew(bed, "set", "worker.searches_together", "3")
    yield
    renew(bed, "unset", "worker.searches_together")


# --- ways ---


@contextlib.contextmanager
def on_ways(bed, load, ways, spoil):
    """One of SPOILS on each of these ways."""
    for way in ways:
        SPOILS[spoil](bed.way(*way))
    yield
    for way in ways:
        bed.way(*way).mend()


# --- servers ---


@contextlib.contextmanager
def broker_restarted(bed, load):
    bed.broker.restart()
    yield


@contextlib.contextmanager
def server_killed(bed, load, which):
    server = getattr(bed.servers, which)
    server.kill()
    try:
        yield
    finally:
        server.start()


@contextlib.contextmanager
def tracker_cut_off_without_store(bed, load):
    """What it holds for a store that is away is the broker's again."""
    tracker = bed.programs["tracker"]
    with server_killed(bed, load, "postgres"):
        wait_until(
            lambda: not tracker.is_ready() and tracker.metric("facefleet_tracker_in_hand"), "messages wait for the store"
        )
        with on_ways(bed, load, [("tracker", "broker")], "cut"):
            yield


@contextlib.contextmanager
def redis_frozen(bed, load):
    bed.servers.redis.command("freeze")
    yield
    bed.servers.redis.command("thaw")


@contextlib.contextmanager
def broker_without_memory(bed, load):
    bed.broker.command("ctl", "-q", "set_vm_memory_high_watermark", "0.000001")
    yield
    bed.broker.command("ctl", "-q", "set_vm_memory_high_watermark", "0.4")


# --- those who use facefleet ---


@contextlib.contextmanager
def endpoint_answers(bed, load, answer):
    """The odd one of the two endpoints."""
    bed.odd.plan["/" + load.prefix] = [answer]
    yield
    bed.odd.plan.pop("/" + load.prefix, None)  # two such faults may meet


@contextlib.contextmanager
def images_are_garbage(bed, load):
    kept = bed.images.files
    bed.images.files = {path: data[:2] + bytes(reversed(data)) for path, data in kept.items()}
    yield
    bed.images.files = kept
