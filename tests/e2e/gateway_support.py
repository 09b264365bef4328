"""What tests of the HTTP API share: a pair of photographs, and what becomes of a task."""

from fleet import wait_until
from jobs import photo

A = "person01_1"
B = "person01_2"
OTHER = "person02_1"


def pair(**fields):
    return {"image_a": photo(A), "image_b": photo(B), **fields}


def task(api, task_id):
    answer = api.get(f"/v1/tasks/{task_id}")
    assert answer.status == 200, answer.body
    return answer.json


def refused(api, code):
    """The answer to a job when it is refused for that reason."""
    answer = api.post_form("/v1/match", pair())
    return answer if answer.status == 503 and answer.code == code else None


def wait_finished(api, task_id):
    return wait_until(
        lambda: (lambda t: t if t["state"] in ("succeeded", "final_failed") else None)(task(api, task_id)),
        f"task {task_id} is finished",
    )
