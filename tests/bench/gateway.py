#!/usr/bin/env python3
"""How long the gateway takes to accept jobs: a steady rate of matches with two photographs each, and no worker.

A request's time is counted from the moment it was due, so that a gateway that stands still shows.
"""

import argparse
import asyncio
import os
import secrets
import sys
import time

from bench import add_bin_option, private_fleet
from http_support import form


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


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def make_request(size):
    content_type, body = form({name: secrets.token_bytes(size) for name in ("image_a", "image_b")})
    head = f"POST /v1/match HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_bin_option(parser)
    parser.add_argument("--rate", type=float, default=400, help="requests a second (default: 400)")
    parser.add_argument("--seconds", type=float, default=20, help="how long (default: 20)")
    parser.add_argument("--bytes", type=int, default=30000, help="of each photograph (default: 30,000)")
    parser.add_argument("--clients", type=int, default=64, help="connections, kept alive (default: 64)")
    arguments = parser.parse_args()
    with private_fleet(arguments.bin) as fleet:
        program = fleet.gateway().wait_ready()
        load = Load(program.port, make_request(arguments.bytes), arguments.rate, arguments.seconds)
        cpu = cpu_seconds(program.process.pid)
        seconds = asyncio.run(load.run(arguments.clients))
        cpu = cpu_seconds(program.process.pid) - cpu
        mebibytes = program.rss_kib() // 1024
    count = len(load.taken)
    print(f"{count} requests in {seconds:.1f} s ({count / seconds:.0f}/s), errors: {load.errors or 'none'}")
    shares = (0.5, 0.9, 0.99, 0.999)
    print("accepted after " + ", ".join(f"p{s * 100:g} {percentile(load.taken, s):.1f} ms" for s in shares))
    print(f"the gateway took {cpu / seconds:.2f} processors and {mebibytes} MiB")
    return 1 if load.errors else 0


if __name__ == "__main__":
    sys.exit(main())
