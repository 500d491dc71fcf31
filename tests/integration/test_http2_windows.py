"""limits.http2: how much of a body may be on its way, to us from clients and from apps."""

import h2.config
import h2.connection
import h2.events
import pytest

from support.apps import App
from support.h2_client import H2Client
from support.http_peers import ok, serve_requests
from support.payload import chunks
from support.waiting import until

KIB, MIB = 1 << 10, 1 << 20
WINDOWS = [(None, 256 * KIB, MIB), ({"stream_window": "64KiB", "connection_window": "64KiB"}, 64 * KIB, 64 * KIB),
           ({"stream_window": "2MiB", "connection_window": "3MiB"}, 2 * MIB, 3 * MIB)]


def limits(changes):
    return {"limits": {"http2": changes}} if changes else {}


@pytest.mark.parametrize(("changes", "stream", "connection"), WINDOWS)
def test_a_client_may_send_so_much(serve_http, changes, stream, connection):
    # Goal: both keys reach the wire, with their defaults. Method: what python-h2 makes of our SETTINGS and WINDOW_UPDATE;
    # then an upload that is larger passes.
    with App(serve_requests(ok)) as app:
        site = serve_http(app.address, **limits(changes))
        with H2Client(site.address, site.ca) as client:
            client.take_until(lambda: client.h2.outbound_flow_control_window == connection)
            assert client.h2.remote_settings.initial_window_size == stream
            upload = client.request("POST", "/", end=False)
            client.send_body(upload, chunks(4 * MIB))
            assert client.response(upload).body == b"ok"


class H2App:
    """For `App`: answers every request by the windows that it was given, but /endless with what they have room for."""

    def __init__(self):
        self.sent = 0  # of endless bodies

    def __call__(self, connection):
        h2_side = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding=None))
        h2_side.initiate_connection()
        connection.sendall(h2_side.data_to_send())
        endless = []
        while data := connection.recv(65536):
            for event in h2_side.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    path = dict(event.headers)[b":path"]
                    endless += self._answer(h2_side, event.stream_id, path)
            for stream in endless:
                self._fill(h2_side, stream)
            connection.sendall(h2_side.data_to_send())

    @staticmethod
    def _answer(h2_side, stream, path):
        h2_side.send_headers(stream, [(":status", "200")])
        if path == b"/endless":
            return [stream]
        said = f"{h2_side.remote_settings.initial_window_size} {h2_side.outbound_flow_control_window}".encode()
        h2_side.send_data(stream, said, end_stream=True)
        return []

    def _fill(self, h2_side, stream):
        while room := min(h2_side.local_flow_control_window(stream), h2_side.max_outbound_frame_size):
            h2_side.send_data(stream, bytes(room))
            self.sent += room


@pytest.mark.parametrize(("changes", "stream", "connection"), WINDOWS)
def test_an_app_may_send_so_much(serve_http, changes, stream, connection):
    # Goal: the same towards h2c, where each of a hundred bodies has its window. Method: the app answers by what it was
    # told.
    with App(H2App()) as app:
        site = serve_http(f"h2c://{app.address}", **limits(changes))
        with site.client() as client:
            assert client.get().body == f"{stream} {max(connection, 100 * stream)}".encode()


def test_clients_that_read_nothing_do_not_keep_an_app_from_others(serve_http):
    # Goal: who shares a connection to an app with slow readers gets its answer. Method: eight streams whose windows
    # stay closed; when the app has filled all that is held for each of them, another client asks.
    endless = H2App()
    with App(endless) as app:
        site = serve_http(f"h2c://{app.address}")
        with H2Client(site.address, site.ca) as slow, site.client() as other:
            for _ in range(8):
                slow.held.add(slow.request("GET", "/endless").number)
            slow.take_until(lambda: sum(len(stream.body) for stream in slow.streams.values()) == 8 * 65535)
            until(lambda: endless.sent >= 8 * 256 * KIB, 10, "all windows are full")
            assert other.get().status == 200
