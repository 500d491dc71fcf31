"""Code that runs inside a captured worker: whatever it tries is refused, named in the audit log, and survived.

tests/support/captured.cpp is the real worker that obeys orders once it is confined.
"""

import pytest

from support.apps import App, echo
from support.captured import captured as captured_sallyport
from support.kernel import landlock_abi
from support.sallyport import address_of
from support.scale import PRESET, SANITIZED
from support.tls_client import TlsClient, client_context
from support.waiting import until

pytestmark = pytest.mark.skipif(PRESET == "tsan", reason="the thread that obeys outlives the worker's main")

AT_FDCWD, MSG_FASTOPEN, SIGSYS, SIGKILL, SIGCHLD = -100, 0x20000000, 31, 9, 17
INET, INET6, UNIX, NETLINK, STREAM, DGRAM, RAW, MPTCP = 2, 10, 1, 16, 1, 2, 3, 262
SHUT_RD, SHUT_WR, SHUT_RDWR = 0, 1, 2
SOL_SOCKET, SO_ATTACH_FILTER, SO_REUSEPORT, SO_LINGER = 1, 26, 15, 13


@pytest.fixture
def captured(built, pki):
    with captured_sallyport(built, pki) as subject:
        yield subject


# Name: what it calls, and whether sanitizer builds must allow it to their own runtimes.
DEADLY = {
    "open a file": (f"openat {AT_FDCWD} s:/etc/hostname 0", True),
    "open its own memory": (f"openat {AT_FDCWD} s:/proc/self/mem 2", True),
    "start a program": ("execve s:/bin/true 0 0", False),
    "fork": (f"clone {SIGCHLD} 0 0 0 0", True),
    "start a thread": ("clone 0x3d0f00 0 0 0 0", True),
    "open a UDP socket": (f"socket {INET} {DGRAM} 0", False),
    "open an IPv6 socket": (f"socket {INET6} {STREAM} 0", False),
    "open a Unix socket": (f"socket {UNIX} {STREAM} 0", False),
    "open a raw socket": (f"socket {INET} {RAW} 6", False),
    "open a netlink socket": (f"socket {NETLINK} {RAW} 0", False),
    "open an MPTCP socket": (f"socket {INET} {STREAM} {MPTCP}", False),
    "pass a descriptor to the gatekeeper": ("sendmsg {control} d:1 0", False),
    "pass a descriptor to the keyholder": ("sendmsg {sign} d:1 0", False),
    "make a pair of sockets": (f"socketpair {UNIX} {STREAM} 0 0", False),
    "trace the keyholder": ("ptrace 16 {keyholder} 0 0", True),
    "read the keyholder's memory": ("process_vm_readv {keyholder} 0 0 0 0 0", True),
    "open the keyholder's memory": (f"openat {AT_FDCWD} s:/proc/{{keyholder}}/mem 0", True),
    "hold the gatekeeper's process": ("pidfd_open {gatekeeper} 0", False),
    "signal the keyholder": (f"kill {{keyholder}} {SIGKILL}", True),
    "signal the gatekeeper": (f"tgkill {{gatekeeper}} {{gatekeeper}} {SIGKILL}", True),
    "stop the listening socket": (f"shutdown {{listener}} {SHUT_RDWR}", False),
    "stop the listening socket's reading": (f"shutdown {{listener}} {SHUT_RD}", False),
    "end everybody's log": (f"shutdown 1 {SHUT_WR}", False),
    "end everybody's audit stream": (f"shutdown 0 {SHUT_WR}", False),
    "filter the listening socket": (f"setsockopt {{listener}} {SOL_SOCKET} {SO_ATTACH_FILTER} 0 0", False),
    "share the listening socket's port": (f"setsockopt {{listener}} {SOL_SOCKET} {SO_REUSEPORT} 0 0", False),
    "shorten the listening socket's queue": ("listen {listener} 0", False),
    "make the listening socket block": ("fcntl {listener} 4 0", True),
    "type into a terminal": ("ioctl 1 0x5412 s:x", True),
    "run what it has written": ("mmap 0 4096 7 34 -1 0", True),
    "use io_uring": ("io_uring_setup 1 0", False),
    "load a BPF program": ("bpf 0 0 0", False),
    "become root": ("setuid 0", False),
    "replace its filter": ("seccomp 1 0 0", False),
    "make a memory file": ("memfd_create s:x 0", False),
    "watch more descriptors": ("epoll_create1 0", False),
}


@pytest.mark.parametrize("attack", DEADLY)
def test_it_ends_the_worker_is_named_and_the_service_lives_on(captured, attack):
    # Goal: the first foreign call is the last. Method: the order; then the audit line with the call's name, a death by
    # it, the same keyholder, and another worker that serves.
    order, is_relaxed = DEADLY[attack]
    if SANITIZED and is_relaxed:
        pytest.skip("the sanitizers' runtimes need this call")
    sallyport, keyholder, worker = captured.sallyport, captured.sallyport.keyholder().pid, captured.sallyport.worker().pid
    captured.order(order)
    refused = sallyport.log.wait_for(event="system call refused")
    assert (refused["call"], refused["child"], refused["pid"]) == (order.split()[0], "worker", worker)
    assert refused["stream"] == "audit"
    assert sallyport.log.wait_for(event="child died")["how"] == "exit code 159"
    until(captured.serves, 10, "the next worker serves")
    assert sallyport.keyholder().pid == keyholder
    assert not sallyport.log.matching(event="order")


def test_it_reaches_no_port_but_the_app_s(captured, pki):
    # Goal: Landlock's ports. Method: connect to the app, and to another listening port. A kernel that lacks them is
    # named by the audit log, and leaves every port open.
    has_ports = landlock_abi() >= 4
    captured.sallyport.log.wait_for(event="sandbox tightened", process="worker")  # it has told what is lacking before
    lacks = captured.sallyport.log.matching(event="guard not available", guard="landlock network", process="worker")
    assert bool(lacks) == (not has_ports and landlock_abi() >= 1)
    with App(echo) as other:
        app, stranger = (address.rsplit(":", 1)[1] for address in (captured.config["upstreams"]["app"]["address"],
                                                                   other.address))
        assert captured.ask(f"socket {INET} {STREAM} 0")[0] > 0
        assert captured.ask(f"connect $ a:{app} 16") == (0, "")
        assert captured.ask(f"socket {INET} {STREAM} 0")[0] > 0
        assert captured.ask(f"connect $ a:{stranger} 16") == ((-1, "EACCES") if has_ports else (0, ""))
    assert captured.serves()


@pytest.mark.parametrize("way", ["sendto", "sendmsg"])
def test_it_does_not_connect_by_sending(captured, way):
    # Goal: MSG_FASTOPEN connects without connect(2), past Landlock. Method: try both calls that take the flag; the
    # other app hears nothing.
    with App(echo) as other:
        port = other.address.rsplit(":", 1)[1]
        assert captured.ask(f"socket {INET} {STREAM} 0")[0] > 0
        arguments = f"s:out 3 {MSG_FASTOPEN} a:{port} 16" if way == "sendto" else f"m:{port} {MSG_FASTOPEN}"
        captured.order(f"{way} $ {arguments}")
        assert captured.sallyport.log.wait_for(event="system call refused")["call"] == way
        until(captured.serves, 10, "the next worker serves")
        assert other.has_no_outcome()


def test_it_binds_no_port(captured):
    # Goal: nobody but the gatekeeper binds. Method: bind 443 on a socket that it may make.
    assert captured.ask(f"socket {INET} {STREAM} 0")[0] > 0
    captured.order("bind $ a:443 16")
    assert captured.sallyport.log.wait_for(event="system call refused")["call"] == "bind"
    until(captured.serves, 10, "the next worker serves")


def test_it_cannot_take_the_trap_away(captured):
    # Goal: SIGSYS keeps its handler. Method: ask for another one; EPERM, and the next foreign call is named all the same.
    assert captured.ask(f"rt_sigaction {SIGSYS} 0 0 8") == (-1, "EPERM")
    captured.order("listen {listener} 0")
    assert captured.sallyport.log.wait_for(event="system call refused")["call"] == "listen"
    until(captured.serves, 10, "the next worker serves")


def test_it_stops_a_listening_socket_for_no_longer_than_it_takes_to_replace_it(captured):
    # Goal: connect(2) to AF_UNSPEC, which no guard sees, is found out. Method: the order; the worker is killed for it,
    # the socket listens again, and the next worker serves.
    worker = captured.sallyport.worker().pid
    captured.order("connect {listener} u: 16")
    killed = captured.sallyport.log.wait_for(event="child killed", stream="audit")
    assert (killed["pid"], killed["reason"]) == (worker, "it has stopped a listening socket")
    assert captured.sallyport.log.wait_for(event="listening again")["stream"] == "audit"
    until(captured.serves, 10, "the next worker serves")


def test_what_it_may_do_to_a_listening_socket_does_not_outlive_it(captured):
    # Goal: the options that it needs on connections do no lasting harm on the listener. Method: end its writing, set a
    # lingering that turns every close into a reset, then die; the next worker's connections end in good order.
    assert captured.ask(f"shutdown {{listener}} {SHUT_WR}")[1] in ("", "ENOTCONN")
    assert captured.ask(f"setsockopt {{listener}} {SOL_SOCKET} {SO_LINGER} r: 8") == (0, "")
    captured.order("listen {listener} 0")
    captured.sallyport.log.wait_for(event="child died")
    until(captured.serves, 10, "the next worker serves")
    with TlsClient(address_of(captured.config), client_context(captured.pki.ca)) as client:
        client.handshake().send(b"x")
        assert client.receive_exactly(1) == b"x"
        client.end()
        assert client.receive() == b""
        assert client.ended == "close_notify"
