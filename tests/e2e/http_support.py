"""Requests to the gateway: urllib for the well-behaved, sockets for the others. Standard library only."""

import contextlib
import http.client
import json
import secrets
import socket
import threading
import urllib.error
import urllib.request


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        """Of a problem."""
        assert self.headers["content-type"] == "application/problem+json", (self.status, self.body)
        problem = self.json
        assert problem["status"] == self.status and problem["type"] == "urn:facefleet:problem:" + problem["code"]
        assert problem["title"]
        return problem["code"]


def form(fields):
    """Content type and body of a form; bytes are files."""
    boundary = secrets.token_hex(16)
    body = b""
    for name, value in fields.items():
        file = "; filename=\"photo.jpg\"\r\nContent-Type: image/jpeg" if isinstance(value, bytes) else ""
        data = value if isinstance(value, bytes) else str(value).encode()
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + data + b"\r\n"
    return f"multipart/form-data; boundary={boundary}", body + f"--{boundary}--\r\n".encode()


def make_key(fleet, name, *options):
    """An API key of `facefleet keys create`."""
    done = fleet.shell("keys", "create", name, *options)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


class Api:
    """The API of one gateway."""

    def __init__(self, port, key=None, seconds=60):
        self.port = port
        self.key = key
        self.seconds = seconds

    def ask(self, method, path, body=None, content_type=None, **headers):
        """Header names are spelled with underscores."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if content_type:
            headers["content-type"] = content_type
        if self.key:
            headers["authorization"] = "Bearer " + self.key
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", method=method, data=body, headers=headers
        )
        try:
            with urllib.request.urlopen(request, timeout=self.seconds) as response:
                return Answer(response.status, response.headers, response.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.headers, error.read())

    def get(self, path, **headers):
        return self.ask("GET", path, **headers)

    def post_form(self, path, fields, **headers):
        content_type, body = form(fields)
        return self.ask("POST", path, body, content_type, **headers)

    def post_json(self, path, document, **headers):
        return self.ask("POST", path, json.dumps(document).encode(), "application/json", **headers)

    def raw(self, data, seconds=60):
        """Sends bytes on a connection of their own; what came back until it was closed."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as connection:
            connection.sendall(data)
            received = b""
            while True:
                try:
                    block = connection.recv(65536)
                except ConnectionResetError:
                    return received
                if not block:
                    return received
                received += block

    def events(self, path):
        return Events(self.port, path, self.key)


class Events:
    """A stream of server-sent events, read on a thread of its own."""

    def __init__(self, port, path, key=None):
        self.events = []
        self.ended = threading.Event()
        headers = {"accept": "text/event-stream", **({"authorization": "Bearer " + key} if key else {})}
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
        self.response = urllib.request.urlopen(request, timeout=60)
        self.connection = self.response.fp.raw._sock
        assert self.response.headers["content-type"] == "text/event-stream"
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        event = {}
        try:
            for line in self.response:
                line = line.decode().rstrip("\n")
                if line and not line.startswith(":"):
                    name, _, value = line.partition(": ")
                    event[name] = value
                elif event:
                    self.events.append({**event, "data": json.loads(event["data"])})
                    event = {}
        except (OSError, ValueError, http.client.HTTPException):
            pass  # closed here, in the middle of a read
        self.ended.set()

    def states(self, task_id):
        return [event["event"] for event in list(self.events) if event["data"]["task_id"] == task_id]

    def close(self):
        """Not the response's close(), which waits for the thread that reads."""
        with contextlib.suppress(OSError):  # the gateway may have ended it before
            self.connection.shutdown(socket.SHUT_RDWR)
        self.ended.wait(60)
