"""WebSocket and other upgrades: after the 101 the bytes pass as they are."""

import asyncio
import json
import signal
import socket
import threading

import pytest
import websockets

from support.apps import App
from support.http_peers import Incoming, ok, serve_requests
from support.payload import chunks, content
from support.ports import refuses
from support.real_app import RealApp
from support.sallyport import reset
from support.tls_client import client_context
from support.waiting import until

UPGRADE = b"GET /ws HTTP/1.1\r\nHost: a.example\r\nConnection: keep-alive, Upgrade\r\nUpgrade: %s\r\n\r\n"
SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"


@pytest.fixture(scope="module")
def uvicorn():
    with RealApp("uvicorn") as app:
        yield app


def connect(site, **options):
    host, port = site.address
    return websockets.connect(f"wss://localhost:{port}/ws", ssl=client_context(site.ca), host=host, max_size=None,
                              **options)


def in_a_web_socket(site, talk, **options):
    """Runs `talk(socket)` after the app's greeting, which it returns."""

    async def run():
        async with connect(site, **options) as socket:
            greeting = json.loads(await asyncio.wait_for(socket.recv(), 10))
            await asyncio.wait_for(talk(socket), 40)
            return greeting

    return asyncio.run(run())


def test_a_web_socket_carries_messages_of_every_size(serve_http, uvicorn):
    # Goal: what is sent comes back, in order. Method: text, binary, empty and large messages, several on their way at
    # once.
    site = serve_http(uvicorn.address)
    messages = ["", "a", "é" * 1000, b"", b"\0\xff", *(content(size) for size in (125, 126, 65535, 65536, 1 << 20))]

    async def talk(socket):
        for message in messages:
            await socket.send(message)
            assert await socket.recv() == message
        for number in range(200):
            await socket.send(f"message {number}")
        assert [await socket.recv() for _ in range(200)] == [f"message {number}" for number in range(200)]

    assert in_a_web_socket(site, talk)["scheme"] in ("wss", "https")  # what uvicorn 0.17 makes of it


def test_fragments_and_pings_pass(serve_http, uvicorn):
    # Goal: the tunnel knows nothing of messages. Method: a message in three frames with a ping between them, answered.
    site = serve_http(uvicorn.address)

    async def talk(socket):
        async def pieces():
            yield "one "
            await (await socket.ping())
            yield "two "
            yield "three"

        await socket.send(pieces())
        assert await socket.recv() == "one two three"

    in_a_web_socket(site, talk)


def test_a_subprotocol_is_agreed_on_with_the_app(serve_http, uvicorn):
    # Goal: Sec-WebSocket-* belong to the two ends. Method: two offered, the app takes the first.
    site = serve_http(uvicorn.address)

    async def talk(socket):
        assert socket.subprotocol == "chat.v2"

    in_a_web_socket(site, talk, subprotocols=["chat.v2", "chat.v1"])


@pytest.mark.parametrize("code", [1000, 1008, 4001])
def test_the_apps_close_code_reaches_the_client(serve_http, uvicorn, code):
    # Goal: an end is told as what it was. Method: the app closes with this code.
    site = serve_http(uvicorn.address)

    async def talk(socket):
        await socket.send(f"close {code}")
        with pytest.raises(websockets.ConnectionClosed):
            await socket.recv()
        assert socket.close_code == code

    in_a_web_socket(site, talk)


def test_a_web_socket_that_the_app_refuses_gets_its_answer(serve_http, uvicorn):
    # Goal: no 101 without the app's. Method: a path that has none: uvicorn answers 403.
    site = serve_http(uvicorn.address)

    async def run():
        host, port = site.address
        with pytest.raises(websockets.InvalidStatusCode) as refused:
            await websockets.connect(f"wss://localhost:{port}/none", ssl=client_context(site.ca), host=host)
        return refused.value.status_code

    assert asyncio.run(run()) == 403


def take_upgrade(connection):
    incoming = Incoming(connection)
    incoming.head()
    connection.sendall(SWITCHING)
    return incoming


def echo_upgraded(connection):
    """Sends back what follows the upgrade, until its end; then says how much that was."""
    incoming, count = take_upgrade(connection), 0
    while data := incoming.some():
        connection.sendall(data)
        count += len(data)
    connection.sendall(b"<%d>" % count)
    return count


def switched(client):
    """Reads the 101's head, and returns what came with it."""
    received = b""
    while b"\r\n\r\n" not in received:
        part = client.receive()
        assert part, (client.ended, received)
        received += part
    head, _, rest = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 "), head
    return rest


def test_any_other_protocol_is_tunnelled_and_half_closed(serve_http):
    # Goal: bytes in both directions at once, and the client's end leaves the app's direction open. Method: 8 MiB
    # echoed, then close_notify and FIN; the app's last word still comes.
    size = 8 << 20
    with App(echo_upgraded) as app:
        site = serve_http(app.address)
        with site.client() as client:
            client.send(UPGRADE % b"echo")
            received = bytearray(switched(client))

            def take(data):
                received.extend(data)
                return len(received) >= size

            client.exchange(chunks(size), take)
            client.end()
            received += client.receive_all()
            assert bytes(received) == content(size) + b"<%d>" % size and client.ended == "close_notify"
        assert app.outcome() == size


def test_bytes_sent_with_the_upgrade_reach_the_app_after_it(serve_http):
    # Goal: an impatient client loses nothing. Method: request and first bytes in one write; and the app's 101
    # likewise.
    def serve(connection):
        incoming = Incoming(connection)
        incoming.head()
        connection.sendall(SWITCHING + b"hello from the app")
        return incoming.take(5)

    with App(serve) as app:
        site = serve_http(app.address)
        with site.client() as client:
            client.send(UPGRADE % b"echo" + b"early")
            assert switched(client) + client.receive_all() == b"hello from the app"
        assert app.outcome() == b"early"


@pytest.mark.parametrize("part", [12, len(SWITCHING) - 1])
def test_an_app_that_speaks_first_is_heard_behind_a_head_in_two_parts(serve_http, part):
    # Goal: what came with the rest of the head waits for nothing. Method: the client has an interim head, and so
    # Sallyport the first part of the 101, before the app sends the second with its greeting; the app says no more.
    told = threading.Event()

    def serve(connection):
        incoming = Incoming(connection)
        incoming.head()
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n" + SWITCHING[:part])
        assert told.wait(10)
        connection.sendall(SWITCHING[part:] + b"hello from the app")
        return incoming.take(5)

    with App(serve) as app:
        site = serve_http(app.address)
        with site.client() as client:
            client.send(UPGRADE % b"echo")
            assert client.receive().startswith(b"HTTP/1.1 103 ")
            told.set()
            rest = switched(client)
            assert rest + client.receive_exactly(18 - len(rest)) == b"hello from the app"
            client.send(b"thank")
            assert app.outcome() == b"thank"


def test_an_upgrade_that_the_app_passes_over_is_a_plain_exchange(serve_http):
    # Goal: the connection serves on. Method: the app answers 200, twice; the first bytes after the request are the
    # next one.
    with App(serve_requests(ok)) as app:
        site = serve_http(app.address)
        with site.client() as client:
            assert client.ask(UPGRADE % b"echo").status == 200
            assert client.get().status == 200


def test_a_reset_in_a_tunnel_reaches_the_other_side_as_one(serve_http):
    # Goal: an end is told as what it was. Method: the app resets after a few bytes: no close_notify for the client.
    def serve(connection):
        take_upgrade(connection)
        connection.sendall(b"partial")
        connection.recv(7)
        reset(connection)

    with App(serve) as app:
        site = serve_http(app.address)
        with site.client() as client:
            client.send(UPGRADE % b"echo")
            rest = switched(client)
            rest += client.receive_exactly(7 - len(rest))  # before the reset, which would take it away
            client.send(b"partial")
            rest += client.receive_all()
            assert rest == b"partial" and client.ended in ("reset", "eof")


def test_a_client_may_answer_the_apps_end_of_a_tunnel_by_a_bare_fin(serve_http):
    # Goal: an end is told as what it was. Method: the app ends; the client has seen that, and goes without close_notify,
    # as many do. The app's side ends in good order too, and so says the log.
    def serve(connection):
        take_upgrade(connection)
        connection.sendall(b"all of it")
        connection.shutdown(socket.SHUT_WR)
        return connection.recv(1)

    with App(serve) as app:
        site = serve_http(app.address)
        with site.client() as client:
            client.send(UPGRADE % b"echo")
            assert switched(client) + client.receive_all() == b"all of it" and client.ended == "close_notify"
            client.vanish()
            assert app.outcome() == b""
        line = site.exchanges()[0]
        assert (line["status"], line.get("reason")) == (101, None)


def test_a_101_that_nobody_asked_for_is_a_502(serve_http):
    # Goal: no app opens a tunnel on its own. Method: a plain GET.
    def serve(connection):
        Incoming(connection).request()
        connection.sendall(SWITCHING)
        return connection.recv(1)

    with App(serve) as app:
        site = serve_http(app.address)
        with site.client() as client:
            response = client.get()
            assert response.status == 502 and response.interim == []
        assert site.exchanges()[0]["reason"] == "app_malformed"


BODY = b"0123456789"
POST_UPGRADE = UPGRADE.replace(b"GET", b"POST").replace(b"\r\n\r\n", b"\r\nContent-Length: 10\r\n\r\n") % b"echo"


def test_an_upgrade_may_have_a_body(serve_http):
    # Goal: the tunnel begins behind it, as for `docker exec`. Method: a body that comes later than its head; then a
    # word each way.
    head_is_there = threading.Event()

    def serve(connection):
        incoming = Incoming(connection)
        incoming.head()
        head_is_there.set()
        assert incoming.take(len(BODY)) == BODY
        connection.sendall(SWITCHING)
        word = incoming.take(5)
        connection.sendall(b"from the app")
        return word

    with App(serve) as app:
        site = serve_http(app.address)
        with site.client() as client:
            client.send(POST_UPGRADE)
            assert head_is_there.wait(10)
            client.send(BODY)
            assert switched(client) == b""
            client.send(b"hello")
            assert client.receive_all() == b"from the app" and client.ended == "close_notify"
        assert app.outcome() == b"hello"


def test_a_101_before_the_requests_end_is_a_502(serve_http):
    # Goal: no rest of a body at the beginning of a tunnel (RFC 9110 7.8). Method: the app switches after the head.
    def serve(connection):
        take_upgrade(connection)
        return connection.recv(10)

    with App(serve) as app:
        site = serve_http(app.address)
        with site.client() as client:
            assert client.ask(POST_UPGRADE).status == 502
        assert site.exchanges()[0]["reason"] == "app_malformed"


GOING_AWAY = b"\x88\x02\x03\xe9"


@pytest.mark.parametrize("begun, rest", [(b"", b""), (b"\x82\x05hel", b"lo")],
                         ids=["between frames", "within a frame"])
def test_a_drain_tells_a_web_socket_that_it_goes_away_after_a_whole_frame(serve_http, begun, rest):
    # Goal: the last thing that the client gets is 1001, and no frame is broken by it. Method: SIGTERM while the app has
    # sent no frame, or half of one; what the app sends behind it does not come.
    def serve(connection):
        incoming = Incoming(connection)
        incoming.head()
        connection.sendall(SWITCHING.replace(b"echo", b"websocket") + begun)
        told = incoming.take(4)  # the client has got that, and the drain has begun
        connection.sendall(rest)
        told += incoming.take(1)  # the client has been told
        connection.sendall(b"\x82\x05never")
        return told

    with App(serve) as app:
        site = serve_http(app.address)
        with site.client() as client:
            client.send(UPGRADE % b"websocket")
            received = switched(client)
            while len(received) < len(begun):
                received += client.receive()
            site.sallyport.signal(signal.SIGTERM)
            site.sallyport.log.wait_for(event="draining")
            until(lambda: refuses(site.address), what="the end of accepting")
            client.send(b"next")
            while not received.endswith(GOING_AWAY):
                part = client.receive()
                assert part, (client.ended, received)
                received += part
            assert received == begun + rest + GOING_AWAY
            client.send(b"!")
            client.end()
            assert client.receive_all() == b"" and client.ended == "close_notify"
        assert app.outcome() == b"next!"
        site.sallyport.wait_for_exit(0)
