"""Fixtures: a broker for the session, a fleet on a virtual host of its own for each test."""

import os
import signal
import sys

import pytest

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fault"))  # for its proxy

from cli_support import FakeWorker, photo
from endpoint import Endpoint
from fleet import Broker, Fleet
from http_support import Api
from jobs import Client


def pytest_configure():
    """A run that is asked to end still ends what it has started."""
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("terminated", returncode=143))


def required(variable):
    value = os.environ.get(variable)
    assert value, f"{variable} is not set: run these tests with tests/run"
    return value


@pytest.fixture(scope="session")
def broker():
    """Each of the processes that tests are shared between has its own."""
    others = {"gw1": "FACEFLEET_TEST_BROKER_2", "gw2": "FACEFLEET_TEST_BROKER_3"}
    return Broker(required(others.get(os.environ.get("PYTEST_XDIST_WORKER"), "FACEFLEET_TEST_BROKER")))


@pytest.fixture(scope="session")
def bin_dir():
    return required("FACEFLEET_TEST_BIN_DIR")


@pytest.fixture
def fleet(broker, bin_dir, tmp_path):
    """Nothing runs in it yet: a test starts what it needs."""
    fleet = Fleet(broker, bin_dir, tmp_path)
    yield fleet
    fleet.close()


@pytest.fixture
def client(fleet):
    """Start a worker first: it is the worker that declares the queues."""
    client = Client(fleet.url)
    yield client
    client.close()


@pytest.fixture
def worker(fleet):
    """A fake worker; a test gives it another `answer` where it must."""
    done = fleet.shell("topology", "--apply")
    assert done.returncode == 0, done.stderr
    worker = FakeWorker(fleet.url)
    yield worker
    worker.close()


@pytest.fixture
def two(tmp_path):
    """Two files that pass for photographs."""
    return photo(tmp_path, "a.jpg"), photo(tmp_path, "b.jpg", b"\xff\xd8 others")


@pytest.fixture
def client_of():
    """Clients of fleets whose first worker was started by the test."""
    clients = []

    def connect(fleet):
        clients.append(Client(fleet.url))
        return clients[-1]

    yield connect
    for client in clients:
        client.close()


@pytest.fixture(scope="module")
def site(broker, bin_dir, tmp_path_factory):
    """A gateway and a worker for all tests of a file that do them no harm."""
    fleet = Fleet(broker, bin_dir, tmp_path_factory.mktemp("gateway"))
    fleet.use_store()
    fleet.api_program = fleet.gateway(gateway__max_wait_s=60).wait_ready()
    fleet.worker().wait_ready()
    yield fleet
    fleet.close()


@pytest.fixture
def api(site):
    """Ready again, if the test before took the broker away."""
    return Api(site.api_program.wait_ready().port)


@pytest.fixture
def alone(fleet):
    """A gateway that nobody works for."""
    program = fleet.gateway().wait_ready()
    return Api(program.port), program


@pytest.fixture
def guarded(fleet):
    """A gateway that wants keys."""
    fleet.use_store()
    return fleet, fleet.gateway(gateway__allow_anonymous="false").wait_ready()


@pytest.fixture(scope="module")
def shared_fleet(broker, bin_dir, tmp_path_factory):
    """One worker for all tests of a file that do it no harm; it may fetch from loopback."""
    fleet = Fleet(broker, bin_dir, tmp_path_factory.mktemp("fleet"))
    fleet.worker(fetch__allow="127.0.0.0/8").wait_ready()
    yield fleet
    fleet.close()


@pytest.fixture
def shared_client(shared_fleet):
    client = Client(shared_fleet.url)
    yield client
    client.close()


@pytest.fixture
def endpoint():
    endpoint = Endpoint()
    yield endpoint
    endpoint.close()


other_endpoint = endpoint  # for tests that need two
