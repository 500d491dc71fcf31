"""An app behind a name: looked up in the worker's cage, again whenever the answer expires, the last good one kept."""

import os
import time

import pytest

from support.apps import App, greeting
from support.name_server import NameServer
from support.ports import free_port
from support.sallyport import address_of, simple_config
from support.tls_client import TlsClient, client_context
from support.waiting import until

NAME = "app.test"
UNKNOWN = "the app's name cannot be looked up; it stays at its last addresses, if it had any"
KNOWN = "the app's name is known again"


@pytest.fixture
def named(start, pki):
    """named(server, port): a Sallyport in a full cage before `app.test` on this port."""

    def named_one(server, port, name=NAME, dns=None, **changes):
        settings = {"servers": [server.address], "timeout": "1s", "min_ttl": "100ms", **(dns or {})}
        config = simple_config(pki.pair(), f"{name}:{port}", sandbox={"level": "required"}, dns=settings, **changes)
        sallyport = start(config)
        sallyport.config = config
        return sallyport

    return named_one


@pytest.fixture
def greeted(pki):
    """greeted(sallyport): what the app says to one client; nothing if it cannot be reached."""

    def ask(sallyport):
        with TlsClient(address_of(sallyport.config), client_context(pki.ca)) as client:
            client.handshake()
            return client.receive_all()

    return ask


def test_a_name_leads_to_all_its_addresses_in_turn(named, greeted):
    # Goal: A records, each has its turn. Method: two apps on two addresses of loopback, one port.
    with App(greeting(b"one")) as one:
        port = int(one.address.rsplit(":")[1])
        with App(greeting(b"two"), host="127.0.0.2", port=port), \
                NameServer({NAME: ["127.0.0.1", "127.0.0.2"]}) as server:
            sallyport = named(server, port)
            assert sorted(greeted(sallyport) for _ in range(4)) == [b"one", b"one", b"two", b"two"]
            assert {kind for _, _, kind in server.asked} == {"A", "AAAA"}


def test_a_new_answer_is_followed_when_the_old_one_expires(named, greeted):
    # Goal: the TTL, held within min_ttl and max_ttl. Method: the answer is changed; with a TTL of 3600 s max_ttl decides.
    with App(greeting(b"one")) as one:
        port = int(one.address.rsplit(":")[1])
        with App(greeting(b"two"), host="127.0.0.2", port=port), NameServer({NAME: ["127.0.0.1"]}, ttl=3600) as server:
            sallyport = named(server, port, dns={"max_ttl": "300ms"})
            assert greeted(sallyport) == b"one"
            server.zone[NAME] = ["127.0.0.2"]
            until(lambda: greeted(sallyport) == b"two", what="the new address is used")
            assert [greeted(sallyport) for _ in range(3)] == [b"two"] * 3


def test_a_ttl_of_nothing_is_held_to_min_ttl(named, greeted):
    # Goal: no flood of questions. Method: TTL 0; three more rounds last two times min_ttl at least.
    with App(greeting(b"one")) as one, NameServer({NAME: ["127.0.0.1"]}, ttl=0) as server:
        sallyport = named(server, one.address.rsplit(":")[1], dns={"min_ttl": "400ms", "timeout": "5s"})
        assert greeted(sallyport) == b"one"
        began, before = time.monotonic(), server.asked.count(("udp", NAME, "A"))
        until(lambda: server.asked.count(("udp", NAME, "A")) >= before + 3, what="it goes on asking")
        assert time.monotonic() - began > 0.75


@pytest.mark.parametrize("failure", ["SERVFAIL", "SILENT", None])
def test_the_last_good_answer_stays_when_there_is_no_other(named, greeted, failure):
    # Goal: a name server that fails takes no app away. Method: a good answer, then each kind of failure; the log says so
    # once, and once that it is over.
    with App(greeting(b"one")) as one, NameServer({NAME: ["127.0.0.1"]}, ttl=0) as server:
        sallyport = named(server, one.address.rsplit(":")[1], dns={"timeout": "200ms"})
        assert greeted(sallyport) == b"one"
        server.zone[NAME] = failure
        line = sallyport.log.wait_for(event=UNKNOWN)
        assert (line["level"], line["name"]) == ("warn", NAME)
        asked = server.times_asked(NAME)
        until(lambda: server.times_asked(NAME) > asked + 2, what="it goes on asking")
        assert greeted(sallyport) == b"one"
        server.zone[NAME] = ["127.0.0.1"]
        sallyport.log.wait_for(event=KNOWN)
        # A stalled machine may have failed and mended it before; each failure is told once all the same.
        until(lambda: len(sallyport.log.matching(event=UNKNOWN)) == len(sallyport.log.matching(event=KNOWN)))


def test_a_start_does_not_wait_for_a_name_and_a_client_is_told_that_there_is_none(named, greeted):
    # Goal: serving before the name exists, and soon after it does. Method: NXDOMAIN at first.
    with App(greeting(b"one")) as one, NameServer() as server:
        sallyport = named(server, one.address.rsplit(":")[1])
        sallyport.log.wait_for(event=UNKNOWN)
        assert greeted(sallyport) == b""
        line = sallyport.connections()[0]
        assert (line["stage"], line["end"], line["reason"]) == ("connect", "upstream_no_route", "looking up the app's name")
        server.zone[NAME] = ["127.0.0.1"]
        until(lambda: greeted(sallyport) == b"one", what="the app is found")


def test_a_client_that_comes_before_the_first_answer_waits_for_it(named, greeted):
    # Goal: the first clients are served. Method: a name server that takes a while.
    with App(greeting(b"one")) as one, NameServer({NAME: ["127.0.0.1"]}, delay=0.3) as server:
        sallyport = named(server, one.address.rsplit(":")[1], dns={"timeout": "5s"})
        assert greeted(sallyport) == b"one"
        assert not sallyport.log.matching(event=UNKNOWN)


def test_waiting_for_a_name_ends_at_the_connect_timeout(named, greeted):
    # Goal: no client waits for ever. Method: a server that says nothing, and a patience of its own beyond ours.
    with NameServer({NAME: "SILENT"}) as server:
        sallyport = named(server, free_port(), dns={"timeout": "20s"}, limits={"connect_timeout": "500ms"})
        started = time.monotonic()
        assert greeted(sallyport) == b""
        assert 0.45 < time.monotonic() - started < 10
        assert sallyport.connections()[0]["end"] == "upstream_timeout"


def test_an_answer_that_does_not_fit_comes_by_tcp(named, greeted):
    # Goal: truncation. Method: a server that truncates every answer by UDP; the cage lets TCP to its port pass.
    with App(greeting(b"one")) as one, NameServer({NAME: ["127.0.0.1"]}, truncates=True) as server:
        sallyport = named(server, one.address.rsplit(":")[1])
        assert greeted(sallyport) == b"one"
        assert server.times_asked(NAME, "tcp") >= 1


def test_without_a_name_server_clients_are_told_and_the_cage_holds(named, greeted):
    # Goal: nobody answers at all. Method: a port of loopback where nothing listens, for UDP and TCP.
    class Nobody:
        address = f"127.0.0.1:{free_port()}"

    sallyport = named(Nobody, free_port())
    sallyport.log.wait_for(event=UNKNOWN)
    assert greeted(sallyport) == b""
    assert sallyport.connections()[0]["end"] == "upstream_no_route"


def test_the_second_name_server_is_asked_when_the_first_is_silent(start, greeted, pki):
    # Goal: several servers. Method: the first one does not answer.
    with App(greeting(b"one")) as one, NameServer({NAME: "SILENT"}) as silent, \
            NameServer({NAME: ["127.0.0.1"]}) as server:
        config = simple_config(pki.pair(), f"{NAME}:{one.address.rsplit(':')[1]}", sandbox={"level": "required"},
                               dns={"servers": [silent.address, server.address], "timeout": "1s"})
        sallyport = start(config)
        sallyport.config = config
        assert greeted(sallyport) == b"one"
        assert silent.asked


def resolver_files(directory, resolv_conf, hosts):
    """The words that start a command in a view of the machine where /etc has these files."""
    for name, text in (("resolv.conf", resolv_conf), ("hosts", hosts)):
        (directory / name).write_text(text)
        (directory / name).chmod(0o644)
    bind = "".join(f"mount --bind {directory}/{name} /etc/{name} && " for name in ("resolv.conf", "hosts"))
    return ["unshare", "--mount", "sh", "-c", bind + 'exec "$@"', "sh"]


@pytest.fixture
def port_53():
    """An address of loopback for a name server on port 53, of this pytest worker alone."""
    worker = int("".join(filter(str.isdigit, os.environ.get("PYTEST_XDIST_WORKER", "0"))))
    return f"127.53.{worker}.{os.getpid() % 254 + 1}"


def test_name_servers_and_search_domains_are_those_of_resolv_conf(start, pki, greeted, tmp_path, port_53):
    # Goal: a short name, as in Kubernetes: with ndots:5 the search domains come first. Method: a view of the machine
    # whose resolv.conf names our server; the name exists in the second domain only.
    full = "app.svc.cluster.test"
    with App(greeting(b"one")) as one, NameServer({full: ["127.0.0.1"]}, host=port_53, port=53) as server:
        files = resolver_files(tmp_path, f"nameserver {port_53}\nsearch shop.svc.cluster.test svc.cluster.test\n"
                               "options ndots:5\n", "127.0.0.1 localhost\n")
        config = simple_config(pki.pair(), f"app:{one.address.rsplit(':')[1]}", sandbox={"level": "required"})
        sallyport = start(config, wrapper=files)
        sallyport.config = config
        assert greeted(sallyport) == b"one"
        names = [name for _, name, _ in server.asked]
        assert names.index("app.shop.svc.cluster.test") < names.index(full)
        assert "app" not in names


def test_a_name_in_hosts_is_not_asked_for_and_opens_no_way_to_name_servers(start, pki, greeted, tmp_path, port_53):
    # Goal: hosts first, and no power that is not needed. Method: a view of the machine whose hosts has the name; nobody
    # is asked for it, and the filter has no rule more than for an address.
    with App(greeting(b"one"), host="127.0.0.2") as one, NameServer(host=port_53, port=53) as server:
        files = resolver_files(tmp_path, f"nameserver {port_53}\n", f"127.0.0.1 localhost\n127.0.0.2 {NAME}\n")
        config = simple_config(pki.pair(), f"{NAME}:{one.address.rsplit(':')[1]}", sandbox={"level": "required"})
        sallyport = start(config, wrapper=files)
        sallyport.config = config
        assert greeted(sallyport) == b"one"
        assert server.asked == []
        plain = start(simple_config(pki.pair(), one.address, sandbox={"level": "required"}))
        rules = [s.log.wait_for(event="sandbox tightened", profile="worker")["rules"] for s in (sallyport, plain)]
        assert rules[0] == rules[1]
