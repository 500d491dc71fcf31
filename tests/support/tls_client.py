"""A TLS client over memory buffers: half-closes, cuts its records as it likes, and tells how the other side ended."""

import select
import socket
import ssl
import time

from support.sallyport import reset


def client_context(ca, version=None, resume=True):
    context = ssl.create_default_context(cafile=str(ca))
    if version:
        context.minimum_version = context.maximum_version = version
    if not resume:
        context.options |= ssl.OP_NO_TICKET
    return context


class TlsClient:
    """One connection. `ended` tells how the peer ended its direction: "close_notify", "eof" (none before it), "reset",
    "alert". `source` is the address to come from."""

    def __init__(self, address, context, name="localhost", session=None, timeout=15, source=None):
        self.timeout = timeout
        self.ended = None
        if isinstance(address, (str, bytes)):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(timeout)
            self.socket.connect(address)
        else:
            self.socket = socket.create_connection(address, timeout, source and (source, 0))
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._in = ssl.MemoryBIO()
        self._out = ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._in, self._out, server_hostname=name, session=session)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def handshake(self, step=None):
        """Does it all. With `step`, sends so many bytes at a time."""
        while True:
            try:
                self.tls.do_handshake()
                self.flush(step)
                return self
            except ssl.SSLWantReadError:
                self.flush(step)
                if self._fill() is None:
                    raise ConnectionError(f"ended in the handshake: {self.ended}") from None
            except ssl.SSLError:
                self.flush(step)
                raise

    def first_flight(self):
        """The ClientHello, not sent."""
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            return self._out.read()
        raise AssertionError("a handshake without the peer")

    def flush(self, step=None):
        data = self._out.read()
        for start in range(0, len(data), step or len(data) or 1):
            self.socket.sendall(data[start : start + step] if step else data)

    def send(self, data):
        view = memoryview(data)
        while view:
            view = view[self.tls.write(view[:65536]) :]
            self.flush()

    def receive(self, most=65536):
        """Some bytes, or b"" at the peer's end: then `ended` tells how."""
        while not self.ended:
            try:
                data = self.tls.read(most)
                if data:
                    return data
                self.ended = "close_notify"
            except ssl.SSLWantReadError:
                self._fill()
            except ssl.SSLZeroReturnError:  # the same, once we have ended our direction
                self.ended = "close_notify"
            except ssl.SSLError as error:
                self.ended = self.ended or ("alert" if "ALERT" in (error.reason or "") else "eof")
        return b""

    def receive_exactly(self, count):
        parts = bytearray()
        while len(parts) < count:
            part = self.receive(count - len(parts))
            assert part, f"ended ({self.ended}) after {len(parts)} of {count} bytes"
            parts += part
        return bytes(parts)

    def receive_all(self):
        return b"".join(iter(self.receive, b""))

    def receive_raw(self):
        """What comes on the wire, undecrypted, until its end."""
        try:
            return b"".join(iter(lambda: self.socket.recv(65536), b""))
        except ConnectionResetError:
            return b""

    def end(self):
        """Our close_notify and FIN; we can still receive."""
        try:
            self.tls.unwrap()
        except (ssl.SSLWantReadError, ssl.SSLError):
            pass
        self.flush()
        self.socket.shutdown(socket.SHUT_WR)

    def vanish(self):
        """FIN without close_notify: a truncation."""
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self):
        reset(self.socket)

    def _fill(self):
        """Takes what has arrived into the engine. None at the end of the TCP stream."""
        try:
            data = self.socket.recv(262144)
        except ConnectionResetError:
            self.ended = "reset"
            return None
        if not data:
            self._in.write_eof()
            self.ended = self.ended or "eof"
            return None
        self._in.write(data)
        return data

    def exchange(self, chunks, received, seconds=50):
        """Sends every chunk while it gives `received(bytes)` whatever comes, until it returns true. One thread: a TLS
        engine of Python's is not safe in two."""
        limit = time.monotonic() + seconds
        chunks, waiting, done = iter(chunks), b"", False
        self.socket.setblocking(False)
        while not done:
            assert time.monotonic() < limit, "the exchange takes too long"
            if not waiting:
                chunk = next(chunks, None)
                if chunk is not None:
                    self.tls.write(chunk)
                    waiting = self._out.read()
            readable, writable, _ = select.select([self.socket], [self.socket] if waiting else [], [], 5)
            if writable:
                waiting = waiting[self.socket.send(waiting) :]
            if readable:
                done = self._take_all(received)
        self.socket.settimeout(self.timeout)

    def _take_all(self, received):
        try:
            self._fill()
        except BlockingIOError:
            return False
        while True:
            try:
                if received(self.tls.read(262144)):
                    return True
            except ssl.SSLWantReadError:
                assert not self.ended, f"ended ({self.ended}) in the middle"
                return False


def ended_without_handshake(address, sent=b"", timeout=15):
    """Sends raw bytes and returns (everything received, how it ended: "eof" or "reset")."""
    with socket.create_connection(address, timeout=timeout) as connection:
        received = b""
        try:
            connection.sendall(sent)
            while part := connection.recv(65536):
                received += part
            return received, "eof"
        except (ConnectionResetError, BrokenPipeError):
            return received, "reset"
