"""An HTTP/2 client of python-h2's, one connection, one thread: says what a test orders, lawful or not."""

import struct
from dataclasses import dataclass, field

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings

from support.tls_client import TlsClient, client_context

WINDOW_MAX = (1 << 31) - 1
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, END_HEADERS = 0x1, 0x4
NO_ERROR, PROTOCOL_ERROR, CANCEL, HTTP_1_1_REQUIRED = 0x0, 0x1, 0x8, 0xD


def frame(kind, payload=b"", flags=0, stream=0):
    """The bytes of one, whatever is in it."""
    return struct.pack("!I", len(payload))[1:] + struct.pack("!BBI", kind, flags, stream) + payload


@dataclass
class Stream:
    """What came of one: `ended` is "end", or "reset" with its code."""

    number: int
    fields: list = field(default_factory=list)
    trailers: list = field(default_factory=list)
    interim: list = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)
    unacknowledged: int = 0
    ended: str | None = None
    reset: int | None = None

    @property
    def status(self):
        return int(self.value(b":status") or 0)

    def value(self, name):
        return next((value for found, value in self.fields if found == name), None)


class H2Client(TlsClient):
    """Acknowledges data as it comes; but not of `held` streams."""

    def __init__(self, address, ca, settings=None, **options):
        context = client_context(ca)
        context.set_alpn_protocols(["h2", "http/1.1"])
        super().__init__(address, context, **options)
        try:
            self.handshake()
            assert self.tls.selected_alpn_protocol() == "h2"
        except BaseException:
            self.socket.close()
            raise
        self._partial = bytearray()
        self.streams, self.held, self.goaway, self.pings, self.upgrades = {}, set(), None, 0, None
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(
            client_side=True, header_encoding=None, validate_outbound_headers=False, normalize_outbound_headers=False))
        if settings:
            self.h2.local_settings.update(settings)
        self.h2.initiate_connection()
        self.h2.increment_flow_control_window(WINDOW_MAX - 65535)
        self.tell()

    def tell(self):
        """Sends what h2 has to say."""
        if data := self.h2.data_to_send():
            self.send(data)

    def request(self, method="GET", path="/", fields=(), end=True, authority="localhost"):
        """Its head alone; `end`: there is no body."""
        number = self.h2.get_next_available_stream_id()
        head = [(b":method", method.encode()), (b":scheme", b"https"), (b":path", path.encode())]
        return self.open(number, [*head, (b":authority", authority.encode()), *fields], end)

    def open(self, number, fields, end=True):
        self.streams[number] = Stream(number)
        self.h2.send_headers(number, fields, end_stream=end)
        self.tell()
        return self.streams[number]

    def send_body(self, stream, pieces, end=True):
        """As the windows allow: takes what comes meanwhile."""
        for piece in pieces:
            while piece and not stream.ended:
                room = min(self.h2.local_flow_control_window(stream.number), self.h2.max_outbound_frame_size)
                if room <= 0:
                    self.take()
                    continue
                self.h2.send_data(stream.number, piece[:room])
                piece = piece[room:]
                self.tell()
        if end and not stream.ended:
            self.h2.end_stream(stream.number)
            self.tell()

    def take(self):
        """What comes next. False at the connection's end."""
        data = self.receive(262144)
        if not data:
            for stream in self.streams.values():
                stream.ended = stream.ended or "connection"
            return False
        for each in self._whole_frames(data):
            for event in self.h2.receive_data(each):
                self._note(event)
            self.tell()  # now: a GOAWAY makes h2 forget what it has not said
        return True

    def _whole_frames(self, data):
        self._partial += data
        while len(self._partial) >= 9 and len(self._partial) >= (size := 9 + int.from_bytes(self._partial[:3], "big")):
            yield bytes(self._partial[:size])
            del self._partial[:size]

    def take_until(self, claim):
        while not claim():
            assert self.take(), f"ended: {self.ended}, GOAWAY {self.goaway}"

    def response(self, stream):
        self.take_until(lambda: stream.ended)
        return stream

    def get(self, path="/", fields=()):
        return self.response(self.request("GET", path, fields))

    def take_all(self):
        """Until the connection ends; returns the code of the GOAWAY."""
        try:
            while self.take():
                pass
        except h2.exceptions.ProtocolError:
            pass
        return self.goaway

    def release(self, stream):
        """Gives the window back that was held."""
        self.held.discard(stream.number)
        if stream.unacknowledged:
            self.h2.acknowledge_received_data(stream.unacknowledged, stream.number)
            stream.unacknowledged = 0
        self.tell()

    def _note(self, event):
        stream = self.streams.get(getattr(event, "stream_id", None))
        if isinstance(event, h2.events.ConnectionTerminated):
            self.goaway = int(event.error_code)
            # What runs may end (RFC 9113 §6.8); h2 would hear no more of it.
            self.h2.state_machine.state = h2.connection.ConnectionState.CLIENT_OPEN
        elif isinstance(event, h2.events.PingAckReceived):
            self.pings += 1
        elif isinstance(event, h2.events.RemoteSettingsChanged):
            changed = event.changed_settings.get(h2.settings.SettingCodes.ENABLE_CONNECT_PROTOCOL)
            self.upgrades = changed.new_value if changed else self.upgrades
        elif isinstance(event, h2.events.ResponseReceived):
            stream.fields = list(event.headers)
        elif isinstance(event, h2.events.InformationalResponseReceived):
            stream.interim.append(int(dict(event.headers)[b":status"]))
        elif isinstance(event, h2.events.TrailersReceived):
            stream.trailers = list(event.headers)
        elif isinstance(event, h2.events.DataReceived):
            stream.body += event.data
            stream.unacknowledged += event.flow_controlled_length
            if stream.number not in self.held and not stream.ended:
                self.release(stream)
        elif isinstance(event, h2.events.StreamEnded):
            stream.ended = "end"
        elif isinstance(event, h2.events.StreamReset):
            stream.ended, stream.reset = "reset", int(event.error_code)
