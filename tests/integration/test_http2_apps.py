"""Connections to apps of h2c://, which exchanges share: which of them is used, and for how long."""

from collections import Counter

from support.apps import App
from support.faulty_app import LIMITS
from support.h2_app import greeting_streams, serve_streams
from support.name_server import NameServer
from support.ports import free_port
from support.waiting import until


class Deaf:
    """For `App`: its first connection answers once, and then nothing; all others answer always."""

    def __init__(self):
        self.connections = 0

    def __call__(self, connection):
        self.connections += 1
        deaf = self.connections == 1
        return serve_streams(lambda path, number: None if deaf and number > 1 else (200, b"ok"))(connection)


def test_a_connection_whose_app_has_gone_silent_is_used_no_more(serve_http):
    # Goal: one exchange pays for an app that vanished without a word, not all that follow. Method: a connection that
    # answers once; the second request is a 504, the third one's answer comes by another connection, and the first is closed.
    with App(Deaf()) as app:
        site = serve_http(f"h2c://{app.address}", limits=LIMITS)
        with site.client() as client:
            assert [client.get().status for _ in range(4)] == [200, 504, 200, 200]
        assert app.outcome() == 2
        assert [line.get("reason") for line in site.exchanges(4)] == [None, "app_timeout", None, None]


def test_a_connection_that_still_speaks_outlives_an_exchange_that_timed_out(serve_http):
    # Goal: one slow answer costs nobody else a connection. Method: /never waits for its deadline while others are
    # answered; all of them came by one connection.
    answers = serve_streams(lambda path, number: None if path == b"/never" else (200, b"ok"))
    with App(answers) as app:
        site = serve_http(f"h2c://{app.address}", limits=LIMITS)
        with site.client() as client:
            assert client.get().status == 200
            with site.client() as waiting:
                waiting.send(b"GET /never HTTP/1.1\r\nHost: localhost\r\n\r\n")
                asked = 1
                while not site.sallyport.log.matching(event="exchange ended", target="/never"):
                    assert client.get().status == 200
                    asked += 1
                assert waiting.response().status == 504
            assert client.get().status == 200
        site.sallyport.stop()
        assert app.outcome() == asked + 2 and app.has_no_outcome()


def test_the_addresses_of_a_list_share_the_requests(serve_http):
    # Goal: each has a connection, and its part, though one connection would do. Method: requests one after the other:
    # when both apps have been heard, they have their turn.
    with App(greeting_streams(b"one")) as one, App(greeting_streams(b"two"), unix=True) as two:
        site = serve_http([f"h2c://{one.address}", f"h2c://{two.address}"])
        with site.client() as client:
            until(lambda: client.get().body == b"two", what="the second address is used")
            assert Counter(client.get().body for _ in range(10)) == {b"one": 5, b"two": 5}


def test_an_address_that_refuses_costs_no_request_and_is_used_when_it_is_back(serve_http):
    # Goal: nobody waits for an address that is not needed. Method: a port where nobody listens in a list; then somebody
    # does.
    port = free_port()
    with App(greeting_streams(b"one")) as one:
        site = serve_http([f"h2c://{one.address}", f"h2c://127.0.0.1:{port}"])
        with site.client() as client:
            assert [client.get().body for _ in range(20)] == [b"one"] * 20
            site.sallyport.log.wait_for(event="an address of the app fails; the others are used")
            with App(greeting_streams(b"late"), port=port):
                until(lambda: client.get().body == b"late", what="the address that is back is used")
                assert Counter(client.get().body for _ in range(10)) == {b"one": 5, b"late": 5}


def test_a_name_that_moves_is_followed_while_requests_come_without_a_pause(serve_http):
    # Goal: no new exchange for an address that the name has no more. Method: the answer changes, and the connection
    # never becomes idle; afterwards the first app's connection has ended.
    with App(greeting_streams(b"one")) as one:
        port = int(one.address.rsplit(":")[1])
        with App(greeting_streams(b"two"), host="127.0.0.2", port=port), NameServer({"app.test": ["127.0.0.1"]}) as server:
            site = serve_http(f"h2c://app.test:{port}",
                              dns={"servers": [server.address], "timeout": "2s", "min_ttl": "100ms", "max_ttl": "200ms"})
            with site.client() as client:
                assert client.get().body == b"one"
                server.zone["app.test"] = ["127.0.0.2"]
                until(lambda: client.get().body == b"two", what="the new address is used")
                assert {client.get().body for _ in range(10)} == {b"two"}
            assert isinstance(one.outcome(), int)
