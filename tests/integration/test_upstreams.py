"""An app at several addresses: each has its turn, and one that fails is passed over."""

import socket
from collections import Counter

from support.apps import App, FullBacklog, greeting
from support.ports import free_port
from support.sallyport import address_of, simple_config
from support.tls_client import TlsClient, client_context

REQUIRED = {"sandbox": {"level": "required"}}


def started(start, pki, addresses, **changes):
    config = simple_config(pki.pair(), addresses, **REQUIRED, **changes)
    sallyport = start(config)
    sallyport.config = config
    return sallyport


def greeted(sallyport, pki):
    """What the app says to one client; nothing if it cannot be reached."""
    with TlsClient(address_of(sallyport.config), client_context(pki.ca)) as client:
        client.handshake()
        return client.receive_all()


def test_the_addresses_of_a_list_have_their_turn_whatever_they_are(start, pki):
    # Goal: TCP and Unix sockets in one list, under a cage that lets no other be reached. Method: three apps, each with
    # a greeting of its own, and six clients.
    with App(greeting(b"one")) as one, App(greeting(b"two"), unix=True) as two, App(greeting(b"three")) as three:
        sallyport = started(start, pki, [one.address, two.address, "http://" + three.address])
        said = [greeted(sallyport, pki) for _ in range(6)]
        assert said == [b"one", b"two", b"three"] * 2


def test_an_address_that_refuses_costs_no_client_anything(start, pki):
    # Goal: a refused one is passed over within the same attempt. Method: a port where nobody listens among two apps;
    # every client is greeted, the log says once that it fails, and once that it is back.
    late_port = free_port()
    with App(greeting(b"one")) as one, App(greeting(b"two")) as two:
        sallyport = started(start, pki, [one.address, f"127.0.0.1:{late_port}", two.address])
        said = Counter(greeted(sallyport, pki) for _ in range(8))
        assert said == {b"one": 4, b"two": 4}
        line = sallyport.log.wait_for(event="an address of the app fails; the others are used")
        assert (line["address"], line["error"]) == (f"127.0.0.1:{late_port}", "refused")
        with App(greeting(b"late"), port=late_port):
            while greeted(sallyport, pki) != b"late":
                pass  # its pause is a second
        sallyport.log.wait_for(event="an address of the app is back", address=f"127.0.0.1:{late_port}")
        assert len(sallyport.log.matching(event="an address of the app fails; the others are used")) == 1


def test_an_address_that_does_not_answer_has_its_share_of_the_connect_timeout(start, pki):
    # Goal: a vanished host delays, and cuts nobody. Method: a full backlog beside an app.
    with FullBacklog() as full, App(greeting(b"one")) as app:
        sallyport = started(start, pki, [full.address, app.address], limits={"connect_timeout": "1s"})
        assert [greeted(sallyport, pki) for _ in range(3)] == [b"one"] * 3
        line = sallyport.log.wait_for(event="an address of the app fails; the others are used")
        assert line["error"] == "timeout"


def test_when_no_address_takes_a_connection_the_line_says_why(start, pki):
    # Goal: the last reason is told. Method: two ports where nobody listens.
    sallyport = started(start, pki, [f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"])
    assert greeted(sallyport, pki) == b""
    line = sallyport.connections()[0]
    assert (line["stage"], line["end"]) == ("connect", "upstream_refused")


def test_a_client_that_leaves_while_the_app_is_connected_to_ends_the_attempt(start, pki):
    # Goal: nothing is left behind of an attempt that nobody waits for. Method: the drain cuts it, at an app that does
    # not answer; Sallyport ends in good order.
    with FullBacklog() as app:
        sallyport = started(start, pki, [app.address, app.address.replace("127.0.0.1", "localhost")],
                            limits={"connect_timeout": "50s"}, drain={"timeout": "300ms"})
        with TlsClient(address_of(sallyport.config), client_context(pki.ca)) as client:
            client.handshake()
            client.socket.settimeout(0.3)
            try:
                client.socket.recv(1)
            except socket.timeout:
                pass
            sallyport.stop()
        assert sallyport.log.matching(event="connection ended")[0]["end"] == "cut"
