"""Clients that are slow, wrong, or no TLS clients at all."""

import socket

from support.apps import App, echo
from support.sallyport import address_of
from support.tls_client import TlsClient, client_context, ended_without_handshake
from support.payload import chunks


def still_serves(address, ca):
    with TlsClient(address, client_context(ca)) as client:
        client.handshake().send(b"still there?")
        assert client.receive_exactly(12) == b"still there?"
        client.end()
        client.receive_all()


def test_a_client_hello_in_single_bytes_is_understood(serve, pki):
    # Goal: no assumption about how bytes arrive. Method: every flight of the client one byte at a time.
    with App(echo) as app:
        with TlsClient(address_of(serve(app).config), client_context(pki.ca)) as client:
            client.handshake(step=1).send(b"slow but sure")
            assert client.receive_exactly(13) == b"slow but sure"


def test_garbage_ends_with_an_alert_and_a_reason(serve, pki):
    # Goal: noise is refused in the handshake and harms nobody. Method: 1000 bytes that are no TLS record.
    with App(echo) as app:
        sallyport = serve(app)
        address = address_of(sallyport.config)
        received, _ = ended_without_handshake(address, b"\xde\xad\xbe\xef" * 250)
        assert not received.startswith(b"HTTP")
        line = sallyport.connections()[0]
        assert (line["stage"], line["end"]) == ("handshake", "client_malformed") and line["reason"]
        still_serves(address, pki.ca)


def test_a_broken_record_after_the_handshake_ends_the_connection_alone(serve, pki):
    # Goal: a forged record is never forwarded. Method: good handshake, then an application record with a wrong tag.
    with App(echo) as app:
        sallyport = serve(app)
        address = address_of(sallyport.config)
        with TlsClient(address, client_context(pki.ca)) as client:
            client.handshake()
            client.socket.sendall(b"\x17\x03\x03\x00\x20" + b"\0" * 32)
            client.receive_all()
            assert client.ended != "close_notify"
        assert app.outcome() != 32
        assert sallyport.connections()[0]["end"] == "client_malformed"
        still_serves(address, pki.ca)


def test_plain_http_to_the_tls_port_gets_a_400_in_plain_text(serve, pki):
    # Goal: a human with http:// instead of https:// is told so. Method: a plain request; the answer is readable.
    with App(echo) as app:
        sallyport = serve(app)
        address = address_of(sallyport.config)
        received, _ = ended_without_handshake(address, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        head, _, body = received.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400 ") and b"https" in body.lower(), received
        assert sallyport.connections()[0]["stage"] == "handshake"
        still_serves(address, pki.ca)


def test_a_probe_without_a_byte_leaves_no_line(serve, pki):
    # Goal: load balancers' health checks do not fill the log. Method: connect and close, often; then one real
    # connection, whose line is the only one.
    with App(echo) as app:
        sallyport = serve(app)
        address = address_of(sallyport.config)
        for _ in range(50):
            socket.create_connection(address).close()
        still_serves(address, pki.ca)
        assert [line["sni"] for line in sallyport.connections()] == ["localhost"]


def test_a_client_that_leaves_in_the_handshake_harms_nobody(serve, pki):
    # Goal: an aborted handshake is an event of the client's. Method: RST after the ClientHello, twenty times.
    with App(echo) as app:
        sallyport = serve(app)
        address = address_of(sallyport.config)
        for _ in range(20):
            client = TlsClient(address, client_context(pki.ca))
            client.socket.sendall(client.first_flight())
            client.reset()
        still_serves(address, pki.ca)
        # The last line is the good one; those who left are the client's doing wherever they got to.
        sallyport.stop()
        failed = [line for line in sallyport.connections() if line["stage"] == "handshake"]
        assert all(line["end"].startswith("client_") for line in failed)


def test_random_bytes_of_every_length_harm_nobody(serve, pki):
    # Goal: no crash from noise that begins like TLS. Method: a record header with random content, many lengths; the
    # worker that serves afterwards is the first one.
    with App(echo) as app:
        sallyport = serve(app)
        address = address_of(sallyport.config)
        worker = sallyport.worker().pid
        for seed, length in enumerate((0, 1, 4, 5, 6, 40, 300, 5_000, 16_384, 16_500)):
            noise = b"\x16\x03\x01" + length.to_bytes(2, "big") + b"".join(chunks(length, seed)) + b"\0" * 20_000
            ended_without_handshake(address, noise)
        still_serves(address, pki.ca)
        assert sallyport.worker().pid == worker
