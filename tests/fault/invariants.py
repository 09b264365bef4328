"""What must hold when a fault is over, whatever it was."""

import collections
import json
import re

from endpoint import signature
from jobs import Client
from load import SHELL
from testbed import SECRET

PARKED = "facefleet.dead.parked"
TERMINAL = ("succeeded", "final_failed")

Task = collections.namedtuple("Task", "task_id reference state error_code finished user_id")


class Auditor:
    """Compares what a load was promised with the store, the callbacks and the queues. `may_park`: a pattern of the
    reasons for which messages may end on the parked queue."""

    def __init__(self, bed, load, may_park=None):
        self.bed = bed
        self.load = load
        self.ledger = load.ledger
        self.may_park = may_park
        self.parked = []

    def tasks(self):
        """What the store has of this load, by task id."""
        columns = ", ".join(Task._fields)
        rows = self.bed.store.query(f"SELECT {columns} FROM tasks WHERE reference LIKE '{self.load.prefix}/%'")
        return {row[0]: Task(*row) for row in rows}

    # --- what comes about in time ---

    def not_ended(self, task_ids):
        tasks = self.tasks()
        return [
            f"task {task_id} was accepted and is {tasks[task_id].state if task_id in tasks else 'not in the store'}"
            for task_id in task_ids
            if task_id not in tasks or tasks[task_id].state not in TERMINAL
        ]

    def open_ends(self):
        """Everything that is still to come; nothing when all has settled. What is cheap to ask comes first."""
        return (
            self.not_ended(self.ledger.copy())
            or self.unfinished()
            or self.undelivered()
            or self.messages_left()
            or self.programs_not_ready()
        )

    def unfinished(self):
        """Whoever put them there: what may have been accepted must come to an end too."""
        left = [task for task in self.tasks().values() if task.state not in TERMINAL]
        return [f"task {task.task_id} ({task.reference}) is {task.state}" for task in left]

    def callbacks(self):
        """Callback requests by task id."""
        requests = collections.defaultdict(list)
        for endpoint in (self.bed.good, self.bed.odd):
            for request in endpoint.received("/" + self.load.prefix):
                requests[request.headers["webhook-id"]].append(request)
        return requests

    def undelivered(self):
        self.read_parked()
        seen = self.callbacks().keys() | {task_id for task_id, _ in self.parked}
        due = {task_id: request for task_id, request in self.ledger.copy().items() if request.callback}
        return [f"task {id}: no callback to the {r.callback} endpoint" for id, r in due.items() if id not in seen]

    def messages_left(self):
        """But for a second reply to a shell that has left with the first: its queue goes or expires."""
        words = ("name", "messages_ready", "messages_unacknowledged", "--formatter", "json")
        answer = self.bed.broker.command("ctl", "-q", "list_queues", "-p", self.bed.fleet.vhost, *words)
        return [
            f"queue {row['name']}: {row['messages_ready']} ready, {row['messages_unacknowledged']} unacknowledged"
            for row in json.loads(answer)
            if row["messages_ready"] + row["messages_unacknowledged"] > 0
            and not row["name"].startswith("facefleet.cli.")
        ]

    def programs_not_ready(self):
        """Fails at once if one has ended."""
        return [f"{name} is not ready: {p.get('/readyz')}" for name, p in self.bed.programs.items() if not p.is_ready()]

    def read_parked(self):
        """Takes parked messages off their queue, so that they are found once."""
        client = Client(self.bed.fleet.url)
        try:
            for _ in range(client.count(PARKED)):
                properties, _ = client.next_message(PARKED)
                self.parked.append((properties.message_id, properties.headers.get("facefleet-reason", "")))
        finally:
            client.close()

    # --- what holds at the end ---

    def faults(self):
        faults = [*self.ledger.problems, *self.bed.store.faults(), *self.doubled(), *self.refused_and_done()]
        faults += [*self.mistaken(), *self.bad_callbacks(), *self.bad_people()]
        return faults + [
            f"message {task_id} is parked: {reason}"
            for task_id, reason in self.parked
            if not (self.may_park and re.search(self.may_park, reason))
        ]

    def doubled(self):
        """Requests that were done twice, and tasks that ended twice. A client repeats what has an Idempotency-Key, and
        what was refused for certain; the shell sends again what it does not know of."""
        once = {r.reference for r in [*self.ledger.copy().values(), *self.ledger.undecided] if r.path != SHELL}
        counts = collections.Counter(task.reference for task in self.tasks().values() if task.reference in once)
        ends = self.bed.store.query(
            "SELECT task_id, COUNT(*) FROM task_log WHERE state IN ('succeeded', 'final_failed')"
            " GROUP BY task_id HAVING COUNT(*) > 1"
        )
        return [f"{reference}: {count} tasks of one request" for reference, count in counts.items() if count > 1] + [
            f"task {task_id} ended {count} times" for task_id, count in ends
        ]

    def refused_and_done(self):
        refused = {request.reference for request in self.ledger.refused}
        done = [task for task in self.tasks().values() if task.reference in refused]
        return [f"{task.reference}: was refused, and is task {task.task_id}" for task in done]

    def mistaken(self):
        """Clients that were told of another's task."""
        tasks = self.tasks()
        promised = [(r.reference, tasks[task_id]) for task_id, r in self.ledger.copy().items() if task_id in tasks]
        return [
            f"task {task.task_id} was promised for {reference}, and is {task.reference}"
            for reference, task in promised
            if task.reference != reference
        ]

    def bad_callbacks(self):
        known, tasks, faults = self.ledger.copy(), self.tasks(), []
        for task_id, requests in self.callbacks().items():
            if task_id not in tasks:
                faults.append(f"a callback of task {task_id}, which the store does not know")
            if task_id in known and not known[task_id].callback:
                faults.append(f"task {task_id}: a callback that nobody wants")
            for request in requests:
                if request.headers["webhook-signature"] != signature(SECRET, request):
                    faults.append(f"task {task_id}: a callback with a wrong signature")
                elif request.json["data"]["task_id"] != task_id:
                    faults.append(f"task {task_id}: a callback about {request.json['data']['task_id']}")
        return faults

    def bad_people(self):
        """Whose enrolment succeeded is there; whose removal succeeded is not."""
        accepted, tasks = self.ledger.copy(), self.tasks()
        rows = self.bed.store.query(f"SELECT user_id, image_id FROM images WHERE collection = '{self.load.prefix}'")
        there = dict(rows)
        tried = {r.user for r in [*accepted.values(), *self.ledger.undecided] if r.op == "unenroll"}
        faults = []
        for task_id, r in accepted.items():
            if task_id not in tasks or tasks[task_id].state != "succeeded":
                continue
            if r.op == "enroll" and r.user not in tried and there.get(r.user) != task_id:
                faults.append(f"task {task_id} has enrolled {r.user}, who is not there")
            if r.op == "unenroll" and r.user in there:
                faults.append(f"task {task_id} has removed {r.user}, who is still there")
        return faults

    def told_otherwise(self):
        """Tasks that somebody was told of an end that the store did not take. Legal (at least once), and counted."""
        told = {*self.ledger.answers}
        for task_id, requests in self.callbacks().items():
            told.update((task_id, request.json["data"]["state"]) for request in requests)
        tasks = self.tasks()
        return {task_id for task_id, state in told if task_id in tasks and tasks[task_id].state != state}
