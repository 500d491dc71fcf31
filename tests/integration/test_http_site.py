"""What a listener of `mode: http` does with a request by its configuration: routes, header rules, redirects, limits."""

import http.client
import signal

import pytest

from support.apps import App
from support.http_peers import serve_requests
from support.ports import free_port, refuses
from support.sallyport import http_config
from support.waiting import until


def tells_what_it_got(name):
    """An app that answers with its name and the head that it was sent."""

    def answer(request):
        body = b"%s\r\n%s" % (name, request.head)
        body = b"" if request.method == b"HEAD" else body
        return b"HTTP/1.1 200 OK\r\nServer: app\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)

    return App(serve_requests(answer))


@pytest.fixture
def app():
    with tells_what_it_got(b"app") as running:
        yield running


@pytest.fixture
def api():
    with tells_what_it_got(b"api") as running:
        yield running


def fields(response, name):
    """What the app was sent under this name."""
    lines = (line.partition(b": ") for line in response.body.split(b"\r\n"))
    return [value.decode() for found, _, value in lines if found.lower() == name.lower().encode()]


def who(response):
    return response.body.split(b"\r\n")[0]


def two_apps(app, api):
    return {"app": {"address": app.address}, "api": {"address": api.address}}


def test_routes_are_taken_in_order_by_host_path_and_method(serve_http, app, api):
    # Goal: the first route that fits has the request, and what could be read as another route's is refused.
    routes = [{"path": "/api", "methods": ["POST"], "forward": "app"}, {"path": "/api", "forward": "api"},
              {"host": ["*.b.example", "b.example"], "forward": "api"}]
    site = serve_http(app.address, upstreams=two_apps(app, api), listener={"routes": routes})
    with site.client() as client:
        for target, host, expected in [("/", "localhost", b"app"), ("/api", "localhost", b"api"),
                                       ("/api/x?a=b", "localhost", b"api"), ("/apix", "localhost", b"app")]:
            assert who(client.get(target, host=host)) == expected, target
        posted = client.ask(b"POST /api/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", "POST")
        assert who(posted) == b"app"
    for target in ("/x/../api", "/%61pi", "//api"):
        with site.client() as client:
            assert client.get(target).status == 400, target


def test_hosts_have_their_own_apps_and_what_no_route_takes_is_not_found(serve_http, pki, app, api):
    # Goal: a reverse proxy with two names. Method: one certificate for both, and no `forward` of the listener's.
    pair = pki.pair(names=("a.example", "b.example", "c.example"))
    listener = {"tls": {"certificates": [pair.config()]}, "forward": None,
                "routes": [{"host": "a.example", "forward": "app"}, {"host": "b.example", "forward": "api"}]}
    site = serve_http(app.address, upstreams=two_apps(app, api), listener=listener)
    with site.client(name="a.example") as client:
        assert who(client.get(host="a.example")) == b"app"
        assert who(client.get(host="B.example:443")) == b"api"
        missed = client.get(host="c.example")
    assert missed.status == 404 and missed.value(b"x-request-id")
    assert site.exchanges(reason="no_route")[0]["status"] == 404


def test_a_host_with_another_certificate_is_misdirected(serve_http, pki, app):
    # Goal: a connection made for one name carries no request for a name with another certificate (421).
    certificates = [pki.pair(names=(name,)).config() for name in ("a.example", "b.example")]
    site = serve_http(app.address, listener={"tls": {"certificates": certificates}})
    with site.client(name="b.example") as client:
        assert client.get(host="b.example").status == 200
        assert client.get(host="a.example").status == 421
    with site.client(name="a.example") as client:
        assert client.get(host="unknown.example").status == 200  # the first certificate is theirs


def test_header_rules_change_what_both_sides_see(serve_http, app):
    # Goal: set replaces, add keeps, remove removes; HSTS is on the app's answers and on ours.
    rules = {"request": {"set": {"X-A": "ours"}, "add": {"X-B": "ours"}, "remove": ["X-C"]},
             "response": {"set": {"Server": "s"}, "add": {"X-D": "d"}, "remove": []}}
    site = serve_http(app.address, listener={"headers": rules, "hsts": {"max_age": "1h"}})
    with site.client() as client:
        response = client.get(fields="X-A: theirs\r\nX-B: theirs\r\nX-C: theirs\r\n")
        assert (fields(response, "X-A"), fields(response, "X-B"), fields(response, "X-C")) == \
            (["ours"], ["theirs", "ours"], [])
        assert (response.value(b"server"), response.value(b"x-d")) == (b"s", b"d")
        assert response.value(b"strict-transport-security") == b"max-age=3600"
        refused = client.ask(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
    assert refused.status == 400 and refused.value(b"strict-transport-security") == b"max-age=3600"


CLAIMS = ("X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\nX-Request-Id: theirs-1\r\n"
          "Client-Cert: :forged:\r\n")


@pytest.mark.parametrize("trusted", [True, False])
def test_only_trusted_proxies_are_believed(serve_http, app, trusted):
    # Goal: a proxy before us is continued, everybody else is not believed. Method: the same claims from 127.0.0.2.
    site = serve_http(app.address, listener={"trusted_proxies": ["127.0.0.2/32"] if trusted else ["127.0.0.3"]})
    with site.client(source="127.0.0.2") as client:
        response = client.get(fields=CLAIMS)
    said = [fields(response, name) for name in ("X-Forwarded-For", "X-Forwarded-Proto", "Client-Cert")]
    assert said == ([["192.0.2.1, 127.0.0.2"], ["http"], []] if trusted else [["127.0.0.2"], ["https"], []])
    request_id, = fields(response, "X-Request-Id")
    assert (request_id == "theirs-1") is trusted
    assert site.exchanges()[0]["request_id"] == request_id


def test_forwarded_says_it_in_one_field(serve_http, app):
    site = serve_http(app.address, listener={"forwarded": "rfc7239"})
    with site.client() as client:
        response = client.get()
    assert fields(response, "Forwarded") == ['for=127.0.0.1;host="localhost";proto=https']
    assert fields(response, "X-Forwarded-For") == []


def plain(port, target):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", target, headers={"Host": "a.example:80"})
        response = connection.getresponse()
        return response.status, response.getheader("Location"), response.read()
    finally:
        connection.close()


def with_plain_listener(pki, app, **plain_listener):
    config = http_config(pki.pair(), app.address)
    config["listeners"].append({"bind": f"127.0.0.1:{free_port()}", "mode": "http", **plain_listener})
    return config, int(config["listeners"][1]["bind"].rsplit(":", 1)[1])


def test_a_plain_listener_redirects_to_https_but_for_what_a_route_has(start, pki, app):
    # Goal: `redirect: https` keeps host, path and query, and leaves ACME's challenge to an app.
    routes = [{"path": "/.well-known/acme-challenge/", "forward": "app"}]
    config, port = with_plain_listener(pki, app, redirect="https", routes=routes)
    start(config)
    assert plain(port, "/a/b?c=d")[:2] == (308, "https://a.example/a/b?c=d")
    status, location, body = plain(port, "/.well-known/acme-challenge/token")
    assert (status, location) == (200, None)
    assert b"X-Forwarded-Proto: http\r\n" in body


def test_the_start_says_what_makes_the_app_believe_and_warns_of_plaintext(start, pki, app):
    # Goal: two lines of the log that save an evening. Method: a plain listener on every address.
    config, port = with_plain_listener(pki, app, forward="app")
    config["listeners"][1]["bind"] = f":{port}"
    log = start(config).log
    advice = log.wait_for(event="what makes the app believe our forwarding fields")
    assert advice["upstream"] == "app" and all(advice[name] for name in ("uvicorn", "gunicorn", "django", "express"))
    assert log.wait_for(event="requests are forwarded without TLS")["listener"] == f":{port}"
    assert plain(port, "/")[0] == 200


def test_a_line_in_the_combined_format_has_no_secret(start, pki, app):
    # Goal: the format that log readers know, with secret values redacted and hostile bytes escaped.
    config = http_config(pki.pair(), app.address, log={"access": {"format": "combined", "redact": ["pin"]}})
    config["listeners"].append({"bind": f"127.0.0.1:{free_port()}", "mode": "http", "forward": "app"})
    port = int(config["listeners"][1]["bind"].rsplit(":", 1)[1])
    sallyport = start(config)
    plain(port, "/a?token=s3cret&pin=1234&x=%22")
    until(lambda: [line for line in sallyport.log.lines if "GET /a" in line], what="a line for the request")
    line, = [line for line in sallyport.log.lines if "GET /a" in line]
    assert line.startswith("127.0.0.1 - - [") and '"GET /a?token=REDACTED&pin=REDACTED&x=%22 HTTP/1.1" 200 ' in line
    assert "s3cret" not in line and "1234" not in line


@pytest.mark.parametrize("body", [b"Content-Length: 2000\r\n\r\n" + b"x" * 2000,
                                  b"Transfer-Encoding: chunked\r\n\r\n7d0\r\n" + b"x" * 2000 + b"\r\n0\r\n\r\n"],
                         ids=["by length", "chunked"])
def test_a_body_over_the_limit_is_refused_even_if_all_of_it_has_come(serve_http, app, body):
    site = serve_http(app.address, limits={"http": {"max_body_size": "1KiB"}})
    with site.client() as client:
        assert client.ask(b"POST / HTTP/1.1\r\nHost: localhost\r\n" + body, "POST").status == 413
    assert site.exchanges()[0]["reason"] == "body_too_large"


def test_a_head_over_the_limit_is_answered_with_the_name_of_its_largest_field(serve_http, app):
    site = serve_http(app.address, limits={"http": {"max_header_size": "4KiB", "max_uri_size": "1KiB"}})
    with site.client() as client:
        response = client.get(fields="X-Small: a\r\nX-Large: " + "s3cret" * 1000 + "\r\n")
    assert response.status == 431 and b"X-Large" in response.body and b"s3cret" not in response.body


def test_a_connection_carries_so_many_requests_and_says_which_is_the_last(serve_http, app):
    site = serve_http(app.address, limits={"http": {"max_requests_per_connection": 2}})
    with site.client() as client:
        assert client.get().value(b"connection") is None
        assert client.get().value(b"connection") == b"close"
        assert client.is_at_its_end() and client.ended == "close_notify"


def test_a_response_during_a_drain_says_that_it_is_the_last(serve_http):
    # Goal: nobody is promised a connection that is about to end. Method: SIGTERM while the app thinks.
    def serve(connection):
        connection.recv(65536)
        site.sallyport.signal(signal.SIGTERM)
        site.sallyport.log.wait_for(event="draining")
        until(lambda: refuses(site.address), what="the end of accepting")
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        return connection.recv(1)

    with App(serve) as app:
        site = serve_http(app.address)
        with site.client() as client:
            response = client.get()
            assert (response.status, response.value(b"connection")) == (200, b"close")
            assert client.is_at_its_end() and client.ended == "close_notify"
        site.sallyport.wait_for_exit(0)
