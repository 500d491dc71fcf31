"""SIGHUP: a new configuration comes into force beside the living connections, or not at all."""

import copy
import os
import shutil
import signal
import socket
import threading
from pathlib import Path

import pytest

from support.apps import App, answer, echo
from support.h2_client import NO_ERROR, H2Client
from support.http_peers import OK, Incoming, ok, serve_requests
from support.pki import SERVICE_UID
from support.ports import free_port, port_443, refuses
from support.procfs import CAP_NET_BIND_SERVICE
from support.programs import curl, s_client
from support.reloading import has_let_go, is_alone, reload, reload_fails, to, with_port
from support.sallyport import UNPRIVILEGED, address_of, simple_config
from support.tls_client import TlsClient, client_context
from support.waiting import until


def test_new_connections_are_served_by_the_new_configuration_and_old_ones_go_on(serve, pki):
    # Goal: design §2, a new configuration is a new worker. Method: another app; who was there stays with the first one
    # for as long as they like, and then the old worker goes. The log tells what changed; the audit stream, that it did.
    with App(echo) as first, App(answer("second")) as second:
        sallyport = serve(first)
        address, old = address_of(sallyport.config), sallyport.family()
        with TlsClient(address, client_context(pki.ca)) as client:
            client.handshake().send(b"before")
            assert client.receive_exactly(6) == b"before"
            line = reload(sallyport, to(sallyport.config, second))
            assert (line["stream"], line["generation"]) == ("audit", 2)
            # Until then it takes clients too, and they would count among those that its drain has finished.
            until(lambda: has_let_go(old["worker"], sallyport.worker()), 10, "the old worker does not listen")
            until(lambda: curl(address, pki.ca).stdout == "second", 5)
            assert sallyport.gatekeeper().pid == old["gatekeeper"].pid
            client.send(b"after")
            assert client.receive_exactly(5) == b"after"
            assert old["worker"].is_alive() and old["keyholder"].is_alive()
            client.end()
            assert client.receive_all() == b"" and client.ended == "close_notify"
        sallyport.log.wait_for(event="generation drained", generation=1, finished=1, cut=0)
        assert not old["worker"].is_alive() and not old["keyholder"].is_alive()
        change = sallyport.log.matching(event="configuration changes")
        assert [(c["key"], c["from"], c["to"]) for c in change] == [
            ("upstreams.app.address", first.address, second.address)]
        assert sallyport.log.matching(event="new configuration", stream="audit", keys="upstreams.app.address")


def test_a_route_is_added(serve_http):
    with App(serve_requests(ok)) as first, App(serve_requests(lambda _: OK.replace(b"ok", b"by"))) as second:
        site = serve_http(first.address)
        changed = copy.deepcopy(site.config)
        changed["upstreams"]["second"] = {"address": second.address}
        changed["listeners"][0]["routes"] = [{"path": "/second", "forward": "second"}]
        reload(site.sallyport, changed)
        until(lambda: curl(site.address, site.ca, path="/second").stdout == "by", 5)
        assert curl(site.address, site.ca, path="/first").stdout == "ok"


def test_what_lives_is_not_cut_by_a_reload(serve_http):
    # Goal: no exchange, no stream and no WebSocket ends for it (nginx does that to WebSockets). Method: one of each in
    # the app's hands; an idle HTTP/1.1 connection is served once more, and then told that it was the last time.
    gate, asked = threading.Event(), []

    def serve(connection):
        incoming = Incoming(connection)
        while True:
            request = incoming.request()
            if request is None:
                return
            if request.target == b"/ws":
                connection.sendall(b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
                connection.sendall(incoming.take(7))
                return
            asked.append(request.target)
            if request.target == b"/slow":
                gate.wait(20)
            connection.sendall(OK)

    with App(serve) as app, App(serve_requests(ok)) as other:
        site = serve_http(app.address)
        with site.client() as idle, site.client() as plain, site.client() as web, H2Client(site.address, site.ca) as h2:
            assert idle.get().value(b"connection") is None
            plain.send(b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n")
            web.send(b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
                     b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
            assert b" 101 " in web.receive()
            stream = h2.request("GET", "/slow")
            until(lambda: asked.count(b"/slow") == 2, 10, "the app is asked by both")
            reload(site.sallyport, to(site.config, other))
            h2.take_until(lambda: h2.goaway == NO_ERROR)  # the old worker drains
            gate.set()
            response = plain.response()
            assert (response.body, response.value(b"connection")) == (b"ok", b"close")
            assert h2.response(stream).body == b"ok" and h2.take_all() == NO_ERROR
            response = idle.get("/again")
            assert (response.body, response.value(b"connection"), asked[-1]) == (b"ok", b"close", b"/again")
            web.send(b"\x81\x81\0\0\0\0a")
            assert web.receive_exactly(7) == b"\x81\x81\0\0\0\0a"


def test_a_listener_is_added_and_removed(serve, pki):
    # Goal: sockets follow the configuration; the others keep theirs. Method: a second port comes and goes; who is
    # connected to it when it goes is served on.
    with App(echo) as app:
        sallyport = serve(app)
        address, second = address_of(sallyport.config), ("127.0.0.1", free_port())
        assert refuses(second)
        reload(sallyport, with_port(sallyport.config, second[1]))
        assert len(sallyport.log.matching(event="socket bound")) == 2  # the first is not bound again
        with TlsClient(second, client_context(pki.ca)) as client:
            client.handshake()
            reload(sallyport, sallyport.config, count=2)
            until(lambda: refuses(second), 5, "the second port is refused")
            client.send(b"on")
            assert client.receive_exactly(2) == b"on"
        with TlsClient(address, client_context(pki.ca)) as client:
            client.handshake()


@pytest.mark.parametrize("shards", [1, 2])
def test_a_listener_moves_between_one_address_and_every_address_of_its_port(serve, pki, shards):
    # Goal: our own socket does not stand in the way. Method: 127.0.0.1, then all, then 127.0.0.2, by reloads; who is
    # connected stays.
    with App(echo) as app:
        sallyport = serve(app, shards=shards)
        port = address_of(sallyport.config)[1]
        with TlsClient(("127.0.0.1", port), client_context(pki.ca)) as client:
            client.handshake()
            for count, (bind, served, refused) in enumerate(
                    ((f":{port}", ("127.0.0.1", "127.0.0.2", "::1"), ()),
                     (f"127.0.0.2:{port}", ("127.0.0.2",), ("127.0.0.1",))), start=1):
                changed = copy.deepcopy(sallyport.config)
                changed["listeners"][0]["bind"] = bind
                reload(sallyport, changed, count=count)
                for host in refused:
                    until(lambda host=host: refuses((host, port)), 5)
                for host in served:
                    with TlsClient((host, port), client_context(pki.ca)) as other:
                        other.handshake()
            client.send(b"on")
            assert client.receive_exactly(2) == b"on"


def test_a_reload_that_fails_leaves_inherited_sockets_where_they_are(start, pki, tmp_path):
    # Goal: what was passed can be asked for until the end. Method: two sockets; the second is named beside a certificate
    # that is not there, then with one that is: it serves on its own port. A descriptor of our own is no listener.
    with App(answer("inherited")) as app, socket.create_server(("127.0.0.1", 0)) as first, \
            socket.create_server(("127.0.0.1", 0)) as second:
        config = simple_config(pki.pair(), app.address)
        config["listeners"][0]["bind"] = f"fd:{first.fileno()}"
        both = copy.deepcopy(config)
        both["listeners"].append({**config["listeners"][0], "bind": f"fd:{second.fileno()}"})
        broken = copy.deepcopy(both)
        pair = {"cert": str(tmp_path / "none.pem"), "key": str(tmp_path / "none.key")}
        broken["listeners"][1]["tls"] = {"certificates": [pair]}
        sallyport = start(config, pass_fds=[first.fileno(), second.fileno()])
        assert "none.pem" in reload_fails(sallyport, broken)
        reload(sallyport, both)
        for listener in (first, second):
            assert curl(listener.getsockname(), pki.ca).stdout == "inherited"
        own = next(number for number, what in sallyport.gatekeeper().descriptors().items()
                   if what.startswith("socket:") and number not in (first.fileno(), second.fileno()))
        both["listeners"][1]["bind"] = f"fd:{own}"
        assert "is not a listening stream socket" in reload_fails(sallyport, both, count=2)


def test_an_inherited_socket_is_left_out_and_taken_again(start, pki):
    # Goal: nobody could pass it a second time. Method: two reloads; the second one wants it back.
    with App(answer("inherited")) as app, socket.create_server(("127.0.0.1", 0)) as given:
        config = simple_config(pki.pair(), app.address)
        both = copy.deepcopy(config)
        both["listeners"].append({**config["listeners"][0], "bind": f"fd:{given.fileno()}"})
        sallyport = start(both, pass_fds=[given.fileno()])
        assert curl(given.getsockname(), pki.ca).stdout == "inherited"
        reload(sallyport, config)
        reload(sallyport, both, count=2)
        assert curl(given.getsockname(), pki.ca).stdout == "inherited"


def test_a_unix_listener_is_added_and_removed_with_its_file(serve, pki, tmp_path):
    with App(echo) as app:
        sallyport = serve(app)
        os.chown(tmp_path, SERVICE_UID, SERVICE_UID)
        for directory in tmp_path.parents:
            if directory != Path("/tmp") and directory.is_relative_to("/tmp"):
                directory.chmod(0o755)
        path = tmp_path / "x.sock"
        changed = with_port(sallyport.config, 1)
        changed["listeners"][1] |= {"bind": f"unix:{path}"}
        reload(sallyport, changed)
        with TlsClient(str(path), client_context(pki.ca)) as client:
            client.handshake()
        changed["listeners"][1]["socket_mode"] = "0600"
        reload(sallyport, changed, count=2)
        assert path.stat().st_mode & 0o777 == 0o600
        with TlsClient(str(path), client_context(pki.ca)) as client:
            client.handshake()
        reload(sallyport, sallyport.config, count=3)
        assert not path.exists()


@pytest.mark.parametrize("wrapper", [(), (*UNPRIVILEGED, "--inh-caps=-all,+net_bind_service",
                                          "--ambient-caps=-all,+net_bind_service")], ids=["root", "ambient"])
def test_a_privileged_listener_is_added_long_after_the_start(start, pki, wrapper):
    # Goal: what others need a restart for. Method: 443 is added when we are nobody any more; afterwards the capability
    # is permitted, not effective, as before.
    with App(answer("privileged")) as app, port_443():
        config = simple_config(pki.pair(), app.address)
        sallyport = start(config, wrapper=wrapper)
        changed = copy.deepcopy(config)
        changed["listeners"].append({**config["listeners"][0], "bind": ":443"})
        reload(sallyport, changed)
        assert curl(("127.0.0.1", 443), pki.ca).stdout == "privileged"
        for status in sallyport.gatekeeper().thread_statuses():
            sets = sallyport.gatekeeper().capabilities(status)
            assert (sets["CapPrm"], sets["CapEff"]) == (CAP_NET_BIND_SERVICE, 0)
        reload(sallyport, config, count=2)
        until(lambda: refuses(("127.0.0.1", 443)), 5, "443 is refused")


def test_a_bad_file_changes_nothing_and_says_every_mistake(serve, pki):
    # Goal: a reload can never stop what runs. Method: two mistakes in the file, each told with its place; then no YAML;
    # then no file. The same worker serves; then a good file works.
    with App(answer("old")) as app, App(answer("new")) as other:
        sallyport = serve(app)
        address, worker = address_of(sallyport.config), sallyport.worker()
        bad = copy.deepcopy(sallyport.config)
        bad["listeners"][0]["forwrd"] = "app"
        bad["limits"] = {"idle_timeout": "never"}
        reload_fails(sallyport, bad)
        mistakes = [line["mistake"] for line in sallyport.log.matching(event="mistake in the configuration")]
        assert len(mistakes) == 2 and all(str(sallyport.config_file) in mistake for mistake in mistakes)
        assert "'forwrd'" in mistakes[0] and "idle_timeout" in mistakes[1]
        reload_fails(sallyport, "listeners: [", count=2)
        sallyport.config_file.unlink()
        sallyport.signal(signal.SIGHUP)
        assert "cannot be read" in sallyport.log.wait_for(event="configuration not reloaded", count=3)["reason"]
        assert curl(address, pki.ca).stdout == "old" and sallyport.worker().pid == worker.pid
        reload(sallyport, to(sallyport.config, other))
        until(lambda: curl(address, pki.ca).stdout == "new", 5)


def test_what_cannot_start_changes_nothing(serve, pki, tmp_path):
    # Goal: the same for what only a process finds out. Method: a certificate that is not there; a port that is taken.
    # The sockets of what failed are closed again.
    with App(answer("old")) as app:
        sallyport = serve(app)
        address, family = address_of(sallyport.config), sallyport.family()
        port = free_port()
        bad = with_port(sallyport.config, port)
        pair = {"cert": str(tmp_path / "none.pem"), "key": str(tmp_path / "none.key")}
        bad["listeners"][1]["tls"] = {"certificates": [pair]}
        assert "none.pem" in reload_fails(sallyport, bad)
        assert refuses(("127.0.0.1", port))
        taken = int(app.address.rsplit(":", 1)[1])
        assert "already taken" in reload_fails(sallyport, with_port(sallyport.config, taken), count=2)
        assert curl(address, pki.ca).stdout == "old"
        assert {name: p.pid for name, p in sallyport.family().items()} == {name: p.pid for name, p in family.items()}
        until(lambda: is_alone(sallyport), 5)


@pytest.mark.parametrize(("key", "value"), [("shards", 2), ("user", {"uid": 65531, "gid": 65531}),
                                            ("log", {"format": "plain"}), ("sandbox", {"level": "required"})])
def test_what_takes_a_restart_is_refused_by_its_name(serve, key, value):
    with App(echo) as app:
        sallyport = serve(app)
        reason = reload_fails(sallyport, {**sallyport.config, key: value})
        assert "restart" in reason and key in reason


def test_the_least_level_of_the_log_follows(serve):
    # Method: what changes is told at level info, so the second reload tells nothing of it any more.
    with App(echo) as app:
        sallyport = serve(app)
        reload(sallyport, {**sallyport.config, "log": {"level": "error"}})
        reload(sallyport, {**sallyport.config, "log": {"level": "error"}, "limits": {"idle_timeout": "1m"}}, count=2)
        assert len(sallyport.log.matching(event="configuration changes", process="gatekeeper")) == 1


def test_certificates_may_change_with_the_configuration(serve, pki):
    # Goal: a keyholder is confined to its files at birth, so another certificate is another keyholder's. Method: a pair
    # in another directory takes the place of the first; nobody opens a file that its cage does not name.
    with App(echo) as app:
        sallyport = serve(app)
        second = pki.new_pair("RSA")
        directory = Path(second.cert).parent / "elsewhere"
        directory.mkdir(exist_ok=True)
        directory.chmod(0o755)
        for path in (second.cert, second.key):
            shutil.copy2(path, directory)
            os.chown(directory / path.name, SERVICE_UID, SERVICE_UID)
        changed = copy.deepcopy(sallyport.config)
        changed["listeners"][0]["tls"]["certificates"] = [
            {"cert": str(directory / second.cert.name), "key": str(directory / second.key.name)}]
        reload(sallyport, changed)
        until(lambda: leaf(address_of(sallyport.config), pki.ca) == second.der(), 5)


def leaf(address, ca):
    with TlsClient(address, client_context(ca)) as client:
        return client.handshake().tls.getpeercert(binary_form=True)


def test_session_tickets_outlive_the_reload(serve, pki):
    with App(answer("resumed")) as app, App(answer("resumed")) as other:
        sallyport = serve(app)
        address = address_of(sallyport.config)
        session = str(sallyport.workdir / "session")
        assert "Reused" not in s_client(address, pki.ca, "-sess_out", session).stdout
        reload(sallyport, to(sallyport.config, other))
        assert "Reused" in s_client(address, pki.ca, "-sess_in", session).stdout


def test_pem_from_the_environment_outlives_the_reload(start, pki):
    # Goal: the variables are wiped at the start, yet every generation has the key. Method: a pair in the environment.
    pair = pki.pair()
    with App(answer("first")) as app, App(answer("second")) as other:
        config = simple_config(pair, app.address)
        config["listeners"][0]["tls"] = {"certificates": [{"cert": "env:SALLYPORT_CERT"}]}
        sallyport = start(config, environment={"SALLYPORT_CERT": pair.cert.read_text(),
                                               "SALLYPORT_KEY": pair.key.read_text()})
        for count, (where, said) in enumerate([(other, "second"), (app, "first")], start=1):
            reload(sallyport, to(config, where), count=count)
            until(lambda: curl(address_of(config), pki.ca).stdout == said, 5)


def test_a_new_http_2_connection_is_not_told_to_go_before_it_has_asked(serve_http):
    # Goal: clients such as h2load count a GOAWAY before their first request as a failure. Method: one that has asked
    # hears of the reload; one that has not hears nothing, by the answer to its ping, then is served, then hears of it.
    with App(serve_requests(ok)) as app, App(serve_requests(ok)) as other:
        site = serve_http(app.address, shards=1)
        with H2Client(site.address, site.ca) as old, H2Client(site.address, site.ca) as fresh:
            assert old.get().status == 200
            reload(site.sallyport, to(site.config, other))
            old.take_until(lambda: old.goaway == NO_ERROR)
            fresh.h2.ping(b"are we ?")
            fresh.tell()
            fresh.take_until(lambda: fresh.pings == 1)
            assert fresh.goaway is None
            assert fresh.get().body == b"ok" and fresh.take_all() == NO_ERROR


def test_flags_and_environment_count_again(start, pki):
    # Goal: the same sources. Method: the shards of a variable, the upstream of a flag; the file alone changes.
    with App(answer("flag")) as app:
        config = simple_config(pki.pair(), "127.0.0.1:1")
        sallyport = start(config, arguments=("run", "--to", app.address), environment={"SALLYPORT_DRAIN_TIMEOUT": "7s"})
        reload(sallyport, {**config, "limits": {"idle_timeout": "1m"}})
        assert curl(address_of(config), pki.ca).stdout == "flag"
        sallyport.signal(signal.SIGTERM)
        assert sallyport.log.wait_for(event="told to end")["timeout_ms"] == 7000
        sallyport.wait_for_exit(0)
