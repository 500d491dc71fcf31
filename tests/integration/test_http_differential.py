"""What we forward is read the same way by two independent parsers: Node's, and h11.

Smuggling lives in the difference between two readers: method, target, each field, the body's bytes, and where the request
ends.
"""

import pytest

from support.http_readers import Talker, fields_of, node_methods, read_as_written, read_by_h11, read_by_node
from support.http_rows import load_rows


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


def forwarded(ours, message):
    """What we forward of it, as bytes and in parts; or None and the verdict."""
    verdict, *parts = ours.ask(message).split(" ")
    if verdict != "forwarded":
        return None, " ".join([verdict, *parts])
    wire, body, trailers = (bytes.fromhex(part[1:]) for part in parts)
    return wire, read_as_written(wire, body, trailers)


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


def test_node_reads_what_we_forward_as_we_do(ours, node, rows, corpus):
    # Goal and method: as with h11, for the methods that Node knows.
    known, compared, unknown = node_methods(), 0, set()
    for message in [row.message for row in rows] + corpus:
        wire, read = forwarded(ours, message)
        if wire is None:
            continue
        if read.method not in known:
            unknown.add(read.method)
            continue
        assert read_by_node(node, wire) == read, message
        compared += 1
    assert compared >= 200 and b"GET" not in unknown
