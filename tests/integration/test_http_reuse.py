"""Connections to the app are used again, and one that the app has closed meanwhile costs no request."""

import socket
import threading
import time

import pytest

from support.apps import App
from support.http_peers import OK, Incoming, Incomplete, Request, ok, serve_requests
from support.real_app import RealApp
from support.scale import scaled

GET = b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"


def closes_after(seconds, answer=OK):
    """For `App`: closes a connection that was idle for so long. Returns how many requests it carried."""

    def serve(connection):
        incoming, count = Incoming(connection), 0
        try:
            while incoming.request() is not None:
                connection.sendall(answer)
                connection.settimeout(seconds)
                count += 1
        except (socket.timeout, Incomplete):
            pass
        return count

    return serve


def statuses_under_load(site, pauses):
    """Of requests on one connection for each of these lists of pauses before each."""
    found, lock = [], threading.Lock()

    def ask(mine):
        with site.client() as client:
            for pause in mine:
                time.sleep(pause)
                response = client.ask(GET)
                with lock:
                    found.append(response and response.status)

    threads = [threading.Thread(target=ask, args=(mine,)) for mine in pauses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(50)
    return found


def test_requests_share_one_connection_to_the_app(serve_http):
    # Goal: connections to the app are used again, by other clients too. Method: 30 requests of three clients in turn;
    # the app counts its connections.
    with App(serve_requests(ok)) as app:
        site = serve_http(app.address)
        for _ in range(3):
            with site.client() as client:
                assert [client.get().status for _ in range(10)] == [200] * 10
        site.sallyport.stop()
        assert app.outcome() == 30 and app.has_no_outcome()


def test_pipelined_requests_are_answered_in_their_order(serve_http):
    # Goal: a client need not wait. Method: ten requests in one write, each with an answer of its own.
    def echo_target(request):
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(request.target), request.target)

    with App(serve_requests(echo_target)) as app:
        site = serve_http(app.address)
        with site.client() as client:
            client.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: a.example\r\n\r\n" % number for number in range(10)))
            assert [client.response().body for _ in range(10)] == [b"/%d" % number for number in range(10)]


@pytest.mark.parametrize("answer", [
    pytest.param(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", id="which says close"),
    pytest.param(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", id="of HTTP 1.0"),
])
def test_a_connection_that_the_app_closes_is_not_used_again(serve_http, answer):
    # Goal: an app without keep-alive loses no request. Method: it leaves the connection open for long, and would
    # answer no second request.
    def serve(connection):
        incoming = Incoming(connection)
        incoming.request()
        connection.sendall(answer)
        return incoming.request()

    with App(serve) as app:
        site = serve_http(app.address)
        with site.client() as client:
            assert [client.get().status for _ in range(5)] == [200] * 5
        assert not [outcome for outcome in (app.outcome() for _ in range(5)) if isinstance(outcome, Request)]


def test_an_app_that_closes_idle_connections_never_causes_a_502(serve_http):
    # Goal: the race between an app's close and our next request is never a client's trouble. Method: the app closes
    # after 100 ms of idleness, and eight clients ask anew after 95 to 105 ms, again and again.
    with App(closes_after(0.1)) as app:
        site = serve_http(app.address)
        pauses = [[0.095 + 0.01 * ((turn * 7 + number) % 20) / 20 for turn in range(scaled(60, 30))]
                  for number in range(8)]
        found = statuses_under_load(site, pauses)
    assert found == [200] * sum(map(len, pauses)), [status for status in found if status != 200]


@pytest.mark.parametrize("kind, options", [
    pytest.param("node", ("1000",), id="node, which announces it"),
    pytest.param("uvicorn", ("--timeout-keep-alive", "1"), id="uvicorn, which does not"),
])
def test_a_server_with_a_keep_alive_of_one_second_never_causes_a_502(serve_http, kind, options):
    # Goal: as above, with real servers. Method: 24 clients ask for what is not there, six times, 1.0 to 1.05 s apart.
    with RealApp(kind, *options) as app:
        site = serve_http(app.address)
        pauses = [[0, *[1.0 + 0.05 * ((turn * 5 + number) % 24) / 24 for turn in range(5)]] for number in range(24)]
        found = statuses_under_load(site, pauses)
    assert found == [404] * sum(map(len, pauses)), [status for status in found if status != 404]


def dies_when_reused(connection):
    """Answers one request; of the next it reads some bytes and closes."""
    connection.sendall(ok(Incoming(connection).request()))
    connection.recv(65536)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
def test_an_idempotent_request_is_sent_again_when_a_reused_connection_dies(serve_http, method):
    # Goal: one replay, for what may be asked twice. Method: the app closes a reused connection after it has read the
    # request.
    with App(dies_when_reused) as app:
        site = serve_http(app.address)
        with site.client() as client:
            message = f"{method} / HTTP/1.1\r\nHost: a.example\r\n\r\n".encode()
            assert client.ask(GET).status == 200
            assert client.ask(GET).status == 200  # on a new one: the pooled one died
            assert site.exchanges(2)[1].get("replayed")
            answer = client.ask(message, method)
            assert answer.status == 200 and site.exchanges(3)[2].get("replayed")


@pytest.mark.parametrize("head", [
    pytest.param("POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\n\r\n", id="POST"),
    pytest.param("PATCH / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\nhello", id="PATCH with a body"),
    pytest.param("PUT / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\nhello",
                 id="PUT with a body that was sent"),
    pytest.param("UNKNOWN / HTTP/1.1\r\nHost: a.example\r\n\r\n", id="a method that nobody knows"),
])
def test_what_may_not_be_asked_twice_is_not(serve_http, head):
    # Goal: an app never sees such a request twice. Method: as above; a 502 and its reason.
    seen = []

    def serve(connection):
        incoming = Incoming(connection)
        incoming.request()
        connection.sendall(OK)
        seen.append(incoming.request())

    with App(serve) as app:
        site = serve_http(app.address)
        with site.client() as client:
            assert client.ask(GET).status == 200
            assert client.ask(head.encode()).status == 502
        line = site.exchanges(2)[1]
        assert (line["reason"], line["status"]) == ("app_closed", 502) and not line["replayed"]
        app.outcome()
        assert [request.method for request in seen if request] == [head.split()[0].encode()]


def hangs_up(connection):
    """Reads a request and closes."""
    return Incoming(connection).request().method


def test_a_get_that_an_address_drops_is_asked_once_at_another(serve_http):
    # Goal: an address that accepts and hangs up costs no idempotent request. Method: one that does and one that answers,
    # in turn; a POST at the first is a 502; and where both hang up, there is no third time.
    with App(hangs_up) as bad, App(serve_requests(ok)) as good:
        site = serve_http(bad.address, upstreams={"app": {"address": [bad.address, good.address], "max_idle": 0}})
        with site.client() as client:
            assert [client.ask(GET).status for _ in range(4)] == [200] * 4
            assert [line["replayed"] for line in site.exchanges(4)].count(True) >= 2
            posted = [client.ask(b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\n\r\n").status
                      for _ in range(2)]
            assert sorted(posted) == [200, 502]
    with App(hangs_up) as bad, App(hangs_up) as worse:
        site = serve_http([bad.address, worse.address])
        with site.client() as client:
            assert client.ask(GET).status == 502
        assert site.exchanges()[0]["replayed"]
        assert [bad.outcome(), worse.outcome()] == [b"GET", b"GET"] and bad.has_no_outcome() and worse.has_no_outcome()
