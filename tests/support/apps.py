"""The apps behind Sallyport: TCP or Unix-socket servers whose every connection runs one function on its own thread."""

import hashlib
import queue
import selectors
import socket
import tempfile
import threading
from pathlib import Path

from support.ports import free_port
from support.sallyport import reset


class App:
    """Listens from its start. `serve(connection)` gets a plain blocking socket; what it returns or raises comes out of
    `outcome()`, in the order in which the connections end. Use as a context manager."""

    def __init__(self, serve, *, unix=False, host="127.0.0.1", port=None, timeout=50):
        self._serve, self._timeout = serve, timeout
        self._outcomes = queue.Queue()
        self._open = set()
        self._directory = tempfile.TemporaryDirectory(prefix="sallyport-app-") if unix else None
        self._listener = socket.socket(socket.AF_UNIX if unix else socket.AF_INET)
        if unix:
            Path(self._directory.name).chmod(0o755)
            path = f"{self._directory.name}/app.sock"
            self._listener.bind(path)
            Path(path).chmod(0o666)
            self.address = f"unix:{path}"
        else:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._listener.bind((host, port or free_port()))
            self.address = "%s:%d" % self._listener.getsockname()
        self._listener.listen(4096)
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._listener.close()
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        if self._directory:
            self._directory.cleanup()

    def outcome(self, seconds=10):
        """What the next connection to end came to; an exception is returned, not raised."""
        return self._outcomes.get(timeout=seconds)

    def has_no_outcome(self):
        return self._outcomes.empty()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.add(connection)
            threading.Thread(target=self._run, args=(connection,), daemon=True).start()

    def _run(self, connection):
        connection.settimeout(self._timeout)
        try:
            result = self._serve(connection)
        except Exception as error:  # its type is the outcome
            result = error
        self._open.discard(connection)
        connection.close()
        self._outcomes.put(result)


def echo(connection):
    """Sends back what comes, until its end; returns how many bytes that were."""
    count = 0
    while data := connection.recv(262144):
        connection.sendall(data)
        count += len(data)
    return count


def sink(connection):
    """Reads to the end, then answers with the SHA-256 of it all in hex."""
    digest = hashlib.sha256()
    while data := connection.recv(262144):
        digest.update(data)
    connection.sendall(digest.hexdigest().encode())
    return digest.hexdigest()


def source(chunks):
    """An app that sends these chunks and ends; what comes is not read."""

    def serve(connection):
        for chunk in chunks():
            connection.sendall(chunk)
        return None

    return serve


def read_to_end(connection):
    """Returns everything that came before the client's end."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


def answer(text):
    """An HTTP/1.0 app: reads one request head, answers with this text, ends."""

    def serve(connection):
        request = b""
        while b"\r\n\r\n" not in request:
            part = connection.recv(65536)
            if not part:
                return request
            request += part
        body = text.encode()
        connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        return request

    return serve


def greeting(text):
    """An app that says this to everybody who comes, and ends."""
    return source(lambda: [text])


def reset_after(count):
    """An app that reads so many bytes, sends "partial" and resets."""

    def serve(connection):
        got = b""
        while len(got) < count:
            got += connection.recv(count - len(got))
        connection.sendall(b"partial")
        reset(connection)

    return serve


class CrowdApp:
    """An echo app for thousands of connections: one thread, one selector."""

    def __enter__(self):
        self._listener = socket.create_server(("127.0.0.1", free_port()), backlog=4096)
        self._listener.setblocking(False)
        self.address = "127.0.0.1:%d" % self._listener.getsockname()[1]
        self._stop_in, self._stop_out = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        for watched in (self._listener, self._stop_in):
            self._selector.register(watched, selectors.EVENT_READ)
        self.open = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop_out.send(b"x")
        self._thread.join(10)
        for watched in [key.fileobj for key in self._selector.get_map().values()]:
            watched.close()
        self._stop_out.close()
        self._selector.close()

    def _run(self):
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._stop_in:
                    return
                if key.fileobj is self._listener:
                    self._selector.register(self._listener.accept()[0], selectors.EVENT_READ)
                    self.open += 1
                elif not self._echo(key.fileobj):
                    self._selector.unregister(key.fileobj)
                    key.fileobj.close()
                    self.open -= 1

    @staticmethod
    def _echo(connection):
        try:
            data = connection.recv(4096)
            return bool(data) and connection.send(data) == len(data)
        except ConnectionError:
            return False


class FullBacklog:
    """A listening port whose queue is full: a connection to it neither succeeds nor fails."""

    def __enter__(self):
        self._listener = socket.create_server(("127.0.0.1", free_port()), backlog=0)
        self.address = "127.0.0.1:%d" % self._listener.getsockname()[1]
        self._fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(self._listener.getsockname())
            self._fillers.append(filler)
        return self

    def __exit__(self, *_):
        for held_open in (*self._fillers, self._listener):
            held_open.close()


