#!/usr/bin/python3
"""How long callbacks take to reach endpoints that answer at once, alone and beside one that hangs.

usage: callbacks.py [--bin DIR] [--rate N] [--seconds N] [--share PERCENT]

Replies are published straight to the exchange at a steady rate, for four endpoints in turn. Then the same once more, while
a fifth endpoint that never answers gets replies of its own, --share percent as many. Prints how long it took from the
publish to the arrival, of those that answer. Each must get every callback.
"""

import argparse
import base64
import contextlib
import itertools
import time

from bench import add_bin_option, private_fleet, wait_until

from endpoint import Endpoint  # noqa: E402  (found beside bench's own imports)
from replies import Replies  # noqa: E402


SECRET = "whsec_" + base64.b64encode(bytes(range(40))).decode()


class Timed(Endpoint):
    """Notes when each callback came."""

    def __init__(self):
        self.came = {}
        super().__init__()

    def next_answer(self, path):
        self.came[self.requests[-1].headers["webhook-id"]] = time.monotonic()
        return 200


class Hanging(Endpoint):
    def next_answer(self, path):
        return "hang"


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def run(replies, rate, seconds, healthy, hanging, share):
    sent = {}
    turn = itertools.cycle(healthy)
    began = time.monotonic()
    owed = 0.0
    for number in range(int(rate * seconds)):
        time.sleep(max(0, began + number / rate - time.monotonic()))
        endpoint = next(turn)
        at = time.monotonic()
        sent[replies.reply(endpoint.url + "/hook")] = (endpoint, at)
        owed += share / 100 if hanging else 0
        while owed >= 1:
            replies.reply(hanging.url + "/hook")
            owed -= 1
    wait_until(lambda: all(task in endpoint.came for task, (endpoint, _) in sent.items()), "every callback")
    return [1000 * (endpoint.came[task] - at) for task, (endpoint, at) in sent.items()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_bin_option(parser)
    parser.add_argument("--rate", type=float, default=100, help="callbacks a second for those that answer")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--share", type=float, default=25, help="so many percent more go to the one that hangs")
    arguments = parser.parse_args()
    with private_fleet(arguments.bin) as fleet, contextlib.ExitStack() as undo:
        service = fleet.callback(callback__secret=SECRET, callback__allow="127.0.0.0/8").wait_ready()
        replies = Replies(fleet.url)
        healthy = [undo.enter_context(contextlib.closing(Timed())) for _ in range(4)]
        hanging = undo.enter_context(contextlib.closing(Hanging()))
        for name, bad in (("alone", None), ("beside one that hangs", hanging)):
            took = run(replies, arguments.rate, arguments.seconds, healthy, bad, arguments.share)
            figures = "  ".join(f"p{share:g} {percentile(took, share / 100):.1f}" for share in (50, 90, 99, 99.9))
            print(f"{name:22} {len(took)} callbacks, ms: {figures}  longest {max(took):.1f}", flush=True)
        opened = service.metric('facefleet_breakers_open{of="callback_endpoint"}')
        print(f"requests that hang: {len(hanging.requests)}, breakers open: {opened:g}")


if __name__ == "__main__":
    main()
