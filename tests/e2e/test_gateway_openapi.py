"""producer/gateway/openapi.yaml against the running gateway and its source: neither says what the other does not."""

import os
import re

import jsonschema
import pytest
import yaml

from fleet import ROOT, Fleet
from http_support import Api
from jobs import photo

GATEWAY = os.path.join(ROOT, "producer", "gateway")
METHODS = ("get", "post", "put", "delete", "patch")

with open(os.path.join(GATEWAY, "openapi.yaml"), encoding="utf-8") as file:
    DOCUMENT = yaml.safe_load(file)

OPERATIONS = [(path, method) for path, item in DOCUMENT["paths"].items() for method in item if method in METHODS]


def source(*names):
    text = ""
    for name in names:
        with open(os.path.join(ROOT, name), encoding="utf-8") as file:
            text += file.read()
    return text


def resolve(node):
    while "$ref" in node:
        target = DOCUMENT
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def check(answer, path, method):
    """An answer is one that the document has, with the content it says."""
    responses = DOCUMENT["paths"][path][method]["responses"]
    assert str(answer.status) in responses, (path, method, answer.status, answer.body)
    content = resolve(responses[str(answer.status)])["content"]
    kind = answer.headers["content-type"].split(";")[0]
    assert kind in content, (path, method, kind)
    if kind.endswith("json"):
        schema = {**content[kind]["schema"], "components": DOCUMENT["components"]}
        jsonschema.Draft202012Validator(schema).validate(answer.json)


@pytest.fixture(scope="module")
def api(broker, bin_dir, tmp_path_factory):
    fleet = Fleet(broker, bin_dir, tmp_path_factory.mktemp("openapi"))
    fleet.use_store()
    program = fleet.gateway().wait_ready()
    fleet.worker().wait_ready()
    yield Api(program.port)
    fleet.close()


def test_every_route_is_documented():
    routes = re.findall(r'\{"([A-Z]+)", "(/[^"]*)"', source("producer/gateway/routes.c"))
    assert sorted((path, method.lower()) for method, path in routes) == sorted(OPERATIONS)


def test_every_problem_is_documented():
    text = source("producer/gateway/problems.c", "common/http/problem.c")
    kinds = dict((code, status) for status, code in re.findall(r'\{\s*(\d{3}),\s*"([a-z_]+)"', text))
    with open(os.path.join(GATEWAY, "openapi.yaml"), encoding="utf-8") as document:
        documented = dict(re.findall(r"^ {12}- ([a-z_]+) # (\d{3})$", document.read(), re.MULTILINE))
    assert documented == kinds
    assert sorted(DOCUMENT["components"]["schemas"]["problem"]["properties"]["code"]["enum"]) == sorted(kinds)


@pytest.mark.parametrize("path, method", OPERATIONS)
def test_every_route_answers_as_documented(api, path, method):
    if path == "/v1/events":
        events = api.events(path)
        events.close()
        return
    url = path.replace("{id}", "01900000-0000-7000-8000-000000000000")
    check(api.ask(method.upper(), url), path, method)
    check(api.ask(method.upper(), url + "?colour=blue"), path, method)


def test_a_task_from_its_beginning_to_its_end(api):
    fields = {"image_a": photo("person01_1"), "image_b": photo("person01_2"), "reference": "r"}
    accepted = api.post_form("/v1/match", fields)
    check(accepted, "/v1/match", "post")
    assert accepted.status == 202
    done = api.post_form("/v1/match", fields, prefer="wait=30")
    check(done, "/v1/match", "post")
    assert done.status == 200
    shown = api.get(done.headers["location"])
    check(shown, "/v1/tasks/{id}", "get")
    assert shown.status == 200
    check(api.get("/v1/tasks"), "/v1/tasks", "get")


def test_a_task_that_is_scheduled_and_cancelled(api):
    fields = {"image_a": photo("person01_1"), "image_b": photo("person01_2"), "delay_ms": "3600000"}
    accepted = api.post_form("/v1/match", fields)
    check(accepted, "/v1/match", "post")
    assert accepted.status == 202
    page = api.get("/v1/schedules")
    check(page, "/v1/schedules", "get")
    assert accepted.json["task_id"] in [schedule["schedule_id"] for schedule in page.json["schedules"]]
    for method in ("GET", "DELETE", "GET"):
        answer = api.ask(method, accepted.headers["location"])
        check(answer, "/v1/tasks/{id}", method.lower())
        assert answer.status == 200


def test_a_schedule_that_is_made_and_run(api):
    body = {"in_ms": 3600000, "job": {"op": "unenroll", "user_id": "nobody"}}
    made = api.post_json("/v1/schedules", body)
    check(made, "/v1/schedules", "post")
    assert made.status == 201
    document = DOCUMENT["paths"]["/v1/schedules"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    jsonschema.Draft202012Validator({**document, "components": DOCUMENT["components"]}).validate(body)
    run = api.ask("POST", made.headers["location"] + "/run-now")
    check(run, "/v1/schedules/{id}/run-now", "post")
    assert run.status == 202


def test_a_task_that_cannot_be_replayed(api):
    form = {"image_a": photo("person01_1"), "image_b": b"no picture"}
    task_id = api.post_form("/v1/match", form, prefer="wait=30").json["task_id"]
    answer = api.ask("POST", f"/v1/tasks/{task_id}/replay")
    check(answer, "/v1/tasks/{id}/replay", "post")
    assert answer.status == 409
