"""Clients that fail, stall or leave at each stage: the app is told, the log says who it was; nothing is left behind."""

import socket
import time

import pytest

from support.apps import App
from support.faulty_app import BAD_GET, LIMITS, FaultyApp, Watched, sends, waits_for_the_end
from support.http_peers import OK, ok, serve_requests
from support.waiting import until


def half_a_head(client):
    client.send(BAD_GET[:30])


def a_whole_head(client):
    client.send(BAD_GET)


def half_a_body(client):
    client.send(b"POST /bad HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1000\r\n\r\n" + b"x" * 500)


def half_a_chunk(client):
    client.send(b"POST /bad HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\na\r\nhello")


def the_first_of_a_large_answer(client):
    client.send(BAD_GET)
    assert b"200 OK" in client.receive()


def reads_a_body(connection, incoming):
    while data := connection.recv(65536):
        assert data
    return "told"


def sends_for_ever(connection, incoming):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
    while True:
        connection.sendall(b"x" * 65536)


WAYS_TO_GO = {"resets": lambda client: client.reset(), "vanishes": lambda client: client.socket.close()}

STAGES = [
    pytest.param(half_a_body, reads_a_body, id="in the body"),
    pytest.param(half_a_chunk, reads_a_body, id="in a chunk"),
    pytest.param(a_whole_head, waits_for_the_end, id="awaiting the response"),
    pytest.param(the_first_of_a_large_answer, sends_for_ever, id="in the response"),
]


@pytest.mark.parametrize("way", WAYS_TO_GO)
@pytest.mark.parametrize("stage, fault", STAGES)
def test_the_app_is_told_at_once_of_a_client_that_goes(serve_http, stage, fault, way):
    # Goal: no app works for nobody. Method: three clients go at this stage: the app's side ends at once, the log says
    # who left, nothing is left behind.
    with FaultyApp(fault) as app:
        watched = Watched(serve_http(app.address, limits={**LIMITS, "idle_timeout": "30s", "http": {}}))
        for before in range(3):
            client = watched.site.client()
            stage(client)
            until(lambda already=before: len([head for head in app.seen if b"/bad" in head]) > already, 5)
            WAYS_TO_GO[way](client)
        began = time.monotonic()
        app.ends_of_faults(3)
        assert time.monotonic() - began < 5
        assert len(watched.site.exchanges(3, reason="client_left")) == 3
        watched.assert_nothing_is_left()


@pytest.mark.parametrize("way", WAYS_TO_GO)
def test_a_client_that_goes_in_the_head_costs_nothing(serve_http, way):
    # Goal: the app hears nothing of it. Method: half a head, three times.
    with FaultyApp(sends()) as app:
        watched = Watched(serve_http(app.address))
        for _ in range(3):
            client = watched.site.client()
            half_a_head(client)
            WAYS_TO_GO[way](client)
        watched.assert_nothing_is_left()
        assert not [head for head in app.seen if b"/bad" in head]


def test_a_client_that_half_closes_still_gets_its_answer(serve_http):
    # Goal: an end of sending is not an end of listening. Method: close_notify and FIN after the request; the app takes
    # its time.
    with FaultyApp(sends(b"", OK, pause=0.3)) as app:
        site = serve_http(app.address, limits=LIMITS)
        with site.client() as client:
            client.send(BAD_GET)
            client.end()
            assert client.response().body == b"ok" and client.is_at_its_end() and client.ended == "close_notify"


def send_slowly(client, data, pause):
    for at in range(len(data)):
        client.send(data[at : at + 1])
        time.sleep(pause)


def test_a_client_that_sends_byte_by_byte_is_served(serve_http):
    # Goal: slow is not wrong. Method: a head within its deadline, and a body above the lowest rate, one byte a record.
    def answers_with_size(connection, incoming):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n%d" % len(incoming.take(300)))

    with FaultyApp(answers_with_size) as app:
        watched = Watched(serve_http(app.address, limits={"http": {"min_body_rate": "10B"}}))
        with watched.site.client() as client:
            head = b"POST /bad HTTP/1.1\r\nHost: a.example\r\nContent-Length: 300\r\n\r\n"
            send_slowly(client, head + b"x" * 300, 0.001)
            assert client.response().body == b"300"
        watched.assert_nothing_is_left()


SLOW_CLIENTS = [
    pytest.param(half_a_head, "header_timeout", id="stops in the head"),
    pytest.param(lambda client: send_slowly(client, b"GET /bad HTTP/1.1\r\nHost: a.example\r\n", 0.03),
                 "header_timeout", id="drips its head"),
    pytest.param(half_a_body, "body_timeout", id="stops in the body"),
    pytest.param(half_a_chunk, "body_timeout", id="stops in a chunk"),
    pytest.param(lambda client: (half_a_body(client), send_slowly(client, b"x" * 100, 0.03)),
                 ("body_too_slow", "body_timeout"), id="drips its body"),
]


@pytest.mark.parametrize("stall, reason", SLOW_CLIENTS)
def test_a_408_ends_the_wait_for_a_client_that(serve_http, stall, reason):
    # Goal: slowloris. Method: one stalls; it is told 408 and the end, in time; the app's side is broken off.
    with FaultyApp(reads_a_body) as app:
        watched = Watched(serve_http(app.address, limits=LIMITS))
        with watched.site.client() as client:
            began = time.monotonic()
            try:
                stall(client)
            except OSError:
                pass
            response = client.response()
            assert response and response.status == 408 and response.value(b"Connection") == b"close"
            assert client.is_at_its_end() and time.monotonic() - began < 9
        reasons = reason if isinstance(reason, tuple) else (reason,)
        assert watched.site.exchanges(2)[-1]["reason"] in reasons
        watched.assert_nothing_is_left()


def test_a_client_that_says_nothing_is_let_go(serve_http):
    # Goal: an idle connection has its end. Method: none before the first request, one after it.
    with FaultyApp(sends()) as app:
        watched = Watched(serve_http(app.address, limits=LIMITS))
        for requests in range(2):
            with watched.site.client(timeout=8) as client:
                for _ in range(requests):
                    assert client.get("/good").status == 200
                assert client.is_at_its_end() and client.ended == "close_notify"
        watched.assert_nothing_is_left()


def test_a_client_that_takes_nothing_is_cut(serve_http):
    # Goal: a reader that stands still does not hold the app for ever. Method: it asks for a gigabyte and reads none of
    # it.
    with FaultyApp(sends_for_ever) as app:
        watched = Watched(serve_http(app.address, limits=LIMITS))
        with watched.site.client() as client:
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.send(BAD_GET)
            app.ends_of_faults(1)
        assert watched.site.exchanges(1, target="/bad")[0]["reason"] == "client_stalled"
        watched.assert_nothing_is_left()


def test_a_client_reads_its_refusal_after_it_has_sent_all_of_a_large_body(serve_http):
    # Goal: no reset takes the answer away (RFC 9112 9.6), however fast the client sends. Method: a body that is refused
    # by its length, of which 48 MiB are sent before anything is read.
    with App(serve_requests(ok)) as app:
        site = serve_http(app.address, limits={"http": {"max_body_size": "1KiB"}})
        with site.client(timeout=40) as client:
            client.send(b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: %d\r\n\r\n" % (48 << 20))
            for _ in range(48):
                client.send(bytes(1 << 20))
            assert client.response().status == 413
            assert client.is_at_its_end() and client.ended == "close_notify"


def test_a_client_reads_the_last_response_though_it_has_asked_for_more(serve_http):
    # Goal: as above, for who pipelines behind the last request of a connection. Method: the first request is the last,
    # and 8 MiB of others are sent before its answer is read.
    get = b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"
    with App(serve_requests(ok)) as app:
        site = serve_http(app.address, limits={"http": {"max_requests_per_connection": 1}})
        with site.client(timeout=40) as client:
            for _ in range(8):
                client.send(get * ((1 << 20) // len(get)))
            response = client.response()
            assert (response.body, response.value(b"Connection")) == (b"ok", b"close")
            assert client.is_at_its_end() and client.ended == "close_notify"
        assert len(site.exchanges()) == 1


@pytest.mark.parametrize("limits, pause", [({"lingering_timeout": "200ms", "lingering_time": "1h"}, 0.5),
                                           ({"lingering_timeout": "1h", "lingering_time": "300ms"}, 0.02),
                                           ], ids=["pauses", "goes on and on"])
def test_a_client_that_sends_behind_its_last_response_is_let_go_in_the_end(serve_http, limits, pause):
    # Goal: both times of the configuration count. Method: behind a refusal, bytes after pauses that one of them lets
    # pass, for as long as anybody takes them.
    with App(serve_requests(ok)) as app:
        site = serve_http(app.address, limits={"http": {"max_body_size": "1KiB"} | limits})
        with site.client() as client:
            client.send(b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1000000\r\n\r\n")
            assert client.response().status == 413
            until(client.is_refused, 10, every=pause)
