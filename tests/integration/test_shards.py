"""Two shards share the connections evenly, and nothing else: one that is held up holds up nobody at the other."""

import os
import resource
import signal
import socket
import time
from contextlib import ExitStack
from pathlib import Path

from support.apps import App, answer, echo
from support.frozen_thread import frozen
from support.sallyport import address_of
from support.tls_client import TlsClient, client_context
from support.waiting import until

CONNECTIONS = 10_000
AT_ONCE = 2_500
LISTEN = "0A"


def waiting_by_socket(port):
    """Connections that wait to be accepted, per listening socket of this port (kernel: networking/proc_net_tcp)."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    ours = [row for row in rows if row[3] == LISTEN and int(row[1].split(":")[1], 16) == port]
    return {row[9]: int(row[4].split(":")[1], 16) for row in ours}


def shard_threads(worker):
    return {status["Name"]: int(status["Pid"]) for status in worker.thread_statuses() if "shard" in status["Name"]}


def connect_all(address, count):
    stack = ExitStack()
    for _ in range(count):
        stack.enter_context(socket.create_connection(address))
    return stack


def test_each_of_two_shards_gets_its_half(serve):
    # Goal: 40 to 60 % of 10,000 connections for each. Method: a stopped worker accepts nothing, so the kernel says how
    # many wait at each shard's own socket; four times 2,500, all of them accepted afterwards.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        with App(answer("x")) as app:
            sallyport = serve(app, shards=2)
            address = address_of(sallyport.config)
            got = dict.fromkeys(waiting_by_socket(address[1]), 0)
            assert len(got) == 2
            for _ in range(CONNECTIONS // AT_ONCE):
                worker = sallyport.worker()
                worker.suspend()
                with connect_all(address, AT_ONCE):
                    # The last ones' third packets may still be on their way.
                    until(lambda: sum(waiting_by_socket(address[1]).values()) == AT_ONCE, 10, "all of them wait")
                    for inode, waiting in waiting_by_socket(address[1]).items():
                        got[inode] += waiting
                    os.kill(worker.pid, signal.SIGCONT)
                    until(lambda: not any(waiting_by_socket(address[1]).values()), 10, "all are accepted")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert sum(got.values()) == CONNECTIONS
    assert all(0.4 <= share / CONNECTIONS <= 0.6 for share in got.values()), got


def answers_within(client, seconds):
    client.socket.settimeout(seconds)
    try:
        client.send(b"x")
        return client.receive(16) == b"x"
    except TimeoutError:
        return False


def test_a_shard_that_is_held_up_does_not_delay_the_other(serve, pki):
    # Goal: share nothing. Method: 24 connections over two shards; one shard's thread is stopped; those of the other go
    # on at once, new ones too; when it goes on, so do its own, and nothing is lost.
    with App(echo) as app, ExitStack() as stack:
        sallyport = serve(app, shards=2)
        address, context = address_of(sallyport.config), client_context(pki.ca)
        clients = [stack.enter_context(TlsClient(address, context).handshake()) for _ in range(24)]
        assert all(answers_within(client, 10) for client in clients)
        with frozen(shard_threads(sallyport.worker())["shard 0"]):
            prompt = [client for client in clients if answers_within(client, 0.5)]
            assert 0 < len(prompt) < len(clients)
            began = time.monotonic()
            for client in prompt * 20:
                assert answers_within(client, 2)
            assert time.monotonic() - began < 10
        late = [client for client in clients if client not in prompt]
        for client in late:
            client.socket.settimeout(10)
            assert client.receive(16) == b"x"
