"""Jobs and replies on the wire, through a client that is not ours (pika)."""

import base64
import json
import os
import secrets
import time

import msgpack
import pika

from fleet import SAMPLES, wait_until


def new_task_id():
    """A UUIDv7."""
    value = (int(time.time() * 1000) << 80) | int.from_bytes(secrets.token_bytes(10), "big")
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    text = f"{value:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def photo(name):
    """The bytes of a sample photograph, e.g. photo("person01_1")."""
    with open(os.path.join(SAMPLES, name + ".jpg"), "rb") as file:
        return file.read()


def match_job(image_a, image_b, **fields):
    """A job body as a dict; images are bytes, or URLs as text."""

    def image(value):
        return {"url": value} if isinstance(value, str) else {"data": value}

    return {"op": "match", "image_a": image(image_a), "image_b": image(image_b), **fields}


def as_json(job):
    """JSON carries bytes as base64."""
    return json.dumps(job, default=lambda data: base64.b64encode(data).decode()).encode()


class Client:
    """Publishes jobs and reads replies and events on one virtual host."""

    def __init__(self, url):
        # Without heartbeats: nobody sends any while a test waits for something else.
        self.connection = pika.BlockingConnection(pika.URLParameters(url + "?heartbeat=0"))
        self.channel = self.connection.channel()
        self.channel.confirm_delivery()
        self.reply_queue = self.channel.queue_declare("", exclusive=True).method.queue
        self.pushed = None

    def listen(self, exchange, key="#"):
        """A queue of one's own on an exchange."""
        queue = self.channel.queue_declare("", exclusive=True).method.queue
        self.channel.queue_bind(queue, exchange, key)
        return queue

    def publish(self, body, lane="batch", content_type="application/json", headers=None, **properties):
        """Publishes a job: a dict, or the very bytes. Returns the task id. A property set to None is left out."""
        if isinstance(body, dict):
            body = as_json(body) if content_type == "application/json" else msgpack.packb(body)
        properties = {
            "message_id": new_task_id(),
            "type": "facefleet.job.v1",
            "reply_to": self.reply_queue,
            "correlation_id": "c",
            "delivery_mode": 2,
            **properties,
        }
        self.channel.basic_publish(
            "facefleet.jobs",
            lane,
            body,
            pika.BasicProperties(content_type=content_type, headers=headers or {}, **properties),
            mandatory=True,
        )
        return properties["message_id"]

    def next_message(self, queue=None, seconds=60):
        """The next message of a queue (None: the reply queue) as (properties, body)."""
        queue = queue or self.reply_queue

        def get():
            method, properties, body = self.channel.basic_get(queue, auto_ack=True)
            return method and (properties, body)

        return wait_until(get, f"a message on {queue}", seconds)

    def next_reply(self, queue=None, seconds=60):
        properties, body = self.next_message(queue, seconds)
        if properties.content_type == "application/msgpack":
            return msgpack.unpackb(body)
        return json.loads(body)

    def next_reply_to(self, task_id, queue):
        """The next one about this task on a queue where others, of tests before, may still arrive."""
        while (reply := self.next_reply(queue))["task_id"] != task_id:
            pass
        return reply

    def next_reply_pushed(self, seconds=60):
        """The same, pushed by the broker: no time is lost between two looks. The reply queue is consumed from then on."""
        if not self.pushed:
            self.pushed = self.channel.consume(self.reply_queue, auto_ack=True, inactivity_timeout=seconds)
        _, properties, body = next(self.pushed)
        assert properties, f"no reply within {seconds} s"
        return msgpack.unpackb(body) if properties.content_type == "application/msgpack" else json.loads(body)

    def call(self, body, **properties):
        """Publishes a job and returns its reply."""
        task_id = self.publish(body, **properties)
        reply = self.next_reply()
        assert reply["task_id"] == task_id, reply
        return reply

    def count(self, queue):
        return self.channel.queue_declare(queue, passive=True).method.message_count

    def close(self):
        self.connection.close()


PARKED = "facefleet.dead.parked"


def park(client, body, reason="because", content_type="application/json", message_id=None, headers=(), **properties):
    """Parks a message as a worker would. Returns its id."""
    message_id = message_id or new_task_id()
    headers = {
        "facefleet-reason": reason,
        "facefleet-origin": "facefleet.jobs.batch",
        "facefleet-attempt": 2,
        **dict(headers),
    }
    properties = {"type": "facefleet.job.v1", "delivery_mode": 2, "timestamp": 1764108000, **properties}
    client.channel.basic_publish(
        "facefleet.dead",
        "parked",
        as_json(body) if isinstance(body, dict) else body,
        pika.BasicProperties(content_type=content_type, headers=headers, message_id=message_id, **properties),
        mandatory=True,
    )
    return message_id
