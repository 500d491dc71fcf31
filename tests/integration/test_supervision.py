"""A killed process is replaced; what can live on lives on."""

import os
import signal
import socket
import time

from support.apps import App, answer, echo
from support.programs import curl
from support.sallyport import Sallyport, address_of, simple_config
from support.scale import scaled
from support.tls_client import TlsClient, client_context
from support.waiting import until


def kill(process):
    os.kill(process.pid, signal.SIGKILL)


def replaced(sallyport, name, old):
    return until(lambda: sallyport.child(name).pid != old.pid and sallyport.child(name), 5, f"another {name}")


def test_a_killed_worker_is_back_within_a_second(serve, pki):
    # Goal: service resumes within a second, by the same keyholder and on the same sockets. Method: SIGKILL, then knock
    # until a request is answered. Where a whole start and a request take half a second or more, twice that is allowed.
    with App(answer("back")) as app:
        began = time.monotonic()
        sallyport = serve(app)
        address, keyholder, worker = address_of(sallyport.config), sallyport.keyholder(), sallyport.worker()
        assert curl(address, pki.ca).stdout == "back"
        killed = time.monotonic()
        kill(worker)
        until(lambda: curl(address, pki.ca).stdout == "back", 20, "a request is answered")
        assert time.monotonic() - killed < max(scaled(1.0, 5.0), 2 * (killed - began))
        assert sallyport.keyholder().pid == keyholder.pid
        assert sallyport.worker().pid != worker.pid


def clients_of_no_worker(sallyport, ca):
    """Ten that the worker never took: it was stopped (SIGSTOP) when they connected, and is killed now."""
    worker = sallyport.worker()
    worker.suspend()
    clients = [TlsClient(address_of(sallyport.config), client_context(ca)) for _ in range(10)]
    kill(worker)
    return worker, clients


def assert_served(clients):
    for client in clients:
        client.handshake().send(b"served")
        assert client.receive_exactly(6) == b"served"
        client.socket.close()


def test_connections_in_the_queue_survive_the_worker(serve, pki):
    # Goal: who was in the listening queue is served by the next worker. Method: handshakes that succeed on the very same
    # connections.
    with App(echo) as app:
        _, clients = clients_of_no_worker(serve(app, shards=2), pki.ca)
        assert_served(clients)


def test_who_waits_between_two_workers_is_served_though_the_end_is_asked_for(serve, pki):
    # Goal: the next worker, told to serve and to drain in one breath, empties the queue first. Method: as above, and
    # SIGTERM between the two lives.
    with App(echo) as app:
        sallyport = serve(app, shards=2)
        worker, clients = clients_of_no_worker(sallyport, pki.ca)
        sallyport.log.wait_for(event="child died", pid=worker.pid)
        sallyport.signal(signal.SIGTERM)
        assert_served(clients)
        sallyport.wait_for_exit(0)
        assert sallyport.log.matching(event="drained")[0]["cut"] == 0


def test_a_killed_keyholder_costs_no_connection_and_no_worker(serve, pki):
    # Goal: the keyholder is replaced under a living worker. Method: SIGKILL it; an open connection goes on, the next
    # full handshakes succeed, the worker is the same.
    with App(echo) as app:
        sallyport = serve(app)
        address, keyholder, worker = address_of(sallyport.config), sallyport.keyholder(), sallyport.worker()
        with TlsClient(address, client_context(pki.ca)) as living:
            living.handshake()
            kill(keyholder)
            living.send(b"still here")
            assert living.receive_exactly(10) == b"still here"
            replaced(sallyport, "keyholder", keyholder)
            for _ in range(3):
                with TlsClient(address, client_context(pki.ca, resume=False)) as client:
                    client.handshake()
        assert sallyport.worker().pid == worker.pid


def test_a_handshake_in_the_moment_without_a_keyholder_waits_for_the_next_one(serve, pki):
    # Goal: the gap between two keyholders is a delay, not a failure. Method: knock at once after the kill.
    with App(answer("patience")) as app:
        sallyport = serve(app)
        for _ in range(3):
            keyholder = sallyport.keyholder()
            kill(keyholder)
            done = curl(address_of(sallyport.config), pki.ca)
            assert done.stdout == "patience", done.stderr
            replaced(sallyport, "keyholder", keyholder)


def test_both_killed_together_come_back(serve, pki):
    # Goal: no deadlock between the two restarts. Method: kill both in one breath.
    with App(answer("both")) as app:
        sallyport = serve(app)
        worker, keyholder = sallyport.worker(), sallyport.keyholder()
        kill(keyholder)
        kill(worker)
        until(lambda: curl(address_of(sallyport.config), pki.ca).stdout == "both", 10, "a request is answered")


def test_every_restart_is_in_the_audit_log(serve):
    # Goal: an operator sees who died and how. Method: kill the worker; look for the audit line with its signal.
    with App(answer("seen")) as app:
        sallyport = serve(app)
        worker = sallyport.worker()
        kill(worker)
        replaced(sallyport, "worker", worker)
        line = sallyport.log.wait_for(event="child died", pid=worker.pid)
        assert line["stream"] == "audit" and ("9" in line["how"] or "SIGKILL" in line["how"])


def test_children_end_when_the_gatekeeper_is_killed(installation, pki):
    # Goal: no orphan serves on, even after SIGKILL of the parent. Method: kill it; both children end by themselves.
    with App(echo) as app:
        sallyport = Sallyport(installation, simple_config(pki.pair(), app.address)).wait_until_ready()
        family = sallyport.family()
        kill(family["gatekeeper"])
        sallyport.process.wait(5)
        until(lambda: not family["worker"].is_alive() and not family["keyholder"].is_alive(), 5, "both children end")
        sallyport.abandon()


def test_the_listening_port_stays_open_without_a_worker(serve):
    # Goal: between two workers a client waits, it is not refused. Method: kill, connect at once.
    with App(echo) as app:
        sallyport = serve(app)
        worker = sallyport.worker()
        kill(worker)
        socket.create_connection(address_of(sallyport.config), timeout=2).close()
        replaced(sallyport, "worker", worker)
