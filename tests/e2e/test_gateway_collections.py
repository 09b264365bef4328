"""The collections that an API key may work in."""

import base64

import pytest

from http_support import Api, form, make_key
from jobs import PARKED, park, photo
from store_support import Store

A = "person01_1"
B = "person01_2"
SCOPES = ("--scopes", "match,enroll,schedule")


def client(fleet, program, name, *options):
    return Api(program.port, make_key(fleet, name, *options))


def verify(api, collection):
    return api.post_form("/v1/verify", {"image": photo(A), "user_id": "ann", "collection": collection})


def search(api, collection):
    return api.post_json("/v1/search", {"image_a": image(), "collection": collection})


def enroll(api, collection):
    return api.post_form("/v1/users/ann/faces", {"image": photo(A), "collection": collection})


def unenroll(api, collection):
    content_type, body = form({"collection": collection})
    return api.ask("DELETE", "/v1/users/ann/faces", body, content_type)


def later(api, collection):
    return api.post_form("/v1/search", {"image": photo(A), "collection": collection, "delay_ms": "3600000"})


def image():
    return {"data": base64.b64encode(photo(A)).decode()}


def schedule(api, collection, op="search", **fields):
    job = {"op": op, "image_a": image(), "collection": collection, **fields}
    return api.post_json("/v1/schedules", {"every_ms": 3600000, "job": job})


LOOKS = (verify, search, later)
CHANGES = (enroll, unenroll)


def assert_refused(answer, field="collection"):
    assert (answer.status, answer.code, answer.json.get("field")) == (403, "forbidden", field), answer.body
    assert answer.json["detail"].startswith(field + ": ")


def assert_accepted(answer):
    assert answer.status == 202, answer.body


def test_two_keys_and_two_collections(guarded):
    fleet, program = guarded
    staff = client(fleet, program, "staff", *SCOPES, "--collection", "staff")
    both = client(fleet, program, "both", *SCOPES, "--collection", "staff", "--collection", "guests")
    for ask in LOOKS + CHANGES:
        assert_accepted(ask(staff, "staff"))
        assert_refused(ask(staff, "guests"))
        assert_refused(ask(staff, ""))
        assert_accepted(ask(both, "guests"))
        assert_refused(ask(both, "*"))
    assert_accepted(staff.post_form("/v1/match", {"image_a": photo(A), "image_b": photo(B), "collection": "guests"}))
    assert_refused(staff.post_form("/v1/verify", {"image": photo(A), "user_id": "ann"}))
    answer = search(staff, "guests")
    assert '"guests"' in answer.json["detail"] and answer.headers.get("location") is None
    assert both.get("/v1/tasks?user=ann").status == 200


def test_without_the_option_it_is_the_default(guarded):
    fleet, program = guarded
    plain = client(fleet, program, "plain", *SCOPES)
    for ask in LOOKS + CHANGES:
        assert_accepted(ask(plain, "default"))
        assert_accepted(ask(plain, ""))
        assert_refused(ask(plain, "staff"))


def test_keys_without_a_border(guarded):
    fleet, program = guarded
    everywhere = client(fleet, program, "everywhere", *SCOPES, "--collection", "*")
    admin = client(fleet, program, "admin", "--scopes", "admin", "--collection", "staff")
    console = client(fleet, program, "console", "--scopes", "match,enroll,schedule,read_all", "--collection", "staff")
    for ask in LOOKS:
        for api in (everywhere, admin, console):
            assert_accepted(ask(api, "guests"))
    for ask in CHANGES:
        assert_accepted(ask(everywhere, "guests"))
        assert_accepted(ask(admin, "guests"))
        assert_refused(ask(console, "guests"))
        assert_accepted(ask(console, "staff"))


def test_strangers_of_this_host_work_everywhere(fleet):
    fleet.use_store()
    api = Api(fleet.gateway().wait_ready().port)
    for ask in LOOKS + CHANGES:
        assert_accepted(ask(api, "guests"))


def give_schedules_to(fleet, api):
    Store(fleet.environment["FACEFLEET_STORE_URL"]).query(f"UPDATE schedules SET owner = '{key_id(api)}'")


def key_id(api):
    return api.key.split("_")[1]


def test_schedules(guarded):
    fleet, program = guarded
    staff = client(fleet, program, "staff", *SCOPES, "--collection", "staff")
    guests = client(fleet, program, "guests", *SCOPES, "--collection", "guests")
    assert_refused(schedule(staff, "guests"), "job.collection")
    assert_refused(schedule(staff, "guests", op="enroll", user_id="ann"), "job.collection")
    assert staff.get("/v1/schedules").json["schedules"] == []
    made = schedule(staff, "staff")
    assert made.status == 201, made.body
    path = made.headers["location"]
    assert guests.get(path).code == guests.ask("POST", path + "/run-now").code == "schedule_not_found"
    assert guests.ask("DELETE", path).code == "schedule_not_found"
    # However it came to be theirs: where it works is looked at when it is to run.
    give_schedules_to(fleet, guests)
    assert_refused(guests.ask("POST", path + "/run-now"))
    assert guests.get(path).json["task_id"] is None, "it does not run"
    give_schedules_to(fleet, staff)
    assert_accepted(staff.ask("POST", path + "/run-now"))


@pytest.mark.parametrize("collection, allowed", [("staff", True), ("guests", False)])
def test_replays(guarded, client_of, collection, allowed):
    """The parked job says where it works, whatever its task was said to be."""
    fleet, program = guarded
    staff = client(fleet, program, "staff", *SCOPES, "--collection", "staff")
    broker = client_of(fleet)
    location = search(staff, "staff").headers["location"]
    assert staff.ask("DELETE", location).json["state"] == "final_failed"
    job = {"op": "search", "image_a": {"data": photo(A)}, "collection": collection}
    park(broker, job, message_id=location.rsplit("/", 1)[1], headers={"facefleet-owner": key_id(staff)})
    answer = staff.ask("POST", location + "/replay")
    if allowed:
        assert_accepted(answer)
        assert broker.count(PARKED) == 0
    else:
        assert_refused(answer)
        assert broker.count(PARKED) == 1, "it stays parked"


def test_events_of_somebody_else(guarded):
    fleet, program = guarded
    staff = client(fleet, program, "staff", *SCOPES, "--collection", "staff")
    other = client(fleet, program, "other", *SCOPES, "--collection", "staff")
    for made in (search(staff, "staff"), later(staff, "staff")):
        path = made.headers["location"]
        assert other.get(path).code == other.get(path + "/events").code == "task_not_found"
        assert other.ask("DELETE", path).code == other.ask("POST", path + "/replay").code == "task_not_found"
