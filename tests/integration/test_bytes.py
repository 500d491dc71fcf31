"""Bytes arrive as they were sent, in both directions, at every size."""

import hashlib
import ssl

import pytest

from support.apps import App, echo, sink, source
from support.payload import chunks, digest_of
from support.sallyport import address_of
from support.scale import scaled
from support.tls_client import TlsClient, client_context

MIB = 1 << 20
LARGE = scaled(256 * MIB, 16 * MIB)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["TLS1.2", "TLS1.3"])
def test_an_echo_of_every_size_comes_back_intact(serve, pki, version):
    # Goal: no size is special, around a record's 16 KiB least of all. Method: one echo connection each, cut at random,
    # sending and receiving at the same time; SHA-256 of both sides.
    sizes = [1, 2, 100, 16_383, 16_384, 16_385, 65_537, MIB, scaled(16, 4) * MIB + 3]
    with App(echo) as app:
        address = address_of(serve(app).config)
        for seed, size in enumerate(sizes):
            with TlsClient(address, client_context(pki.ca, version)) as client:
                client.handshake()
                digest, count = hashlib.sha256(), 0

                def received(data):
                    nonlocal count
                    digest.update(data)
                    count += len(data)
                    return count >= size

                client.exchange(chunks(size, seed), received)
                assert count == size and digest.hexdigest() == digest_of(chunks(size, seed)), size
                client.end()
                assert client.receive_all() == b"" and client.ended == "close_notify"
            assert app.outcome() == size


def test_256_mib_arrive_intact_at_the_app(serve, pki):
    # Goal: bulk from client to app. Method: 256 MiB into an app that answers with the SHA-256 of what came.
    with App(sink) as app:
        with TlsClient(address_of(serve(app).config), client_context(pki.ca)) as client:
            client.handshake()
            for chunk in chunks(LARGE, largest=MIB):
                client.send(chunk)
            client.end()
            assert client.receive_all().decode() == digest_of(chunks(LARGE, largest=MIB))
            assert client.ended == "close_notify"


def test_256_mib_arrive_intact_at_the_client(serve, pki):
    # Goal: bulk from app to client, and its end. Method: an app that sends 256 MiB and closes; SHA-256 at the client.
    with App(source(lambda: chunks(LARGE, largest=MIB))) as app:
        sallyport = serve(app)
        with TlsClient(address_of(sallyport.config), client_context(pki.ca)) as client:
            client.handshake()
            digest = hashlib.sha256()
            while data := client.receive(262_144):
                digest.update(data)
            assert client.ended == "close_notify"
            assert digest.hexdigest() == digest_of(chunks(LARGE, largest=MIB))
            client.end()
    line = sallyport.connections()[0]
    assert (line["bytes_to_client"], line["bytes_from_client"]) == (LARGE, 0)


def test_many_connections_at_once_do_not_mix_their_bytes(serve, pki):
    # Goal: shared buffers keep connections apart. Method: 40 open connections on two shards, each with a text of its
    # own, sent in small pieces in turn, read back at the end.
    with App(echo) as app:
        address = address_of(serve(app, shards=2).config)
        clients = [TlsClient(address, client_context(pki.ca)).handshake() for _ in range(40)]
        texts = [bytes([number]) * 20_011 for number in range(len(clients))]
        for start in range(0, 20_011, 977):
            for client, text in zip(clients, texts):
                client.send(text[start : start + 977])
        for client, text in zip(clients, texts):
            assert client.receive_exactly(len(text)) == text
            client.socket.close()
