"""A slow reader on one side stops reading on the other; memory stays bounded."""

import hashlib
import threading

from support.apps import App, source
from support.payload import chunks, digest_of
from support.sallyport import address_of
from support.scale import SANITIZED, scaled
from support.tls_client import TlsClient, client_context
from support.waiting import until

MIB = 1 << 20
TOTAL = scaled(64 * MIB, 24 * MIB)
# What the kernel's socket buffers may hold on both sides (tcp_rmem and tcp_wmem end at 6 and 4 MiB), with some air.
IN_FLIGHT = 24 * MIB
# Sanitizers hold freed memory back: their figures say nothing.
GROWTH_MAX = 8 * MIB if not SANITIZED else 512 * MIB


def stalls(count):
    """Waits until a counter that rose stands still for half a second."""
    last, quiet = -1, 0

    def still():
        nonlocal last, quiet
        quiet = quiet + 1 if count() == last and last > 0 else 0
        last = count()
        return quiet >= 10

    until(still, 20, "the sender stands still", every=0.05)
    return last


def test_a_client_that_does_not_read_stops_the_app_and_costs_no_memory(serve, pki):
    # Goal: back-pressure from client to app, bounded memory, nothing lost. Method: the app sends and counts; the client
    # reads nothing until the app stands still; the worker's memory is compared; then the client reads it all.
    sent = 0

    def counted():
        nonlocal sent
        for chunk in chunks(TOTAL, largest=MIB):
            yield chunk
            sent += len(chunk)

    with App(source(counted)) as app:
        sallyport = serve(app)
        with TlsClient(address_of(sallyport.config), client_context(pki.ca)) as client:
            before = sallyport.worker().resident_bytes()
            client.handshake()
            assert stalls(lambda: sent) < min(TOTAL, IN_FLIGHT)
            assert sallyport.worker().resident_bytes() - before < GROWTH_MAX
            digest = hashlib.sha256()
            while data := client.receive(262_144):
                digest.update(data)
            assert digest.hexdigest() == digest_of(chunks(TOTAL, largest=MIB))
            client.end()


def test_an_app_that_does_not_read_stops_the_client_and_costs_no_memory(serve, pki):
    # Goal: back-pressure the other way. Method: as above with the roles changed; the app reads when it is told to.
    reads = threading.Event()

    def late_reader(connection):
        reads.wait(30)
        digest = hashlib.sha256()
        while data := connection.recv(262_144):
            digest.update(data)
        return digest.hexdigest()

    with App(late_reader) as app:
        sallyport = serve(app)
        with TlsClient(address_of(sallyport.config), client_context(pki.ca)) as client:
            before = sallyport.worker().resident_bytes()
            client.handshake()
            sent = 0

            def send_all():
                nonlocal sent
                for chunk in chunks(TOTAL, largest=MIB):
                    client.send(chunk)
                    sent += len(chunk)
                client.end()

            sender = threading.Thread(target=send_all, daemon=True)
            sender.start()
            assert stalls(lambda: sent) < min(TOTAL, IN_FLIGHT)
            assert sallyport.worker().resident_bytes() - before < GROWTH_MAX
            reads.set()
            assert app.outcome(30) == digest_of(chunks(TOTAL, largest=MIB))
            sender.join(10)


def test_a_stalled_connection_does_not_hold_up_others(serve, pki):
    # Goal: one slow reader is nobody else's trouble. Method: one client never reads; another one on the same shard gets
    # its 4 MiB.
    with App(source(lambda: chunks(4 * MIB))) as app:
        address = address_of(serve(app, shards=1).config)
        with TlsClient(address, client_context(pki.ca)) as slow, TlsClient(address, client_context(pki.ca)) as quick:
            slow.handshake()
            quick.handshake()
            assert len(quick.receive_all()) == 4 * MIB
            assert len(slow.receive_all()) == 4 * MIB
