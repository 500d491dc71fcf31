"""What one request or connection must not do to another: in the log, in TLS below HTTP, in its shard."""

import subprocess
import time
from contextlib import contextmanager

import pytest

from support.apps import App
from support.faulty_app import LIMITS, FaultyApp
from support.http_peers import ok, serve_requests
from support.procfs import has_read_all
from support.waiting import until


@pytest.fixture
def site(serve_http):
    with App(serve_requests(ok)) as app:
        yield serve_http(app.address)


@pytest.mark.parametrize("no_head", [b"\x01\x02\x03\x04", b"GET /next HTTP/1.1\nHost: b.example\n\n"])
def test_a_head_that_is_refused_unread_has_nothing_of_an_earlier_one(site, no_head):
    # Goal: no line of one client's request about another's. Method: a good request; then another connection, which has
    # its buffers, sends no head at all.
    with site.client() as client:
        assert client.get("/before", host="before.example", fields="User-Agent: before\r\n").status == 200
    with site.client() as client:
        assert client.ask(no_head).status == 400
    line = site.exchanges(status=400)[0]
    assert not {"http", "method", "host", "target", "user_agent"} & line.keys(), line


def test_the_time_of_a_head_counts(site):
    # Goal: the log tells how long a client waited. Method: half a second in the midst of the head.
    with site.client() as client:
        client.send(b"GET /slow HTTP/1.1\r\n")
        until(lambda: has_read_all(client.socket), 5, "the beginning is read")
        time.sleep(0.5)
        assert client.ask(b"Host: a.example\r\n\r\n").status == 200
    assert 450 <= site.exchanges(target="/slow")[0]["duration_ms"] < 5000


def read_to(process, *words):
    """Up to a line of its output that has all of these words."""
    found = any(all(word in line for word in words) for line in process.stdout)
    assert found, f"no line with {words}"


@contextmanager
def s_client(site, version):
    """openssl's, connected, which does what its standard input says, and tells every message."""
    host, port = site.address
    words = ["openssl", "s_client", "-connect", f"{host}:{port}", "-CAfile", str(site.ca), version, "-msg"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          bufsize=0) as process:
        read_to(process, b"Verify return code")
        yield process
        process.kill()


def test_an_update_of_keys_asked_for_by_one_client_stays_with_it(site):
    # Goal: what OpenSSL writes while it reads goes to its own client. Method: s_client asks for a KeyUpdate; another is
    # served meanwhile, and then it too, its KeyUpdate first.
    with s_client(site, "-tls1_3") as other, site.client() as client:
        assert client.get().body == b"ok"
        other.stdin.write(b"K\n")
        read_to(other, b">>>", b"KeyUpdate")
        assert client.get().body == b"ok"
        other.stdin.write(b"GET /other HTTP/1.1\r\nHost: a.example\r\n\r\n")
        site.exchanges(target="/other", status=200)
        read_to(other, b"<<<", b"KeyUpdate")
        assert client.get().body == b"ok"


def test_a_renegotiation_asked_for_by_one_client_is_refused_to_it_alone(site):
    # Goal: an alert that OpenSSL writes while it reads goes to its own client. Method: s_client asks to renegotiate,
    # as TLS 1.2 has it, while another is served.
    with s_client(site, "-tls1_2") as other, site.client() as client:
        assert client.get().body == b"ok"
        other.stdin.write(b"R\n")
        read_to(other, b">>>", b"ClientHello")
        assert all(client.get().body == b"ok" for _ in range(3))
        read_to(other, b"<<<", b"no_renegotiation")


def end_in_the_same_write(client, message):
    """The message and close_notify, no FIN."""
    client.tls.write(message)
    try:
        client.tls.unwrap()
    except Exception:  # wants the peer's
        pass
    client.flush()


def test_a_close_notify_that_comes_with_a_request_ends_the_connection(serve_http):
    # Goal: who will ask nothing more is not waited for. Method: the last request and close_notify in one write.
    with App(serve_requests(ok)) as app:
        site = serve_http(app.address, limits={"http": {"keep_alive_timeout": "20s"}})
        with site.client(timeout=5) as client:
            end_in_the_same_write(client, b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
            assert client.response().body == b"ok" and client.is_at_its_end() and client.ended == "close_notify"


def test_a_close_notify_that_comes_with_a_part_of_a_body_cuts_it_short(serve_http):
    # Goal: the app is told at once. Method: half a body and close_notify in one write.
    def reads(connection, incoming):
        while connection.recv(65536):
            pass
        return "told"

    with FaultyApp(reads) as app:
        site = serve_http(app.address, limits={"http": {"body_timeout": "20s"}})
        with site.client() as client:
            client.send(b"POST /bad HTTP/1.1\r\nHost: a.example\r\nContent-Length: 9\r\n\r\n")
            until(lambda: app.seen, 5)
            end_in_the_same_write(client, b"half")
            assert site.exchanges()[0]["reason"] == "client_left"


def test_an_app_that_sends_interim_responses_without_a_pause_holds_up_nobody(serve_http):
    # Goal: one app's endless answer is not its shard's end. Method: 103 after 103 to a client of HTTP/1.0, which is
    # told of none; another client asks another time.
    def floods(connection, incoming):
        many = b"HTTP/1.1 103 Early Hints\r\n\r\n" * 4096
        while True:
            connection.sendall(many)

    with FaultyApp(floods) as app:
        site = serve_http(app.address, limits=LIMITS)
        with site.client() as flooded:
            flooded.send(b"GET /bad HTTP/1.0\r\nHost: a.example\r\n\r\n")
            until(lambda: app.seen, 5)
            with site.client(timeout=5) as client:
                assert client.get("/good").body == b"ok"
            assert flooded.response().status in (502, 504)
