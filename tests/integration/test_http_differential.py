"""What we forward is read the same way by two independent parsers: Node's, and h11.

Smuggling lives in the difference between two readers: method, target, each field, the body's bytes, and where the request
ends.
"""

import json
import subprocess
from dataclasses import dataclass

import h11
import pytest

from support.http_rows import load_rows

# A second request on the same connection: it is found whole if, and only if, the first ended where we think.
NEXT = b"GET /the-end HTTP/1.1\r\nHost: next.example\r\n\r\n"


class Talker:
    """A process that answers each line with a line."""

    def __init__(self, *command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def ask(self, data):
        self.process.stdin.write(data.hex() + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, f"{self.process.args[0]} ended at {data!r}"
        return answer.rstrip("\n")

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        assert self.process.wait(10) == 0


@pytest.fixture
def ours(built):
    talker = Talker(built / "print_forwarded")
    yield talker
    talker.close()


@pytest.fixture
def node(source_dir):
    talker = Talker("node", source_dir / "tests/support/http_reader.js")
    yield talker
    talker.close()


@dataclass(frozen=True)
class Read:
    method: bytes
    target: bytes
    fields: list
    body: bytes
    trailers: list


def fields_of(lines):
    """The fields of lines that we wrote: `name: value`, nothing else."""
    return [(name.lower(), value) for name, value in (line.split(b": ", 1) for line in lines.split(b"\r\n") if line)]


def forwarded(ours, message):
    """What we forward of it, as bytes and in parts; or None and the verdict."""
    verdict, *parts = ours.ask(message).split(" ")
    if verdict != "forwarded":
        return None, " ".join([verdict, *parts])
    wire, body, trailers = (bytes.fromhex(part[1:]) for part in parts)
    start_line, _, lines = wire[: wire.index(b"\r\n\r\n")].partition(b"\r\n")
    method, target, version = start_line.split(b" ")
    assert version == b"HTTP/1.1"
    return wire, Read(method, target, fields_of(lines), body, fields_of(trailers))


def read_by_h11(wire):
    reader = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    reader.receive_data(wire + NEXT)
    body = b""
    while type(event := reader.next_event()) is not h11.EndOfMessage:
        if isinstance(event, h11.Request):
            request = event
        else:
            assert isinstance(event, h11.Data), event
            body += bytes(event.data)
    assert reader.trailing_data == (NEXT, False)
    return Read(request.method, request.target, list(request.headers), body, list(event.headers))


def pairs(raw):
    flat = [text.encode("latin-1") for text in raw]
    return [(name.lower(), value) for name, value in zip(flat[::2], flat[1::2])]


def read_by_node(node, wire):
    answer = json.loads(node.ask(wire + NEXT))
    assert answer["error"] is None, answer
    request, *following = answer["requests"]
    if "rest" in request:  # an upgrade: what follows is not HTTP
        assert bytes.fromhex(request["rest"]) == NEXT and not following
    else:
        assert [(each["url"], each["headers"]) for each in following] == [("/the-end", ["Host", "next.example"])]
    return Read(request["method"].encode(), request["url"].encode("latin-1"), pairs(request["headers"]),
                bytes.fromhex(request.get("body", "")), pairs(request.get("trailers", [])))


@pytest.fixture(scope="module")
def node_methods():
    """Node knows a fixed list of methods, and none besides."""
    said = subprocess.run(["node", "-p", "require('http').METHODS.join(' ')"], check=True, capture_output=True,
                          timeout=10)
    return set(said.stdout.split())


@pytest.fixture(scope="session")
def rows(source_dir):
    return load_rows(source_dir / "tests/http/requests")


@pytest.fixture(scope="session")
def corpus(source_dir):
    """The fuzzer's requests: their first byte is not part of them."""
    return [path.read_bytes()[1:] for path in sorted((source_dir / "tests/fuzz/corpus/http_request").iterdir())]


def test_the_rows_are_read_in_python_as_in_cpp(ours, rows):
    # Goal: both loaders understand the same table. Method: each row's verdict, by the C++ code, on Python's bytes.
    assert len(rows) >= 300
    for row in rows:
        wire, read = forwarded(ours, row.message)
        if wire is None:
            assert read == (f"refused {row.refused}" if row.refused else "incomplete"), row
        else:
            assert wire.startswith(row.forwarded) and read.body == (row.body or b""), row
            assert read.trailers == fields_of(row.trailers), row


def test_h11_reads_what_we_forward_as_we_do(ours, rows, corpus):
    # Goal: no request hides in another. Method: every row and corpus entry that we forward, and a request behind it.
    compared = 0
    for message in [row.message for row in rows] + corpus:
        wire, read = forwarded(ours, message)
        if wire is not None:
            assert read_by_h11(wire) == read, message
            compared += 1
    assert compared >= 200


def test_node_reads_what_we_forward_as_we_do(ours, node, node_methods, rows, corpus):
    # Goal and method: as with h11, for the methods that Node knows.
    compared, unknown = 0, set()
    for message in [row.message for row in rows] + corpus:
        wire, read = forwarded(ours, message)
        if wire is None:
            continue
        if read.method not in node_methods:
            unknown.add(read.method)
            continue
        assert read_by_node(node, wire) == read, message
        compared += 1
    assert compared >= 200 and b"GET" not in unknown
