"""A way to the broker that a test can hold up or cut."""

import socket
import threading


class Proxy:
    """Passes connections on to a port of this host. `hold()` keeps back what the server answers from then on, as a
    network does that loses packets one way; `cut()` ends all connections and refuses new ones until `mend()`."""

    def __init__(self, port):
        self.target = port
        self.holding = threading.Event()
        self.is_cut = False
        self.sockets = []
        self.lock = threading.Lock()
        self.threads = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start(self.accept)

    def start(self, function, *arguments):
        thread = threading.Thread(target=function, args=arguments, daemon=True)
        self.threads.append(thread)
        thread.start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                if self.is_cut:
                    client.close()
                    continue
                server = socket.create_connection(("127.0.0.1", self.target))
                self.sockets += [client, server]
            self.start(self.pass_on, client, server, False)
            self.start(self.pass_on, server, client, True)

    def pass_on(self, source, sink, is_answer):
        try:
            while data := source.recv(65536):
                if not (is_answer and self.holding.is_set()):
                    sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def hold(self):
        self.holding.set()

    def cut(self):
        with self.lock:
            self.is_cut = True
            for end in self.sockets:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def mend(self):
        with self.lock:
            self.is_cut = False

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.cut()
        for thread in self.threads:
            thread.join(timeout=10)
        for end in self.sockets:
            end.close()
