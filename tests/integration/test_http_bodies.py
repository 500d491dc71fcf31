"""Bodies of every size arrive as they were sent, however they are cut; and they cost the worker no memory."""

import hashlib
import random
import threading
from fcntl import ioctl
from struct import unpack

import pytest

from support.apps import App
from support.http_peers import Incoming, values_in
from support.payload import BLOCK, chunks, digest_of
from support.scale import SANITIZED, scaled
from support.waiting import until

SIOCOUTQ = 0x5411
KIB, MIB = 1 << 10, 1 << 20
LARGE = scaled(1 << 30, 64 * MIB)
GROWTH_MAX = 30 * MIB if not SANITIZED else 512 * MIB
SIZES = [0, 1, 2, 16 * KIB - 1, 16 * KIB, 16 * KIB + 1, 64 * KIB, 256 * KIB + 7, MIB, scaled(64, 16) * MIB]


def in_chunks(pieces, dice):
    """Chunks of their own, which have nothing to do with how they are sent; sometimes with an extension."""
    for piece in pieces:
        while piece:
            size = dice.choice((1, 17, 4096, len(piece)))
            part, piece = piece[:size], piece[size:]
            extension = b";a=b" if dice.random() < 0.05 else b""
            yield b"%x%s\r\n%s\r\n" % (len(part), extension, part)
    yield b"0\r\n\r\n"


def cut(pieces, dice):
    """The same bytes, cut elsewhere."""
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        while len(waiting) > 65536:
            size = dice.choice((1, 3, 1000, 16_384, 65_536))
            yield bytes(waiting[:size])
            del waiting[:size]
    yield bytes(waiting)


class BodyApp(App):
    """Takes a body, and answers with its SHA-256 and a body of the size that X-Size names, framed and cut by lot."""

    def __init__(self, seed):
        self._dice = random.Random(seed)
        super().__init__(self._serve_bodies)

    def _serve_bodies(self, connection):
        incoming = Incoming(connection)
        while (request := incoming.request()) is not None:
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Digest: %s\r\n" % hashlib.sha256(request.body).hexdigest().encode())
            size, dice = int(request.values(b"X-Size")[0]), random.Random(self._dice.random())
            if dice.random() < 0.5:
                connection.sendall(b"Content-Length: %d\r\n\r\n" % size)
                pieces = chunks(size, dice.random())
            else:
                connection.sendall(b"Transfer-Encoding: chunked\r\n\r\n")
                pieces = cut(in_chunks(chunks(size, dice.random()), dice), dice)
            for piece in pieces:
                connection.sendall(piece)


def exchange(client, up, down, dice):
    """Sends a body of `up` bytes, framed and cut by lot, and returns the response to it."""
    client.send(b"POST /body HTTP/1.1\r\nHost: a.example\r\nX-Size: %d\r\n" % down)
    if dice.random() < 0.5:
        client.send(b"Content-Length: %d\r\n\r\n" % up)
        pieces = cut(chunks(up, dice.random()), dice)
    else:
        client.send(b"Transfer-Encoding: chunked\r\n\r\n")
        pieces = cut(in_chunks(chunks(up, dice.random()), dice), dice)
    for piece in pieces:
        client.send(piece)
    return client.response("POST")


@pytest.mark.parametrize("seed", range(3))
def test_bodies_of_every_size_arrive_whole_however_they_are_cut(serve_http, seed):
    # Goal: not a byte lost, added or changed, h1 to h1. Method: every size up and down on one connection; length or
    # chunks, and where they are cut, by lot.
    dice = random.Random(seed)
    with BodyApp(seed) as app:
        site = serve_http(app.address)
        with site.client(timeout=50) as client:
            for up, down in zip(SIZES, dice.sample(SIZES, len(SIZES))):
                response = exchange(client, up, down, dice)
                assert response.complete and response.status == 200, (up, down, response.status)
                assert response.value(b"X-Digest") == digest_of(chunks(up)).encode(), up
                assert hashlib.sha256(response.body).hexdigest() == digest_of(chunks(down)), down


def test_small_bodies_arrive_whole_in_pieces_of_one_byte(serve_http):
    # Goal: no border is special. Method: head, chunks and body one byte a TLS record, both ways.
    def serve(connection):
        incoming = Incoming(connection)
        while (request := incoming.request()) is not None:
            answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"".join(in_chunks([request.body], dice))
            for at in range(len(answer)):
                connection.sendall(answer[at : at + 1])

    dice = random.Random(1)
    with App(serve) as app:
        site = serve_http(app.address)
        with site.client() as client:
            for framing in ("Content-Length: 30", "Transfer-Encoding: chunked"):
                body = BLOCK[:30]
                message = f"POST / HTTP/1.1\r\nHost: a.example\r\n{framing}\r\n\r\n".encode()
                message += body if "Length" in framing else b"".join(in_chunks([body], dice))
                for at in range(len(message)):
                    client.send(message[at : at + 1])
                assert client.response("POST").body == body


class SlowReader:
    """Takes an upload as slowly as it is told to, and answers with its SHA-256."""

    def __init__(self):
        self.taken, self.may_go_on = 0, threading.Event()

    def serve(self, connection):
        incoming, digest = Incoming(connection), hashlib.sha256()
        size = int(values_in(incoming.head(), b"Content-Length")[0])
        self.may_go_on.wait(40)
        while self.taken < size:
            data = incoming.some()
            assert data, f"ended after {self.taken}"
            digest.update(data)
            self.taken += len(data)
        answer = digest.hexdigest().encode()
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(answer), answer))


def test_a_gigabyte_passes_in_a_few_megabytes(serve_http):
    # Goal: bounded memory, whatever the pace of the app. Method: an app that reads nothing for a while, then all of 1
    # GiB: the client is held back meanwhile, and the worker hardly grows.
    app_side = SlowReader()
    with App(app_side.serve) as app:
        site = serve_http(app.address)
        worker = site.sallyport.worker()
        at_rest = worker.resident_bytes()
        with site.client(timeout=40) as client:
            client.send(b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: %d\r\n\r\n" % LARGE)
            sending = threading.Thread(target=lambda: [client.send(piece) for piece in chunks(LARGE, largest=MIB)])
            sending.start()
            until(lambda: is_held_back(client), 20, "the client is held back")
            most = worker.resident_bytes()
            app_side.may_go_on.set()
            while sending.is_alive():
                sending.join(0.05)
                most = max(most, worker.resident_bytes())
            assert client.response("POST").body.decode() == digest_of(chunks(LARGE))
        assert most - at_rest < GROWTH_MAX, f"{(most - at_rest) / MIB:.0f} MiB"


def is_held_back(client, pause=0.3):
    """Its socket takes no more for a while."""

    def unsent():
        return unpack("i", ioctl(client.socket, SIOCOUTQ, b"\0" * 4))[0]

    before = unsent()
    threading.Event().wait(pause)
    return before > 0 and unsent() == before
