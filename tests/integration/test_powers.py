"""The table of powers (README.md, include/sallyport/privsep/profiles.hpp), cell by cell: what each process does in a
busy life under strace, and what it cannot even when it is captured."""

import os
import re
import signal
from dataclasses import dataclass

import pytest

from support.apps import App, echo
from support.captured import captured
from support.keyparts import found_in, secret_forms
from support.sallyport import Sallyport, address_of, simple_config
from support.scale import PRESET, SANITIZED
from support.tls_client import TlsClient, client_context, ended_without_handshake
from support.trace import calls_in, wrapper
from support.waiting import until

NAMES = ("gatekeeper", "keyholder", "worker")
INET = re.compile(r"<(?:TCP|UDP|RAW|PING|SCTP|MPTCP)\w*:")
FIRST = re.compile(r"^\((\d+<[^>]*>)")
WATCHED = re.compile(r"\{fd=\d+<(?:TCP|UDP)\w*:[^>]*>, events=(\w+)")
# What binds, asks, hands over and ends a socket; and no byte passes.
SILENT = {"socket", "setsockopt", "getsockopt", "bind", "listen", "getsockname", "fstat", "newfstatat", "fcntl", "dup",
          "fchown", "close"}
CONNECTIONS = 150


@dataclass
class Life:
    """What was seen of one."""

    calls: dict  # of each process, by name
    holders: set  # in whose memory the private key is
    files: tuple  # the configuration, the certificate, the key


@pytest.fixture(scope="module")
def life(installation, pki, profiles, tmp_path_factory):
    """A life with requests, strangers, a reload, the deaths of both children, and a drain."""
    if SANITIZED:
        pytest.skip("LeakSanitizer cannot work under strace, and the runtimes make calls of their own")
    path = tmp_path_factory.mktemp("trace") / "calls"
    pair = pki.pair()
    with App(echo) as app:
        config = simple_config(pair, app.address, shards=2)
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
            secrets = secret_forms(pair.clear_key_pem())
            holders = {name for name, process in sallyport.family().items()
                       if found_in(process, {**secrets.text, **secrets.live})}
    until(lambda: "exit_group(" in path.read_text().splitlines()[-1], 10, "strace has written everything")
    everything = list(calls_in(path))
    calls = {name: [c for c in everything if c.executable == profiles[name]["executable"]] for name in NAMES}
    return Life(calls, holders, (str(sallyport.config_file), *map(str, pair.config().values())))


def exchange(config, pki):
    with TlsClient(address_of(config), client_context(pki.ca)) as client:
        client.handshake().send(b"a secret")
        assert client.receive_exactly(8) == b"a secret"


def binds_ports(life, name):
    return any(c.name == "bind" and INET.search(c.text) and " = 0" in c.text for c in life.calls[name])


def reads_files(life, name):
    opened = [c for c in life.calls[name] if c.name in ("open", "openat", "openat2")]
    return any(f'"{file}"' in c.text for c in opened for file in life.files)


def holds_private_keys(life, name):
    return name in life.holders


def reads_network(life, name):
    read = {"accept", "accept4", "recvfrom", "recvmsg", "recvmmsg", "read", "readv"}
    return any(c.name in read and (first := FIRST.match(c.text)) and INET.search(first[1]) for c in life.calls[name])


def starts_processes(life, name):
    starts = [c for c in life.calls[name] if c.name in ("clone", "clone3", "fork", "vfork")]
    return any("CLONE_THREAD" not in c.text and " = -1 " not in c.text for c in starts)


# Power: how it shows, and what a captured child without it tries. Of the tries, True: sanitizer builds must allow it.
POWERS = {
    "binds_ports": (binds_ports, {"bind 0 a:443 16": False, "listen 0 1": False}),
    "reads_files": (reads_files, {"openat -100 s:/etc/hostname 0": True, "openat -100 s:/proc/self/environ 0": True}),
    "holds_private_keys": (holds_private_keys, {
        "process_vm_readv {keyholder} 0 0 0 0 0": True, "ptrace 16 {keyholder} 0 0": True,
        "openat -100 s:/proc/{keyholder}/mem 0": True, "pidfd_open {keyholder} 0": False}),
    "reads_network": (reads_network, {
        "socket 2 1 0": False, "accept4 0 0 0 0": False, "connect 0 a:443 16": False, "recvfrom 0 z:9 9 0 0 0": False}),
    "starts_processes": (starts_processes, {"execve s:/bin/true 0 0": False, "clone 17 0 0 0 0": True}),
}

# The children's cells that say no; the gatekeeper, which could do everything, is only seen not to.
DENIED = [("keyholder", "binds_ports"), ("keyholder", "reads_network"), ("keyholder", "starts_processes"),
          ("worker", "binds_ports"), ("worker", "reads_files"), ("worker", "holds_private_keys"),
          ("worker", "starts_processes")]


@pytest.mark.parametrize("power", POWERS)
@pytest.mark.parametrize("name", NAMES)
def test_each_process_does_what_its_cell_says_and_nothing_else(life, profiles, name, power):
    # Goal: no cell of the table is wrong. Method: a life in which every power is needed; the cell is whether it
    # was seen to be used.
    shows, _ = POWERS[power]
    assert shows(life, name) == profiles[name][power]


@pytest.mark.skipif(PRESET == "tsan", reason="the thread that obeys outlives the process's main")
@pytest.mark.parametrize("name, power", DENIED)
def test_a_captured_child_cannot_take_a_power_that_its_cell_denies(built, pki, name, power):
    # Goal: "no" means cannot, not does not. Method: orders to a captured process; each ends it, and is named.
    _, tries = POWERS[power]
    for order in (order for order, is_relaxed in tries.items() if not (SANITIZED and is_relaxed)):
        call = order.split()[0]
        with captured(built, pki, process=name) as subject:
            pid = subject.sallyport.family()[name].pid
            subject.order(order)
            refused = subject.sallyport.log.wait_for(event="system call refused")
            assert (refused["child"], refused["pid"], refused["call"]) == (name, pid, call)
            until(subject.serves, 10, "it is replaced")


def test_the_table_has_no_other_powers(profiles):
    # Goal: a new column comes with its proof, and a cell that turns to "no" with its tries. Method: names and cells.
    assert set(profiles) == set(NAMES)
    assert {(name, power) for name in NAMES[1:] for power in POWERS if not profiles[name][power]} == set(DENIED)
    for row in profiles.values():
        assert {key for key, value in row.items() if isinstance(value, bool)} - set(POWERS) == {
            "keeps_net_bind_service", "permits"}


def test_the_gatekeeper_moves_no_byte_of_an_internet_socket(life):
    # Goal: design's table, "reads the network: no". Method: of all calls whose text names such a socket, and of those
    # that could make one of a connection, only what binds, asks, hands over and closes; each is polled for no event.
    own = life.calls["gatekeeper"]
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
def test_connections_do_not_even_wake_the_gatekeeper(life):
    # Goal: a flood of clients costs the gatekeeper nothing. Method: it waits far less often than there are connections.
    waits = [c for c in life.calls["gatekeeper"] if c.name == "poll" and "<TCP" in c.text]
    assert 0 < len(waits) < CONNECTIONS / 4
