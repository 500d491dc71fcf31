"""The rows of tests/http through the real executable: what is refused never reaches the app, what is passed on is read
by Node and h11 as we mean it."""

import pytest

from support.apps import App
from support.http_peers import Incoming, Incomplete, ok, values_in
from support.http_readers import Talker, fields_of, node_methods, read_as_written, read_by_h11, read_by_node
from support.http_rows import load_rows

# What we set ourselves, or strip: other tests look at them.
OURS = {b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-forwarded-port", b"forwarded", b"x-real-ip",
        b"x-request-id", b"client-cert", b"client-cert-chain", b"x-forwarded-client-cert"}

# Those of the tables: include/sallyport/http/head_scanner.hpp.
TABLES_LIMITS = {"http": {"max_header_size": "32KiB"}}


class Recorder:
    """An app's connections: writes down each request, and answers it."""

    def __init__(self):
        self.requests, self.broken_off = [], []

    def serve(self, connection):
        incoming = Incoming(connection)

        def before_body(head):
            if values_in(head, b"Expect"):
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

        try:
            while (request := incoming.request(before_body)) is not None:
                self.requests.append(request)
                connection.sendall(ok(request))
        except Incomplete as ended:
            self.broken_off.append(ended.so_far)

    def take(self):
        """The only request since the last call."""
        taken, self.requests = self.requests, []
        assert len(taken) == 1, f"{len(taken)} requests: {[request.wire for request in taken]}"
        return taken[0]


@pytest.fixture
def recorder():
    return Recorder()


@pytest.fixture
def site(serve_http, recorder):
    with App(recorder.serve) as app:
        yield serve_http(app.address, limits=TABLES_LIMITS)


@pytest.fixture(scope="session")
def rows(source_dir):
    return load_rows(source_dir / "tests/http/requests")


@pytest.fixture(scope="session")
def corpus(source_dir):
    """The fuzzer's requests: their first byte is not part of them."""
    return [path.read_bytes()[1:] for path in sorted((source_dir / "tests/fuzz/corpus/http_request").iterdir())]


def send_and_end(client, message):
    """All of it, then a half-close; it may have been refused before."""
    try:
        client.send(message)
        client.end()
    except OSError:
        pass


def method_of(row):
    return "HEAD" if row.message.lstrip(b"\r\n").startswith(b"HEAD ") else "GET"


def passed_on(head):
    """The fields of a head but for those that are ours to set."""
    return [(name, value) for name, value in fields_of(head.partition(b"\r\n")[2]) if name not in OURS]


def trouble_of_refused(client, row):
    response = client.response(method_of(row))
    if response is None:
        return f"no answer, but the end ({client.ended})"
    if response.status != row.status:
        return f"{response.status}"
    if response.value(b"Connection") != b"close":
        return "no Connection: close"
    return None if client.is_at_its_end() and client.ended == "close_notify" else f"no orderly end: {client.ended}"


def trouble_of_passed_on(client, row, recorder, app):
    response = client.response(method_of(row))
    if response is None or response.status != 200:
        return f"answered {response}"
    request = recorder.take()
    start, _, _ = row.forwarded.partition(b"\r\n")
    expected = passed_on(row.forwarded)
    if (b"host", b"app.internal") in expected:  # of HTTP/1.0 without a host: the app is told its own address
        expected[expected.index((b"host", b"app.internal"))] = (b"host", app.encode())
    if request.head.partition(b"\r\n")[0] != start:
        return f"start line {request.head!r}"
    if passed_on(request.head) != expected:
        return f"head {request.head!r}"
    if request.body != (row.body or b""):
        return f"body {request.body!r}"
    return None if request.trailers == row.trailers else f"trailers {request.trailers!r}"


def each_with_a_client(site, rows, trouble_of):
    troubles = []
    for row in rows:
        try:
            with site.client() as client:
                client.send(row.message)
                trouble = trouble_of(client, row)
        except (AssertionError, OSError) as error:
            trouble = error
        if trouble:
            troubles.append(f"{row.says}: {trouble}, not {row.status or 'as written'}: {row.message[:200]!r}")
    assert not troubles, f"{len(troubles)} of {len(rows)}:\n" + "\n".join(troubles)


def test_each_refused_request_gets_its_status_and_the_end_and_never_reaches_the_app(site, recorder, rows):
    # Goal: what is ambiguous is told so, and goes no further. Method: each refused row on a connection of its own:
    # status, Connection: close, close_notify. The app has seen no whole request; of those whose body is at fault, a
    # head.
    refused = [row for row in rows if row.refused]
    assert len(refused) >= 150
    each_with_a_client(site, refused, trouble_of_refused)
    assert not recorder.requests
    of_chunks = [row for row in refused if b"Transfer-Encoding: chunked\r\n\r\n" in row.message]
    assert len(recorder.broken_off) <= len(of_chunks)


def test_the_log_names_the_reason_of_each_refusal(site, rows):
    # Goal: an operator can tell why. Method: the line of each refused row has its reason and its status.
    refused = [row for row in rows if row.refused]
    each_with_a_client(site, refused, lambda client, row: trouble_of_refused(client, row))
    lines = site.exchanges(len(refused))
    wrong = [(row.says, row.refused, line) for row, line in zip(refused, lines)
             if (line["reason"], line["detail"], line["status"]) != ("client_malformed", row.refused, row.status)]
    assert not wrong, f"{len(wrong)}: {wrong[:5]}"


def test_each_request_that_is_passed_on_arrives_as_the_table_says(site, recorder, rows):
    # Goal: the app is given what the rule says, and nothing besides. Method: each such row on a connection of its own.
    taken = [row for row in rows if row.forwarded is not None]
    assert len(taken) >= 150
    each_with_a_client(site, taken, lambda client, row: trouble_of_passed_on(client, row, recorder, site.app))


def test_of_a_request_that_has_not_ended_nothing_is_answered(site, recorder, rows):
    # Goal: nobody guesses at an end. Method: each incomplete row, then a half-close: no 200, and the app has no
    # request.
    incomplete = [row for row in rows if row.incomplete]
    assert len(incomplete) >= 20
    troubles = []
    for row in incomplete:
        with site.client() as client:
            send_and_end(client, row.message)
            response = client.response(method_of(row))
            if response and response.status < 400:
                troubles.append((row.says, response))
    assert not troubles and not recorder.requests


def test_node_and_h11_read_what_the_executable_forwards_as_we_mean_it(site, recorder, rows, corpus, source_dir):
    # Goal: no request hides in another. Method: every row and corpus entry that arrives at the app, as it arrived
    # there, with a request behind it, read by both.
    for message in [row.message for row in rows if not row.refused] + corpus:
        with site.client() as client:
            send_and_end(client, message)
            client.receive_all()
    known, by_node = node_methods(), 0
    node = Talker("node", source_dir / "tests/support/http_reader.js")
    try:
        for request in recorder.requests:
            read = read_as_written(request.wire, request.body, request.trailers)
            assert read_by_h11(request.wire) == read, request.wire
            if read.method in known:
                assert read_by_node(node, request.wire) == read, request.wire
                by_node += 1
    finally:
        node.close()
    assert len(recorder.requests) >= 200 and by_node >= 150
