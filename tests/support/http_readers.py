"""Three readers of what we forward: our own account of it, Node's parser, and h11. They are to see the same request."""

import json
import subprocess
from dataclasses import dataclass

import h11

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


def read_as_written(wire, body, trailers):
    """What we mean by this head, with the body and the trailers that we say follow it."""
    start_line, _, lines = wire[: wire.index(b"\r\n\r\n")].partition(b"\r\n")
    method, target, version = start_line.split(b" ")
    assert version == b"HTTP/1.1"
    return Read(method, target, fields_of(lines), body, fields_of(trailers))


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


def read_by_node(node, wire):
    answer = json.loads(node.ask(wire + NEXT))
    assert answer["error"] is None, answer
    request, *following = answer["requests"]
    if "rest" in request:  # an upgrade: what follows is not HTTP
        assert bytes.fromhex(request["rest"]) == NEXT and not following
    else:
        assert [(each["url"], each["headers"]) for each in following] == [("/the-end", ["Host", "next.example"])]
    return Read(request["method"].encode(), request["url"].encode("latin-1"), _pairs(request["headers"]),
                bytes.fromhex(request.get("body", "")), _pairs(request.get("trailers", [])))


def _pairs(raw):
    flat = [text.encode("latin-1") for text in raw]
    return [(name.lower(), value) for name, value in zip(flat[::2], flat[1::2])]


def node_methods():
    """Node knows a fixed list of methods, and none besides."""
    said = subprocess.run(["node", "-p", "require('http').METHODS.join(' ')"], check=True, capture_output=True,
                          timeout=10)
    return set(said.stdout.split())
