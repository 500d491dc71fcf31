"""Every stage has a deadline, and its end names the stage and the reason."""

import time

from support.apps import App, FullBacklog, echo
from support.ports import free_port
from support.sallyport import address_of
from support.scale import scaled
from support.tls_client import TlsClient, client_context, ended_without_handshake

# A timer may be late by a wheel's tick and a busy machine, never early.
LATE = scaled(2.0, 3.0)


def only_line(sallyport):
    lines = sallyport.connections()
    assert len(lines) == 1
    return lines[0]["stage"], lines[0]["end"]


def test_a_handshake_that_stops_is_cut_at_its_deadline(serve, pki):
    # Goal: handshake_timeout. Method: half a ClientHello, then silence.
    with App(echo) as app:
        sallyport = serve(app, limits={"handshake_timeout": "500ms"})
        address = address_of(sallyport.config)
        started = time.monotonic()
        with TlsClient(address, client_context(pki.ca)) as client:
            client.socket.sendall(client.first_flight()[:100])
            client.receive_raw()
            assert 0.45 < time.monotonic() - started < 0.5 + LATE
        assert only_line(sallyport) == ("handshake", "client_timeout")


def test_a_client_that_says_nothing_is_cut_at_the_handshake_deadline(serve):
    # Goal: silence from the start has the same deadline. Method: connect and wait.
    with App(echo) as app:
        sallyport = serve(app, limits={"handshake_timeout": "500ms"})
        started = time.monotonic()
        ended_without_handshake(address_of(sallyport.config))
        assert 0.45 < time.monotonic() - started < 0.5 + LATE


def test_an_app_that_does_not_accept_is_given_up_at_the_connect_deadline(serve, pki):
    # Goal: connect_timeout. Method: an app whose backlog is full answers nothing; the client gets no orderly end.
    with FullBacklog() as app:
        sallyport = serve(app, limits={"connect_timeout": "600ms"})
        started = time.monotonic()
        with TlsClient(address_of(sallyport.config), client_context(pki.ca)) as client:
            client.handshake()
            client.receive_all()
            assert client.ended != "close_notify"
        assert 0.55 < time.monotonic() - started < 0.6 + LATE
        assert only_line(sallyport) == ("connect", "upstream_timeout")


def test_an_idle_connection_is_cut_at_the_idle_deadline(serve, pki):
    # Goal: idle_timeout, counted from the last byte in either direction. Method: one echo after half the time, then
    # silence; it must live for the whole time after that echo.
    with App(echo) as app:
        sallyport = serve(app, limits={"idle_timeout": "2s"})
        with TlsClient(address_of(sallyport.config), client_context(pki.ca)) as client:
            client.handshake()
            client.socket.settimeout(1)
            try:
                client.receive()
            except TimeoutError:
                client.socket.settimeout(10)
            started = time.monotonic()
            client.send(b"still here")
            assert client.receive_exactly(10) == b"still here"
            client.receive_all()
            assert 1.9 < time.monotonic() - started < 2.0 + LATE
            assert client.ended != "close_notify"
        assert only_line(sallyport) == ("relay", "client_timeout")


def test_a_busy_connection_outlives_the_idle_deadline(serve, pki):
    # Goal: the idle deadline is no limit of life. Method: an echo every 200 ms for two idle times.
    with App(echo) as app:
        sallyport = serve(app, limits={"idle_timeout": "1500ms"})
        with TlsClient(address_of(sallyport.config), client_context(pki.ca)) as client:
            client.handshake()
            for _ in range(15):
                client.socket.settimeout(10)
                client.send(b"tick")
                assert client.receive_exactly(4) == b"tick"
                client.socket.settimeout(0.2)
                try:
                    assert not client.receive()
                except TimeoutError:
                    pass
            assert client.ended is None


def test_an_absent_app_is_told_at_once(serve, pki):
    # Goal: a refused connect ends the client without a wait and without an orderly end. Method: nobody on the port.
    class Nobody:
        address = f"127.0.0.1:{free_port()}"

    sallyport = serve(Nobody)
    started = time.monotonic()
    with TlsClient(address_of(sallyport.config), client_context(pki.ca)) as client:
        client.handshake()
        client.receive_all()
        assert client.ended != "close_notify"
    assert time.monotonic() - started < LATE
    assert only_line(sallyport) == ("connect", "upstream_refused")
