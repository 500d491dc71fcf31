"""The gatekeeper reads no network: every system call that it makes in a busy life."""

import os
import re
import signal

import pytest

from support.apps import App, echo
from support.sallyport import Sallyport, address_of, simple_config
from support.scale import SANITIZED
from support.tls_client import TlsClient, client_context, ended_without_handshake
from support.trace import calls_in, wrapper
from support.waiting import until

INET = re.compile(r"<(?:TCP|UDP|RAW|PING|SCTP|MPTCP)\w*:")
FIRST = re.compile(r"^\w+\((\d+<[^>]*>)")
WATCHED = re.compile(r"\{fd=\d+<(?:TCP|UDP)\w*:[^>]*>, events=(\w+)")
# What binds, asks, hands over and ends a socket; and no byte passes.
SILENT = {"socket", "setsockopt", "getsockopt", "bind", "listen", "getsockname", "fstat", "newfstatat", "fcntl", "dup",
          "close"}
CONNECTIONS = 150


@pytest.fixture(scope="module")
def calls(installation, pki, tmp_path_factory):
    """Of a life with requests, strangers, a reload, the deaths of both children, and a drain."""
    path = tmp_path_factory.mktemp("trace") / "calls"
    with App(echo) as app:
        config = simple_config(pki.pair(), app.address, shards=2)
        with Sallyport(installation, config, wrapper=wrapper(path, "-yy")) as sallyport:
            sallyport.wait_until_ready()
            for _ in range(CONNECTIONS):
                exchange(config, pki)
            ended_without_handshake(address_of(config), b"GET / HTTP/1.1\r\n\r\n")
            sallyport.signal(signal.SIGHUP)
            sallyport.log.wait_for(count=2, event="certificate loaded")
            for name, sign in (("worker", "serving"), ("keyholder", "certificates and ticket keys taken over")):
                before = len(sallyport.log.matching(event=sign))
                os.kill(sallyport.child(name).pid, signal.SIGKILL)
                sallyport.log.wait_for(count=before + 1, event=sign)
                exchange(config, pki)
    until(lambda: "exit_group(" in path.read_text().splitlines()[-1], 10, "strace has written everything")
    return list(calls_in(path))


def exchange(config, pki):
    with TlsClient(address_of(config), client_context(pki.ca)) as client:
        client.handshake().send(b"a secret")
        assert client.receive_exactly(8) == b"a secret"


def test_the_trace_shows_who_reads_the_network(calls):
    # Goal: the tests below see what they look for. Method: the same trace has the worker's accepts, connects and reads.
    touched = [c.name for c in calls if c.executable == "sallyport-worker" and c.begins and INET.search(c.text)]
    assert {"connect", "write"} <= set(touched)
    assert min(touched.count("accept4"), touched.count("recvfrom")) >= CONNECTIONS


def test_the_gatekeeper_moves_no_byte_of_an_internet_socket(calls):
    # Goal: design's table, "reads the network: no". Method: of all calls whose text names such a socket, and of those
    # that could make one of a connection, only what binds, asks, hands over and closes; each is polled for no event.
    own = [call for call in calls if call.executable == "sallyport"]
    for call in own:
        first = FIRST.match(call.text)
        assert not (first and INET.search(first[1])) or call.name in SILENT, call.text
        assert call.name not in ("accept", "accept4", "recvmmsg", "splice", "epoll_ctl", "io_uring_setup"), call.text
        assert call.name != "connect" or "AF_UNIX" in call.text, call.text
        if INET.search(call.text) and call.name not in SILENT:
            assert call.name in ("sendmsg", "poll"), call.text  # a message that hands it over; waiting
        assert set(WATCHED.findall(call.text)) <= {"0"}, call.text
    assert {"socket", "bind", "listen"} <= {call.name for call in own if "<TCP" in call.text}


@pytest.mark.skipif(SANITIZED, reason="their runtimes wait in ways of their own")
def test_connections_do_not_even_wake_the_gatekeeper(calls):
    # Goal: a flood of clients costs the gatekeeper nothing. Method: it waits far less often than there are connections.
    waits = [c for c in calls if c.executable == "sallyport" and c.name == "poll" and c.begins and "<TCP" in c.text]
    assert 0 < len(waits) < CONNECTIONS / 4
