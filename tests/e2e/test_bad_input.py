"""Every kind of bad input ends in its own error, on the sender's reply queue, and nothing is lost or stuck."""

import json

import pytest

import photos
from jobs import as_json, match_job, photo

GOOD = "person01_1"
PARKED = "facefleet.dead.parked"

BAD_PICTURES = {
    "not a JPEG": (lambda: b"GIF89a" + bytes(100), "image_unsupported"),
    "text": (lambda: b"hello, world", "image_unsupported"),
    "truncated": (lambda: photo(GOOD)[: len(photo(GOOD)) // 2], "image_corrupt"),
    "only a header": (lambda: photo(GOOD)[:200], "image_corrupt"),
    "one pixel": (lambda: photos.plain(1, 1), "no_face"),
    "30,000 x 30,000 in the header": (
        lambda: photos.with_jpeg_size(photo(GOOD), 30000, 30000),
        "image_too_large",
    ),
    "no face": (lambda: photos.plain(400, 300), "no_face"),
    "a PNG without a face": (lambda: photos.plain(300, 400, "PNG"), "no_face"),
    "WebP": (lambda: b"RIFF\x24\x00\x00\x00WEBPVP8 " + bytes(40), "image_unsupported"),
    "HEIC": (lambda: b"\x00\x00\x00\x18ftypheic" + bytes(40), "image_unsupported"),
}

GOOD_IMAGE = {"data": "aGVsbG8="}

BAD_BODIES = {
    "malformed JSON": (b'{"op": "match", ', "invalid_job", ""),
    "empty body": (b"", "invalid_job", ""),
    "not an object": (b"[1, 2, 3]", "invalid_job", ""),
    "unknown op": ({"op": "guess", "image_a": GOOD_IMAGE, "image_b": GOOD_IMAGE}, "invalid_job", "op"),
    "wrong type": ({"op": "match", "image_a": 7, "image_b": GOOD_IMAGE}, "invalid_job", "image_a"),
    "image missing": ({"op": "match", "image_a": GOOD_IMAGE}, "invalid_job", "image_b"),
    "both data and url": (
        {"op": "match", "image_a": {**GOOD_IMAGE, "url": "https://example.org/"}, "image_b": GOOD_IMAGE},
        "invalid_job",
        "image_a",
    ),
    "not base64": ({"op": "match", "image_a": {"data": "%%%"}, "image_b": GOOD_IMAGE}, "invalid_job", "image_a.data"),
    "threshold out of range": (
        {"op": "match", "image_a": GOOD_IMAGE, "image_b": GOOD_IMAGE, "options": {"threshold": 2}},
        "invalid_job",
        "options.threshold",
    ),
    "threshold and far": (
        {"op": "match", "image_a": GOOD_IMAGE, "image_b": GOOD_IMAGE, "options": {"threshold": 0.2, "far": 0.01}},
        "invalid_job",
        "options",
    ),
    "a path instead of a URL": (
        {"op": "match", "image_a": {"url": "file:///etc/passwd"}, "image_b": GOOD_IMAGE},
        "invalid_job",
        "image_a.url",
    ),
}


@pytest.mark.parametrize("name", BAD_PICTURES)
@pytest.mark.parametrize("side", ["a", "b"])
def test_bad_picture(shared_client, name, side):
    make, code = BAD_PICTURES[name]
    pictures = (make(), photo(GOOD)) if side == "a" else (photo(GOOD), make())
    reply = shared_client.call(match_job(*pictures, reference=name))
    assert reply["state"] == "final_failed"
    assert reply["reference"] == name
    assert reply["error"]["code"] == code, reply
    assert reply["error"]["image"] == side
    assert reply["error"]["retryable"] is False
    assert reply["error"]["message"]


@pytest.mark.parametrize("name", BAD_BODIES)
def test_bad_body(shared_client, name):
    body, code, path = BAD_BODIES[name]
    reply = shared_client.call(as_json(body) if isinstance(body, dict) else body)
    assert reply["state"] == "final_failed"
    assert reply["error"]["code"] == code
    assert path in reply["error"]["message"], reply


def test_unsupported_format_is_named(shared_client):
    reply = shared_client.call(match_job(BAD_PICTURES["WebP"][0](), photo(GOOD)))
    assert "WebP" in reply["error"]["message"]


def test_malformed_messagepack(shared_client):
    shared_client.publish(b"\xc1\xff\x00", content_type="application/msgpack")
    assert shared_client.next_reply()["error"]["code"] == "invalid_job"


def test_unknown_content_type(shared_client):
    shared_client.publish(b"<job/>", content_type="application/xml")
    properties, body = shared_client.next_message()
    assert properties.content_type == "application/json"
    assert json.loads(body)["error"]["code"] == "invalid_job"


def test_unknown_type_is_refused(shared_client):
    shared_client.publish(match_job(photo(GOOD), photo(GOOD)), type="facefleet.job.v2")
    assert shared_client.next_reply()["error"]["code"] == "invalid_job"


def next_parked(client, text):
    """The properties of the parked message with this in its body; those of tests before may arrive after their replies."""
    while True:
        properties, body = client.next_message(PARKED)
        if text in body:
            return properties


def test_missing_id_is_parked_or_answered(shared_client):
    """Without a task id no reply can name the task; the message must end on the dead side, and the next one work."""
    shared_client.publish(match_job(photo(GOOD), photo(GOOD), reference="nameless"), message_id=None, reply_to=None)
    assert next_parked(shared_client, b"nameless")
    assert shared_client.call(match_job(photo(GOOD), photo(GOOD)))["state"] == "succeeded"


def test_parked_message_says_why(shared_client):
    shared_client.publish(b"{ why", reply_to=None, message_id=None)
    properties = next_parked(shared_client, b"{ why")
    assert properties.headers["facefleet-reason"]
    assert properties.headers["facefleet-origin"]


def test_image_above_the_cap(fleet, client):
    fleet.worker(image__max_bytes=4096).wait_ready()
    reply = client.call(match_job(photo(GOOD), photo(GOOD)))
    assert reply["error"]["code"] == "image_too_large"
    assert "4096" in reply["error"]["message"]


def test_image_above_the_pixel_cap(fleet, client):
    fleet.worker(image__max_pixels=10000).wait_ready()
    reply = client.call(match_job(photo(GOOD), photo(GOOD)))
    assert reply["error"]["code"] == "image_too_large"


def test_50_megabytes_by_url(shared_client, endpoint):
    endpoint.files["/huge.jpg"] = photo(GOOD) + bytes(50 << 20)
    reply = shared_client.call(match_job(endpoint.url + "/huge.jpg", photo(GOOD)))
    assert reply["error"]["code"] == "image_too_large"
    assert reply["error"]["image"] == "a"


def test_private_address_is_not_fetched(fleet, client, endpoint):
    fleet.worker().wait_ready()
    reply = client.call(match_job(endpoint.url + "/a.jpg", photo(GOOD)))
    assert reply["error"]["code"] == "image_fetch_failed"
    assert reply["error"]["retryable"] is False
    assert endpoint.requests == [], "nothing was sent there"


def test_picture_that_is_not_there(shared_client, endpoint):
    reply = shared_client.call(match_job(photo(GOOD), endpoint.url + "/missing.jpg"))
    assert reply["error"]["code"] == "image_fetch_failed"
    assert "404" in reply["error"]["message"]


def test_shell_says_what_is_wrong(shared_fleet, tmp_path):
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"hello, world")
    done = shared_fleet.shell("match", str(bad), str(bad))
    assert done.returncode == 3
    assert "image_unsupported" in done.stderr + done.stdout
    assert shared_fleet.shell("match", str(bad)).returncode == 2
    assert shared_fleet.shell("match", str(bad), str(tmp_path / "missing.jpg")).returncode == 2
