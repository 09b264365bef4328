#!/usr/bin/python3
"""Many clients at the gateway at once, for minutes, with workers at capacity: nothing may be refused or lost.

usage: front_door.py [--bin DIR] [--clients N] [--seconds N] [--store URL] [--kill NAME]

Each client posts two photographs, waits until its task has ended (one stream of events tells all of them), and posts the
next two. Prints how long accepting took, how many tasks were done a second, and what the store says at the end: every
accepted task must be there, in a terminal state. With --kill (gateway, tracker or worker) that program is killed in the
middle and started again; a request that was refused or cut off then is counted, and posted again.
"""

import argparse
import asyncio
import collections
import itertools
import json
import os
import time

from bench import SAMPLES, add_bin_option, private_fleet, wait_until

from http_support import Api, form  # noqa: E402  (found beside bench's own imports)


def requests():
    """Every sample pair as the bytes of a request."""
    for number in range(1, 9):
        fields = {}
        for side, copy in (("image_a", 1), ("image_b", 2)):
            with open(os.path.join(SAMPLES, f"person0{number}_{copy}.jpg"), "rb") as file:
                fields[side] = file.read()
        content_type, body = form(fields)
        yield (
            f"POST /v1/match HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode() + body


class Load:
    def __init__(self, port, seconds):
        self.port = port
        self.seconds = seconds
        self.requests = itertools.cycle(list(requests()))
        self.accepted_ms = []
        self.done_ms = []
        self.tasks = []
        self.refused = collections.Counter()
        self.ended = {}  # task id: an event, or True when it came before anybody waited
        self.listening = asyncio.Event()

    async def listen(self):
        """Tells the clients what has ended. A broken stream is opened again; what was missed is polled for."""
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.write(b"GET /v1/events HTTP/1.0\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n")
                await reader.readuntil(b"\r\n\r\n")
                self.listening.set()
                while line := await reader.readline():
                    if line.startswith(b"data:"):
                        self.hear(json.loads(line[5:]))
            except (OSError, asyncio.IncompleteReadError):
                pass
            await asyncio.sleep(0.2)

    def hear(self, message):
        if message.get("state") not in ("succeeded", "final_failed"):
            return
        waiting = self.ended.get(message["task_id"])
        if isinstance(waiting, asyncio.Event):
            waiting.set()
        else:
            self.ended[message["task_id"]] = True

    async def ask(self, reader, writer, request):
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        return int(head[9:12]), json.loads(await reader.readexactly(length))

    async def wait_for(self, task_id):
        """Until the stream says that it has ended, or polling does."""
        if self.ended.get(task_id) is not True:
            event = self.ended[task_id] = asyncio.Event()
            while not event.is_set():
                try:
                    await asyncio.wait_for(event.wait(), 5)
                except asyncio.TimeoutError:
                    if await self.has_ended(task_id):
                        break
        del self.ended[task_id]

    async def has_ended(self, task_id):
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            request = f"GET /v1/tasks/{task_id} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
            status, task = await self.ask(reader, writer, request)
            writer.close()
            return status == 200 and task["state"] in ("succeeded", "final_failed")
        except (OSError, asyncio.IncompleteReadError):
            return False

    async def client(self, until):
        reader = writer = None
        while time.monotonic() < until:
            started = time.monotonic()
            try:
                if not writer:
                    reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                status, answer = await self.ask(reader, writer, next(self.requests))
            except (OSError, asyncio.IncompleteReadError):
                self.refused["connection"] += 1
                writer = None
                await asyncio.sleep(0.5)
                continue
            if status != 202:
                self.refused[status] += 1
                await asyncio.sleep(0.5)
                continue
            self.accepted_ms.append(1000 * (time.monotonic() - started))
            self.tasks.append(answer["task_id"])
            await self.wait_for(answer["task_id"])
            self.done_ms.append(1000 * (time.monotonic() - started))
        if writer:
            writer.close()

    async def run(self, clients, in_the_middle):
        listener = asyncio.create_task(self.listen())
        await self.listening.wait()
        began = time.monotonic()
        until = began + self.seconds
        work = [asyncio.create_task(self.client(until)) for _ in range(clients)]
        if in_the_middle:
            await asyncio.sleep(self.seconds / 2)
            await asyncio.to_thread(in_the_middle)
        await asyncio.gather(*work)
        listener.cancel()
        return time.monotonic() - began


def distribution(values):
    values = sorted(values)
    shares = ((0.5, "median"), (0.9, "p90"), (0.99, "p99"), (1, "max"))
    return ", ".join(f"{name} {values[min(len(values) - 1, int(share * len(values)))]:.1f}" for share, name in shares)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_bin_option(parser)
    parser.add_argument("--clients", type=int, default=500)
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--store", metavar="URL", help="default: a new SQLite file")
    parser.add_argument("--kill", choices=("gateway", "tracker", "worker"))
    arguments = parser.parse_args()
    with private_fleet(arguments.bin) as fleet:
        fleet.use_store(arguments.store)
        workers = [fleet.worker().wait_ready() for _ in range(arguments.workers)]
        tracker = fleet.tracker().wait_ready()
        gateway = fleet.gateway().wait_ready()

        def kill():
            victim = {"gateway": gateway, "tracker": tracker, "worker": workers[0]}[arguments.kill]
            victim.kill()
            time.sleep(2)
            if arguments.kill == "gateway":
                again = fleet.gateway(gateway__listen=f"127.0.0.1:{gateway.port}")
                again.port = gateway.port
            else:
                again = getattr(fleet, arguments.kill)()
            again.wait_ready()

        load = Load(gateway.port, arguments.seconds)
        seconds = asyncio.run(load.run(arguments.clients, kill if arguments.kill else None))
        posted = len(load.tasks) + sum(load.refused.values())
        print(f"{arguments.clients} clients, {seconds:.0f} s, {arguments.workers} workers: {len(load.tasks)} accepted")
        print(f"accepting, ms: mean {sum(load.accepted_ms) / len(load.accepted_ms):.1f}, {distribution(load.accepted_ms)}")
        print(f"until the result, ms: mean {sum(load.done_ms) / len(load.done_ms):.0f}, {distribution(load.done_ms)}")
        print(f"{len(load.done_ms) / seconds:.0f} tasks a second; refused: {dict(load.refused) or 'none'} of {posted}")
        api = Api(gateway.port)

        def states():
            counts = collections.Counter()
            cursor = ""
            while True:
                page = api.ask("GET", f"/v1/tasks?limit=200{cursor}").json
                counts.update(task["state"] for task in page["tasks"])
                if not page["next"]:
                    return counts
                cursor = f"&cursor={page['next']}"

        def all_terminal():
            counts = states()
            return counts if set(counts) <= {"succeeded", "final_failed"} else None

        counts = wait_until(all_terminal, "every task is terminal in the store", 120)
        lost = len(load.tasks) - sum(counts.values())
        print(f"in the store: {dict(counts)}; accepted and not there: {max(lost, 0)}")


if __name__ == "__main__":
    main()
