"""Each direction ends for itself: FIN at the app is close_notify at the client, and the other way round."""

import ssl

import pytest

from support.apps import App, read_to_end
from support.sallyport import address_of
from support.tls_client import TlsClient, client_context

VERSIONS = pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])


@VERSIONS
def test_the_way_back_stays_open_after_the_client_ends(serve, pki, version):
    # Goal: a client may end its direction and still get the answer. Method: an app that answers only after end of file.
    def late_answer(connection):
        request = read_to_end(connection)
        connection.sendall(b"you said " + request)

    with App(late_answer) as app:
        sallyport = serve(app)
        with TlsClient(address_of(sallyport.config), client_context(pki.ca, version)) as client:
            client.handshake().send(b"hello")
            client.end()
            assert client.receive_all() == b"you said hello"
            assert client.ended == "close_notify"
    assert sallyport.connections()[0]["end"] == "orderly"


@VERSIONS
def test_the_way_to_the_app_stays_open_after_the_app_ends(serve, pki, version):
    # Goal: an app may end its direction first. Method: it sends, shuts down writing, and reads on to the client's end.
    def early_end(connection):
        connection.sendall(b"that is all")
        connection.shutdown(1)
        return read_to_end(connection)

    with App(early_end) as app:
        sallyport = serve(app)
        with TlsClient(address_of(sallyport.config), client_context(pki.ca, version)) as client:
            client.handshake()
            assert client.receive_all() == b"that is all"
            assert client.ended == "close_notify"
            client.send(b"I go on")
            client.send(b" for a while")
            client.end()
            assert app.outcome() == b"I go on for a while"
    assert sallyport.connections()[0]["end"] == "orderly"


def test_an_end_without_a_word_is_passed_on(serve, pki):
    # Goal: a connection without a byte of payload ends in order. Method: client ends at once; the app sees end of file.
    with App(read_to_end) as app:
        with TlsClient(address_of(serve(app).config), client_context(pki.ca)) as client:
            client.handshake()
            client.end()
            assert client.receive_all() == b""
            assert client.ended == "close_notify"
            assert app.outcome() == b""
