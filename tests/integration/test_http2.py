"""HTTP/2 from the client to an app of HTTP/1.1: streams, flow control, trailers, ends."""

import base64
import hashlib
import json
import socket
import threading
import time

import h2.settings
import pytest

from support.apps import App
from support.faulty_app import LIMITS, FaultyApp, Watched, sends, waits_for_the_end
from support.h2_client import CANCEL, NO_ERROR, WINDOW_MAX, H2Client
from support.http_peers import OK, ok, serve_requests, values_in
from support.payload import chunks, content, digest_of
from support.real_app import RealApp
from support.scale import scaled
from support.waiting import settles, until

MIB = 1 << 20
INITIAL_WINDOW = h2.settings.SettingCodes.INITIAL_WINDOW_SIZE


@pytest.fixture(scope="module")
def uvicorn():
    with RealApp("uvicorn") as app:
        yield app


def connect(site, settings=None, **options):
    return H2Client(site.address, site.ca, settings, **options)


def test_streams_share_a_connection_and_overtake_each_other(serve_http):
    # Goal: a slow answer holds no other one up. Method: /bad never answers; 50 others do, before it.
    with FaultyApp(waits_for_the_end) as app:
        site = serve_http(app.address)
        with connect(site) as client:
            slow = client.request("GET", "/bad")
            others = [client.request("GET", "/good") for _ in range(50)]
            assert [bytes(client.response(stream).body) for stream in others] == [b"ok"] * 50
            assert slow.ended is None


def test_the_app_sees_a_request_of_http_1_1(serve_http):
    # Goal: a translation without a trace. Method: the head that arrives: Host from :authority, one Cookie of several,
    # no pseudo-field, no field of HTTP/2's own.
    seen = []

    def answer(request):
        seen.append(request)
        return ok(request)

    with App(serve_requests(answer)) as app:
        site = serve_http(app.address)
        with connect(site) as client:
            fields = [(b"cookie", b"a=1"), (b"cookie", b"b=2"), (b"te", b"trailers"), (b"x-one", b"1"), (b"x-two", b"")]
            assert client.get("/a?b=c", fields).status == 200
    request = seen[0]
    assert request.head.startswith(b"GET /a?b=c HTTP/1.1\r\n")
    assert request.values(b"Host") == [b"localhost"] and request.values(b"Cookie") == [b"a=1; b=2"]
    assert (request.values(b"x-one"), request.values(b"x-two")) == ([b"1"], [b""])
    assert b"\r\n:" not in request.head and request.values(b"X-Forwarded-Proto") == [b"https"]


@pytest.mark.parametrize("told", [True, False], ids=["with a length", "without"])
def test_uploads_and_downloads_pass_whole(serve_http, uvicorn, told):
    # Goal: bodies both ways, larger than every window. Method: size and SHA-256 by the app; several at once.
    size = scaled(32, 8) * MIB
    site = serve_http(uvicorn.address)
    with connect(site, timeout=50) as client:
        downloads = [client.request("GET", f"/{path}/{size}") for path in ("bytes", "stream")]
        fields = [(b"content-length", b"%d" % size)] if told else []
        upload = client.request("POST", "/digest", fields, end=False)
        client.send_body(upload, chunks(size))
        assert json.loads(bytes(client.response(upload).body)) == {"sha256": digest_of(chunks(size)), "size": size}
        for stream in downloads:
            assert client.response(stream).body == content(size)


@pytest.mark.parametrize("size", [0, 1, 16_383, 16_384, 16_385, 65_535, 65_536])
def test_bodies_around_the_sizes_of_frames_and_windows_pass(serve_http, uvicorn, size):
    # Goal: no border is special. Method: up, and down, in frames of random size.
    site = serve_http(uvicorn.address)
    with connect(site) as client:
        upload = client.request("POST", "/digest", end=False)
        client.send_body(upload, chunks(size))
        assert json.loads(bytes(client.response(upload).body)) == {"sha256": digest_of(chunks(size)), "size": size}
        assert client.get(f"/stream/{size}").body == content(size)


def test_a_stream_that_is_not_read_holds_its_app_back_and_no_other(serve_http):
    # Goal: flow control end to end. Method: the app sends 64 MiB, the client takes none of it: the app stands still,
    # another stream passes, and then all of it comes.
    size, sent = 64 * MIB, [0]

    def fault(connection, incoming):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        for piece in chunks(size):
            connection.sendall(piece)
            sent[0] += len(piece)
        return "sent"

    with FaultyApp(fault) as app:
        site = serve_http(app.address)
        worker = site.sallyport.worker()
        with connect(site, {INITIAL_WINDOW: 65_535}, timeout=50) as client:
            at_rest = worker.resident_bytes()
            slow = client.request("GET", "/bad")
            client.held.add(slow.number)
            client.take_until(lambda: len(slow.body) >= 65_535)
            settles(lambda: sent[0], 0.3)
            assert sent[0] < 24 * MIB and worker.resident_bytes() - at_rest < scaled(16, 256) * MIB
            assert client.get("/good").body == b"ok" and len(slow.body) == 65_535
            client.release(slow)
            assert client.response(slow).body == content(size)


def test_an_upload_is_held_back_by_an_app_that_does_not_read(serve_http):
    # Goal: the window is the app's pace. Method: an app that reads nothing: the client can send a little, then no
    # more; the other streams of the connection can.
    with FaultyApp(waits_a_while) as app:
        site = serve_http(app.address)
        with connect(site) as client:
            slow = client.request("POST", "/bad", end=False)
            sent = 0
            limit = time.monotonic() + 2
            client.socket.settimeout(0.3)
            while time.monotonic() < limit:
                room = min(client.h2.local_flow_control_window(slow.number), 16_384)
                if room:
                    client.h2.send_data(slow.number, b"x" * room)
                    sent += room
                    client.tell()
                else:
                    try:
                        client.take()
                    except TimeoutError:
                        pass
            client.socket.settimeout(15)
            assert 0 < sent < 24 * MIB
            assert client.get("/good").body == b"ok"


def waits_a_while(connection, incoming):
    time.sleep(4)


def test_trailers_pass_in_both_directions(serve_http):
    # Goal: RFC 9110 §6.5. Method: a request with them in HTTP/2, chunks with them at the app; and the way back.
    seen = []

    def answer(request):
        seen.append(request)
        return (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-After\r\n\r\n"
                b"2\r\nok\r\n0\r\nX-After: word\r\n\r\n")

    with App(serve_requests(answer)) as app:
        site = serve_http(app.address)
        with connect(site) as client:
            stream = client.request("POST", "/", [(b"te", b"trailers"), (b"trailer", b"x-before")], end=False)
            client.send_body(stream, [b"body"], end=False)
            client.h2.send_headers(stream.number, [(b"x-before", b"said")], end_stream=True)
            client.tell()
            response = client.response(stream)
    assert (response.body, response.trailers) == (b"ok", [(b"x-after", b"word")])
    assert seen[0].body == b"body" and seen[0].trailers.lower() == b"x-before: said\r\n"


def test_interim_responses_and_100_continue_pass(serve_http):
    # Goal: 1xx before the answer. Method: the app sends a 103; and a 100 to who asks for one.
    def fault(connection, incoming):
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = incoming.take(4) if b"content-length" in app.seen[-1].lower() else incoming.take(14)
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK)
        return body

    with FaultyApp(fault) as app:
        site = serve_http(app.address)
        with connect(site) as client:
            fields = [(b"expect", b"100-continue"), (b"content-length", b"4")]
            stream = client.request("POST", "/bad", fields, end=False)
            client.take_until(lambda: stream.interim == [100])
            client.send_body(stream, [b"body"])
            assert client.response(stream).body == b"ok" and stream.interim == [100, 103]


def test_responses_without_a_body_end_with_their_head(serve_http, uvicorn):
    # Goal: HEAD, 204 and 304. Method: FastAPI's own.
    site = serve_http(uvicorn.address)
    with connect(site) as client:
        head = client.response(client.request("HEAD", "/bytes/1000"))
        assert (head.status, head.value(b"content-length"), head.body) == (200, b"1000", b"")
        assert client.get("/nothing").status == 204
        assert client.get("/same", [(b"if-none-match", b'"7766"')]).status == 304


def test_a_cancelled_stream_ends_its_exchange_and_no_other(serve_http):
    # Goal: RST_STREAM reaches the app at once. Method: three of four streams cancelled; the app's side of them ends.
    with FaultyApp(waits_for_the_end) as app:
        site = serve_http(app.address)
        with connect(site) as client:
            streams = [client.request("GET", "/bad") for _ in range(4)]
            until(lambda: len(app.seen) == 4, 5)
            for stream in streams[:3]:
                client.h2.reset_stream(stream.number, CANCEL)
            client.tell()
            assert len(app.ends_of_faults(3)) == 3
            assert client.get("/good").body == b"ok" and streams[3].ended is None


@pytest.mark.parametrize("way", ["end", "vanish"])
def test_the_app_is_told_at_once_of_a_client_that_ends_while_it_takes_nothing(serve_http, way):
    # Goal: no app works for nobody. Method: a client that reads nothing of an endless answer, until the app stands
    # still, and then says that it is done: nothing is written to it meanwhile that could fail.
    sent = [0]

    def fault(connection, incoming):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while True:
            sent[0] += connection.send(b"x" * 65536)

    with FaultyApp(fault) as app:
        site = serve_http(app.address)
        with connect(site, {INITIAL_WINDOW: WINDOW_MAX}) as client:
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.request("GET", "/bad")
            until(lambda: sent[0], 5)
            settles(lambda: sent[0], 0.3)
            getattr(client, way)()
            app.ends_of_faults(1)
            assert site.exchanges(target="/bad")[0]["reason"] == "client_left"


@pytest.mark.parametrize("fault, told", [
    pytest.param(sends(), 502, id="closes"),
    pytest.param(sends(b"SSH-2.0-OpenSSH\r\n\r\n"), 502, id="speaks something else"),
    pytest.param(waits_for_the_end, 504, id="says nothing"),
    pytest.param(sends(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"), "reset", id="truncates"),
    pytest.param(sends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"), "reset",
                 id="truncates chunks"),
])
def test_one_stream_is_told_of_its_app_that(fault, told, serve_http):
    # Goal: the same honesty as in HTTP/1.1: a status, or RST_STREAM, never an end of stream. Method: the row; then
    # another stream.
    with FaultyApp(fault) as app:
        site = serve_http(app.address, limits={"http": {"response_timeout": "1s"}})
        with connect(site) as client:
            stream = client.get("/bad")
            if told == "reset":
                assert (stream.status, stream.ended) == (200, "reset") and stream.reset != NO_ERROR
            else:
                assert (stream.status, stream.ended) == (told, "end")
            assert client.get("/good").body == b"ok"


def test_a_connection_is_told_before_it_is_drained(serve_http):
    # Goal: GOAWAY first, then what runs may end. Method: SIGTERM in the middle of an exchange: it ends well, and the
    # connection with NO_ERROR.
    with FaultyApp(sends(b"", OK, pause=0.7)) as app:
        site = serve_http(app.address)
        with connect(site) as client:
            stream = client.request("GET", "/bad")
            until(lambda: app.seen, 5)
            stopping = threading.Thread(target=site.sallyport.stop)
            stopping.start()
            assert client.response(stream).body == b"ok"
            assert client.take_all() == NO_ERROR and client.ended == "close_notify"
            stopping.join(20)


def test_a_client_that_is_deaf_to_a_drain_is_told_the_end_nonetheless(serve_http):
    # Goal: nobody holds up a drain, nor is cut without need. Method: an idle connection that answers nothing any more.
    with App(serve_requests(ok)) as app:
        site = serve_http(app.address)
        with connect(site) as client:
            assert client.get().body == b"ok"
            stopping = threading.Thread(target=site.sallyport.stop)
            stopping.start()
            client.receive_all()
            assert client.ended == "close_notify"
            stopping.join(20)


SMALL = sends(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n" + b"x" * 60_000)


def test_a_client_that_takes_none_of_many_small_responses_is_let_go(serve_http):
    # Goal: nor does it keep its connection when its exchanges have ended. Method: a hundred responses, each small enough
    # to wait for the client without its app, all of them more than its socket takes.
    limits = LIMITS | {"http": LIMITS["http"] | {"response_timeout": "10s"}}  # the app has a hundred to answer
    with FaultyApp(SMALL) as app:
        watched = Watched(serve_http(app.address, limits=limits))
        with connect(watched.site, {INITIAL_WINDOW: WINDOW_MAX}) as client:
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            for _ in range(100):
                client.request("GET", "/bad")
            watched.site.exchanges(100, target="/bad", status=200)
            watched.assert_nothing_is_left()


def test_a_client_that_takes_the_rest_slowly_gets_all_of_it_before_the_end(serve_http):
    # Goal: a drain cuts short nobody who goes on. Method: the exchange ends as its app sees it; SIGTERM; then the client
    # opens its window, a part at a time, for longer than an idle one is waited for.
    with FaultyApp(SMALL) as app:
        site = serve_http(app.address)
        with connect(site) as client:
            client.h2.update_settings({INITIAL_WINDOW: 10_000})
            client.tell()
            client.take_until(lambda: client.h2.local_settings.initial_window_size == 10_000)
            stream = client.request("GET", "/bad")
            client.held.add(stream.number)
            client.take_until(lambda: len(stream.body) == 10_000)
            site.exchanges(target="/bad", status=200)
            stopping = threading.Thread(target=site.sallyport.stop)
            stopping.start()
            client.take_until(lambda: client.goaway is not None)
            for size in range(20_000, 70_000, 10_000):
                time.sleep(0.7)
                client.h2.increment_flow_control_window(10_000, stream.number)
                client.tell()
                client.take_until(lambda: len(stream.body) == size)
            client.take_until(lambda: stream.ended)
            assert stream.ended == "end" and client.take_all() == NO_ERROR and client.ended == "close_notify"
            stopping.join(20)


def test_http_1_1_is_spoken_to_who_asks_for_it(serve_http):
    # Goal: ALPN decides. Method: both offered in each order, one alone, none.
    with App(serve_requests(ok)) as app:
        site = serve_http(app.address)
        for offered, chosen in ((["h2", "http/1.1"], "h2"), (["http/1.1", "h2"], "h2"), (["http/1.1"], "http/1.1"),
                                (["h2"], "h2"), (None, None)):
            with site.client(alpn=offered) as client:
                assert client.tls.selected_alpn_protocol() == chosen
                if chosen != "h2":
                    assert client.get().status == 200


EXTENDED_CONNECT = [(b":method", b"CONNECT"), (b":protocol", b"websocket"), (b":scheme", b"https"), (b":path", b"/bad"),
                    (b":authority", b"localhost"), (b"sec-websocket-version", b"13")]


def test_a_web_socket_is_tunnelled_through_a_stream(serve_http):
    # Goal: RFC 8441. Method: an extended CONNECT becomes an upgrade for the app; bytes pass both ways, and its end
    # ends the stream; other streams share the connection.
    def fault(connection, incoming):
        (key,) = values_in(app.seen[-1], b"Sec-WebSocket-Key")
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                           b"Sec-WebSocket-Accept: %s\r\n\r\n" % accept)
        while data := incoming.some():
            connection.sendall(data)
        return "echoed"

    with FaultyApp(fault) as app:
        site = serve_http(app.address)
        with connect(site) as client:
            client.take_until(lambda: client.upgrades == 1)
            stream = client.open(1, EXTENDED_CONNECT, end=False)
            client.take_until(lambda: stream.fields)
            assert stream.status == 200
            client.send_body(stream, chunks(MIB), end=False)
            client.take_until(lambda: len(stream.body) == MIB)
            assert client.get("/good").body == b"ok"
            client.send_body(stream, [])
            assert client.response(stream).body == content(MIB) and stream.ended == "end"
        head = next(head for head in app.seen if b"/bad" in head).lower()
        assert b"get /bad http/1.1\r\n" in head and b"upgrade: websocket\r\n" in head and b"sec-websocket-key: " in head


def test_a_page_in_place_of_a_web_socket_is_a_502_of_our_own(serve_http):
    # Goal: RFC 8441 5: a 2xx would be the tunnel, so none is sent; nor is the page as something else. Method: the app
    # answers the upgrade by 200 with a field and a body; what the client got, and what the log says.
    page = sends(b"HTTP/1.1 200 OK\r\nX-App: here\r\nContent-Length: 4\r\n\r\npage")
    with FaultyApp(page) as app:
        site = serve_http(app.address)
        with connect(site) as client:
            client.take_until(lambda: client.upgrades == 1)
            stream = client.open(1, EXTENDED_CONNECT, end=False)
            client.response(stream)
            assert (stream.status, stream.value(b"x-app")) == (502, None) and b"page" not in stream.body
            assert client.get("/good").body == b"ok"
        (line,) = site.exchanges(target="/bad")
        assert (line["status"], line["reason"]) == (502, "app_malformed")
