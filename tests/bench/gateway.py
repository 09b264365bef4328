#!/usr/bin/env python3
"""How long the gateway takes to accept jobs: a steady rate of matches with two photographs each, workers idle.

usage: tests/bench/gateway.py [--rate N] [--seconds N] [--kilobytes N] [--clients N] BIN_DIR

Starts a private broker, a gateway and, so that the queue is declared and empty, nothing else: jobs stay in the queue.
A request's time is counted from the moment it was due, so that a gateway that stands still shows.
"""

import argparse
import asyncio
import os
import secrets
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

from fleet import PRIVATE_BROKER, Broker, Fleet  # noqa: E402
from http_support import form  # noqa: E402


class Load:
    def __init__(self, port, request, rate, seconds):
        self.port = port
        self.request = request
        self.due = [i / rate for i in range(int(rate * seconds))]
        self.next = 0
        self.taken = []
        self.errors = {}

    async def client(self, began):
        """One connection that is kept alive; takes the next request that is due."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        while self.next < len(self.due):
            due = began + self.due[self.next]
            self.next += 1
            pause = due - time.monotonic()
            if pause > 0:
                await asyncio.sleep(pause)
            writer.write(self.request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
            await reader.readexactly(length)
            self.taken.append(time.monotonic() - due)
            status = int(head[9:12])
            if status != 202:
                self.errors[status] = self.errors.get(status, 0) + 1
        writer.close()

    async def run(self, clients):
        began = time.monotonic() + 0.2
        await asyncio.gather(*(self.client(began) for _ in range(clients)))
        return time.monotonic() - began


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] * 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=400)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--kilobytes", type=int, default=30)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("bin_dir")
    args = parser.parse_args()
    photographs = {name: secrets.token_bytes(args.kilobytes * 1000) for name in ("image_a", "image_b")}
    content_type, body = form(photographs)
    request = (
        f"POST /v1/match HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    with tempfile.TemporaryDirectory() as folder:
        broker_folder = os.path.join(folder, "broker")
        subprocess.run([PRIVATE_BROKER, "start", broker_folder], check=True, stdout=subprocess.DEVNULL)
        try:
            broker = Broker(broker_folder)
            fleet = Fleet(broker, os.path.abspath(args.bin_dir), folder)
            program = fleet.gateway().wait_ready()
            load = Load(program.port, request, args.rate, args.seconds)
            cpu = cpu_seconds(program.process.pid)
            seconds = asyncio.run(load.run(args.clients))
            cpu = cpu_seconds(program.process.pid) - cpu
            count = len(load.taken)
            print(f"{count} requests in {seconds:.1f} s ({count / seconds:.0f}/s), errors: {load.errors or 'none'}")
            shares = (0.5, 0.9, 0.99, 0.999)
            print("accepted after " + ", ".join(f"p{s * 100:g} {percentile(load.taken, s):.1f} ms" for s in shares))
            print(f"gateway: {cpu / seconds:.2f} cores, {program.rss_kib() // 1024} MiB")
            fleet.close()
        finally:
            subprocess.run([PRIVATE_BROKER, "stop", broker_folder], check=False)


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
