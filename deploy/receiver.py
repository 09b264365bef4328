#!/usr/bin/python3
"""A receiver of callbacks to try facefleet with, and an example of how to check one.

usage: receiver.py PORT SECRET_FILE

Listens on 127.0.0.1, checks each callback's signature as Standard Webhooks asks for (a signed text of id, time and
body; a time not more than five minutes off) and prints one line about it. The secret file holds what the setting
callback.secret holds.
"""

import base64
import hashlib
import hmac
import http.server
import json
import sys
import time

TOLERANCE_SECONDS = 300


def is_genuine(secrets, headers, body):
    """True if one of the signatures was made with one of the secrets, lately."""
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > TOLERANCE_SECONDS:
        return False
    signed = message_id.encode() + b"." + timestamp.encode() + b"." + body
    wanted = [b"v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)) for key in secrets]
    given = headers.get("webhook-signature", "").encode().split()
    return any(hmac.compare_digest(a, b) for a in wanted for b in given)


def describe(data):
    """One line about a finished task; data is the reply, as the worker sent it."""
    result, error = data.get("result") or {}, data.get("error") or {}
    subject = data.get("reference") or data.get("user_id") or data["op"]
    if result.get("similarity") is not None:
        verdict = "same person" if result["matched"] else "different persons"
        return f"{subject}: {verdict}, similarity {result['similarity']:.3f}"
    if result.get("candidates") is not None:
        return f"{subject}: may be {', '.join(person['user_id'] for person in result['candidates']) or 'nobody'}"
    return f"{subject}: {data['op']} {data['state']} {error.get('code', '')}"


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        genuine = is_genuine(self.server.secrets, self.headers, body)
        # Only 2xx counts as delivered. The same webhook-id may come more than once: do the work of one id only once.
        self.send_response(204 if genuine else 401)
        self.send_header("content-length", "0")
        self.end_headers()
        summary = describe(json.loads(body)["data"]) if genuine else "refused: the signature is not ours"
        # In one piece: print() writes the end of the line apart, and other threads come in between.
        sys.stdout.write(f"callback {self.headers.get('webhook-id')} {summary}\n")
        sys.stdout.flush()

    def log_message(self, *_):
        """One line about each callback is enough."""


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver)
    with open(sys.argv[2], encoding="ascii") as secret_file:
        server.secrets = [base64.b64decode(key.removeprefix("whsec_")) for key in secret_file.read().split()]
    server.serve_forever()


if __name__ == "__main__":
    main()
