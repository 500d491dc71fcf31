"""HTTP/1.1 at its two ends, byte for byte: the app's side of a connection, and a client that reads strictly."""

from dataclasses import dataclass, field

import h11

from support.tls_client import TlsClient, client_context

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Incomplete(Exception):
    """The peer ended, as `how` says, within a message of which this much had come."""

    def __init__(self, so_far, how):
        super().__init__(f"ended ({how}) after {bytes(so_far)!r}")
        self.so_far, self.how = bytes(so_far), how


@dataclass(frozen=True)
class Request:
    wire: bytes  # all of it, as it came
    head: bytes
    body: bytes
    trailers: bytes

    @property
    def method(self):
        return self.head.split(b" ", 1)[0]

    @property
    def target(self):
        return self.head.split(b" ", 2)[1]

    def values(self, name):
        return values_in(self.head, name)


def values_in(head, name):
    """What the lines of this name say."""
    lines = (line.partition(b":") for line in head.split(b"\r\n")[1:])
    return [value.strip() for found, _, value in lines if found.lower() == name.lower()]


class Incoming:
    """The app's side of a connection: takes what comes, and never more than it understands."""

    def __init__(self, connection):
        self.connection, self._buffer = connection, bytearray()
        self._message = bytearray()  # what was taken of the present one

    def _fill(self):
        try:
            data = self.connection.recv(262144)
        except ConnectionResetError:
            raise Incomplete(self._message + self._buffer, "reset") from None
        if not data:
            raise Incomplete(self._message + self._buffer, "eof")
        self._buffer += data

    def take(self, count):
        while len(self._buffer) < count:
            self._fill()
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        self._message += taken
        return taken

    def take_line(self, end=b"\r\n"):
        while (at := self._buffer.find(end)) < 0:
            self._fill()
        return self.take(at + len(end))

    def some(self):
        """What comes next, without any reading of it; nothing at the end."""
        taken = bytes(self._buffer)
        self._buffer.clear()
        return taken or self.connection.recv(262144)

    def head(self):
        self._message.clear()
        return self.take_line(end=b"\r\n\r\n")

    def request(self, before_body=lambda head: None):
        """The next one, or None if the connection ends in good order instead."""
        try:
            head = self.head()
        except Incomplete as ended:
            if ended.so_far or ended.how != "eof":
                raise
            return None
        before_body(head)
        if values_in(head, b"Transfer-Encoding"):
            body, trailers = self._chunks()
        else:
            body, trailers = self.take(sum(map(int, values_in(head, b"Content-Length")))), b""
        return Request(bytes(self._message), head, body, trailers)

    def _chunks(self):
        body, trailers = bytearray(), bytearray()
        while size := int(self.take_line(), 16):
            data = self.take(size + 2)
            assert data.endswith(b"\r\n"), data
            body += data[:-2]
        while (line := self.take_line()) != b"\r\n":
            trailers += line
        return bytes(body), bytes(trailers)


def serve_requests(answer):
    """For `App`: serves each request of a connection with `answer(request)`, the bytes of a response. A 100 is sent
    when it is asked for. What comes out is how many there were."""

    def serve(connection):
        incoming, count = Incoming(connection), 0

        def before_body(head):
            if values_in(head, b"Expect"):
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

        while (request := incoming.request(before_body)) is not None:
            connection.sendall(answer(request))
            count += 1
        return count

    return serve


def ok(request):
    """200 with a body of two bytes, where there is one."""
    return OK if request.method != b"HEAD" else OK[:-2]


@dataclass
class Response:
    status: int
    fields: list
    body: bytes
    interim: list = field(default_factory=list)  # status of each response that came before
    trailers: list = field(default_factory=list)
    complete: bool = True

    def values(self, name):
        return [value for found, value in self.fields if found == name.lower()]

    def value(self, name):
        """Of the one field of this name; None without it."""
        found = self.values(name)
        assert len(found) <= 1, (name, found)
        return found[0] if found else None


class HttpClient(TlsClient):
    """One connection to Sallyport whose responses h11 reads, which takes no liberty. Ends as TlsClient does."""

    def __init__(self, address, ca, alpn=("http/1.1",), **options):
        context = client_context(ca)
        if alpn:
            context.set_alpn_protocols(list(alpn))
        super().__init__(address, context, **options)
        self._left = b""
        try:
            self.handshake()
        except BaseException:
            self.socket.close()
            raise

    def ask(self, message, method="GET"):
        self.send(message)
        return self.response(method)

    def get(self, target="/", host="localhost", fields=""):
        return self.ask(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n".encode())

    def response(self, method="GET"):
        """The next one, after any interim ones. None if the connection ends before its first byte."""
        reader = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)
        reader.send(h11.Request(method=method, target="/", headers=[("Host", "a")]))
        reader.send(h11.EndOfMessage())
        interim, read, body, any_byte = [], None, bytearray(), bool(self._left)
        if self._left:
            reader.receive_data(self._left)
            self._left = b""
        while True:
            try:
                event = reader.next_event()
            except h11.RemoteProtocolError as error:
                if not self.ended:
                    raise AssertionError(f"no HTTP/1.1: {error}") from None
                if not read:
                    return None
                return Response(read.status_code, list(read.headers), bytes(body), interim, complete=False)
            if event is h11.NEED_DATA:
                data = self.receive(262144)
                any_byte = any_byte or bool(data)
                if not data and not any_byte:
                    return None
                reader.receive_data(data)
            elif isinstance(event, h11.InformationalResponse):
                interim.append(event.status_code)
            elif isinstance(event, h11.Response):
                read = event
            elif isinstance(event, h11.Data):
                body += event.data
            else:
                assert isinstance(event, h11.EndOfMessage), event
                self._left = reader.trailing_data[0]
                return Response(read.status_code, list(read.headers), bytes(body), interim, list(event.headers))

    def is_at_its_end(self):
        """Nothing more comes but the end, and it comes."""
        return not self._left and self.receive() == b""

    def is_refused(self):
        """A byte more, and nobody takes it."""
        try:
            self.send(b"x")
        except OSError:
            return True
        return False
