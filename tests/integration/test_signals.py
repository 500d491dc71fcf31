"""SIGTERM drains, a second one stops, SIGHUP reads the certificates again."""

import os
import shutil
import signal

import pytest

from support.apps import App, answer, echo
from support.pki import Pair, give
from support.ports import refuses
from support.programs import curl
from support.sallyport import address_of
from support.tls_client import TlsClient, client_context
from support.waiting import stays, until


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_end_lets_live_connections_finish(serve, pki, number):
    # Goal: drain. Method: an open connection goes on after the signal, new ones are refused, and when the open one has
    # ended Sallyport exits 0 by itself.
    with App(echo) as app:
        sallyport = serve(app)
        address = address_of(sallyport.config)
        with TlsClient(address, client_context(pki.ca)) as client:
            client.handshake().send(b"before")
            assert client.receive_exactly(6) == b"before"
            sallyport.signal(number)
            until(lambda: refuses(address), 5, "new connections are refused")
            client.send(b"after")
            assert client.receive_exactly(5) == b"after"
            assert sallyport.process.poll() is None
            client.end()
            assert client.receive_all() == b"" and client.ended == "close_notify"
        sallyport.wait_for_exit(0, 15)


def test_a_second_signal_stops_at_once(serve, pki):
    # Goal: the operator's impatience counts. Method: with a connection open, two signals; it exits long before the drain's
    # 25 seconds are over, and not with 0, as it cut somebody off.
    with App(echo) as app:
        sallyport = serve(app)
        with TlsClient(address_of(sallyport.config), client_context(pki.ca)) as client:
            client.handshake()
            sallyport.signal(signal.SIGTERM)
            until(lambda: refuses(address_of(sallyport.config)), 5)
            sallyport.signal(signal.SIGTERM)
            sallyport.wait_for_exit(1, 10)
            client.receive_all()
            assert client.ended != "close_notify"


def test_what_does_not_end_is_cut_after_the_drain_timeout(serve, pki):
    # Goal: a drain is finite. Method: drain.timeout 500 ms with a connection that never ends.
    with App(echo) as app:
        sallyport = serve(app, drain={"timeout": "500ms"})
        with TlsClient(address_of(sallyport.config), client_context(pki.ca)) as client:
            client.handshake()
            sallyport.signal(signal.SIGTERM)
            client.receive_all()
            assert client.ended != "close_notify"
            sallyport.wait_for_exit(0, 15)


@pytest.fixture
def changing(pki):
    """A pair whose files a test may replace; yields (pair, replace)."""
    first = pki.new_pair()
    names = Pair(first.cert.with_name("changing.pem"), first.key.with_name("changing.key"))

    def replace(pair):
        for old, new in ((pair.cert, names.cert), (pair.key, names.key)):
            copy = new.with_suffix(".new")
            shutil.copy(old, copy)
            give(copy)
            os.replace(copy, new)

    replace(first)
    yield names, replace
    names.cert.unlink()
    names.key.unlink()


def leaf(address, ca):
    with TlsClient(address, client_context(ca)) as client:
        return client.handshake().tls.getpeercert(binary_form=True)


def test_sighup_shows_new_certificates_to_new_connections(serve, pki, changing):
    # Goal: reload without a cut. Method: replace the files, SIGHUP; a new handshake sees the new leaf, the old
    # connection goes on, both processes are the same.
    names, replace = changing
    with App(echo) as app:
        sallyport = serve(app, pair=names)
        address, worker = address_of(sallyport.config), sallyport.worker().pid
        with TlsClient(address, client_context(pki.ca)) as client:
            client.handshake()
            second = pki.new_pair("RSA")
            replace(second)
            sallyport.signal(signal.SIGHUP)
            until(lambda: leaf(address, pki.ca) == second.der(), 10, "the new certificate is shown")
            client.send(b"same connection")
            assert client.receive_exactly(15) == b"same connection"
        assert sallyport.worker().pid == worker


def test_sighup_with_a_bad_file_keeps_the_old_certificate(serve, pki, changing):
    # Goal: a bad file changes nothing and is said. Method: garbage as the certificate, SIGHUP; the old leaf is shown,
    # an error names the file; then a good pair works again.
    names, replace = changing
    with App(answer("kept")) as app:
        sallyport = serve(app, pair=names)
        address = address_of(sallyport.config)
        before = leaf(address, pki.ca)
        good = names.cert.read_bytes()
        names.cert.chmod(0o600)
        names.cert.write_bytes(b"-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n")
        sallyport.signal(signal.SIGHUP)
        until(lambda: any(r["level"] == "error" and str(names.cert) in str(r) for r in sallyport.log.records()), 10,
              "an error names the file")
        stays(lambda: leaf(address, pki.ca) == before, 0.5)
        names.cert.write_bytes(good)
        third = pki.new_pair()
        replace(third)
        sallyport.signal(signal.SIGHUP)
        until(lambda: leaf(address, pki.ca) == third.der(), 10, "the third certificate is shown")
        assert curl(address, pki.ca).stdout == "kept"
