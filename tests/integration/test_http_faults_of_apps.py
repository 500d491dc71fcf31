"""Apps that fail at each stage: the status, the end and the reason in the log; and nothing is left behind."""

import socket
import threading
import time
from dataclasses import dataclass
from typing import Callable

import pytest

from support.apps import App, FullBacklog
from support.faulty_app import BAD_GET, LIMITS, FaultyApp, Watched, sends, waits_for_the_end
from support.http_peers import OK, Incoming, ok
from support.ports import free_port
from support.procfs import has_read_all
from support.sallyport import reset
from support.waiting import until

TRUNCATED = object()  # a head with 200, and an end that nobody takes for an orderly one


@dataclass
class Row:
    says: str
    fault: Callable
    status: object
    reason: object = None  # of the log's line: one, or any of several; None: all was well
    request: bytes = BAD_GET


def refuses_an_upload(connection, incoming):
    connection.sendall(b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nno!")
    connection.settimeout(8)
    while connection.recv(262144):
        pass
    return "told"


def interim_for_ever(connection, incoming):
    for _ in range(100):
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        time.sleep(0.05)
    return "never stopped"


def stalls_in_the_body(connection, incoming):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
    return waits_for_the_end(connection, incoming)


def sends_a_wrong_chunk(connection, incoming):
    connection.sendall(CHUNKED + b"5\r\nhello\r\n")
    until(lambda: has_read_all(connection), 5, "the right one is read")
    connection.sendall(b"zz\r\n")
    return "went"


LENGTH_10 = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
EVIL = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"

APP_FAULTS = [
    Row("closes after the request", sends(), 502, "app_closed"),
    Row("resets after the request", sends(then=reset), 502, "app_reset"),
    Row("closes in the head", sends(b"HTTP/1.1 200 OK\r\nContent-Le"), 502, "app_closed"),
    Row("resets in the head", sends(b"HTTP/1.1 200 OK\r\nContent-Le", then=reset), 502, "app_reset"),
    Row("closes after an interim response", sends(b"HTTP/1.1 103 Early Hints\r\n\r\n"), 502, "app_closed"),
    Row("says nothing", waits_for_the_end, 504, "app_timeout"),
    Row("sends interim responses for ever", interim_for_ever, (502, 504), ("app_timeout", "app_malformed")),
    Row("speaks something else", sends(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), 502, "app_malformed"),
    Row("speaks TLS", sends(b"\x15\x03\x01\x00\x02\x02\x16"), 502, "app_malformed"),
    Row("sends a head without end", sends(b"HTTP/1.1 200 OK\r\n" + b"A: 0123456789\r\n" * 10_000), 502,
        "app_malformed"),
    Row("tells two lengths", sends(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 4\r\n\r\nhello"), 502,
        "app_malformed"),
    Row("tells a length and chunks",
        sends(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 502,
        "app_malformed"),
    Row("splits its head", sends(b"HTTP/1.1 200 OK\r\nA: b\nContent-Length: 5\r\n\r\nhello"), 502, "app_malformed"),
    Row("closes in a body of known length", sends(LENGTH_10 + b"hello"), TRUNCATED, "app_truncated"),
    Row("resets in a body of known length", sends(LENGTH_10 + b"hello", then=reset), TRUNCATED, "app_truncated"),
    Row("closes after the head", sends(LENGTH_10), TRUNCATED, "app_truncated"),
    Row("closes in a chunk", sends(CHUNKED + b"a\r\nhello"), TRUNCATED, "app_truncated"),
    Row("closes between chunks", sends(CHUNKED + b"5\r\nhello\r\n"), TRUNCATED, "app_truncated"),
    Row("resets between chunks", sends(CHUNKED + b"5\r\nhello\r\n", then=reset), TRUNCATED, "app_truncated"),
    Row("closes before the last empty line", sends(CHUNKED + b"5\r\nhello\r\n0\r\n"), TRUNCATED, "app_truncated"),
    Row("sends a chunk that is none", sends_a_wrong_chunk, TRUNCATED, ("app_malformed", "app_truncated")),
    Row("resets in a body until the end", sends(b"HTTP/1.1 200 OK\r\n\r\nhello", then=reset), TRUNCATED, "app_truncated"),
    Row("stands still in the body", stalls_in_the_body, TRUNCATED, "app_stalled"),
    Row("answers byte by byte", sends(*(OK[at : at + 1] for at in range(len(OK))), pause=0.001), 200),
    Row("ends a body by closing", sends(b"HTTP/1.1 200 OK\r\n\r\nok"), 200),
    Row("closes at once after a whole answer", sends(OK), 200),
    Row("resets at once after a whole answer", sends(OK, then=reset), 200),
    Row("says more than its length", sends(OK + EVIL), 200),
    Row("says more than its chunks", sends(CHUNKED + b"2\r\nok\r\n0\r\n\r\n" + EVIL), 200),
    Row("gives a 204 a body", sends(b"HTTP/1.1 204 No Content\r\n\r\n" + EVIL), 204),
    Row("answers an upload before its end", refuses_an_upload, 413,
        request=b"POST /bad HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1000),
]


def check_answer(client, row):
    response = client.response()
    assert response is not None, client.ended
    if row.status is TRUNCATED:
        assert response.status == 200 and not response.complete, response
        assert client.ended in ("eof", "reset"), "told as an orderly end"
        return
    expected = row.status if isinstance(row.status, tuple) else (row.status,)
    assert response.status in expected and response.complete, response
    if response.status in (502, 504):
        assert b"127.0.0.1" not in response.body and response.value(b"Content-Length") == b"%d" % len(response.body)
    assert b"evil" not in response.body
    if response.value(b"Connection") != b"close":
        assert client.get("/good").body == b"ok"


def assert_reasons(site, row, count):
    expected = row.reason if isinstance(row.reason, tuple) else (row.reason,)
    if row.reason is None:
        lines = site.exchanges(count, target="/bad")
        assert not [line for line in lines if line.get("reason")]
        return
    log = site.sallyport.log
    until(lambda: sum(len(log.matching(target="/bad", reason=reason)) for reason in expected) >= count, 5,
          f"{count} lines with {expected}")


@pytest.mark.parametrize("row", APP_FAULTS, ids=lambda row: row.says)
def test_a_client_is_told_what_became_of_an_app_that(row, serve_http):
    # Goal: the right status, an honest end, a reason, no leak, and the next request is served. Method: the row, three
    # times.
    with FaultyApp(row.fault) as app:
        watched = Watched(serve_http(app.address, limits=LIMITS))
        for _ in range(3):
            with watched.site.client() as client:
                client.send(row.request)
                check_answer(client, row)
        assert_reasons(watched.site, row, 3)
        watched.assert_nothing_is_left()


def test_an_app_that_is_not_there_is_a_502(serve_http):
    # Goal: nobody waits. Method: a port that nobody listens on.
    site = serve_http(f"127.0.0.1:{free_port()}")
    with site.client() as client:
        assert [client.get().status for _ in range(3)] == [502] * 3  # the connection serves on
    assert {line["reason"] for line in site.exchanges(3)} == {"app_refused"}


def test_an_app_whose_queue_is_full_is_a_504(serve_http):
    # Goal: connecting has its deadline. Method: a listening socket that takes nobody.
    with FullBacklog() as app:
        site = serve_http(app.address, limits=LIMITS)
        with site.client() as client:
            assert client.get().status == 504
        assert site.exchanges()[0]["reason"] == "app_connect_timeout"


def test_what_an_app_says_unasked_is_nobodys_answer(serve_http):
    # Goal: no response without its request. Method: the app sends a second answer 50 ms after the first, on a
    # connection that rests in the pool; then another client asks.
    def serve(connection):
        incoming = Incoming(connection)
        while (request := incoming.request()) is not None:
            connection.sendall(ok(request))
            time.sleep(0.05)
            connection.sendall(EVIL)

    with App(serve) as app:
        site = serve_http(app.address, upstreams={"app": {"address": app.address, "idle": "1m"}})
        for _ in range(5):
            with site.client() as client:
                assert client.get().body == b"ok"
            app.outcome()  # it came, and its connection has ended for it


def test_an_app_that_reads_no_more_may_still_answer(serve_http):
    # Goal: the client is not blamed for a body that nobody takes. Method: the app stops reading, and answers when the
    # client's time for its body is over.
    deaf = threading.Event()

    def reads_no_more(connection):
        incoming = Incoming(connection)
        incoming.head()
        connection.shutdown(socket.SHUT_RD)
        deaf.set()
        time.sleep(1.5)
        connection.sendall(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nno!")

    with App(reads_no_more, unix=True) as app:
        limits = LIMITS | {"http": LIMITS["http"] | {"body_timeout": "1s", "response_timeout": "4s"}}
        site = serve_http(app.address, limits=limits)
        with site.client() as client:
            client.send(b"POST /bad HTTP/1.1\r\nHost: a.example\r\nContent-Length: 100000\r\n\r\n")
            assert deaf.wait(10)
            client.send(b"x" * 1000)
            assert client.response().body == b"no!"
