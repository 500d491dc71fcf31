"""SIGTERM: clients are still served for a while, then those that are there end in peace, and all in limited time."""

import signal
import threading
import time

import pytest

from support.apps import App, answer, echo
from support.h2_client import NO_ERROR, H2Client
from support.http_peers import OK, ok, serve_requests
from support.programs import curl
from support.sallyport import address_of, simple_config
from support.scale import scaled
from support.tls_client import TlsClient, client_context
from support.waiting import stays, until


def told_to_end(sallyport, number=signal.SIGTERM):
    sallyport.signal(number)
    return sallyport.log.wait_for(event="told to end")


def ends_drained(sallyport, seconds=10, **counts):
    """It exits 0, and says what became of its clients."""
    sallyport.wait_for_exit(0, seconds)
    line = sallyport.log.matching(event="drained")[0]
    for name, count in counts.items():
        assert line[name] == count, line


def test_clients_that_come_during_the_delay_are_served(serve_http):
    # Goal: a load balancer that has not noticed yet loses nobody. Method: after the signal new connections of both
    # protocols are served as ever, and promised nothing less; when the delay is over they are refused.
    delay = scaled(5, 10)
    with App(serve_requests(ok)) as app:
        site = serve_http(app.address, drain={"delay": f"{delay}s", "timeout": "20s"})
        assert told_to_end(site.sallyport)["delay_ms"] == delay * 1000
        for _ in range(3):
            assert curl(site.address, site.ca).stdout == "ok"
        with site.client() as client:
            assert client.get().value(b"connection") is None
            assert client.get().status == 200
            with H2Client(site.address, site.ca) as other:
                assert other.get().status == 200
                assert not site.sallyport.log.matching(event="draining")
                assert other.take_all() == NO_ERROR
            assert client.is_at_its_end()
            site.sallyport.log.wait_for(event="draining")
        ends_drained(site.sallyport, finished=2, cut=0)


def test_the_timeout_counts_from_the_signal(serve, pki):
    # Goal: ECS and Kubernetes kill after a fixed time, whatever we do in it. Method: a connection that does not end is
    # cut when delay and drain together have taken the timeout.
    with App(echo) as app:
        sallyport = serve(app, drain={"delay": "700ms", "timeout": "1500ms"})
        with TlsClient(address_of(sallyport.config), client_context(pki.ca)) as client:
            client.handshake()
            began = time.monotonic()
            told_to_end(sallyport)
            client.receive_all()
            took = time.monotonic() - began
            assert client.ended != "close_notify" and 1.4 <= took < scaled(3.0, 8.0)
        ends_drained(sallyport, finished=0, cut=1)


def test_a_second_signal_during_the_delay_stops_at_once(serve):
    with App(echo) as app:
        sallyport = serve(app, drain={"delay": "20s"})
        told_to_end(sallyport)
        sallyport.signal(signal.SIGINT)
        sallyport.wait_for_exit(1, 10)


def test_it_drains_as_soon_as_the_app_is_gone(serve, pki):
    # Goal: where the app is told to end first, it takes its last requests through us. Method: while the app listens
    # everybody is served; when it has stopped, Sallyport ends by itself.
    with App(answer("still")) as app:
        sallyport = serve(app, drain={"until_upstream_gone": True})
        address = address_of(sallyport.config)
        assert told_to_end(sallyport)["waits_for_apps"] == 1
        stays(lambda: curl(address, pki.ca).stdout == "still", 1)
        assert not sallyport.log.matching(event="draining")
    ends_drained(sallyport, cut=0)


def test_an_app_that_never_goes_is_waited_for_until_the_timeout(serve, pki):
    with App(echo) as app:
        sallyport = serve(app, drain={"until_upstream_gone": True, "timeout": "1s"})
        with TlsClient(address_of(sallyport.config), client_context(pki.ca)) as client:
            client.handshake()
            told_to_end(sallyport)
            client.receive_all()
            assert client.ended != "close_notify"
        ends_drained(sallyport, cut=1)


def test_a_unix_app_is_seen_to_go(serve, pki):
    with App(answer("unix"), unix=True) as app:
        sallyport = serve(app, drain={"until_upstream_gone": True})
        told_to_end(sallyport)
        stays(lambda: curl(address_of(sallyport.config), pki.ca).stdout == "unix", 0.5)
    ends_drained(sallyport, cut=0)


@pytest.mark.parametrize(
    ("environment", "drain", "delay"),
    [({}, {}, 0),
     ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, {}, 5000),
     ({"ECS_CONTAINER_METADATA_URI_V4": "x"}, {}, 5000),
     ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, {"delay": "none"}, 0),
     ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, {"timeout": "20s"}, 4000)],
    ids=["alone", "kubernetes", "ecs", "none", "a fifth"])
def test_an_orchestrator_that_is_recognised_brings_a_delay(start, pki, environment, drain, delay):
    # Goal: the default is right where load balancers learn late. Method: the signs that they leave in the environment.
    with App(echo) as app:
        sallyport = start(simple_config(pki.pair(), app.address, drain=drain), environment=environment)
        assert told_to_end(sallyport)["delay_ms"] == delay
        if delay:
            sallyport.signal(signal.SIGTERM)
        sallyport.wait_for_exit(1 if delay else 0)


def test_what_is_in_flight_ends_well_and_is_counted(serve_http):
    # Goal: "N finished, M cut" is about those who were there. Method: requests before the drain count for nothing; one
    # of each protocol is in the app's hands when it begins.
    gate, asked = threading.Event(), []

    def think(request):
        if request.target == b"/slow":
            asked.append(request)
            gate.wait(20)
        return OK

    with App(serve_requests(think)) as app:
        site = serve_http(app.address)
        for _ in range(5):
            assert curl(site.address, site.ca).stdout == "ok"
        with H2Client(site.address, site.ca) as modern, site.client() as plain:
            stream = modern.request("GET", "/slow")
            plain.send(b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n")
            until(lambda: len(asked) == 2, 10, "the app is asked by both")
            told_to_end(site.sallyport)
            modern.take_until(lambda: modern.goaway is not None)
            gate.set()
            assert modern.response(stream).body == b"ok" and modern.take_all() == NO_ERROR
            response = plain.response()
            assert (response.status, response.value(b"connection")) == (200, b"close")
        ends_drained(site.sallyport, finished=2, cut=0)


@pytest.mark.parametrize("close_timeout, cut", [("100ms", 0), ("1h", 1)])
def test_who_sends_behind_its_last_response_has_the_time_of_last_words(serve_http, close_timeout, cut):
    # Goal: a drain waits for nobody who has had an answer, but for the time that last words may take. Method: a client
    # sends behind a refusal, without end; it is let go after that time, or cut when the drain's own is over.
    http = {"max_body_size": "1KiB", "lingering_timeout": "1h", "lingering_time": "1h", "close_timeout": close_timeout}
    with App(serve_requests(ok)) as app:
        site = serve_http(app.address, limits={"http": http}, drain={"timeout": "2s"})
        with site.client() as client:
            client.send(b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1000000\r\n\r\n")
            assert client.response().status == 413
            told_to_end(site.sallyport)
            until(client.is_refused, 10)
        ends_drained(site.sallyport, finished=1 - cut, cut=cut)
