"""Everything that can go wrong, at once: apps that fail and clients that leave, on connections that others use too."""

import random
import threading
import time

import pytest

from support.apps import App
from support.faulty_app import FaultyApp, Watched
from support.http_peers import OK, ok, serve_requests
from support.payload import content
from support.sallyport import reset
from support.scale import scaled

SECONDS, EXCHANGES = scaled(8, 15), 1000  # at least
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
# What an app does after a head, one by lot: these parts, a pause before each, and then it goes, resets or serves on.
ANSWERS = [
    [],
    [b"HTTP/1.1 200"],
    [b"nonsense\r\n\r\n"],
    [OK],
    [OK[:20], OK[20:]],
    [OK, OK],
    [b"HTTP/1.1 103 Early Hints\r\n\r\n", OK],
    [b"HTTP/1.1 100 Continue\r\n\r\n", OK],
    [b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n", content(100_000)],
    [b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n", content(300_000)],
    [CHUNKED, b"5\r\nhello\r\n", b"0\r\n\r\n"],
    [CHUNKED, b"186a0\r\n", content(100_000), b"\r\n0\r\n"],
    [b"HTTP/1.1 200 OK\r\n\r\n", content(50_000)],
    [b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n", b"hello"],
    [b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"],
    [b"HTTP/1.1 204 No Content\r\n\r\n"],
]
HEAD = b" /bad HTTP/1.1\r\nHost: a.example\r\n"
REQUESTS = [
    [b"GET" + HEAD + b"\r\n"],
    [b"GET" + HEAD, b"\r\n"],
    [b"GET" + HEAD + b"\r\n"] * 3,
    [b"HEAD" + HEAD + b"\r\n", b"GET /good HTTP/1.1\r\nHost: a.example\r\n\r\n"],
    [b"POST" + HEAD + b"Content-Length: 200000\r\n\r\n", content(200_000)],
    [b"POST" + HEAD + b"Content-Length: 200000\r\n\r\n", content(1000)],
    [b"PUT" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"5\r\nhello\r\n", b"0\r\n\r\n"],
    [b"PUT" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"5\r\nhello\r\n", b"zz\r\n"],
    [b"POST" + HEAD + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n", b"hello"],
    [b"GET" + HEAD + b"Connection: Upgrade\r\nUpgrade: echo\r\n\r\n", b"more"],
    [b"GET" + HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"],
    [b"nonsense\r\n\r\n"],
]


def fails_by_lot(dice):
    def fault(connection, incoming):
        for part in dice.choice(ANSWERS):
            time.sleep(dice.choice((0, 0, 0.001, 0.02)))
            connection.sendall(part)
        time.sleep(dice.choice((0, 0, 0.02)))
        if dice.random() < 0.3:
            reset(connection)

    return fault


def client_by_lot(site, dice):
    """One connection: sends some requests, in pieces, and leaves in one way or another."""
    with site.client(timeout=dice.choice((0.05, 0.3, 3))) as client:
        for _ in range(dice.randrange(1, 4)):
            for part in dice.choice(REQUESTS):
                client.send(part)
                time.sleep(dice.choice((0, 0, 0.001, 0.02)))
            if dice.random() < 0.7:
                client.receive()
        end = dice.choice((client.reset, client.end, client.vanish, client.receive_all))
        end()
        if end == client.end:
            client.receive_all()


def storm(site, number, over, troubles):
    dice = random.Random(number)
    while not over.is_set():
        try:
            client_by_lot(site, dice)
        except (OSError, AssertionError):
            pass  # cut, refused or too slow: as it may be
        except BaseException as error:
            troubles.append(error)
            raise


def ids_of(lines):
    return [line["request_id"] for line in lines if "request_id" in line]


@pytest.mark.seconds(180)
@pytest.mark.parametrize("shards", [1, 2])
def test_after_a_storm_all_is_as_before(serve_http, shards):
    # Goal: no order of events ends the worker, leaks a descriptor or grows it. Method: 16 clients and their app do by
    # lot all that the tables of faults hold, for some seconds; one more client asks another app properly all the
    # while.
    limits = {"connect_timeout": "500ms", "idle_timeout": "1s",
              "http": {"header_timeout": "1s", "body_timeout": "1s", "response_timeout": "1s", "tunnel_idle": "1s",
                       "keep_alive_timeout": "1s"}}
    troubles = []
    with FaultyApp(fails_by_lot(random.Random(shards))) as app, App(serve_requests(ok)) as good:
        upstreams = {"app": {"address": app.address}, "good": {"address": good.address}}
        routes = [{"path": "/good", "forward": "good"}]
        site = serve_http(app.address, listener={"routes": routes}, upstreams=upstreams, limits=limits,
                          shards=shards)
        watched, worker = Watched(site), site.sallyport.worker()
        end, over, log = time.monotonic() + SECONDS, threading.Event(), site.sallyport.log
        threads = [threading.Thread(target=storm, args=(site, number, over, troubles)) for number in range(16)]
        for thread in threads:
            thread.start()
        try:
            while time.monotonic() < end or len(ids_of(log.matching(event="exchange ended"))) <= EXCHANGES:
                watched.assert_serves()
        finally:
            over.set()
            for thread in threads:
                thread.join(20)
        assert not troubles
        watched.assert_nothing_is_left()
        assert site.sallyport.worker().pid == worker.pid
        lines = log.matching(event="exchange ended")
        assert not [line for line in lines if line["level"] == "error"]
        # What has none was not passed on.
        assert {line["status"] for line in lines if "request_id" not in line} <= {400, 408, 499}
        ids = ids_of(lines)
        assert len(set(ids)) == len(ids)
