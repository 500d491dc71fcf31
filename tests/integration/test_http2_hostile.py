"""HTTP/2 that breaks its rules, or floods us: nothing of it reaches the app, and the others are served."""


import pytest

from support.apps import App
from support.faulty_app import FaultyApp, sends, waits_for_the_end
from support.h2_client import (CANCEL, CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, HTTP_1_1_REQUIRED,
                               NO_ERROR, PING, PRIORITY, PROTOCOL_ERROR, RST_STREAM, SETTINGS, H2Client, frame)
from support.http_peers import ok, serve_requests
from support.scale import scaled
from support.waiting import stays, until

MIB = 1 << 20


def connect(site, settings=None, **options):
    return H2Client(site.address, site.ca, settings, **options)


def malformed(*fields, without=()):
    head = [(b":method", b"GET"), (b":scheme", b"https"), (b":path", b"/"), (b":authority", b"localhost")]
    return [pair for pair in head if pair[0] not in without] + list(fields)


MALFORMED = {
    "without a method": malformed(without=[b":method"]),
    "without a scheme": malformed(without=[b":scheme"]),
    "without a path": malformed(without=[b":path"]),
    "with an empty path": malformed((b":path", b""), without=[b":path"]),
    "with two methods": malformed((b":method", b"POST")),
    "with an unknown pseudo-field": malformed((b":other", b"x")),
    "with a pseudo-field behind a field": [*malformed(without=[b":path"]), (b"a", b"b"), (b":path", b"/")],
    "with a response's pseudo-field": malformed((b":status", b"200")),
    "with Connection": malformed((b"connection", b"close")),
    "with Transfer-Encoding": malformed((b"transfer-encoding", b"chunked")),
    "with Upgrade": malformed((b"upgrade", b"websocket")),
    "with another TE than trailers": malformed((b"te", b"gzip")),
    "with a name in capitals": malformed((b"Capital", b"x")),
    "with a name with a blank": malformed((b"a b", b"x")),
    "with an empty name": malformed((b"", b"x")),
    "with a line feed in a value": malformed((b"a", b"b\ninjected: yes")),
    "with CR LF in a value": malformed((b"a", b"b\r\ninjected: yes")),
    "with a NUL in a value": malformed((b"a", b"b\0c")),
    "with CR LF in the path": malformed((b":path", b"/ HTTP/1.1\r\ninjected: yes"), without=[b":path"]),
    "with a blank in the path": malformed((b":path", b"/a b"), without=[b":path"]),
    "with CR LF in the authority": malformed((b":authority", b"a\r\ninjected: yes"), without=[b":authority"]),
    "with a blank in the method": malformed((b":method", b"GET / HTTP/1.1"), without=[b":method"]),
    "with Host that differs": malformed((b"host", b"other.example")),
    "with two lengths": malformed((b"content-length", b"1"), (b"content-length", b"2")),
    "with a length that is none": malformed((b"content-length", b"+1")),
    "with CONNECT": malformed((b":method", b"CONNECT"), without=[b":method"]),
}


@pytest.mark.parametrize("what", MALFORMED)
def test_a_malformed_request_never_reaches_the_app(serve_http, what):
    # Goal: no request splitting by way of HTTP/2 (RFC 9113 §8.1.1, §8.2, §8.3). Method: the row: a stream error or a
    # 4xx; the app sees nothing, and the connection serves on or ends with PROTOCOL_ERROR.
    with FaultyApp(sends()) as app:
        site = serve_http(app.address)
        with connect(site) as client:
            stream = client.open(1, MALFORMED[what])
            while stream.ended is None and client.take():
                pass
            if stream.ended == "end":
                assert stream.status in (400, 501), stream.status
            elif stream.ended == "reset":
                assert stream.reset in (PROTOCOL_ERROR, HTTP_1_1_REQUIRED)
            else:
                assert client.goaway not in (None, NO_ERROR)
            assert app.seen == []
        with connect(site) as client:
            assert client.get("/good").body == b"ok"


@pytest.mark.parametrize("sent, told", [(b"short", 10), (b"too long", 3)], ids=["shorter", "longer"])
def test_a_body_is_as_long_as_it_says(serve_http, sent, told):
    # Goal: RFC 9113 §8.1.1. Method: less and more than content-length: the stream is reset, no whole request for the
    # app.
    whole = []

    def fault(connection, incoming):
        whole.append(incoming.take(told))

    with FaultyApp(fault) as app:
        site = serve_http(app.address)
        with connect(site) as client:
            stream = client.request("POST", "/bad", [(b"content-length", b"%d" % told)], end=False)
            client.send_body(stream, [sent])
            client.response(stream)
            assert stream.ended == "reset" or stream.status == 400
            assert client.get("/good").body == b"ok"
        assert not whole or len(whole[0]) == told and sent.startswith(whole[0])


def rapid_resets(client):
    """CVE-2023-44487."""
    for _ in range(100):
        for _ in range(100):
            number = client.h2.get_next_available_stream_id()
            client.h2.send_headers(number, malformed(), end_stream=True)
            client.h2.reset_stream(number, CANCEL)
        client.tell()


def many(*frames):
    return lambda client: [client.send(b"".join(frames) * 500) for _ in range(200)]


def endless_continuation(client):
    """CVE-2024-27316."""
    head = client.h2.encoder.encode(malformed())
    client.send(frame(HEADERS, head, 0, 1))
    for _ in range(20_000):
        client.send(frame(CONTINUATION, b"\0\x01a\x01b" * 100, 0, 1))


def empty_data(client):
    """CVE-2019-9518."""
    client.request("POST", "/", end=False)
    many(frame(DATA, b"", 0, 1))(client)


def bomb(client):
    """A large field, named again and again by its index (CVE-2016-6581)."""
    for _ in range(400):
        fields = malformed(*[(b"x-bomb", b"a" * 3900)] * 1000)
        client.h2.send_headers(client.h2.get_next_available_stream_id(), fields, end_stream=True)
        client.tell()


FLOODS = {
    "resets streams as fast as it opens them": rapid_resets,
    "never ends its head": endless_continuation,
    "pings": many(frame(PING, b"12345678")),
    "changes its settings": many(frame(SETTINGS, b"\0\4\0\0\xff\xff")),
    "sends empty data": empty_data,
    "sets priorities": many(frame(PRIORITY, b"\0\0\0\0\x10", 0, 1)),
    "resets what is not there": many(frame(RST_STREAM, b"\0\0\0\x08", 0, 1)),
    "unpacks a bomb": bomb,
}


@pytest.mark.parametrize("flood", FLOODS)
def test_a_client_is_sent_away_that(serve_http, flood):
    # Goal: floods cost us nothing for long. Method: the client goes on until it is cut or has had its say; then the
    # others are served, and neither memory nor descriptors have grown.
    with App(serve_requests(ok)) as app:
        site = serve_http(app.address)
        worker = site.sallyport.worker()
        with connect(site) as client:
            assert client.get().body == b"ok"
        at_rest, descriptors = worker.resident_bytes(), len(worker.descriptors())
        with connect(site) as client:
            client.socket.settimeout(20)
            try:
                FLOODS[flood](client)
                client.take_all()
            except OSError:
                pass  # it is cut before it has said all
            assert worker.resident_bytes() - at_rest < scaled(20, 400) * MIB
        with connect(site) as client:
            assert client.get().body == b"ok"
        until(lambda: len(worker.descriptors()) <= descriptors + 2, 8)


def test_no_more_streams_than_allowed_reach_the_app(serve_http):
    # Goal: SETTINGS_MAX_CONCURRENT_STREAMS is kept. Method: 5 of at most 5 streams that never end, then 15 more: they
    # are refused, or their connection ends; another one is served.
    with FaultyApp(waits_for_the_end) as app:
        site = serve_http(app.address, limits={"http": {"max_concurrent_streams": 5}})
        with connect(site) as client, connect(site) as other:
            client.take()  # its settings
            assert client.h2.remote_settings.max_concurrent_streams == 5
            streams = [client.request("GET", "/bad") for _ in range(5)]
            until(lambda: len(app.seen) == 5, 5)
            assert not any(stream.ended for stream in streams)
            head = client.h2.encoder.encode(malformed((b":path", b"/bad"), without=[b":path"]))
            for number in range(11, 41, 2):
                client.send(frame(HEADERS, head, END_HEADERS | END_STREAM, number))
            assert other.get("/good").body == b"ok"
            stays(lambda: len([seen for seen in app.seen if b"/bad" in seen]) == 5, 0.3)
