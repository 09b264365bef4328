"""An HTTP server that records what is posted to it, answers as a test tells it to, and serves files."""

import base64
import hashlib
import hmac
import http.server
import json
import sys
import threading


class Request:
    def __init__(self, path, headers, body):
        self.path = path
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)


class Endpoint:
    """`plan` maps a path to the statuses of its first answers; the last one, or 200, goes on for ever. A status may be
    "hang" (no answer until the server closes) or a dict of status and headers. `files` maps a path to bytes."""

    def __init__(self):
        self.requests = []
        self.plan = {}
        self.files = {}
        self.closing = threading.Event()
        endpoint = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                endpoint.requests.append(Request(self.path, self.headers, body))
                answer = endpoint.next_answer(self.path)
                if answer == "hang":
                    endpoint.closing.wait()
                    self.close_connection = True  # or whoever asked would wait on
                    return
                if not isinstance(answer, dict):
                    answer = {"status": answer}
                self.answer(answer["status"], b"", answer.get("headers", {}))

            def do_GET(self):
                endpoint.requests.append(Request(self.path, self.headers, b""))
                data = endpoint.files.get(self.path)
                if self.path in endpoint.plan:
                    self.answer(endpoint.next_answer(self.path), b"", {})
                else:
                    self.answer(200 if data is not None else 404, data or b"", {})

            def answer(self, status, data, headers):
                try:
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.send_header("content-length", str(len(data)))
                    self.end_headers()
                    self.wfile.write(data)
                except OSError:
                    self.close_connection = True  # the client has had enough, as some tests want it to

            def log_message(self, *_):
                """The requests are recorded already."""

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                """A client that breaks off is nothing to tell of."""
                if not isinstance(sys.exc_info()[1], ConnectionError):
                    super().handle_error(request, client_address)

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def next_answer(self, path):
        plan = self.plan.get(path, [200])
        return plan.pop(0) if len(plan) > 1 else plan[0]

    def received(self, path):
        return [request for request in self.requests if request.path == path]

    def close(self):
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()


def signature(secret, request):
    """What webhook-signature has to say for one secret, by Standard Webhooks 1.0."""
    signed = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode() + request.body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
