"""Real apps behind `mode: http`, none of which knows of it: FastAPI on uvicorn, Node, Python's http.server."""

import json
import threading

import pytest

from support.payload import chunks, content, digest_of
from support.programs import curl
from support.real_app import RealApp
from support.scale import scaled

KINDS = [("uvicorn",), ("node",), ("http.server",), ("http.server", "--http10")]
MIB = 1 << 20


@pytest.fixture(scope="module", params=KINDS, ids=" ".join)
def app(request):
    with RealApp(*request.param) as running:
        yield running


@pytest.fixture
def site(serve_http, app):
    return serve_http(app.address)


def post_chunked(client, target, pieces):
    """Sends it chunk by chunk."""
    client.send(f"POST {target} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
    for piece in pieces:
        client.send(b"%x\r\n%s\r\n" % (len(piece), piece))
    client.send(b"0\r\n\r\n")
    return client.response("POST")


def post(client, target, size, pieces):
    client.send(f"POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\n\r\n".encode())
    for piece in pieces:
        client.send(piece)
    return client.response("POST")


def test_the_app_sees_the_scheme_the_host_and_the_address_of_its_client(site):
    # Goal: an app that trusts its proxy needs nothing more. Method: a client at 127.0.0.2 that also forges them.
    forged = ("X-Forwarded-For: 192.0.2.66\r\nX-Forwarded-Proto: ftp\r\nX-Forwarded-Host: b.example\r\n"
              "Forwarded: for=192.0.2.66\r\n")
    with site.client(source="127.0.0.2") as client:
        host = "localhost:%d" % site.address[1]
        seen = json.loads(client.get("/seen?a=b", host=host, fields=forged).body)
    assert (seen["scheme"], seen["client"]) == ("https", "127.0.0.2")
    assert seen["url"] == f"{site.url}/seen?a=b"
    said = [value for name, value in seen["fields"] if name.lower().startswith(("x-forwarded", "forwarded"))]
    assert not [value for value in said if "192.0.2.66" in value or "b.example" in value or value == "ftp"], said


def test_a_redirect_of_the_app_leads_back_to_https(site):
    # Goal: no redirect to http or to the app's own port. Method: an absolute Location that the framework makes.
    with site.client() as client:
        response = client.get("/redirect", host="localhost:%d" % site.address[1])
    assert (response.status, response.value(b"Location")) == (307, f"{site.url}/seen".encode())


@pytest.mark.parametrize("size", [0, 1, MIB, scaled(64, 8) * MIB])
@pytest.mark.parametrize("path", ["bytes", "stream"])
def test_a_download_arrives_whole(site, path, size):
    # Goal: not a byte lost or added, with and without a length. Method: compared with what was to come; then the
    # connection serves on, unless it has said that it will not.
    with site.client(timeout=50) as client:
        response = client.get(f"/{path}/{size}")
        assert response.complete and response.status == 200 and len(response.body) == size
        assert response.body == content(size)
        if response.value(b"Connection") == b"close":
            assert client.is_at_its_end() and client.ended == "close_notify"
        else:
            assert client.get("/nothing").status == 204


@pytest.mark.parametrize("size", [0, 1, MIB, scaled(64, 8) * MIB])
def test_an_upload_arrives_whole(site, app, size):
    # Goal: as above, the other way, with a length and in chunks. Method: the app tells its size and SHA-256.
    expected = {"sha256": digest_of(chunks(size)), "size": size}
    with site.client(timeout=50) as client:
        assert json.loads(post(client, "/digest", size, chunks(size)).body) == expected
        if "--http10" not in app.options:  # which knows no chunks
            assert json.loads(post_chunked(client, "/digest", chunks(size)).body) == expected


def test_responses_without_a_body_end_where_they_end(site):
    # Goal: HEAD, 204 and 304 have no body, whatever their fields say. Method: all of them on one connection, each
    # followed by a request whose answer would be misread otherwise.
    with site.client() as client:
        for _ in range(2):
            head = client.ask(b"HEAD /bytes/1000 HTTP/1.1\r\nHost: localhost\r\n\r\n", "HEAD")
            assert (head.status, head.value(b"Content-Length"), head.body) == (200, b"1000", b"")
            assert client.get("/bytes/3").body == content(3)
            nothing = client.get("/nothing")
            assert (nothing.status, nothing.body, nothing.value(b"Content-Length")) == (204, b"", None)
            same = client.get("/same", fields='If-None-Match: "7766"\r\n')
            assert (same.status, same.value(b"ETag"), same.body) == (304, b'"7766"', b"")
            assert client.get("/same").body == b"a page"


def test_cookies_stay_apart_in_both_directions(site):
    # Goal: Set-Cookie lines are never joined. Method: the framework's own way to set two and to read two.
    with site.client() as client:
        response = client.get("/cookies", fields="Cookie: c=3; d=4\r\n")
    assert json.loads(response.body) == {"c": "3", "d": "4"}
    assert [line.split(b";")[0] for line in response.values(b"Set-Cookie")] == [b"a=1", b"b=2"]


def test_server_sent_events_arrive_one_by_one(site):
    # Goal: nothing is held back until more comes. Method: the app sends its next event only when it is told to, after
    # the one before it has arrived.
    with site.client() as listener, site.client() as teller:
        listener.send(b"GET /events?count=5 HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n")
        received = b""
        for number in range(5):
            while b"data: event %d\n\n" % number not in received:
                part = listener.receive()
                assert part, (listener.ended, received)
                received += part
            assert b"data: event %d\n" % (number + 1) not in received
            assert post(teller, "/next", 0, []).status == 200
        assert b"text/event-stream" in received.partition(b"\r\n\r\n")[0]


def test_curl_gets_the_100_that_it_expects_from_the_app(site, app, pki, tmp_path):
    # Goal: the app decides whether it wants the body. Method: curl waits for the 100 longer than a test may take. An
    # app of HTTP/1.0 sends none: then curl sends the body after a short wait, and it is taken.
    upload, sends_100 = tmp_path / "upload", "--http10" not in app.options
    upload.write_bytes(content(MIB))
    done = curl(site.address, pki.ca, "--http1.1", "-v", "-H", "Expect: 100-continue", "--expect100-timeout",
                "60" if sends_100 else "0.2", "-T", upload, "-X", "POST", path="/digest")
    assert json.loads(done.stdout) == {"sha256": digest_of(chunks(MIB)), "size": MIB}, done.stderr
    assert ("< HTTP/1.1 100" in done.stderr) == sends_100


def test_many_clients_at_once_get_each_their_own_answer(site):
    # Goal: connections to the app are shared, answers are not. Method: 16 clients, each asking for bodies of its own
    # size.
    troubles = []

    def ask(number):
        for turn in range(scaled(5, 2)):
            with site.client() as client:
                for path in ("bytes", "bytes", "stream"):
                    size = 1000 * number + turn
                    assert client.get(f"/{path}/{size}").body == content(size)

    def try_to_ask(number):
        try:
            ask(number)
        except BaseException as error:
            troubles.append((number, error))

    threads = [threading.Thread(target=try_to_ask, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(50)
    assert not troubles
