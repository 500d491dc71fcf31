"""Limits hold, say so, and are left again."""

import select
import socket
import subprocess

import pytest

from support.apps import App, CrowdApp, answer, echo
from support.sallyport import UNPRIVILEGED, address_of, simple_config
from support.scale import SANITIZED, scaled
from support.tls_client import TlsClient, client_context
from support.waiting import stays, until

IDLE = scaled(5_000, 300)


def connected(address, ca, context=None):
    client = TlsClient(address, context or client_context(ca)).handshake()
    client.send(b"hello")
    assert client.receive_exactly(5) == b"hello"
    return client


def has_answer(client):
    return bool(select.select([client.socket], [], [], 0)[0])


def test_the_connection_after_the_last_one_waits_for_a_place(serve, pki):
    # Goal: max_connections bounds what is served, the rest waits in the kernel. Method: five places; a sixth client
    # gets no ServerHello until one of the five leaves.
    with App(echo) as app:
        address = address_of(serve(app, limits={"max_connections": 5}).config)
        clients = [connected(address, pki.ca) for _ in range(5)]
        with TlsClient(address, client_context(pki.ca)) as sixth:
            sixth.socket.sendall(sixth.first_flight())
            stays(lambda: not has_answer(sixth), 0.5, "the sixth client has no answer")
            clients.pop().socket.close()
            until(lambda: has_answer(sixth), 5, "the sixth client is served")
        for client in clients:
            client.socket.close()


def test_running_out_of_descriptors_is_survived_without_spinning(serve, pki):
    # Goal: EMFILE is said once in a while, costs no CPU, kills no connection, and passes. Method: the worker's limit is
    # lowered to a few more than it holds; more clients come; they leave; the next one is served.
    with App(echo) as app:
        sallyport = serve(app, limits={"max_connections": 1000})
        address, worker = address_of(sallyport.config), sallyport.worker()
        connected(address, pki.ca).socket.close()
        room = max(worker.descriptors()) + 1 + 20
        # As the worker's own user: in a container root may lack CAP_SYS_RESOURCE.
        lower = ["prlimit", f"--pid={worker.pid}", f"--nofile={room}:{room}"]
        subprocess.run([*UNPRIVILEGED, *lower], check=True, timeout=5)
        waiting = []
        for _ in range(30):
            client = TlsClient(address, client_context(pki.ca))
            client.socket.sendall(client.first_flight())
            waiting.append(client)
        sallyport.log.wait_for(event="accepting is paused", process="worker")
        used = worker.cpu_seconds()
        stays(worker.is_alive, 1.0)
        assert worker.cpu_seconds() - used < scaled(0.2, 0.5), "it spins"
        for client in waiting:
            client.socket.close()
        connected(address, pki.ca).socket.close()
        assert worker.is_alive()


def crowd(address, ca, count, at_once=100):
    """So many clients whose byte has come back, in groups that shake hands side by side. The first one's session is
    offered by all others."""
    context, session, clients = client_context(ca), None, []
    while len(clients) < count:
        group = [TlsClient(address, context, session=session) for _ in range(min(at_once if clients else 1, count))]
        for client in group:
            client.socket.sendall(client.first_flight())
        for client in group:
            client.handshake().send(b"?")
        for client in group:
            assert client.receive_exactly(1) == b"?"
        session = session or group[0].tls.session
        clients += group
    return clients


@pytest.mark.seconds(180)
def test_thousands_of_idle_connections_are_held_cheaply(serve, pki):
    # Goal: 5,000 idle connections cost little memory each and are all alive. Method: open them through to an app that
    # keeps them, after one byte each way; compare the worker's memory; then a byte on every hundredth one.
    with CrowdApp() as app:
        sallyport = serve(app, shards=1)
        worker = sallyport.worker()
        before = worker.resident_bytes()
        clients = crowd(address_of(sallyport.config), pki.ca, IDLE)
        assert app.open == len(clients) >= IDLE
        each = (worker.resident_bytes() - before) / len(clients)
        assert SANITIZED or each < 40 * 1024, f"{each / 1024:.1f} KiB for each"
        for client in clients[::100]:
            client.send(b"!")
            assert client.receive_exactly(1) == b"!"
        for client in clients:
            client.socket.close()
        until(lambda: app.open == 0, 30, "the app has seen them all go")


def test_the_descriptor_limit_is_raised_at_start(start, pki):
    # Goal: the soft limit that a shell gives does not bind. Method: start with 256 soft, 4096 hard; read the worker's.
    with App(answer("raised")) as app:
        sallyport = start(simple_config(pki.pair(), app.address), wrapper=["prlimit", "--nofile=256:4096"])
        assert sallyport.worker().limits()["Max open files"] == ("4096", "4096")


def test_a_stranger_s_stdout_is_never_made_non_blocking(serve):
    # Goal: standard output is shared with others; its flags stay. Method: read the pipe's flags in the three processes.
    with App(echo) as app:
        for process in serve(app).family().values():
            with open(f"/proc/{process.pid}/fdinfo/1") as info:
                flags = next(line.split()[1] for line in info if line.startswith("flags"))
            assert not int(flags, 8) & socket.SOCK_NONBLOCK
