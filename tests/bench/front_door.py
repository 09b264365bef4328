#!/usr/bin/python3
"""Many clients at the gateway at once, for minutes, with workers at capacity: nothing may be refused or lost.

usage: front_door.py [--bin DIR] [--clients N] [--seconds N] [--store URL] [--kill NAME | --compare]

Each client posts two photographs, waits until its task has ended (one stream of events tells all of them), and posts the
next two. Prints how long accepting took, how many tasks were done a second, and what the store says at the end: every
accepted task must be there, in a terminal state. Exit status 1 if one is not.

--kill NAME kills gateway, scheduler, tracker, worker or postgres (a PostgreSQL of its own) in the middle and starts it
again; a request that was refused or cut off then is counted, and posted again. With scheduler every fourth task is posted
with a delay of a second, and its time counts from when it was due.

--compare runs the same load on gateway.mode synchronous afterwards, with as many threads as there were workers, and prints
both side by side. There a task is accepted with its result.
"""

import argparse
import asyncio
import collections
import contextlib
import itertools
import json
import os
import sys
import time

from bench import SAMPLES, add_bin_option, private_fleet, private_postgres, wait_until

from http_support import Api, form  # noqa: E402  (found beside bench's own imports)


ENDED = ("succeeded", "final_failed")
DELAY_MS = 1000
DOWN_S = 2  # how long what is killed stays down


def requests(with_delays):
    """Every sample pair as the bytes of a request, and the delay that it asks for."""
    for number in range(1, 9):
        fields = {}
        for side, copy in (("image_a", 1), ("image_b", 2)):
            with open(os.path.join(SAMPLES, f"person0{number}_{copy}.jpg"), "rb") as file:
                fields[side] = file.read()
        delay_ms = DELAY_MS if with_delays and number % 4 == 0 else 0
        if delay_ms:
            fields["delay_ms"] = delay_ms
        content_type, body = form(fields)
        head = f"POST /v1/match HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
        yield head.encode() + body, delay_ms


class Load:
    def __init__(self, port, arguments):
        self.port = port
        self.seconds = arguments.seconds
        self.clients = arguments.clients
        self.timeout = arguments.timeout
        self.requests = itertools.cycle(list(requests(arguments.kill == "scheduler")))
        self.accepted_ms = []
        self.done_ms = []
        self.tasks = []
        self.errors = collections.Counter()
        self.ended = {}  # task id: an event, or True when it came before anybody waited
        self.listening = asyncio.Event()
        self.took_s = 0

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
        if message.get("state") not in ENDED:
            return
        self.note_state(message["state"])
        waiting = self.ended.get(message["task_id"])
        if isinstance(waiting, asyncio.Event):
            waiting.set()
        else:
            self.ended[message["task_id"]] = True

    def note_state(self, state):
        if state != "succeeded":
            self.errors[state] += 1

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
            return status == 200 and task["state"] in ENDED
        except (OSError, asyncio.IncompleteReadError):
            return False

    async def post(self, reader, writer):
        """One task, from its request to its end."""
        started = time.monotonic()
        request, delay_ms = next(self.requests)
        status, answer = await asyncio.wait_for(self.ask(reader, writer, request), self.timeout)
        if status not in (200, 202):
            self.errors[status] += 1
            await asyncio.sleep(0.5)
            return
        self.accepted_ms.append(1000 * (time.monotonic() - started))
        self.tasks.append(answer["task_id"])
        if status == 200:
            self.note_state(answer["state"])
        else:
            await self.wait_for(answer["task_id"])
        self.done_ms.append(1000 * (time.monotonic() - started) - delay_ms)

    async def client(self, until):
        reader = writer = None
        while time.monotonic() < until:
            try:
                if not writer:
                    reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                await self.post(reader, writer)
            except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError) as error:
                self.errors["timeout" if isinstance(error, asyncio.TimeoutError) else "connection"] += 1
                if writer:
                    writer.close()
                writer = None
                await asyncio.sleep(0.5)
        if writer:
            writer.close()

    async def run(self, has_events, in_the_middle=None):
        listener = asyncio.create_task(self.listen()) if has_events else None
        if listener:
            await self.listening.wait()
        began = time.monotonic()
        work = [asyncio.create_task(self.client(began + self.seconds)) for _ in range(self.clients)]
        if in_the_middle:
            await asyncio.sleep(self.seconds / 2)
            await asyncio.to_thread(in_the_middle)
        await asyncio.gather(*work)
        if listener:
            listener.cancel()
        self.took_s = time.monotonic() - began


def summary(load):
    """What was measured, line by line."""
    yield "tasks done", str(len(load.done_ms))
    yield "tasks a second", f"{len(load.done_ms) / load.took_s:.0f}"
    for title, values in (("until accepted", load.accepted_ms), ("until the result", load.done_ms)):
        values = sorted(values) or [float("nan")]
        yield f"{title}, ms: mean", f"{sum(values) / len(values):.1f}"
        for name, share in (("median", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1)):
            yield f"{' ' * len(title)}      {name}", f"{values[min(len(values) - 1, int(share * len(values)))]:.1f}"
    yield "errors", ", ".join(f"{count} × {name}" for name, count in load.errors.items()) or "none"


def show(loads):
    """Loads by their names, side by side."""
    print(" " * 28 + "".join(f"{name:>16}" for name in loads))
    for lines in zip(*(summary(load) for load in loads.values())):
        print(f"{lines[0][0]:<28}" + "".join(f"{value:>16}" for _, value in lines), flush=True)


class Queue:
    """Gateway, workers, tracker and, where it matters, a scheduler."""

    def __init__(self, fleet, arguments, postgres):
        self.fleet = fleet
        self.postgres = postgres
        self.workers = [fleet.worker().wait_ready() for _ in range(arguments.workers)]
        self.programs = {"worker": self.workers[0], "tracker": fleet.tracker().wait_ready()}
        self.programs["gateway"] = fleet.gateway().wait_ready()
        if arguments.kill == "scheduler":
            self.programs["scheduler"] = fleet.scheduler().wait_ready()

    @property
    def port(self):
        return self.programs["gateway"].port

    def kill(self, name):
        """And starts it again."""
        if name == "postgres":
            self.postgres.kill()
            time.sleep(DOWN_S)
            self.postgres.start()
            return
        self.programs[name].kill()
        time.sleep(DOWN_S)
        listen = {f"{name}__listen": f"127.0.0.1:{self.programs[name].port}"}
        again = getattr(self.fleet, name)(**listen)
        again.port = self.programs[name].port
        self.programs[name] = again.wait_ready()

    def states(self):
        """Of every task in the store."""
        api = Api(self.port)
        states = {}
        cursor = ""
        while True:
            page = api.ask("GET", f"/v1/tasks?limit=200{cursor}").json
            states.update((task["task_id"], task["state"]) for task in page["tasks"])
            if not page["next"]:
                return states
            cursor = f"&cursor={page['next']}"

    def check_store(self, accepted):
        """Waits until every task has ended; whether all that were accepted are among them."""

        def all_terminal():
            states = self.states()
            return states if set(states.values()) <= set(ENDED) and set(accepted) <= set(states) else None

        try:
            states = wait_until(all_terminal, "every accepted task is terminal in the store", 120)
        except AssertionError:
            states = self.states()
        terminal = {task_id for task_id, state in states.items() if state in ENDED}
        lost = set(accepted) - terminal
        counts = dict(collections.Counter(states.values()))
        print(f"in the store: {counts}; accepted: {len(accepted)}, of them not there or not terminal: {len(lost)}")
        return not lost

    def stop(self):
        for program in {*self.workers, *self.programs.values()}:
            program.terminate()


def run_queue(fleet, arguments, postgres):
    queue = Queue(fleet, arguments, postgres)
    load = Load(queue.port, arguments)
    asyncio.run(load.run(True, (lambda: queue.kill(arguments.kill)) if arguments.kill else None))
    complete = queue.check_store(load.tasks)
    queue.stop()
    return load, complete


def run_synchronous(fleet, arguments):
    gateway = fleet.gateway(gateway__mode="synchronous", gateway__threads=arguments.workers).wait_ready()
    load = Load(gateway.port, arguments)
    asyncio.run(load.run(False))
    return load


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_bin_option(parser)
    parser.add_argument("--clients", type=int, default=500)
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--timeout", type=float, default=30, help="seconds that a client waits for an answer (30)")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--store", metavar="URL", help="default: a new SQLite file")
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--kill", choices=("gateway", "scheduler", "tracker", "worker", "postgres"))
    either.add_argument("--compare", action="store_true")
    arguments = parser.parse_args()
    if arguments.kill == "postgres" and arguments.store:
        parser.error("--kill postgres brings a store of its own")
    with contextlib.ExitStack() as undo:
        postgres = undo.enter_context(private_postgres()) if arguments.kill == "postgres" else None
        fleet = undo.enter_context(private_fleet(arguments.bin))
        fleet.use_store(postgres.url if postgres else arguments.store)
        print(f"{arguments.clients} clients, {arguments.seconds} s, {arguments.workers} workers or threads", flush=True)
        load, complete = run_queue(fleet, arguments, postgres)
        loads = {"queue": load}
        if arguments.compare:
            loads["synchronous"] = run_synchronous(fleet, arguments)
        show(loads)
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
