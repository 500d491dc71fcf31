"""PROXY headers of a load balancer before us: who the client is then, and what becomes of headers that are none."""

import socket
import time

import pytest

from support import proxy_protocol as pp
from support.apps import App, echo
from support.http_peers import serve_requests, values_in
from support.sallyport import address_of, http_config, reset, simple_config
from support.tls_client import TlsClient, client_context

REQUEST = b"GET /seen HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
TRUSTED = {"mode": "required", "trusted": ["127.0.0.0/8"]}
OPTIONAL = {"mode": "optional", "trusted": ["127.0.0.2"]}
IPV4, IPV6 = "192.0.2.1:4660", "[2001:db8::1]:4660"

HEADERS = {
    "v1 IPv4": (pp.v1(), IPV4),
    "v1 IPv6": (pp.v1(pp.CLIENT6, pp.SERVER6), IPV6),
    "v1 mapped": (pp.v1(("::ffff:192.0.2.1", 4660), ("::ffff:198.51.100.2", 443)), IPV4),
    "v2 IPv4": (pp.v2(), IPV4),
    "v2 IPv6": (pp.v2(pp.CLIENT6, pp.SERVER6), IPV6),
    "v2 summed": (pp.v2_summed(tlvs=pp.tlv(pp.UNIQUE_ID, b"x" * 128)), IPV4),
    "v2 of AWS' NLB": (pp.v2(tlvs=pp.tlv(0xEA, b"\x01vpce-08d2bf15fac5001c9") + pp.tlv(pp.NOOP, bytes(81))), IPV4),
    "v2 of a TLS proxy": (
        pp.v2(tlvs=pp.tlv(pp.ALPN, b"h2") + pp.tlv(pp.AUTHORITY, b"a.example")
              + pp.tlv(pp.SSL, b"\1\0\0\0\1" + pp.tlv(pp.SSL_VERSION, b"TLSv1.3"))), IPV4),
}
LOCALS = {
    "v1 UNKNOWN": b"PROXY UNKNOWN\r\n",
    "v1 UNKNOWN and more": b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n",
    "v2 LOCAL": pp.block(pp.LOCAL, pp.UNSPEC, b""),
    "v2 LOCAL with addresses": pp.block(pp.LOCAL, pp.TCP4, pp.addresses(pp.CLIENT4, pp.SERVER4)),
    "v2 LOCAL and what are no fields": pp.block(pp.LOCAL, pp.UNSPEC, b"whatever"),
    "v2 UNSPEC": pp.block(pp.PROXY, pp.UNSPEC, b""),
}


@pytest.fixture
def echo_site(start, pki):
    """echo_site(proxy_protocol, …): TLS before an echo."""
    with App(echo) as app:

        def start_one(proxy, **listener):
            config = simple_config(pki.pair(), app.address)
            config["listeners"][0] |= {"proxy_protocol": proxy, **listener}
            sallyport = start(config)
            sallyport.address = None if "bind" in listener else address_of(config)
            return sallyport

        yield start_one


@pytest.fixture
def plain_site(start, pki):
    """plain_site(proxy_protocol, …): HTTP without TLS; the app says who it thinks the client is."""
    with App(serve_requests(forwarded_for)) as app:

        def start_one(proxy, **listener):
            config = plaintext_config(pki, app, proxy_protocol=proxy, **listener)
            sallyport = start(config)
            sallyport.address, sallyport.app = address_of(config), app
            return sallyport

        yield start_one


def plaintext_config(pki, app, **listener):
    """With a listener of TLS besides: there is no Sallyport without a certificate."""
    config = http_config(pki.pair(), app.address, {"tls": None, **listener})
    config["listeners"].append(simple_config(pki.pair(), app.address)["listeners"][0])
    return config


def forwarded_for(request):
    body = b"; ".join(values_in(request.head, b"X-Forwarded-For"))
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


def converse(address, sent, step=None, source=None):
    """What comes back until the end, and how that was."""
    received = b""
    with socket.create_connection(address, 20, source and (source, 0)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for at in range(0, len(sent), step or len(sent) or 1):
                connection.sendall(sent[at : at + (step or len(sent))])
            while part := connection.recv(65536):
                received += part
            return received, "eof"
        except (ConnectionResetError, BrokenPipeError):
            return received, "reset"


def says_hello(address, ca, header, together=True, source=None):
    with TlsClient(address, client_context(ca), source=source) as client:
        hello = client.first_flight()
        if together:
            client.socket.sendall(header + hello)
        else:
            for at in range(len(header)):
                client.socket.sendall(header[at : at + 1])
            client.socket.sendall(hello)
        client.handshake().send(b"hello")
        assert client.receive_exactly(5) == b"hello"
        client.end()
        assert client.receive_all() == b""


@pytest.mark.parametrize("together", [True, False], ids=["in one packet", "byte by byte"])
def test_the_client_is_whom_the_header_tells_of(echo_site, pki, together):
    # Goal: versions 1 and 2, IPv4 and IPv6, and no byte behind the header lost. Method: each header with a ClientHello
    # behind it; the log's line has its client, and the peer as "via".
    sallyport = echo_site(TRUSTED)
    for count, (header, client) in enumerate(HEADERS.values(), 1):
        says_hello(sallyport.address, pki.ca, header, together)
        line = sallyport.connections(count)[count - 1]
        assert (line["client"], line["end"]) == (client, "orderly")
        assert line["via"].startswith("127.0.0.1:")


def test_the_app_hears_of_that_client(plain_site):
    # Goal: the same in mode http, with the request right behind the header. Method: X-Forwarded-For, and the log.
    sallyport = plain_site(TRUSTED)
    for header, client in HEADERS.values():
        received, _ = converse(sallyport.address, header + REQUEST)
        assert received.endswith(b"\r\n\r\n" + client.rpartition(":")[0].strip("[]").encode()), received
    sallyport.log.wait_for(count=len(HEADERS), event="exchange ended")
    lines = sallyport.log.matching(event="exchange ended")
    assert [line["client"] for line in lines] == [client for _, client in HEADERS.values()]
    assert all(line["via"].startswith("127.0.0.1:") for line in lines)


@pytest.mark.parametrize("mode", ["required", "optional"])
def test_a_header_that_tells_of_nobody_leaves_the_peer_itself(plain_site, mode):
    # Goal: LOCAL (a balancer's health check), UNKNOWN and UNSPEC. Method: as above; there is no "via" then.
    sallyport = plain_site({"mode": mode, "trusted": ["127.0.0.1"]})
    for header in LOCALS.values():
        received, _ = converse(sallyport.address, header + REQUEST)
        assert received.endswith(b"\r\n\r\n127.0.0.1"), received
    sallyport.log.wait_for(count=len(LOCALS), event="exchange ended")
    assert all("via" not in line for line in sallyport.log.matching(event="exchange ended"))


def test_the_header_decides_who_is_a_trusted_proxy(plain_site):
    # Goal: trusted_proxies is about the client, not about the balancer. Method: two clients by one balancer, both with an
    # X-Forwarded-For; the proxy's is continued, the stranger's replaced. A Unix socket of another machine is no proxy.
    sallyport = plain_site(TRUSTED, trusted_proxies=["192.0.2.0/24", "unix"])
    request = REQUEST[:-2] + b"X-Forwarded-For: 203.0.113.9\r\n\r\n"
    unix = pp.block(pp.PROXY, pp.UNIX, b"/run/a".ljust(108, b"\0") + b"/run/b".ljust(108, b"\0"))
    told = [converse(sallyport.address, header + request)[0].rpartition(b"\r\n\r\n")[2]
            for header in (pp.v2(), pp.v2(("192.0.3.1", 1)), unix)]
    assert told == [b"203.0.113.9, 192.0.2.1", b"192.0.3.1", b""]


MALFORMED = {
    "no header": (REQUEST, "does not begin"),
    "a TLS record": (b"\x16\x03\x01\x00\x05hello", "does not begin"),
    "a line without its addresses": (b"PROXY TCP4 192.0.2.1\r\n", "six parts"),
    "a family that is none": (b"PROXY TCP5 192.0.2.1 192.0.2.2 1 2\r\n", "family"),
    "a port that is none": (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n", "address"),
    "addresses of the other family": (b"PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n", "address"),
    "a line without its end": (b"PROXY UNKNOWN " + b"x" * 100, "no end"),
    "version 3": (pp.block(0x31, pp.TCP4, pp.addresses(pp.CLIENT4, pp.SERVER4)), "version"),
    "a command that is none": (pp.block(0x2F, pp.TCP4, pp.addresses(pp.CLIENT4, pp.SERVER4)), "command"),
    "datagrams": (pp.block(pp.PROXY, 0x12, pp.addresses(pp.CLIENT4, pp.SERVER4)), "streams"),
    "half an address": (pp.block(pp.PROXY, pp.TCP4, b"\xc0\x00\x02\x01"), "reach beyond"),
    "a field that has no end": (pp.v2(tlvs=b"\x04\xff\xff"), "reaches beyond"),
    "a field of TLS that has none": (pp.v2(tlvs=pp.tlv(pp.SSL, b"\1\0\0\0\0\x21\0\x09TLS")), "reaches beyond"),
    "a checksum of another header": (
        pp.v2_summed(("192.0.2.2", 4660))[:28].replace(b"\xc0\0\2\2", b"\xc0\0\2\1")
        + pp.v2_summed(("192.0.2.2", 4660))[28:], "checksum"),
    "a unique id without measure": (pp.v2(tlvs=pp.tlv(pp.UNIQUE_ID, b"x" * 129)), "unique id"),
    "more than max_size": (pp.v2(tlvs=pp.tlv(pp.NOOP, bytes(4096))), "max_size"),
}


@pytest.mark.parametrize("step", [None, 1], ids=["in one packet", "byte by byte"])
def test_what_is_no_header_is_refused_and_the_log_says_why(plain_site, step):
    # Goal: strict reading; nothing of such a connection reaches the app. Method: the table, each on a connection of its
    # own; not one byte comes back.
    sallyport = plain_site(TRUSTED)
    for count, (name, (sent, why)) in enumerate(MALFORMED.items(), 1):
        assert converse(sallyport.address, sent, step)[0] == b"", name
        line = sallyport.connections(count)[count - 1]
        assert (line["stage"], line["end"]) == ("proxy_header", "client_malformed"), (name, line)
        assert why in line["reason"], (name, line)
    assert sallyport.app.has_no_outcome()


def test_a_version_that_is_not_taken_is_refused(plain_site):
    # Goal: proxy_protocol.version. Method: each of the two where the other is wanted.
    for version, taken, refused in (("v1", pp.v1(), pp.v2()), ("v2", pp.v2(), pp.v1())):
        sallyport = plain_site(TRUSTED | {"version": version})
        assert b"192.0.2.1" in converse(sallyport.address, taken + REQUEST)[0]
        assert converse(sallyport.address, refused + REQUEST)[0] == b""
        assert "version is not taken" in sallyport.connections()[0]["reason"]


def test_only_trusted_peers_may_send_one(plain_site):
    # Goal: nobody else can claim an address. Method: from 127.0.0.1, which is not trusted: under `required` refused, with
    # or without a header; under `optional` the header is taken for the request that it is not.
    sallyport = plain_site({"mode": "required", "trusted": ["127.0.0.2"]})
    for count, sent in enumerate((pp.v1() + REQUEST, pp.v2() + REQUEST, REQUEST), 1):
        assert converse(sallyport.address, sent)[0] == b""
        line = sallyport.connections(count)[count - 1]
        assert (line["stage"], line["end"]) == ("proxy_header", "client_forbidden")
        assert line["client"].startswith("127.0.0.1:")
    assert b"127.0.0.2" not in converse(sallyport.address, pp.v1() + REQUEST, source="127.0.0.2")[0]

    sallyport = plain_site(OPTIONAL)
    for sent in (pp.v1() + REQUEST, pp.v2() + REQUEST):
        assert converse(sallyport.address, sent)[0].startswith(b"HTTP/1.1 400 ")
    assert converse(sallyport.address, REQUEST)[0].endswith(b"\r\n\r\n127.0.0.1")


def test_a_health_check_without_a_header_passes_under_optional(plain_site, echo_site, pki):
    # Goal: a balancer whose checks have no header (AWS' NLB) does not call us dead. Method: plain HTTP and TLS from the
    # trusted peer, whole and byte by byte, with and without a header.
    site = plain_site(OPTIONAL)
    for step in (None, 1):
        assert converse(site.address, REQUEST, step, "127.0.0.2")[0].endswith(b"127.0.0.2")
        assert converse(site.address, pp.v2() + REQUEST, step, "127.0.0.2")[0].endswith(b"192.0.2.1")
        # "PR" may begin a header until its third byte.
        assert converse(site.address, b"PROPFIND / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", step,
                        "127.0.0.2")[0].endswith(b"127.0.0.2")
    tls = echo_site(OPTIONAL)
    for together in (True, False):
        says_hello(tls.address, pki.ca, b"", together, "127.0.0.2")
        says_hello(tls.address, pki.ca, pp.v1(), together, "127.0.0.2")
    assert [line["client"].startswith("127.0.0.2:") for line in tls.connections(4)] == [True, False] * 2


@pytest.mark.parametrize("sent", [b"PROXY TCP4 192.0.2.1", pp.v2()[:20], pp.SIGNATURE[:3], b""])
def test_a_slow_header_meets_its_deadline(echo_site, sent):
    # Goal: proxy_protocol.timeout, finite by default. Method: a part of a header, then silence.
    sallyport = echo_site(TRUSTED | {"timeout": "400ms"})
    started = time.monotonic()
    assert converse(sallyport.address, sent)[0] == b""
    assert 0.35 < time.monotonic() - started < 10
    line = sallyport.connections()[0]
    assert (line["stage"], line["end"]) == ("proxy_header", "client_timeout")


@pytest.mark.parametrize("end", [socket.socket.close, reset])
def test_probes_are_not_logged_and_broken_headers_are(echo_site, end):
    # Goal: a balancer's TCP checks cost no line. Method: connections that end without a byte, or behind a LOCAL header;
    # then one that ends within a header, whose line is the first.
    sallyport = echo_site(TRUSTED)
    for sent in (b"", b"", LOCALS["v2 LOCAL"], pp.v1()[:20]):
        probe = socket.create_connection(sallyport.address, 10)
        probe.sendall(sent)
        if sent and end is reset:
            time.sleep(0.1)  # else the reset takes what was sent with it
        end(probe)
    line = sallyport.connections()[0]
    assert (line["stage"], line["end"]) in (("proxy_header", "client_malformed"), ("proxy_header", "client_reset"))
    assert len(sallyport.connections()) == 1


def test_a_balancer_on_a_unix_socket(start, pki, tmp_path):
    # Goal: `unix` among the trusted. Method: the listener is a Unix socket; without `unix` its peers are not trusted.
    tmp_path.chmod(0o777)
    with App(serve_requests(forwarded_for)) as app:
        for number, (trusted, expected) in enumerate(((["unix"], b"192.0.2.1"), (["10.0.0.0/8"], b""))):
            path = f"{tmp_path}/{number}.sock"
            proxy = {"mode": "required", "trusted": trusted}
            start(plaintext_config(pki, app, bind=f"unix:{path}", socket_mode="0666", proxy_protocol=proxy))
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(10)
                connection.connect(path)
                connection.sendall(pp.v2() + REQUEST)
                try:
                    received = b"".join(iter(lambda: connection.recv(65536), b""))
                except ConnectionResetError:
                    received = b""
            assert received.rpartition(b"\r\n\r\n")[2] == expected
