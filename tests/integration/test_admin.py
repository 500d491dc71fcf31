"""The admin endpoint: who may ask, what is answered, and that nobody can keep others from asking."""

import os
import signal
import socket
import tempfile
from pathlib import Path

import pytest

from support.admin import ask, connect, figures, place_of, status
from support.apps import App, answer, echo
from support.frozen_thread import frozen
from support.pki import SERVICE_UID
from support.ports import free_port
from support.programs import curl, run
from support.sallyport import Sallyport, address_of, simple_config
from support.tls_client import TlsClient, client_context
from support.waiting import until

PATHS = ("/healthz", "/readyz", "/metrics", "/status")


@pytest.fixture
def app():
    with App(echo) as running:
        yield running


def test_every_page_is_answered(serve, app):
    # Goal: what each page is. Method: ask for all four, by GET and HEAD; other paths and methods are refused.
    place = place_of(serve(app, shards=2))
    assert (ask(place, "/healthz").status, ask(place, "/healthz").body) == (200, "healthy\n")
    assert (ask(place, "/readyz?verbose").status, ask(place, "/readyz").body) == (200, "ready\n")
    assert ask(place, "/metrics").headers["content-type"].startswith("text/plain; version=0.0.4")
    assert ask(place, "/status").headers["content-type"] == "application/json"
    for path in PATHS:
        head = ask(place, path, "HEAD")
        assert (head.status, head.body) == (200, "") and int(head.headers["content-length"]) > 0
        assert ask(place, path, "POST").status == 405
    assert ask(place, "/").status == 404
    assert ask(place, "/healthz", "DELETE").headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize("sent", [b"\x16\x03\x01\x02\x00\x01\x00", b"GET /healthz\r\n\r\n", b"GET /healthz HTTP/1.1\r\n\r\n",
                                  b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n"])
def test_what_is_no_request_is_refused(serve, app, sent):
    place = place_of(serve(app))
    with connect(place) as client:
        client.sendall(sent)
        assert client.makefile("rb").read().startswith(b"HTTP/1.1 400 ")
    assert ask(place, "/healthz").status == 200


def test_status_tells_what_there_is(serve, app, pki):
    # Goal: /status as a person or a script reads it. Method: its facts are those of the configuration and of openssl.
    sallyport = serve(app, shards=2)
    told = status(place_of(sallyport))
    assert (told["generation"], told["ready"], told["reasons"], told["shards"]) == (1, True, [], 2)
    assert told["listeners"] == [{"bind": sallyport.config["listeners"][0]["bind"], "mode": "tcp", "tls": True}]
    assert told["upstreams"] == [{"name": "app", "addresses": [app.address], "state": "unknown"}]
    certificate = told["certificates"][0]
    assert certificate["names"] == ["localhost", "127.0.0.1", "::1"] and certificate["key_type"] == "EC P-256"
    assert certificate["not_before"] < certificate["not_after"] and len(certificate["spki_sha256"]) == 64
    assert told["posture"]["sandbox"] == "enforce" and told["posture"]["seccomp"] == "enforce"
    assert told["figures"]["sallyport_connections_accepted_total"] == 0
    assert "PRIVATE" not in ask(place_of(sallyport), "/status").body


def test_the_default_needs_no_file_and_follows_from_the_listeners(serve, app):
    # Goal: it works with a read-only root. Method: its name is abstract; another Sallyport has another one.
    first, second = place_of(serve(app)), place_of(serve(app))
    assert first.startswith("unix:@sallyport-") and second.startswith("unix:@sallyport-") and first != second


def test_a_socket_in_the_file_system(serve, app, request):
    # Goal: its permissions are who may ask. Method: made by root, it is Sallyport's user's, and goes with Sallyport.
    directory = tempfile.TemporaryDirectory(prefix="sallyport-admin-")
    request.addfinalizer(directory.cleanup)
    os.chmod(directory.name, 0o777)
    path = Path(directory.name) / "admin.sock"
    sallyport = serve(app, admin={"bind": f"unix:{path}"})
    assert ask(f"unix:{path}", "/readyz").status == 200
    assert path.stat().st_mode & 0o777 == 0o660 and path.stat().st_uid == SERVICE_UID
    sallyport.stop()
    assert not path.exists()


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_a_port_of_loopback(serve, app, host):
    place = f"{host}:{free_port()}"
    serve(app, admin={"bind": place})
    assert ask(place, "/healthz").status == 200


@pytest.mark.parametrize("bind", ["0.0.0.0:9901", "[::]:9901", "192.0.2.1:9901", ":9901"])
def test_what_others_could_reach_is_refused(installation, pki, app, bind):
    # Goal: no figures to the network. Method: every such bind is a mistake of the configuration, with a remedy.
    config = simple_config(pki.pair(), app.address, admin={"bind": bind})
    said = Sallyport(installation, config).wait_for_exit(78)
    assert "bind" in said and "127.0.0.1:9901" in said


def test_none_is_none(serve, app):
    sallyport = serve(app, admin={"bind": "none"})
    assert not sallyport.log.matching(event="admin endpoint bound")


def test_a_place_that_is_taken(installation, serve, app, pki):
    # Goal: what was asked for is had, or the reason is said; what was not asked for keeps nobody from serving. Method:
    # the name of another socket, given and as `auto` would make it; once that is gone, a reload takes it.
    with socket.socket(socket.AF_UNIX) as taken:
        taken.bind("\0sallyport-test-taken")
        taken.listen()
        config = simple_config(pki.pair(), app.address, admin={"bind": "unix:@sallyport-test-taken"})
        assert "choose another place" in Sallyport(installation, config).wait_for_exit(69)
    first = serve(app)
    name = place_of(first).removeprefix("unix:@")
    config = first.config
    first.stop()
    with socket.socket(socket.AF_UNIX) as squatter:
        squatter.bind("\0" + name)
        squatter.listen()
        with Sallyport(installation, config) as second:
            second.wait_until_ready()
            assert second.log.wait_for(event="no admin endpoint")["remedy"]
            second.signal(signal.SIGHUP)
            second.log.wait_for(event="no admin endpoint", count=2)
            squatter.close()
            second.signal(signal.SIGHUP)
            assert place_of(second) == f"unix:@{name}"
            second.log.wait_for(event="configuration reloaded")
            until(lambda: ask(place_of(second), "/healthz").status == 200, 10, "it is served")


def test_another_user_is_not_answered(serve, app):
    # Goal: an abstract socket has no permissions, so who asks is looked at. Method: root and Sallyport's own user are
    # answered; another one is cut, and the audit log names it.
    sallyport = serve(app)
    place = place_of(sallyport)
    program = ("import socket, sys; c = socket.socket(socket.AF_UNIX); c.connect(chr(0) + sys.argv[1]);"
               "c.sendall(b'GET /healthz HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n'); print(c.recv(12))")
    name = place.removeprefix("unix:@")

    def as_user(uid):
        return run("setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "/usr/bin/python3", "-I", "-c",
                   program, name)

    assert as_user(0).stdout.strip() == as_user(SERVICE_UID).stdout.strip() == "b'HTTP/1.1 200'"
    stranger = as_user(12345)
    assert "200" not in stranger.stdout
    assert sallyport.log.wait_for(event="admin client refused")["uid"] == 12345


def test_slow_clients_keep_nobody_from_asking(serve, app):
    # Goal: bounded, and no queue behind the slow. Method: more silent clients than there may be, and some in the midst
    # of a request; whoever asks is answered, and the data path goes on.
    sallyport = serve(app, admin={"max_connections": 4})
    place = place_of(sallyport)
    slow = []
    for number in range(20):
        slow.append(connect(place))
        if number % 2:
            slow[-1].sendall(b"GET /metrics HT")
        assert ask(place, "/healthz").status == 200
    for client in slow:
        client.close()


def test_who_takes_too_long_is_closed(serve, app):
    place = place_of(serve(app, admin={"timeout": "200ms"}))
    with connect(place) as client:
        assert client.recv(1) == b""


def test_a_hung_shard_is_not_healthy(serve, app):
    # Goal: health is the shards' own, not the listener's. Method: one of two shards is stopped by ptrace; /healthz says
    # which one, the other pages answer; then it goes on, and all is well again.
    sallyport = serve(app, shards=2)
    place, worker = place_of(sallyport), sallyport.worker()
    with frozen(worker.thread("shard 1")):
        hung = ask(place, "/healthz")
        assert (hung.status, hung.body) == (503, "unhealthy: no answer from shard 1\n")
        assert ask(place, "/metrics").status == ask(place, "/readyz").status == 200
    until(lambda: ask(place, "/healthz").status == 200, 10, "the shard has answered")


def test_readiness_falls_when_it_drains(serve, app, pki):
    # Goal: who asks while it drains is told so. Method: a connection holds the drain open.
    sallyport = serve(app)
    place = place_of(sallyport)
    with TlsClient(address_of(sallyport.config), client_context(pki.ca)) as client:
        client.handshake().send(b"x")
        client.receive_exactly(1)
        sallyport.signal(signal.SIGTERM)
        told = until(lambda: (now := ask(place, "/readyz")).status == 503 and now, 10, "not ready")
        assert told.body == "draining\n"
        assert ask(place, "/healthz").status == 200
        assert figures(place).sum("sallyport_draining") == 1
    sallyport.wait_for_exit(0)


def test_readiness_falls_without_a_keyholder(serve, app):
    # Goal: who cannot shake hands is not ready. Method: stop the gatekeeper, so that nobody replaces the keyholder, and
    # kill that; then let it go on.
    sallyport = serve(app)
    place, gatekeeper = place_of(sallyport), sallyport.gatekeeper()
    keyholder = sallyport.keyholder()
    gatekeeper.suspend()
    os.kill(keyholder.pid, signal.SIGKILL)
    told = until(lambda: (now := ask(place, "/readyz")).status == 503 and now, 10, "not ready")
    os.kill(gatekeeper.pid, signal.SIGCONT)
    assert told.body == "the keyholder does not answer\n"
    until(lambda: ask(place, "/readyz").status == 200, 10, "ready again")


def test_clients_wait_for_the_app(start, pki):
    # Goal: facts §1 row 11. Method: no app; /readyz says which one is missing; clients that come are held; the app
    # appears, and they are served.
    port = free_port()
    config = simple_config(pki.pair(), f"127.0.0.1:{port}", shards=2, startup={"wait_for_upstream": "30s"})
    sallyport = start(config)
    place = place_of(sallyport)
    waiting = ask(place, "/readyz")
    assert (waiting.status, waiting.body) == (503, "waiting for upstream app\n")
    assert ask(place, "/healthz").status == 200
    clients = [TlsClient(address_of(config), client_context(pki.ca)) for _ in range(5)]
    with App(answer("at last"), port=port):
        for client in clients:
            with client:
                client.handshake().send(b"GET / HTTP/1.0\r\n\r\n")
                assert client.receive().endswith(b"at last")
        until(lambda: ask(place, "/readyz").status == 200, 10, "ready")


def test_nobody_waits_for_the_app_for_ever(start, pki):
    # Goal: the wait is bounded. Method: no app, half a second; then the client is answered as ever, while /readyz still
    # says no, until there is one.
    port = free_port()
    config = simple_config(pki.pair(), f"127.0.0.1:{port}", startup={"wait_for_upstream": "500ms"})
    config["listeners"][0]["mode"] = "http"
    sallyport = start(config)
    place = place_of(sallyport)
    assert curl(address_of(config), pki.ca, "-o", "/dev/null", "-w", "%{http_code}").stdout == "502"
    assert sallyport.log.wait_for(event="an app does not accept yet; clients are let in all the same")
    assert ask(place, "/readyz").body == "waiting for upstream app\n"
    with App(answer("late"), port=port):
        until(lambda: ask(place, "/readyz").status == 200, 10, "ready")


def test_it_ends_while_it_waits_for_the_app(start, pki):
    # Goal: a drain does not wait for an app that never comes. Method: SIGTERM meanwhile.
    config = simple_config(pki.pair(), f"127.0.0.1:{free_port()}", startup={"wait_for_upstream": "1h"})
    start(config).stop()
