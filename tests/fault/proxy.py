"""A way to a server that a test can hold up, spoil or cut. Standard library only."""

import asyncio
import socket
import struct
import threading

UP = "up"  # from client to server
DOWN = "down"
BOTH = (UP, DOWN)
PIECE = 16384
FLIPPED = bytes(byte ^ 0x55 for byte in range(256))


def abort(sink):
    """Its peer gets an RST."""
    end = sink.get_extra_info("socket")
    if end.fileno() >= 0:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sink.transport.abort()


class Direction:
    """What happens to bytes that go one way."""

    def __init__(self):
        self.is_open = asyncio.Event()
        self.mend()

    def mend(self):
        self.delay = 0
        self.rate = None
        self.flip_every = 0
        self.is_open.set()

    def spoiled(self, data, position):
        """Flips the bytes at multiples of `flip_every`, counted over the whole connection."""
        if not self.flip_every:
            return data
        first = -position % self.flip_every
        data = bytearray(data)
        data[first :: self.flip_every] = data[first :: self.flip_every].translate(FLIPPED)
        return bytes(data)

    async def pass_on(self, source, sink):
        position = 0
        while data := await source.read(max(1, min(PIECE, int((self.rate or PIECE * 20) / 20)))):
            if self.rate:
                await asyncio.sleep(len(data) / self.rate)
            if self.delay:
                await asyncio.sleep(self.delay)
            await self.is_open.wait()
            sink.write(self.spoiled(data, position))
            position += len(data)
            await sink.drain()
        await self.is_open.wait()
        sink.write_eof()


class Connection:
    """A client, the server, and a task for each direction."""

    def __init__(self, client, server, directions):
        self.sinks = {UP: server[1], DOWN: client[1]}
        self.sources = {UP: client[0], DOWN: server[0]}
        self.tasks = {way: asyncio.create_task(self.run(way, directions[way])) for way in BOTH}

    async def run(self, way, direction):
        try:
            await direction.pass_on(self.sources[way], self.sinks[way])
        except OSError:
            self.reset()

    async def finished(self):
        await asyncio.wait(self.tasks.values())
        while len(left := [task for task in self.tasks.values() if not task.done()]):
            await asyncio.wait(left)  # of a half-close: what throws away the rest
        for sink in self.sinks.values():
            sink.close()

    def half_close(self, way):
        """The sink sees an end; what the source still sends is thrown away."""
        self.tasks[way].cancel()
        self.tasks[way] = asyncio.create_task(self.swallow(self.sources[way], self.sinks[way]))

    async def swallow(self, source, sink):
        try:
            sink.write_eof()
            while await source.read(PIECE):
                pass
        except OSError:
            self.reset()

    def reset(self):
        """Both ends get an RST, whatever was on the way."""
        for task in self.tasks.values():
            if task is not asyncio.current_task():
                task.cancel()
        for sink in self.sinks.values():
            abort(sink)


class Proxy:
    """Passes connections on to a port of this host (`target`, which may change). It has a thread of its own; the
    methods may be called from any other, and have taken effect when they return. Faults last until `mend()`, and hold
    for connections that are there and for new ones, unless they say otherwise."""

    def __init__(self, target):
        self.target = target
        self.is_cut = False
        self.resets = 0
        self.connections = set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.server = self.call(self.start)

    def call(self, function, *arguments):
        """Runs a function or coroutine function on the proxy's thread; its result."""

        async def run():
            result = function(*arguments)
            return await result if asyncio.iscoroutine(result) else result

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(60)

    async def start(self):
        self.directions = {way: Direction() for way in BOTH}
        return await asyncio.start_server(self.accept, sock=self.listener)

    async def accept(self, *client):
        resets = self.resets
        try:
            server = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            abort(client[1])
            return
        connection = Connection(client, server, self.directions)
        self.connections.add(connection)
        if self.is_cut or self.resets > resets:
            connection.reset()
        await connection.finished()
        self.connections.discard(connection)

    def change(self, ways, function):
        """`function` on the direction or directions, on their thread."""
        ways = (ways,) if isinstance(ways, str) else ways
        self.call(lambda: [function(self.directions[way]) for way in ways])

    def delay(self, seconds, ways=BOTH):
        """Every piece, up to 16 KiB, comes so much later."""
        self.change(ways, lambda direction: setattr(direction, "delay", seconds))

    def throttle(self, rate, ways=BOTH):
        """So many bytes a second on each connection."""
        self.change(ways, lambda direction: setattr(direction, "rate", rate))

    def corrupt(self, every=1, ways=BOTH):
        """Bits of every so-many-th byte are flipped. AMQP and SQL have no checksum: with 1 no message gets through that
        looks whole, with more some do."""
        self.change(ways, lambda direction: setattr(direction, "flip_every", every))

    def stall(self, ways=BOTH):
        """Nothing goes that way, nor does an end, until it is mended; then it goes on where it stood."""
        self.change(ways, lambda direction: direction.is_open.clear())

    def half_close(self, way):
        """Of the connections there are, one direction ends; the other goes on."""
        self.call(lambda: [connection.half_close(way) for connection in list(self.connections)])

    def reset(self):
        """The connections there are break; new ones come through."""

        def reset():
            self.resets += 1
            for connection in list(self.connections):
                connection.reset()

        self.call(reset)

    def cut(self):
        """The connections there are break, and new ones too."""
        self.is_cut = True
        self.reset()

    def mend(self):
        self.is_cut = False
        self.change(BOTH, Direction.mend)

    def close(self):
        self.call(self.server.close)
        self.cut()
        self.call(self.end)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(60)
        self.loop.close()

    async def end(self):
        """Waits for what still runs, but not for this."""
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        if tasks:
            await asyncio.wait(tasks, timeout=10)
