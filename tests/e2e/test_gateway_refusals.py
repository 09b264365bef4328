"""Requests that the HTTP API refuses, and how."""

import pytest

from gateway_support import A, pair
from jobs import photo


@pytest.mark.parametrize(
    "path, fields, status, code, field",
    [
        ("/v1/match", {"image_a": photo(A)}, 400, "invalid_job", "image_b"),
        ("/v1/match", {}, 400, "invalid_job", "image_a"),
        ("/v1/match", pair(image_a=b""), 400, "invalid_job", "image_a"),
        ("/v1/match", pair(scene="slow"), 400, "invalid_job", "scene"),
        ("/v1/match", pair(scene="\u00e9" * 40), 400, "invalid_job", "scene"),
        ("/v1/match", pair(threshold="2"), 400, "invalid_job", "options.threshold"),
        ("/v1/match", pair(threshold="nan"), 400, "invalid_job", "threshold"),
        ("/v1/match", pair(threshold="0x1"), 400, "invalid_job", "threshold"),
        ("/v1/match", pair(threshold="0.5", far="0.1"), 400, "invalid_job", "options"),
        ("/v1/match", pair(face_policy="smallest"), 400, "invalid_job", "face_policy"),
        ("/v1/match", pair(callback="ftp://x/"), 400, "invalid_job", "callback.url"),
        ("/v1/match", pair(callback="http://u:p@x/"), 400, "invalid_job", "callback.url"),
        ("/v1/match", pair(colour="blue"), 400, "invalid_job", None),
        ("/v1/match", pair(reference=b"file"), 400, "invalid_job", "reference"),
        ("/v1/match", pair(reference="x" * 257), 400, "invalid_job", "reference"),
        ("/v1/match", pair(image_a_url="https://x/y.jpg"), 400, "invalid_job", "image_a_url"),
        ("/v1/verify", {"image": photo(A)}, 400, "invalid_job", "user_id"),
        ("/v1/verify", {"image": photo(A), "user_id": "u" * 129}, 400, "invalid_job", "user_id"),
        ("/v1/search", {"image": photo(A), "top_k": "1001"}, 400, "invalid_job", "top_k"),
        ("/v1/search", {"image": photo(A), "top_k": "1.5"}, 400, "invalid_job", "top_k"),
        ("/v1/users/u/faces", {"image": photo(A), "user_id": "v"}, 400, "invalid_job", "user_id"),
        ("/v1/users/" + "u" * 129 + "/faces", {"image": photo(A)}, 400, "invalid_job", "user_id"),
        ("/v1/users/%FF/faces", {"image": photo(A)}, 400, "invalid_job", "user_id"),
        ("/v1/users/%00/faces", {"image": photo(A)}, 400, "bad_request", None),
        ("/v1/nothing", {}, 404, "not_found", None),
        ("/v1/tasks", {}, 405, "method_not_allowed", None),
        ("/v1/match", {"image_a": b"x" * 7000000, "image_b": b"y" * 7000000}, 413, "image_too_large", None),
    ],
)
def test_forms_that_are_refused(api, path, fields, status, code, field):
    answer = api.post_form(path, fields)
    assert (answer.status, answer.code, answer.json.get("field")) == (status, code, field), answer.body


@pytest.mark.parametrize(
    "body, field",
    [
        (b"", None),
        (b"{", None),
        (b"[]", None),
        (b"null", None),
        (b"{}", "image_a"),
        (b'{"op": "search"}', "op"),
        (b'{"op": 5}', "op"),
        (b'{"image_a": {"data": "!"}}', "image_a.data"),
        (b'{"image_a": {"url": "https://x/", "data": "aa=="}}', None),
        (b'{"image_a": {"url": "file:///etc/passwd"}, "image_b": {"url": "https://x/"}}', "image_a.url"),
        (b'{"image_a": "/etc/passwd"}', "image_a"),
        (b'{"scene": "batch", "scene": "batch"}', None),
        (b'{"a":' * 100 + b"1" + b"}" * 100, None),
        (b'{"reference": "\xff"}', None),
    ],
)
def test_json_that_is_refused(api, body, field):
    answer = api.ask("POST", "/v1/match", body, "application/json")
    assert (answer.status, answer.code) == (400, "invalid_job"), answer.body
    if field:
        assert answer.json["field"] == field, answer.body


@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "application/msgpack", "multipart/form-data", "multipart/form-data; boundary="]
)
def test_other_kinds_of_bodies(api, content_type):
    # urllib names a type of its own where none is given
    answer = api.ask("POST", "/v1/match", b"x", content_type)
    assert (answer.status, answer.code) == (415, "unsupported_media_type"), answer.body


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--b",
        b"--b--",
        b"--b\r\n\r\nx\r\n--b--",
        b'--b\r\nContent-Disposition: form-data; name="image_a"\r\n\r\nx',
        b'--b\r\nContent-Disposition: form-data; name="image_a"\r\nX',
        b'--b\r\nContent-Disposition: form-data; name="image_a\r\n\r\nx\r\n--b--',
        b'--b\r\nContent-Disposition: form-data; name="image_a"\r\nContent-Transfer-Encoding: base64\r\n\r\nx\r\n--b--',
        b"--b\r\nContent-Disposition: attachment\r\n\r\nx\r\n--b--",
        b"--bb\r\n",
        b"\r\n--b" * 1000,
    ],
)
def test_forms_that_are_broken(api, body):
    answer = api.ask("POST", "/v1/match", body, "multipart/form-data; boundary=b")
    assert answer.status == 400 and answer.code in ("invalid_form", "invalid_job"), answer.body


@pytest.mark.parametrize(
    "query, field",
    [
        ("?state=done", "state"),
        ("?scene=A", "scene"),
        ("?since=yesterday", "since"),
        ("?limit=0", "limit"),
        ("?limit=201", "limit"),
        ("?limit=-1", "limit"),
        ("?limit=1&limit=2", "limit"),
        ("?cursor=abc", "cursor"),
        ("?cursor=%2F", "cursor"),
        ("?user=%zz", "user"),
        ("?user=" + "u" * 200, "user"),
        ("?user=%FF", "user"),
        ("?colour=blue", "query"),
    ],
)
def test_queries_that_are_refused(api, query, field):
    answer = api.get("/v1/tasks" + query)
    assert (answer.status, answer.code, answer.json["field"]) == (400, "invalid_query", field), answer.body


def test_tasks_that_are_not_there(api):
    unknown = "01900000-0000-7000-8000-000000000000"
    for path in (f"/v1/tasks/{unknown}", "/v1/tasks/x", f"/v1/tasks/{unknown}/events", "/v1/tasks/" + "9" * 250):
        answer = api.get(path)
        assert (answer.status, answer.code) == (404, "task_not_found"), answer.body


def test_a_body_that_is_too_large_is_not_read(site, api):
    head = b"POST /v1/match HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n"
    answer = api.raw(head)
    assert answer.startswith(b"HTTP/1.1 413 ") and b'"body_too_large"' in answer
    assert api.get("/healthz").status == 200
