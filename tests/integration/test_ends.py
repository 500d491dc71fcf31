"""An end is told as what it was: a reset or a break is never shown as an orderly end."""

import select
import socket
import ssl
import threading

import pytest

from support.apps import App, read_to_end, reset_after
from support.sallyport import address_of, reset
from support.tls_client import TlsClient, client_context


def wait_for_end(connection):
    """Reads until the client is gone; returns "eof", or raises what the reset raised."""
    while connection.recv(65536):
        pass
    return "eof"


def test_a_client_reset_is_told_to_the_app(serve, pki):
    # Goal: the app learns at once, and as a reset, that its client is gone. Method: RST from the client, in the middle
    # of the relay (the app has answered).
    def greet_and_wait(connection):
        connection.sendall(connection.recv(5))
        return wait_for_end(connection)

    with App(greet_and_wait) as app:
        sallyport = serve(app)
        client = TlsClient(address_of(sallyport.config), client_context(pki.ca)).handshake()
        client.send(b"hello")
        assert client.receive_exactly(5) == b"hello"
        client.reset()
        assert isinstance(app.outcome(), ConnectionResetError)
    line = sallyport.connections()[0]
    assert (line["stage"], line["end"]) == ("relay", "client_reset")


def test_a_client_reset_after_its_end_is_told_to_a_silent_app(serve, pki):
    # Goal: an app that has read everything and still computes learns that nobody waits any more. Method: the client
    # ends its direction, the app has read the end, the client resets.
    has_read = threading.Event()

    def compute(connection):
        read_to_end(connection)
        has_read.set()
        poller = select.poll()
        poller.register(connection, select.POLLERR | select.POLLHUP)
        return bool(poller.poll(5000))

    with App(compute) as app:
        sallyport = serve(app)
        client = TlsClient(address_of(sallyport.config), client_context(pki.ca)).handshake()
        client.send(b"hello")
        client.end()
        assert has_read.wait(5)
        client.reset()
        assert app.outcome(6) is True
    assert sallyport.connections()[0]["end"] == "client_reset"


def test_a_client_that_vanishes_without_close_notify_is_not_an_orderly_end(serve, pki):
    # Goal: a truncated upload is not shown as a whole one. Method: FIN without close_notify in the middle.
    with App(wait_for_end) as app:
        sallyport = serve(app)
        client = TlsClient(address_of(sallyport.config), client_context(pki.ca)).handshake()
        client.send(b"half of it")
        client.vanish()
        assert isinstance(app.outcome(), ConnectionResetError)
        client.socket.close()
    line = sallyport.connections()[0]
    assert (line["stage"], line["end"]) == ("relay", "client_truncated")


def test_an_app_reset_is_never_an_orderly_end_for_the_client(serve, pki):
    # Goal: no close_notify after a broken response. Method: an app that sends something and resets.
    with App(reset_after(5)) as app:
        sallyport = serve(app)
        client = TlsClient(address_of(sallyport.config), client_context(pki.ca)).handshake()
        client.send(b"hello")
        client.receive_all()
        assert client.ended in ("reset", "eof")
        client.socket.close()
    line = sallyport.connections()[0]
    assert (line["stage"], line["end"]) == ("relay", "upstream_reset")


def test_python_ssl_raises_when_the_app_resets(serve, pki):
    # Goal: the same as an ordinary client library sees it. Method: Python's ssl with ragged ends not suppressed.
    with App(reset_after(5)) as app:
        address = address_of(serve(app).config)
        with socket.create_connection(address, timeout=10) as raw:
            context = client_context(pki.ca)
            with context.wrap_socket(raw, server_hostname="localhost", suppress_ragged_eofs=False) as connection:
                connection.sendall(b"hello")
                with pytest.raises((ssl.SSLEOFError, ConnectionResetError)):
                    while connection.recv(4096):
                        pass


def test_what_the_app_sent_before_its_end_arrives_before_the_end(serve, pki):
    # Goal: an app that sends and closes at once loses nothing. Method: 200 short connections, each read to the end.
    def send_and_close(connection):
        connection.sendall(b"x" * 5000)

    with App(send_and_close) as app:
        address = address_of(serve(app).config)
        for _ in range(200):
            with TlsClient(address, client_context(pki.ca)) as client:
                client.handshake()
                assert len(client.receive_all()) == 5000 and client.ended == "close_notify"


def test_an_app_that_resets_while_the_client_sends_ends_the_client_too(serve, pki):
    # Goal: no half-dead connection. Method: the client uploads without end; the app resets after a while.
    release = threading.Event()

    def reset_midway(connection):
        connection.recv(1000)
        release.wait(10)
        reset(connection)

    with App(reset_midway) as app:
        sallyport = serve(app)
        client = TlsClient(address_of(sallyport.config), client_context(pki.ca)).handshake()
        client.send(b"y" * 100_000)
        release.set()
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            for _ in range(10_000):
                client.send(b"y" * 100_000)
        client.socket.close()
    assert sallyport.connections()[0]["end"] == "upstream_reset"
