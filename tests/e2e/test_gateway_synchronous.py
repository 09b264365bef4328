"""The gateway in its synchronous mode: matches within the request, without a broker and without a store."""

import pytest

import photos
from fleet import Fleet
from http_support import Api
from jobs import photo
from test_gateway_openapi import OPERATIONS, check

A = "person01_1"
B = "person01_2"
OTHER = "person02_1"
NO_FACE = photos.plain(400, 300)
SERVED = ("/v1/match", "/healthz", "/readyz", "/metrics")


@pytest.fixture(scope="module")
def site(broker, bin_dir, tmp_path_factory):
    """Its broker and its store are nowhere."""
    fleet = Fleet(broker, bin_dir, tmp_path_factory.mktemp("synchronous"))
    fleet.synchronous = fleet.gateway(
        gateway__mode="synchronous", amqp__url="amqp://127.0.0.1:1/", store__url="sqlite:/nowhere/at.db"
    ).wait_ready()
    yield fleet
    fleet.close()


@pytest.fixture(scope="module")
def api(site):
    return Api(site.synchronous.port)


def pair(a=A, b=B, **fields):
    return {"image_a": photo(a), "image_b": photo(b), **fields}


def test_a_match_is_answered_at_once(api):
    answer = api.post_form("/v1/match", pair(reference="r1"))
    check(answer, "/v1/match", "post")
    assert answer.status == 200
    reply = answer.json
    assert reply["state"] == "succeeded" and reply["op"] == "match" and reply["reference"] == "r1"
    assert reply["result"]["matched"] is True and reply["error"] is None and reply["attempt"] == 1
    assert {"queue", "decode", "detect", "align", "embed", "compare", "total"} <= set(reply["timings_ms"])
    assert reply["accepted_at"] <= reply["finished_at"]
    other = api.post_form("/v1/match", pair(b=OTHER))
    assert other.status == 200 and other.json["result"]["matched"] is False


def test_the_reply_is_the_one_that_a_queue_gives(api, fleet):
    """But for who worked, when, and for how long."""
    gateway = fleet.gateway().wait_ready()
    fleet.worker().wait_ready()
    queued = Api(gateway.port)

    def reply(api, fields):
        answer = api.post_form("/v1/match", fields, prefer="wait=30")
        assert answer.status == 200, answer.body
        own = ("task_id", "worker", "accepted_at", "finished_at", "timings_ms")
        return {key: value for key, value in answer.json.items() if key not in own}

    for fields in (pair(), pair(b=OTHER, threshold="0.1"), {"image_a": photo(A), "image_b": NO_FACE}):
        assert reply(api, fields) == reply(queued, fields)


def test_a_photograph_without_a_face(api):
    answer = api.post_form("/v1/match", {"image_a": NO_FACE, "image_b": photo(B)})
    check(answer, "/v1/match", "post")
    assert answer.status == 200
    assert answer.json["state"] == "final_failed" and answer.json["result"] is None
    assert answer.json["error"]["code"] == "no_face" and answer.json["error"]["image"] == "a"


def test_what_is_no_match(api):
    assert api.post_form("/v1/match", {"image_a": photo(A)}).code == "invalid_job"
    assert api.ask("POST", "/v1/match", b"x", "text/plain").code == "unsupported_media_type"


@pytest.mark.parametrize(
    "fields, field",
    [
        ({"image_a_url": "https://a.example/a.jpg", "image_b": b"x"}, "image_a.url"),
        ({"image_a": b"x", "image_b": b"x", "callback": "https://a.example/hook"}, "callback"),
        ({"image_a": b"x", "image_b": b"x", "delay_ms": "1000"}, "delay_ms"),
    ],
)
def test_what_needs_more_than_this_process(api, fields, field):
    answer = api.post_form("/v1/match", fields)
    check(answer, "/v1/match", "post")
    assert (answer.status, answer.code, answer.json["field"]) == (501, "not_in_this_mode", field)


@pytest.mark.parametrize("path, method", [operation for operation in OPERATIONS if operation[0] not in SERVED])
def test_other_routes_are_not_served(api, path, method):
    answer = api.ask(method.upper(), path.replace("{id}", "01900000-0000-7000-8000-000000000000"))
    check(answer, path, method)
    assert (answer.status, answer.code) == (501, "not_in_this_mode")


def test_it_is_ready_and_shows_itself(api):
    for path in ("/healthz", "/readyz", "/metrics"):
        assert api.get(path).status == 200
    assert api.get("/nothing").code == "not_found"


def test_a_key_that_does_not_exist(fleet):
    fleet.use_store()
    program = fleet.gateway(gateway__mode="synchronous", gateway__allow_anonymous="false").wait_ready()
    assert Api(program.port).post_form("/v1/match", pair()).code == "unauthorized"
    assert Api(program.port, "x").post_form("/v1/match", pair()).code == "unauthorized"
    made = fleet.shell("keys", "create", "shop", "--scopes", "match")
    assert made.returncode == 0, made.stderr
    assert Api(program.port, made.stdout.strip()).post_form("/v1/match", pair()).json["result"]["matched"] is True


def test_no_models_no_start(fleet, tmp_path):
    program = fleet.gateway(gateway__mode="synchronous", model__detector=str(tmp_path))
    assert program.process.wait(60) == 1
    assert "model.yaml" in program.log()
    program.killed = True  # it ended as it should
