"""A slow reader on one side stops reading on the other; memory stays bounded."""

import hashlib
import threading
from contextlib import ExitStack

import pytest
from support.apps import App, source
from support.payload import chunks, digest_of
from support.sallyport import address_of, http_config, simple_config
from support.scale import SANITIZED, scaled
from support.tls_client import TlsClient, client_context
from support.waiting import until

MIB = 1 << 20
TOTAL = scaled(64 * MIB, 24 * MIB)
# What the kernel's socket buffers may hold on both sides (tcp_rmem and tcp_wmem end at 6 and 4 MiB), with some air.
IN_FLIGHT = 24 * MIB
# Sanitizers hold freed memory back: their figures say nothing.
GROWTH_MAX = 8 * MIB if not SANITIZED else 512 * MIB
CROWD = scaled(120, 10)
# The buffers that all share (3 MiB), the budget (1 MiB), and of each connection a record, a begun record and its session:
# 6 to 9 MiB are measured. When what goes to the app was not in the budget, it was 18.
CROWD_GROWTH_MAX = 15 * MIB if not SANITIZED else 512 * MIB
BODY = 1 << 30


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


def flood(sent, send):
    """Sends until it is stopped; every piece that was taken is in `sent`."""
    try:
        while True:
            send(bytes(MIB // 4))
            sent.append(1)
    except OSError:
        pass  # the test is over


@pytest.mark.parametrize("mode", ["tcp", "http"])
@pytest.mark.parametrize("way", ["up", "down"])
def test_all_slow_readers_share_one_budget(start, pki, mode, way):
    # Goal: `limits.buffers` bounds what a crowd of slow readers costs, in both directions and modes. Method: each
    # connection is filled until its sender stands still, and the worker's memory compared. The app of `up` reads nothing,
    # the clients of `down` read nothing.
    sent, over = [], threading.Event()

    def app_of(connection):
        if way == "up":
            over.wait(50)
        else:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % BODY)
            flood(sent, connection.sendall)

    with App(app_of) as app, ExitStack() as stack:
        stack.callback(over.set)
        config = (simple_config if mode == "tcp" else http_config)(pki.pair(), app.address, limits={"buffers": "1MiB"})
        sallyport = start(config)
        before = sallyport.worker().resident_bytes()
        for _ in range(CROWD):
            client = stack.enter_context(TlsClient(address_of(config), client_context(pki.ca), timeout=50))
            client.handshake()
            client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % (BODY * (way == "up")))
            if way == "up":
                threading.Thread(target=flood, args=(sent, client.send), daemon=True).start()
        stalls(lambda: len(sent))
        assert sallyport.worker().resident_bytes() - before < CROWD_GROWTH_MAX


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
