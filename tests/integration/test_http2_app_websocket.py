"""A WebSocket of an HTTP/1.1 client to an app that speaks h2c: an extended CONNECT (RFC 8441), and a proof of our own."""

import asyncio
import base64
import contextlib
import hashlib
import json

import pytest
import websockets

from support.http_peers import values_in
from support.payload import content
from support.real_app import RealApp
from support.tls_client import client_context

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
PROOF = base64.b64encode(hashlib.sha1(KEY + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())


def upgrade(path=b"/", key=KEY, more=b""):
    return (b"GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n%s\r\n" % (path, key, more))


@pytest.fixture(scope="module")
def hypercorn():
    with RealApp("hypercorn") as app:
        yield app


@pytest.fixture(scope="module")
def node():
    with RealApp("node_h2c") as app:
        yield app


def connect(site, **options):
    host, port = site.address
    return websockets.connect(f"wss://localhost:{port}/ws", ssl=client_context(site.ca), host=host, max_size=None,
                              **options)


def test_messages_of_every_size_pass_from_the_first_connection_on(serve_http, hypercorn):
    # Goal: a WebSocket, whoever of the two speaks which HTTP; the first one too, which comes before the app's SETTINGS.
    # Method: a client of HTTP/1.1 and hypercorn by h2c; text, binary and large messages; the app closes.
    site = serve_http(f"h2c://{hypercorn.address}")
    messages = ["", "a", "é" * 1000, b"", b"\0\xff", *(content(size) for size in (125, 126, 65535, 65536, 1 << 20))]

    async def talk():
        async with connect(site, subprotocols=["chat.v2", "chat.v1"]) as socket:
            assert socket.subprotocol == "chat.v2"
            assert json.loads(await asyncio.wait_for(socket.recv(), 10))["client"]
            for message in messages:
                await socket.send(message)
                assert await asyncio.wait_for(socket.recv(), 10) == message
            await socket.send("close 4001")
            with pytest.raises(websockets.ConnectionClosed):
                await asyncio.wait_for(socket.recv(), 10)
            assert socket.close_code == 4001

    asyncio.run(talk())


def read_head(client):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += client.receive_exactly(1)
    return head


def test_the_proof_is_that_of_the_clients_key(serve_http, node):
    # Goal: RFC 6455 §4.2.2, byte for byte; bytes that come with the request are the tunnel's; half-closes pass. Method:
    # Node's http2, which sends back what comes, and answers with an Accept of its own, which counts for nothing.
    site = serve_http(f"h2c://{node.address}")
    with site.client() as client:
        client.send(upgrade() + b"early")
        head = read_head(client)
        assert head.startswith(b"HTTP/1.1 101 Switching Protocols\r\n"), head
        assert values_in(head, b"Sec-WebSocket-Accept") == [PROOF]
        assert values_in(head, b"Upgrade") == [b"websocket"] and values_in(head, b"Connection") == [b"upgrade"]
        assert values_in(head, b"X-App") == [b"node"]
        assert not values_in(head, b"Content-Length") and not values_in(head, b"Transfer-Encoding")
        assert client.receive_exactly(5) == b"early"
        client.send(content(1 << 20))
        assert client.receive_exactly(1 << 20) == content(1 << 20)
        client.end()
        assert client.receive_all() == b""
    assert site.exchanges(status=101)[0]["upstream"] == "app"


def test_many_at_once_share_the_apps_connection(serve_http, node):
    # Goal: each has its own stream, from a cold start. Method: 20 that all ask before anybody has an answer, and then send
    # bytes of their own in turns.
    site = serve_http(f"h2c://{node.address}")
    with contextlib.ExitStack() as stack:
        before = json.loads(stack.enter_context(serve_http(f"h2c://{node.address}").client()).get().body)["connections"]
        clients = [stack.enter_context(site.client()) for _ in range(20)]
        for client in clients:
            client.send(upgrade())
        assert all(read_head(client).startswith(b"HTTP/1.1 101 ") for client in clients)
        for step in range(10):
            for number, client in enumerate(clients):
                client.send(b"%2d %d" % (number, step))
            assert [client.receive_exactly(4) for client in clients] == [b"%2d %d" % (n, step) for n in range(20)]
        assert json.loads(stack.enter_context(site.client()).get().body)["connections"] == before + 1
        for client in clients:
            client.end()
            assert client.receive_all() == b""
    assert len(site.exchanges(20, status=101)) == 20


def test_a_refusal_is_the_apps_own(serve_http, node):
    # Goal: no 101 without the app's 200. Method: a path that has no WebSocket; the connection then carries another request.
    site = serve_http(f"h2c://{node.address}")
    with site.client() as client:
        answer = client.ask(upgrade(b"/refuse"))
        assert (answer.status, answer.body) == (403, b"no")
        assert client.get("/seen").status == 200


@pytest.mark.parametrize(("key", "more"), [(b"short", b""), (KEY, b"Sec-WebSocket-Key: " + KEY + b"\r\n"),
                                           (KEY, b"Content-Length: 0\r\n")])
def test_what_is_no_opening_is_asked_without_its_upgrade(serve_http, node, key, more):
    # Goal: a proof for a lawful key alone. Method: a key that is none, two keys, a body; the app sees a GET.
    site = serve_http(f"h2c://{node.address}")
    with site.client() as client:
        answer = client.ask(upgrade(key=key, more=more))
        assert answer.status == 200 and json.loads(answer.body)[":method"] == "GET"


def test_an_app_that_offers_no_tunnel_is_asked_without_the_upgrade(serve_http):
    # Goal: SETTINGS_ENABLE_CONNECT_PROTOCOL decides. Method: the same app without it.
    with RealApp("node_h2c", "plain") as app:
        site = serve_http(f"h2c://{app.address}")
        with site.client() as client:
            answer = client.ask(upgrade())
            seen = json.loads(answer.body)
            assert answer.status == 200 and seen[":method"] == "GET" and ":protocol" not in seen
