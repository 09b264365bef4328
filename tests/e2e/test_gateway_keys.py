"""API keys, rates, and requests that are repeated."""

import secrets

from fleet import free_port, wait_until
from gateway_support import A, pair, task
from http_support import Api, make_key
from jobs import photo


def test_keys(guarded):
    fleet, program = guarded
    key = make_key(fleet, "shop", "--scopes", "match")
    other = make_key(fleet, "other", "--scopes", "match,enroll")
    everything = make_key(fleet, "console", "--scopes", "match,read_all")
    nobody, shop, neighbour, console = (Api(program.port, k) for k in (None, key, other, everything))
    for stranger in (nobody, Api(program.port, "x"), Api(program.port, key[:-1] + ("A" if key[-1] != "A" else "B"))):
        answer = stranger.post_form("/v1/match", pair())
        assert (answer.status, answer.code) == (401, "unauthorized"), answer.body
        assert answer.headers["www-authenticate"] == "Bearer"
    assert nobody.get("/readyz").status == 200 and nobody.get("/v1/events").status == 401
    assert nobody.ask("POST", "/v1/match", b"", "text/plain", x_api_key=key).status == 415, "the other header will do"
    answer = shop.post_form("/v1/users/u/faces", {"image": photo(A)})
    assert (answer.status, answer.code) == (403, "forbidden")
    assert neighbour.post_form("/v1/users/u/faces", {"image": photo(A)}).status == 202

    events = neighbour.events("/v1/events")
    accepted = shop.post_form("/v1/match", pair())
    assert accepted.status == 202, accepted.body
    task_id = accepted.json["task_id"]
    assert task(shop, task_id)["state"] == "pending" and task(console, task_id)["state"] == "pending"
    assert neighbour.get(f"/v1/tasks/{task_id}").status == 404, "somebody else's task is not there"
    assert neighbour.get(f"/v1/tasks/{task_id}/events").status == 404
    own = neighbour.post_form("/v1/match", pair()).json["task_id"]
    wait_until(lambda: events.states(own), "its own event came")
    assert events.states(task_id) == []
    events.close()

    assert fleet.shell("keys", "revoke", key.split("_")[1]).returncode == 0
    wait_until(lambda: shop.get("/v1/tasks").status == 401, "the revocation shows")
    assert key.split("_", 2)[2] not in program.log()


def test_guessed_keys(guarded):
    fleet, program = guarded
    shop = Api(program.port, make_key(fleet, "shop", "--scopes", "match"))
    assert shop.get("/v1/tasks").status == 200

    def guess():
        return Api(program.port, f"ffk_{secrets.token_hex(8)}_{'A' * 43}").post_form("/v1/match", pair())

    assert guess().status == 401
    answer = wait_until(lambda: next((a for a in [guess()] if a.status != 401), None), "an end is put to it")
    assert (answer.status, answer.code) == (429, "rate_limited")
    assert int(answer.headers["retry-after"]) == 1
    assert shop.get("/v1/tasks").status == 200, "who was known before is not kept out"


def test_rates(guarded):
    fleet, program = guarded
    api = Api(program.port, make_key(fleet, "slow", "--rate", "0.01", "--burst", "2"))

    def rate(answer):
        return [int(answer.headers["ratelimit-" + name]) for name in ("limit", "remaining", "reset")]

    first, second = api.get("/v1/tasks"), api.get("/v1/tasks/01900000-0000-7000-8000-000000000000")
    assert (first.status, second.status) == (200, 404)
    assert rate(first) == [2, 1, 100] and rate(second)[:2] == [2, 0] and 100 < rate(second)[2] <= 200
    answer = api.get("/v1/tasks")
    assert (answer.status, answer.code) == (429, "rate_limited")
    assert 1 <= int(answer.headers["retry-after"]) <= 100
    assert rate(answer)[:2] == [2, 0]
    unlimited = Api(program.port, make_key(fleet, "fast"))
    assert not [name for name in unlimited.get("/v1/tasks").headers if name.lower().startswith("ratelimit")]


def test_a_request_that_is_repeated(site, api):
    def send(reference, key="k-1", **headers):
        return api.post_form("/v1/match", pair(reference=reference), idempotency_key=key, **headers)

    first = send("same")
    assert first.status == 202, first.body

    def again():
        answer = send("same")
        assert answer.status in (202, 409), answer.body
        return answer if answer.status == 202 else None

    answer = wait_until(again, "the first one is recorded")
    assert answer.json["task_id"] == first.json["task_id"] and answer.headers["idempotent-replayed"] == "true"
    assert answer.headers["location"] == first.headers["location"]
    assert send("another").code == "idempotency_reused"
    assert send("another", "k-2").json["task_id"] != first.json["task_id"]
    assert send("x", "\x7f" * 3).code == "invalid_header"
    assert send("x", "k" * 256).code == "invalid_header"


def test_strangers_from_elsewhere_need_keys(fleet):
    fleet.use_store()
    refused = fleet.gateway(gateway__listen="0.0.0.0:0")
    fleet.programs.remove(refused)
    assert refused.process.wait(timeout=60) == 2 and "there are no API keys" in refused.log()
    make_key(fleet, "k")
    port = free_port()
    program = fleet.gateway(gateway__listen=f"0.0.0.0:{port}")
    program.port = port
    program.wait_ready()
    assert Api(port).get("/v1/tasks").status == 401
