"""The proxy does to a connection what it says, and not more."""

import socket
import threading
import time

import pytest

from fleet import wait_until
from proxy import DOWN, UP, Proxy


class Echo:
    """Sends back what it gets, and then `b"."` at the end of it. Remembers what it got."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.got = b""
        self.ended = threading.Event()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection:
            try:
                while data := connection.recv(65536):
                    self.got += data
                    connection.sendall(data)
                self.ended.set()
                connection.sendall(b".")
            except OSError:
                self.ended.set()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@pytest.fixture
def echo():
    echo = Echo()
    yield echo
    echo.close()


@pytest.fixture
def proxy(echo):
    proxy = Proxy(echo.port)
    yield proxy
    proxy.close()


@pytest.fixture
def client(proxy):
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=30) as client:
        yield client


def receive(client, count):
    data = b""
    while len(data) < count and (more := client.recv(count - len(data))):
        data += more
    return data


def is_silent(client):
    client.settimeout(0.2)
    try:
        client.recv(1)
        return False
    except TimeoutError:
        return True
    finally:
        client.settimeout(30)


def test_everything_comes_through_and_the_end_too(client):
    data = bytes(range(256)) * 4096
    threading.Thread(target=client.sendall, args=(data,)).start()
    assert receive(client, len(data)) == data
    client.shutdown(socket.SHUT_WR)
    assert client.recv(10) == b"." and client.recv(10) == b""


@pytest.mark.parametrize("way, arrives", [(UP, b""), (DOWN, b"question")])
def test_stalled_one_way(proxy, echo, client, way, arrives):
    proxy.stall(way)
    client.sendall(b"question")
    wait_until(lambda: echo.got == arrives, "what the server sees")
    assert is_silent(client) and echo.got == arrives
    proxy.mend()
    assert receive(client, 8) == b"question", "nothing was lost"


def test_half_closed(proxy, echo, client):
    client.sendall(b"first")
    assert receive(client, 5) == b"first"
    proxy.half_close(DOWN)
    assert client.recv(10) == b"", "an end"
    client.sendall(b"second")
    wait_until(lambda: echo.got == b"firstsecond", "the other way goes on")
    assert not echo.ended.is_set()


def test_reset_and_new_ones_come_through(proxy, client):
    client.sendall(b"x")
    assert receive(client, 1) == b"x"
    proxy.reset()
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=30) as other:
        other.sendall(b"x")
        assert receive(other, 1) == b"x"


def is_served(proxy):
    """Whether a new connection gets through: a refusal may show at any point of it."""
    try:
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=30) as client:
            client.sendall(b"x")
            return receive(client, 1) == b"x"
    except ConnectionResetError:
        return False


def test_cut_until_mended(proxy, client):
    proxy.cut()
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    assert not is_served(proxy)
    proxy.mend()
    assert is_served(proxy)


def test_corrupted_every_so_often(proxy, echo, client):
    data = bytes(1000)
    proxy.corrupt(10, UP)
    for part in (data[:3], data[3:700], data[700:]):
        client.sendall(part)
        receive(client, len(part))
    assert [at for at, byte in enumerate(echo.got) if byte] == list(range(0, 1000, 10))


def test_throttled_and_delayed(proxy, client):
    """At least as long as asked for; how much longer depends on the machine."""
    proxy.throttle(20000, UP)
    proxy.delay(0.1, DOWN)
    begin = time.monotonic()
    client.sendall(bytes(4000))
    assert receive(client, 4000) == bytes(4000)
    assert time.monotonic() - begin >= 0.3


def test_a_server_that_is_away_and_comes_back_elsewhere(proxy):
    back, proxy.target = proxy.target, 1
    assert not is_served(proxy)
    proxy.target = back
    assert is_served(proxy)
