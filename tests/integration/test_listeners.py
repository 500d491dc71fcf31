"""Every kind of listener and every kind of upstream."""

import fcntl
import os
import socket

import pytest

from support.apps import App, answer, echo
from support.ports import free_port, port_443
from support.programs import curl, run
from support.sallyport import address_of, simple_config
from support.tls_client import TlsClient, client_context
from support.waiting import until


def says_hello(address, ca):
    with TlsClient(address, client_context(ca)) as client:
        client.handshake().send(b"hello")
        assert client.receive_exactly(5) == b"hello"
        client.end()
        assert client.receive_all() == b""


def config_with(pki, app, bind):
    config = simple_config(pki.pair(), app.address)
    config["listeners"][0]["bind"] = bind
    return config


def test_every_address_of_both_families_is_served(start, pki):
    # Goal: ":port" means IPv4 and IPv6. Method: a handshake with 127.0.0.1 and with ::1.
    with App(echo) as app:
        port = free_port()
        start(config_with(pki, app, f":{port}"))
        says_hello(("127.0.0.1", port), pki.ca)
        says_hello(("::1", port), pki.ca)


def test_one_address_is_only_that_address(start, pki):
    # Goal: "[::1]:port" is not IPv4. Method: ::1 is served, 127.0.0.1 refused.
    with App(echo) as app:
        port = free_port()
        start(config_with(pki, app, f"[::1]:{port}"))
        says_hello(("::1", port), pki.ca)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=2)


def test_several_listeners_forward_to_their_own_apps(start, pki):
    # Goal: listeners are independent, certificates too. Method: two listeners, two apps, two answers.
    with App(answer("first")) as first, App(answer("second")) as second:
        config = simple_config(pki.pair("P-256"), first.address)
        config["upstreams"]["other"] = {"address": second.address}
        config["listeners"].append({**simple_config(pki.pair("RSA"), "x")["listeners"][0], "forward": "other"})
        start(config)
        for listener, expected in zip(config["listeners"], ("first", "second")):
            address = ("127.0.0.1", int(listener["bind"].rsplit(":")[1]))
            assert curl(address, pki.ca).stdout == expected


def test_a_unix_socket_listener_serves_all_shards_and_is_removed_at_the_end(start, pki):
    # Goal: unix: listeners. Method: a socket in a directory of Sallyport's user; many connections on two shards; after
    # the end the file is gone.
    with App(echo) as app:
        directory = pki.root / "listener"
        directory.mkdir()
        os.chown(directory, 65532, 65532)
        path = directory / "s.sock"
        config = config_with(pki, app, f"unix:{path}")
        config["shards"] = 2
        sallyport = start(config)
        for _ in range(8):
            says_hello(str(path), pki.ca)
        sallyport.stop()
        assert not path.exists()
        directory.rmdir()


def test_a_unix_socket_app_is_reached(serve, pki):
    # Goal: unix: upstreams. Method: an echo app on a Unix socket.
    with App(echo, unix=True) as app:
        sallyport = serve(app)
        says_hello(address_of(sallyport.config), pki.ca)


def listening_socket():
    return socket.create_server(("127.0.0.1", free_port()))


def test_an_inherited_descriptor_serves(start, pki):
    # Goal: fd:N. Method: a socket bound by the parent, passed under its number, with two shards sharing it.
    with App(echo) as app, listening_socket() as listener:
        config = config_with(pki, app, f"fd:{listener.fileno()}")
        config["shards"] = 2
        start(config, pass_fds=[listener.fileno()])
        for _ in range(8):
            says_hello(listener.getsockname(), pki.ca)


def test_a_socket_passed_by_systemd_serves_by_its_name(start, pki, tmp_path):
    # Goal: systemd: listeners. Method: what systemd does, done by a shell: descriptor 3 and three variables, the second
    # of two names.
    with App(echo) as app, listening_socket() as first, listening_socket() as second:
        script = 'exec 3<&$FIRST 4<&$SECOND; LISTEN_FDS=2 LISTEN_FDNAMES=http:https LISTEN_PID=$$ exec "$@"'
        # Free numbers above 9, so that the shell's 3 and 4 do not overwrite them; bash takes any number.
        high = [fcntl.fcntl(s.fileno(), fcntl.F_DUPFD, 10) for s in (first, second)]
        start(config_with(pki, app, "systemd:https"), wrapper=["bash", "-c", script, "bash"], pass_fds=high,
              environment={"FIRST": str(high[0]), "SECOND": str(high[1])})
        for number in high:
            os.close(number)
        says_hello(second.getsockname(), pki.ca)


def test_port_443_is_served_for_ipv4_and_ipv6(start, pki):
    # Goal: the one that matters. Method: ":443" as root; both families.
    with App(echo) as app, port_443():
        sallyport = start(config_with(pki, app, ":443"))
        says_hello(("127.0.0.1", 443), pki.ca)
        says_hello(("::1", 443), pki.ca)
        sallyport.stop()


def test_client_connections_carry_keep_alive(serve, pki):
    # Goal: a client that is gone without a word is noticed. Method: ss shows a keep-alive timer on the worker's socket
    # towards the client, once the one for the acknowledgement is gone. (An app on this very host cannot vanish so.)
    with App(echo) as app:
        sallyport = serve(app)
        with TlsClient(address_of(sallyport.config), client_context(pki.ca)) as client:
            client.handshake().send(b"hello")
            assert client.receive_exactly(5) == b"hello"
            port = client.socket.getsockname()[1]
            command = ("ss", "-tnoH", "state", "established", "dport", "=", f":{port}")
            until(lambda: "timer:(keepalive" in run(*command).stdout, 5, "a keep-alive timer")


def test_the_peer_of_a_unix_listener_is_named_in_the_log(start, pki):
    # Goal: the connection's line says who came over a Unix socket. Method: its client field begins with "unix".
    with App(echo) as app:
        directory = pki.root / "named"
        directory.mkdir()
        os.chown(directory, 65532, 65532)
        sallyport = start(config_with(pki, app, f"unix:{directory}/s.sock"))
        says_hello(f"{directory}/s.sock", pki.ca)
        assert sallyport.connections()[0]["client"].startswith("unix")
        sallyport.stop()
        directory.rmdir()


def test_a_peer_of_a_unix_listener_that_has_a_path_is_named_the_same(start, pki, tmp_path):
    # Goal: a client's own path, which is longer than what is kept of it, is not read back. Method: a client that is bound
    # to one of full length, and speaks no TLS.
    tmp_path.chmod(0o777)
    with App(echo) as app, socket.socket(socket.AF_UNIX) as peer:
        sallyport = start(config_with(pki, app, f"unix:{tmp_path}/s.sock"))
        own = f"{tmp_path}/".ljust(107, "x")
        peer.bind(own)
        peer.connect(f"{tmp_path}/s.sock")
        peer.sendall(b"no TLS at all")
        assert sallyport.connections()[0]["client"] == "unix:"
