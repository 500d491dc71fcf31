"""One queue for several: a shard, or a worker, that is full keeps nobody from the places of another."""

import errno
import os
import select
import signal
import socket
from pathlib import Path

import pytest

from support.apps import App, echo
from support.pki import SERVICE_UID
from support.reloading import reload, to
from support.sallyport import simple_config
from support.tls_client import TlsClient, client_context
from support.waiting import stays, until


def shout(connection):
    while data := connection.recv(65536):
        connection.sendall(data.upper())


@pytest.fixture(params=["unix", "fd"])
def shared(request, start, pki, tmp_path):
    """shared(app, **changes): a ready Sallyport behind one socket of all shards; `place` is where to connect."""
    os.chown(tmp_path, SERVICE_UID, SERVICE_UID)
    for directory in tmp_path.parents:
        if directory != Path("/tmp") and directory.is_relative_to("/tmp"):
            directory.chmod(0o755)
    with socket.create_server(("127.0.0.1", 0)) as inherited:
        binds = {"unix": f"unix:{tmp_path}/s.sock", "fd": f"fd:{inherited.fileno()}"}
        places = {"unix": f"{tmp_path}/s.sock", "fd": inherited.getsockname()}

        def start_one(app, **changes):
            config = simple_config(pki.pair(), app.address, **changes)
            config["listeners"][0]["bind"] = binds[request.param]
            sallyport = start(config, pass_fds=[inherited.fileno()])
            sallyport.config, sallyport.place = config, places[request.param]
            return sallyport

        yield start_one


def waiting(place, ca):
    """A client that has sent its ClientHello."""
    client = TlsClient(place, client_context(ca), timeout=5)
    client.socket.sendall(client.first_flight())
    return client


def echoed(client, said=b"hello"):
    client.handshake().send(b"hello")
    assert client.receive_exactly(5) == said
    return client


def has_answer(client):
    return bool(select.select([client.socket], [], [], 0)[0])


def test_all_places_of_all_shards_are_taken(shared, pki):
    # Goal: max_connections is for all shards together. Method: six places, three of each shard, and one client after the
    # other; the next ones wait, and get the places of the oldest and of the newest.
    with App(echo) as app:
        place = shared(app, shards=2, limits={"max_connections": 6}).place
        clients = [echoed(waiting(place, pki.ca)) for _ in range(6)]
        for leaves in (0, -1):
            late = waiting(place, pki.ca)
            stays(lambda: not has_answer(late), 0.3, "there is no place for one more")
            clients.pop(leaves).socket.close()
            clients.append(echoed(late))
        for client in clients:
            client.socket.close()


def test_a_full_worker_that_was_replaced_delays_nobody_and_takes_nobody(shared, pki):
    # Goal: what waits is the new one's. Method: the old worker is full; clients come, to the new app; when the new worker
    # is full too, a place that the old one gets back is nobody's, and one of the new one's is.
    with App(echo) as app, App(shout) as other:
        sallyport = shared(app, limits={"max_connections": 2})
        old = [echoed(waiting(sallyport.place, pki.ca)) for _ in range(2)]
        reload(sallyport, to(sallyport.config, other))
        new = [echoed(waiting(sallyport.place, pki.ca), b"HELLO") for _ in range(2)]
        late = waiting(sallyport.place, pki.ca)
        old.pop().socket.close()
        stays(lambda: not has_answer(late), 0.5, "the old worker takes nobody")
        new.pop().socket.close()
        echoed(late, b"HELLO")
        old[0].send(b"still")
        assert old[0].receive_exactly(5) == b"still"
        for client in (*old, *new, late):
            client.socket.close()
    sallyport.log.wait_for(event="generation drained", generation=1, finished=2, cut=0)


def test_who_waits_for_a_place_at_the_end_gets_it(shared, pki):
    # Goal: SIGTERM resets nobody in the queue. Method: the only place is taken; the next client waits, the end is asked
    # for, the place becomes free.
    with App(echo) as app:
        sallyport = shared(app, limits={"max_connections": 1})
        first = echoed(waiting(sallyport.place, pki.ca))
        second = waiting(sallyport.place, pki.ca)
        sallyport.signal(signal.SIGTERM)
        sallyport.log.wait_for(event="draining")
        stays(lambda: not has_answer(second), 0.3, "there is no place for it yet")
        first.socket.close()
        echoed(second).socket.close()
        sallyport.wait_for_exit(0, 10)
        assert sallyport.log.matching(event="drained")[0]["finished"] == 2


def is_refused(place):
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(place) == errno.ECONNREFUSED


@pytest.mark.parametrize("shared", ["unix"], indirect=True)
def test_nobody_listens_while_the_last_ones_finish(shared, pki):
    # Goal: a client of a drain is refused at once, and does not wait in a queue that nobody serves. Method: one that has
    # been served stays; after SIGTERM others are refused; then it goes.
    with App(echo) as app:
        sallyport = shared(app, shards=2)
        with TlsClient(sallyport.place, client_context(pki.ca)) as client:
            echoed(client)
            sallyport.signal(signal.SIGTERM)
            until(lambda: is_refused(sallyport.place), 10, "nobody listens")
            client.send(b"still")
            assert client.receive_exactly(5) == b"still"
        sallyport.wait_for_exit(0)
