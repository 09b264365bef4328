"""Replies as a worker publishes them, for what is tested without workers."""

import json

import msgpack
import pika

from jobs import Client, new_task_id

PARKED = "facefleet.dead.parked"


def reply(task_id, state="succeeded"):
    failed = state != "succeeded"
    return {
        "task_id": task_id,
        "op": "match",
        "user_id": None,
        "collection": "default",
        "reference": "r",
        "scene": "batch",
        "state": state,
        "attempt": 1,
        "result": None if failed else {"matched": True, "similarity": 0.7, "threshold": 0.4, "face_policy": "largest"},
        "error": {"code": "no_face", "message": "no face", "retryable": False, "image": "a", "details": {}}
        if failed
        else None,
        "timings_ms": {"total": 1.5},
        "worker": "w",
        "model": "m",
        "accepted_at": "2026-11-23T14:53:06.000Z",
        "finished_at": "2026-11-23T14:53:07.123Z",
    }


class Replies(Client):
    """Publishes replies as a worker does."""

    def reply(self, url, body=None, content_type="application/json", task_id=None, headers=None, **properties):
        """Returns the task id. `body` is bytes, or None for a reply like any other."""
        task_id = task_id or new_task_id()
        if body is None:
            encode = msgpack.packb if content_type == "application/msgpack" else lambda v: json.dumps(v).encode()
            body = encode(reply(task_id))
        headers = {**({"facefleet-callback": url} if url else {}), **(headers or {})}
        properties = {"message_id": task_id, "type": "facefleet.reply.v1", "delivery_mode": 2, **properties}
        self.channel.basic_publish(
            "facefleet.replies",
            "task.batch.succeeded.callback",
            body,
            pika.BasicProperties(content_type=content_type, headers=headers, **properties),
            mandatory=True,
        )
        return task_id

    def parked(self):
        """The next parked message's properties and body."""
        return self.next_message(PARKED)
