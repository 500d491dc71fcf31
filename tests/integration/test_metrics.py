"""Metrics: each moves when its event happens, none falls when a worker dies, and Prometheus reads them."""

import os
import signal
import socket
import ssl
import subprocess

import pytest

from support.admin import ask, figures, place_of
from support.apps import App, echo
from support.http_peers import OK, Incoming, Incomplete
from support.pki import openssl
from support.ports import free_port
from support.programs import curl
from support.reloading import reload
from support.sallyport import address_of, http_config, reset, simple_config
from support.tls_client import TlsClient, client_context
from support.waiting import until


GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


def serve_ok(connection):
    """An app that answers what the path says: /404 is 404, everything else 200."""
    incoming = Incoming(connection)
    while True:
        try:
            head = incoming.head()
        except Incomplete:
            return
        status = head.split(b" ")[1].strip(b"/")
        connection.sendall(b"HTTP/1.1 %s X\r\nContent-Length: 2\r\n\r\nok" % status if status.isdigit() else OK)


def moved(place, before, name, more=1, /, **labels):
    """Waits until the sum of these samples is `more` above what it was."""
    wanted = before.sum(name, **labels) + more
    until(lambda: figures(place).sum(name, **labels) == wanted, 10, f"{name} {labels} is {wanted}")


@pytest.fixture
def site(serve_http):
    with App(serve_ok) as app:
        served = serve_http(app.address, shards=2)
        served.place = place_of(served.sallyport)
        yield served


def shake_hands(site, version=None):
    with TlsClient(site.address, client_context(site.ca, version)) as client:
        client.handshake()


def fail_a_handshake(site):
    with socket.create_connection(site.address) as client:
        client.sendall(b"this is no TLS, and nobody would take it for that")
        client.recv(100)


def distrust(site):
    with TlsClient(site.address, ssl.create_default_context()) as client:
        with pytest.raises(ssl.SSLError):
            client.handshake()


def probe(site):
    socket.create_connection(site.address).close()


def exchange(site, path="/"):
    with site.client() as client:
        client.get(path)


def close_orderly(site):
    with site.client() as client:
        client.get("/", fields="Connection: close\r\n")
        assert client.is_at_its_end()


def send_no_request(site):
    with site.client() as client:
        client.ask(b"no request\r\n\r\n")


def leave_by_reset(site):
    reset(TlsClient(site.address, client_context(site.ca)).handshake().socket)


EVENTS = {
    "a connection": (shake_hands, "sallyport_connections_accepted_total", {}, 1),
    "its orderly end": (close_orderly, "sallyport_connections_ended_total", {"end": "orderly"}, 1),
    "its end by reset": (leave_by_reset, "sallyport_connections_ended_total", {"by": "client", "end": "reset"}, 1),
    "a probe": (probe, "sallyport_connections_ended_total", {"end": "probe"}, 1),
    "a TLS 1.3 handshake": (shake_hands, "sallyport_handshakes_total", {"version": "TLSv1.3", "resumed": "no"}, 1),
    "a TLS 1.2 handshake": (lambda site: shake_hands(site, ssl.TLSVersion.TLSv1_2), "sallyport_handshakes_total",
                            {"version": "TLSv1.2"}, 1),
    "the time of a handshake": (shake_hands, "sallyport_handshake_duration_seconds_count", {}, 1),
    "a client that speaks no TLS": (fail_a_handshake, "sallyport_handshake_failures_total", {"reason": "not tls"}, 1),
    "a client without our CA": (distrust, "sallyport_handshake_failures_total",
                                {"reason": "client alert: unknown ca"}, 1),
    "a good exchange": (exchange, "sallyport_exchanges_total", {"status": "2xx"}, 1),
    "a bad exchange": (lambda site: exchange(site, "/404"), "sallyport_exchanges_total", {"status": "4xx"}, 1),
    "the time of an exchange": (exchange, "sallyport_exchange_duration_seconds_count", {}, 1),
    "what a client sends": (exchange, "sallyport_client_bytes_total", {"direction": "in"}, len(GET)),
    "what a client is sent": (exchange, "sallyport_client_bytes_total", {"direction": "out"}, len(OK)),
    "a request that is none": (send_no_request, "sallyport_exchange_failures_total",
                               {"reason": "client_malformed"}, 1),
}


@pytest.mark.parametrize("event", EVENTS)
def test_every_event_moves_its_metric(site, event):
    # Goal: each figure counts what it says. Method: let one thing happen; exactly that sample grows by it.
    happen, name, labels, more = EVENTS[event]
    before = figures(site.place)
    happen(site)
    moved(site.place, before, name, more, **labels)


def test_a_probe_is_no_failed_handshake(site):
    # Goal: facts §1 row 8. Method: five probes; no failure is counted, and no line is logged.
    before = figures(site.place)
    for _ in range(5):
        probe(site)
    moved(site.place, before, "sallyport_connections_ended_total", 5, end="probe")
    after = figures(site.place)
    assert after.sum("sallyport_handshake_failures_total") == before.sum("sallyport_handshake_failures_total")
    assert not site.sallyport.log.matching(event="connection ended")


def test_a_resumed_handshake_is_told_apart(site):
    # Goal: the label `resumed`. Method: curl keeps no session, Python does: two connections, the second with the first
    # one's session.
    before, context = figures(site.place), client_context(site.ca)
    with TlsClient(site.address, context) as first:
        first.handshake().send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        first.receive()
        session = first.tls.session
    with TlsClient(site.address, context, session=session) as second:
        second.handshake()
        assert second.tls.session_reused
    moved(site.place, before, "sallyport_handshakes_total", 1, resumed="yes")


def test_open_connections_and_live_bytes(start, pki):
    # Goal: what lives is seen while it lives. Method: in mode tcp, an echo of 100,000 bytes on a connection that stays.
    with App(echo) as app:
        config = simple_config(pki.pair(), app.address)
        place = place_of(start(config))
        before = figures(place)
        with TlsClient(address_of(config), client_context(pki.ca)) as client:
            client.handshake().send(b"x" * 100_000)
            client.receive_exactly(100_000)
            moved(place, before, "sallyport_connections_open")
            moved(place, before, "sallyport_client_bytes_total", 100_000, direction="in")
            moved(place, before, "sallyport_client_bytes_total", 100_000, direction="out")
        moved(place, before, "sallyport_connections_open", 0)


def test_an_app_that_is_down_and_up_again(start, pki):
    # Goal: the gauge of upstreams, and the reason of an exchange. Method: nobody listens; then an app on the same port.
    port = free_port()
    config = http_config(pki.pair(), f"127.0.0.1:{port}")
    place = place_of(start(config))
    assert not figures(place).has("sallyport_upstream_up", upstream="app")
    assert curl(address_of(config), pki.ca, "-o", "/dev/null", "-w", "%{http_code}").stdout == "502"
    until(lambda: figures(place).sum("sallyport_exchange_failures_total", reason="app_refused") == 1)
    seen = figures(place)
    assert seen.has("sallyport_upstream_up", upstream="app") and seen.sum("sallyport_upstream_up", upstream="app") == 0
    with App(serve_ok, port=port):
        curl(address_of(config), pki.ca)
        until(lambda: figures(place).sum("sallyport_upstream_up", upstream="app") == 1)


def test_no_counter_falls_when_workers_are_killed(site):
    # Goal: figures outlive a worker. Method: exchanges, SIGKILL with a connection open, exchanges, SIGKILL again; every
    # counter is as high as before, and what was open has crashed.
    with TlsClient(site.address, client_context(site.ca)) as held:
        held.handshake()
        for life in (1, 2):
            exchange(site)
            # Its connection has ended too: one that the kill found open would have crashed.
            until(lambda: figures(site.place).sum("sallyport_connections_open") == 2 - life)
            before = until(lambda: (now := figures(site.place)).sum("sallyport_exchanges_total") == life and now)
            worker = site.sallyport.worker()
            os.kill(worker.pid, signal.SIGKILL)
            until(lambda: site.sallyport.worker().pid != worker.pid, 10, "another worker")
            after = figures(site.place)
            fallen = {key: (value, after.get(key)) for key, value in before.items()
                      if key[0].endswith(("_total", "_count", "_sum", "_bucket")) and after.get(key, 0) < value}
            assert not fallen
            assert after.sum("sallyport_connections_ended_total", end="crashed") == 1
            assert after.sum("sallyport_connections_open") == 0
            assert after.sum("sallyport_children_died_total", process="worker") == life
            assert after.sum("sallyport_children_started_total", process="worker") == life + 1
            assert after.sum("sallyport_generations") == 1


def test_a_keyholder_that_died_is_counted(site):
    keyholder = site.sallyport.keyholder()
    os.kill(keyholder.pid, signal.SIGKILL)
    until(lambda: site.sallyport.keyholder().pid != keyholder.pid, 10, "another keyholder")
    until(lambda: figures(site.place).sum("sallyport_children_died_total", process="keyholder") == 1)
    until(lambda: figures(site.place).sum("sallyport_keyholder_up") == 1)


def test_rotations_and_expiry(start, pki):
    # Goal: what an alert on certificates needs. Method: the expiry is openssl's; SIGHUP with a good pair, then with a
    # text that is none, then with the good one again.
    with App(serve_ok) as app:
        pair = pki.new_pair()
        sallyport = start(http_config(pair, app.address))
        place = place_of(sallyport)
        seen = figures(place)
        assert seen.sum("sallyport_last_rotation_good") == 1 and seen.sum("sallyport_last_rotation_time_seconds") == 0
        end = openssl("x509", "-in", pair.cert, "-noout", "-enddate").decode().strip().partition("=")[2]
        assert seen.sum("sallyport_certificate_expiry_time_seconds", name="localhost") == ssl.cert_time_to_seconds(end)
        sallyport.signal(signal.SIGHUP)
        moved(place, seen, "sallyport_rotations_total", result="taken")
        assert figures(place).sum("sallyport_last_rotation_time_seconds") > 0
        good = pair.cert.read_text()
        pair.cert.write_text("no certificate")
        sallyport.signal(signal.SIGHUP)
        # Or more: the file itself is looked at besides, and refused after a second.
        until(lambda: figures(place).sum("sallyport_rotations_total", result="refused") >= 1, 10, "it is counted")
        until(lambda: figures(place).sum("sallyport_last_rotation_good") == 0, 10, "it is refused now")
        pair.cert.write_text(good)
        sallyport.signal(signal.SIGHUP)
        moved(place, seen, "sallyport_rotations_total", 2, result="taken")
        until(lambda: figures(place).sum("sallyport_last_rotation_good") == 1, 10, "nothing is refused any more")


def test_a_refused_certificate_stays_visible_until_it_is_mended(start, pki):
    # Goal: an alert on certificates is true. Method: of two, A goes bad and B rotates after it: A is still refused. Then
    # A's old pair is put back, which is said in the log: nothing is refused, though nothing was taken over.
    with App(serve_ok) as app:
        a, b = pki.new_pair(names=("a.example",)), pki.new_pair(names=("b.example",))
        config = http_config(a, app.address)
        config["listeners"][0]["tls"]["certificates"] = [a.config(), b.config()]
        sallyport = start(config)
        place = place_of(sallyport)
        old, before = a.cert.read_bytes(), figures(place)
        a.cert.write_bytes(b"no certificate")
        moved(place, before, "sallyport_rotations_total", result="refused")
        until(lambda: figures(place).sum("sallyport_certificates_wrong") == 1, 10, "it is refused now")
        assert figures(place).sum("sallyport_last_rotation_good") == 0
        following = pki.new_pair(names=("b.example",))
        b.key.write_bytes(following.key.read_bytes())
        b.cert.write_bytes(following.cert.read_bytes())
        moved(place, before, "sallyport_rotations_total", result="taken")
        after = figures(place)
        assert after.sum("sallyport_last_rotation_good") == 0 and after.sum("sallyport_certificates_wrong") == 1
        a.cert.write_bytes(old)
        line = sallyport.log.wait_for(event="certificate files are those in force again")
        assert line["certificate"] == str(a.cert) and line["process"] == "keyholder"
        until(lambda: figures(place).sum("sallyport_last_rotation_good") == 1, 10, "nothing is refused any more")
        assert figures(place).sum("sallyport_certificates_wrong") == 0
        assert figures(place).sum("sallyport_rotations_total", result="taken") == 1


def test_what_a_reload_leaves_refused_is_the_new_generation_s(start, pki):
    # Goal: the gauge is of those who serve. Method: a certificate goes bad; a new configuration with another one.
    with App(serve_ok) as app:
        pair, other = pki.new_pair(), pki.new_pair()
        config = http_config(pair, app.address)
        sallyport = start(config)
        place = place_of(sallyport)
        pair.cert.write_text("no certificate")
        until(lambda: figures(place).sum("sallyport_last_rotation_good") == 0, 10, "it is refused")
        config["listeners"][0]["tls"]["certificates"] = [other.config()]
        reload(sallyport, config)
        until(lambda: figures(place).sum("sallyport_last_rotation_good") == 1, 10, "the new one is good")


def test_an_exposed_app_is_counted(start, pki):
    with App(serve_ok, host="0.0.0.0") as app:
        sallyport = start(http_config(pki.pair(), "127.0.0.1:" + app.address.rsplit(":", 1)[1]))
        until(lambda: figures(place_of(sallyport)).sum("sallyport_apps_exposed") == 1)


def test_the_posture_and_the_build(site):
    seen = figures(site.place)
    assert seen.sum("sallyport_sandbox_info", level="enforce", seccomp="enforce") == 1
    assert seen.sum("sallyport_build_info") == seen.sum("sallyport_ready") == 1
    assert seen.sum("sallyport_shards") == 2
    assert seen.sum("sallyport_draining") == 0


def test_promtool_finds_nothing_to_say(site):
    # Goal: names, types and help as Prometheus wants them. Method: promtool check metrics, after most have moved.
    for happen, *_ in EVENTS.values():
        happen(site)
    until(lambda: figures(site.place).sum("sallyport_exchanges_total", status="4xx") > 0)
    text = ask(site.place, "/metrics").body
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
