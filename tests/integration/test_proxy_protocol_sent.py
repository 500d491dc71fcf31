"""PROXY headers that tell an app of its client: what they say, and that no connection is of two clients."""

import ssl

import pytest

from support import proxy_protocol as pp
from support.apps import App
from support.h2_client import H2Client
from support.http_peers import OK, HttpClient, Incoming, ok, serve_requests
from support.ports import free_port
from support.sallyport import http_config, simple_config
from support.tls_client import TlsClient, client_context
from support.waiting import until

FORMS = ["v1", "v2", "v2-crc32c"]


class Introduced:
    """For `App`: reads the header that a connection begins with, then serves it; `headers` has them in order."""

    def __init__(self, serve):
        self.serve, self.headers = serve, []

    def __call__(self, connection):
        self.headers.append(pp.read(connection))
        return self.serve(connection)


def says_own_name(connection):
    """Speaks first, so nothing of the client's is needed for the header to come."""
    connection.sendall(b"first")
    return connection.recv(5)


@pytest.fixture
def site(start, pki):
    """site(serve, form, mode, …): the app's record of headers, and the port of ours."""
    apps = []

    def start_one(serve, form, mode, bind=None, proxy_protocol=None, **listener):
        introduced = Introduced(serve)
        app = App(introduced)
        apps.append(app.__enter__())
        config = (simple_config if mode == "tcp" else http_config)(pki.pair(), app.address)
        port = free_port()
        config["listeners"][0] |= {"bind": bind or f":{port}", **listener}
        if proxy_protocol:
            config["listeners"][0]["proxy_protocol"] = proxy_protocol
        config["upstreams"]["app"]["send_proxy_protocol"] = form
        introduced.sallyport, introduced.port = start(config), port
        return introduced

    yield start_one
    for app in apps:
        app.__exit__()


def check_facts(header, client, alpn=None):
    """The field of TLS: everything that the client itself knows of it, and that nobody has verified a certificate."""
    version, cipher = client.tls.version(), client.tls.cipher()[0]
    flags, verify, inside = header.ssl()
    assert (flags, verify != 0) == (1, True)
    assert inside[pp.SSL_VERSION].decode() == version
    assert inside[pp.SSL_CIPHER].decode() == cipher
    assert pp.SSL_CN not in inside
    assert inside[pp.SSL_GROUP].lower().decode() in ("x25519", "x25519mlkem768", "secp256r1")
    assert header.value(pp.AUTHORITY) == b"localhost"
    assert header.value(pp.ALPN) == alpn


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_an_app_of_mode_tcp_hears_of_its_client_first(site, pki, form, host):
    # Goal: addresses of both families, and the TLS facts. Method: an app that reads the header strictly, speaks first,
    # and gets the client's bytes untouched behind it.
    app = site(says_own_name, form, "tcp")
    with TlsClient((host, app.port), client_context(pki.ca)) as client:
        client.handshake()
        assert client.receive_exactly(5) == b"first"
        client.send(b"hello")
        assert client.receive_all() == b""
        own = client.socket.getsockname()[:2]
        (header,) = app.headers
        assert (header.source, header.destination) == (own, (host, app.port))
        assert header.version == (1 if form == "v1" else 2)
        if form != "v1":
            check_facts(header, client)
        assert (header.value(pp.CRC32C) is not None) is (form == "v2-crc32c")


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_the_cipher_is_called_as_openssl_calls_it(site, pki, version):
    # Goal: the document's example is ECDHE-RSA-AES128-GCM-SHA256, not IANA's name. Method: Python's ssl is OpenSSL.
    app = site(says_own_name, "v2", "tcp")
    with TlsClient(("127.0.0.1", app.port), client_context(pki.ca, getattr(ssl.TLSVersion, version))) as client:
        client.handshake()
        assert client.receive_exactly(5) == b"first"
        check_facts(app.headers[0], client)


@pytest.mark.parametrize("form", FORMS)
def test_in_mode_http_each_request_has_a_connection_of_its_own_client(site, pki, form):
    # Goal: a kept connection never carries another client's request. Method: two clients ask in turn, twice each; the app
    # keeps its connections open, and each begins with the header of the one who asks.
    app = site(serve_requests(ok), form, "http")
    with HttpClient(("127.0.0.1", app.port), pki.ca) as one, HttpClient(("127.0.0.1", app.port), pki.ca) as other:
        asked = [one, other, one, other]
        for client in asked:
            assert client.get().body == b"ok"
        assert [header.source for header in app.headers] == [c.socket.getsockname() for c in asked]
        if form != "v1":
            check_facts(app.headers[0], one, b"http/1.1")
    app.sallyport.log.wait_for(count=4, event="exchange ended")
    lines = app.sallyport.log.matching(event="exchange ended")
    assert not any(line["reused"] for line in lines)


def test_streams_of_http2_are_told_of_their_client_each(site, pki):
    # Goal: the same for streams that run at once. Method: four of one connection; none shares an app's connection.
    app = site(serve_requests(ok), "v2", "http")
    with H2Client(("127.0.0.1", app.port), pki.ca) as client:
        streams = [client.request() for _ in range(4)]
        assert [client.response(stream).body for stream in streams] == [b"ok"] * 4
        assert [header.source for header in app.headers] == [client.socket.getsockname()] * 4
        assert {header.value(pp.ALPN) for header in app.headers} == {b"h2"}


@pytest.mark.parametrize("mode", ["tcp", "http"])
def test_what_a_balancer_has_told_is_told_on(site, pki, mode):
    # Goal: in a chain the app hears of the first client, and where that one connected to. Method: a header in, another
    # version out.
    serve = says_own_name if mode == "tcp" else serve_requests(ok)
    app = site(serve, "v2-crc32c", mode, proxy_protocol={"mode": "required", "trusted": ["127.0.0.1"]})
    for source, destination in ((pp.CLIENT4, pp.SERVER4), (pp.CLIENT6, pp.SERVER6)):
        client = TlsClient(("127.0.0.1", app.port), client_context(pki.ca))
        with client:
            client.socket.sendall(pp.v1(source, destination))
            client.handshake().send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert client.receive()
            assert (app.headers[-1].source, app.headers[-1].destination) == (source, destination)


@pytest.mark.parametrize("form", FORMS)
def test_a_client_on_a_unix_socket_has_no_address_to_tell(site, form, tmp_path):
    # Goal: UNKNOWN or UNSPEC, which every receiver takes. Method: a plain request through a Unix socket.
    tmp_path.chmod(0o777)
    app = site(serve_requests(ok), form, "http", bind=f"unix:{tmp_path}/x.sock", socket_mode="0666")
    with TlsClient(f"{tmp_path}/x.sock", no_verification()) as client:
        client.handshake().send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert client.receive_exactly(len(OK)).startswith(b"HTTP/1.1 200 OK")
    (header,) = app.headers
    assert (header.source, header.destination, header.command) == (None, None, pp.PROXY)


def no_verification():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def test_an_app_that_keeps_its_connection_gets_no_second_request(site, pki):
    # Goal: no pool, whatever max_idle says. Method: the app sees each connection end after its one request.
    ended = []

    def serve(connection):
        incoming = Incoming(connection)
        incoming.request()
        connection.sendall(OK)
        ended.append(incoming.request())

    app = site(serve, "v1", "http")
    with HttpClient(("127.0.0.1", app.port), pki.ca) as client:
        assert [client.get().status for _ in range(3)] == [200] * 3
    app.sallyport.stop()
    until(lambda: len(ended) == 3, 10, "the app has seen three ends")
    assert ended == [None] * 3 and len(app.headers) == 3
