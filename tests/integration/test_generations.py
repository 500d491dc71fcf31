"""Several configurations at once: how many, how long, how often, and what is left of them."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from support.admin import figures, place_of
from support.apps import App, answer, echo
from support.http_peers import ok, serve_requests
from support.ports import free_port, refuses
from support.procfs import Process
from support.programs import curl
from support.reloading import is_alone, reload, reload_fails, to, write
from support.sallyport import Sallyport, address_of, simple_config
from support.scale import scaled
from support.tls_client import TlsClient, client_context
from support.waiting import until


def shout(connection):
    while data := connection.recv(65536):
        connection.sendall(data.upper())


def of_the_new_one(address, ca):
    """A connection before the app that shouts: in the first moment the old worker may still take some."""
    while True:
        client = TlsClient(address, client_context(ca))
        client.handshake().send(b"a")
        if client.receive_exactly(1) == b"A":
            return client
        client.socket.close()


def test_the_oldest_generation_is_cut_when_there_would_be_too_many(serve, pki):
    with App(echo) as app, App(shout) as other:
        sallyport = serve(app, reload={"max_generations": 2, "last_call": "700ms"})
        address, config = address_of(sallyport.config), sallyport.config
        with TlsClient(address, client_context(pki.ca)) as first:
            first.handshake()
            reload(sallyport, to(config, other))
            second = of_the_new_one(address, pki.ca)
            began = time.monotonic()
            reload(sallyport, config, count=2)
            assert time.monotonic() - began > 0.7
            assert sallyport.log.matching(event="generation cut", generation=1)
            assert first.receive_all() == b"" and first.ended != "close_notify"
            second.send(b"lives")
            assert second.receive_exactly(5) == b"LIVES"
            second.socket.close()


def test_old_connections_are_cut_when_the_configuration_says_so(serve, pki):
    with App(echo) as app, App(echo) as other:
        sallyport = serve(app, reload={"drain_timeout": "300ms"})
        with TlsClient(address_of(sallyport.config), client_context(pki.ca)) as client:
            client.handshake()
            reload(sallyport, to(sallyport.config, other))
            assert client.receive_all() == b"" and client.ended != "close_notify"
        sallyport.log.wait_for(event="generation drained", cut=1)


def test_a_last_call_gives_no_more_time_than_there_was(serve, pki):
    # Goal: the worker cuts, with a line and a count, before the gatekeeper ends it. Method: what is left of `drain_timeout`
    # is shorter than the last call that follows.
    with App(echo) as app:
        sallyport = serve(app, reload={"max_generations": 2, "drain_timeout": "2s", "last_call": "1m"})
        with TlsClient(address_of(sallyport.config), client_context(pki.ca)) as client:
            client.handshake()
            reload(sallyport, {**sallyport.config, "limits": {"idle_timeout": "4m"}})
            write(sallyport, {**sallyport.config, "limits": {"idle_timeout": "3m"}})
            sallyport.signal(signal.SIGHUP)
            sallyport.log.wait_for(event="generation cut", generation=1)
            sallyport.log.wait_for(event="generation drained", generation=1, cut=1, seconds=20)
            assert client.receive_all() == b"" and client.ended != "close_notify"


def test_the_end_gives_old_generations_their_time_too(serve, pki):
    # Goal: SIGTERM is for all of them. Method: a connection of the old one goes on, and Sallyport waits for it; another
    # is cut by the timeout; the last line counts both generations.
    with App(echo) as app, App(shout) as other:
        sallyport = serve(app, drain={"timeout": "2s"})
        address = address_of(sallyport.config)
        with TlsClient(address, client_context(pki.ca)) as old:
            old.handshake()
            reload(sallyport, to(sallyport.config, other))
            new = of_the_new_one(address, pki.ca)
            sallyport.signal(signal.SIGTERM)
            until(lambda: refuses(address), 5)
            old.send(b"x")
            assert old.receive_exactly(1) == b"x"
            old.end()
            assert old.receive_all() == b"" and old.ended == "close_notify"
            assert new.receive_all() == b"" and new.ended != "close_notify"
            new.socket.close()
        sallyport.wait_for_exit(0, 10)
        assert sallyport.log.matching(event="drained")[0]["cut"] == 1


def memory(process):
    """Its own, in KiB: what it does not share with files."""
    return int(process.status()["RssAnon"].split()[0])


@pytest.mark.seconds(180)
def test_a_hundred_reloads_leave_nothing_behind(serve, pki):
    # Goal: no process, no descriptor, no memory (hitch doubles its own with each). Method: a configuration that changes
    # each time, a request between; afterwards the gatekeeper is what it was after ten of them.
    def at_rest():
        return is_alone(sallyport) and figures(place_of(sallyport)).sum("sallyport_generations") == 1

    times = scaled(100, 20)
    with App(answer("a")) as app, App(answer("b")) as other:
        sallyport = serve(app)
        address, config = address_of(sallyport.config), sallyport.config
        for count in range(1, times + 1):
            where, said = ((other, "b"), (app, "a"))[count % 2 == 0]
            reload(sallyport, to(config, where), count=count)
            if count % 10 == 0:
                until(lambda: curl(address, pki.ca).stdout == said, 10)
            if count == 10:
                until(at_rest, 10)
                before, begun = sallyport.gatekeeper().descriptors(), memory(sallyport.gatekeeper())
        until(at_rest, 10, "the gatekeeper has let go of all generations but the last")
        assert len(sallyport.gatekeeper().descriptors()) == len(before)
        assert memory(sallyport.gatekeeper()) - begun < scaled(1024, 65536)
        assert not sallyport.log.matching(event="child killed") and not sallyport.log.matching(event="child died")


def test_a_storm_of_signals_ends_with_the_last_configuration(serve, pki):
    # Goal: none is lost, none harms. Method: signals without a pause while the file changes; what the file says last is
    # in force in the end.
    with App(answer("a")) as app, App(answer("b")) as other:
        sallyport = serve(app)
        address, config = address_of(sallyport.config), sallyport.config
        for turn in range(20):
            write(sallyport, to(config, (other, app)[turn % 2]))
            for _ in range(50):
                sallyport.signal(signal.SIGHUP)
        write(sallyport, to(config, other))
        sallyport.signal(signal.SIGHUP)
        until(lambda: curl(address, pki.ca).stdout == "b", 20, "the last configuration is in force")
        until(lambda: is_alone(sallyport), 20, "only the last generation is left")
        assert not sallyport.log.matching(event="child died")


def test_no_request_fails_while_configurations_change(serve_http):
    # Goal: issue 6, a reload loses nobody. Method: h2load over kept HTTP/1.1 connections, and curls that connect anew,
    # while one configuration follows the other.
    with App(serve_requests(ok)) as app, App(serve_requests(ok)) as other:
        # Without lines of exchanges, which this process would have to read.
        site = serve_http(app.address, reload={"max_generations": 16}, log={"access": {"format": "none"}})
        total, failed, over = scaled(20_000, 5_000), [], threading.Event()
        load = subprocess.Popen(["h2load", "--h1", "-n", str(total), "-c", "8", f"{site.url}/"], stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True)

        def connect_anew():
            while not over.is_set():
                done = curl(site.address, site.ca)
                if done.stdout != "ok":
                    failed.append(done.stderr)

        asking = threading.Thread(target=connect_anew)
        asking.start()
        count = 0
        try:
            while load.poll() is None and count < 40:
                count += 1
                reload(site.sallyport, to(site.config, (app, other)[count % 2]), count=count)
            said = load.communicate(timeout=50)[0]
        finally:
            over.set()
            asking.join(20)
            load.kill()
            load.wait()
        assert not failed, failed
        assert count >= 3 and f"{total} succeeded, 0 failed, 0 errored, 0 timeout" in said, said


def test_the_app_of_run_is_untouched(installation, pki, tmp_path):
    # Goal: SIGHUP is ours alone, also where it changes something. Method: another limit; the app has the same pid, the
    # signal has not reached it, and it is served as before.
    shutil.copy(Path(__file__).parent.parent / "support" / "owned_app.py", tmp_path)
    for directory in (tmp_path, *tmp_path.parents):
        if directory != Path("/tmp") and directory.is_relative_to("/tmp"):
            directory.chmod(0o755)
    port = free_port()
    config = simple_config(pki.pair(), port)
    sallyport = Sallyport(installation, config, app=[sys.executable, tmp_path / "owned_app.py", port])
    try:
        sallyport.wait_until_ready()
        app = Process(sallyport.log.wait_for(event="app started")["pid"])
        reload(sallyport, {**config, "limits": {"idle_timeout": "1m"}})
        assert curl(address_of(config), pki.ca).stdout == "hello" and app.is_alive()
        assert "restart" in reload_fails(sallyport, {**config, "app": {"stop_timeout": "1s"}})
        sallyport.stop()
        assert len(sallyport.log.matching(event="app started")) == 1
        assert signal.SIGHUP not in [line["number"] for line in sallyport.log.matching(event="signal")]
    finally:
        sallyport.abandon()


def test_a_killed_worker_comes_back_with_the_configuration_in_force(serve, pki):
    with App(answer("first")) as app, App(answer("second")) as other:
        sallyport = serve(app)
        address = address_of(sallyport.config)
        old = sallyport.worker()
        reload(sallyport, to(sallyport.config, other))
        until(lambda: not old.is_alive() and is_alone(sallyport), 10)
        os.kill(sallyport.worker().pid, signal.SIGKILL)
        until(lambda: curl(address, pki.ca).stdout == "second", 10)
