"""The bypass check: an app that others reach without TLS, past us."""

import json
import os
import socket
import subprocess

import pytest

from support.apps import App, echo
from support.ports import free_port
from support.reloading import reload_fails
from support.sallyport import Sallyport, simple_config

PAST_US = "app reachable past us"


@pytest.fixture
def exposed():
    """A port on which something listens at every address."""
    with socket.create_server(("0.0.0.0", free_port())) as listener:
        yield listener.getsockname()[1]


def test_an_app_of_loopback_is_no_matter(serve):
    # Goal: silence where all is well. Method: the ordinary app, strict: it serves, and no line warns.
    with App(echo) as app:
        sallyport = serve(app, bypass={"strict": True})
        sallyport.stop()
        assert not sallyport.log.matching(event=PAST_US)


def test_our_own_port_does_not_count(start, pki):
    # Goal: no false alarm when listener and app have one port number. Method: the app on 127.0.0.1, the listener with
    # the same number on another address of the machine.
    with App(echo) as app:
        config = simple_config(pki.pair(), app.address)
        config["listeners"][0]["bind"] = "127.0.0.2:" + app.address.split(":")[1]
        config["bypass"] = {"strict": True}
        sallyport = start(config)
        assert not sallyport.log.matching(event=PAST_US)


@pytest.mark.parametrize("address", ["0.0.0.0", "::"])
def test_an_app_on_every_address_is_warned_of_at_start(start, pki, address):
    # Goal: facts §1 row 16. Method: an app on 0.0.0.0 and one on ::; the line names the upstream and what to do.
    family = socket.AF_INET6 if address == "::" else socket.AF_INET
    with socket.create_server((address, free_port()), family=family) as listener:
        port = listener.getsockname()[1]
        sallyport = start(simple_config(pki.pair(), f"127.0.0.1:{port}"))
        line = sallyport.log.wait_for(event=PAST_US)
        assert (line["level"], line["upstream"], line["process"]) == ("warn", "app", "gatekeeper")
        assert line["listens_on"] in (f"0.0.0.0:{port}", f"[::]:{port}") and "127.0.0.1" in line["remedy"]
        assert len(sallyport.log.matching(event=PAST_US)) == 1


def test_an_app_of_another_address_is_exposed_by_every_address(installation):
    # Goal: an upstream that is no loopback address counts as well. Method: 192.0.2.7 on a network of our own, an app on
    # 0.0.0.0 there; with the app of a machine elsewhere the same socket is nobody's.
    port = free_port()
    listen = "import socket, sys, time; s = socket.create_server(('0.0.0.0', int(sys.argv[1]))); time.sleep(60)"
    network = ["unshare", "--net", "sh", "-c",
               'ip link set lo up; ip addr add 192.0.2.7/32 dev lo; python3 -c "$1" "$2" & app=$!; shift 2; '
               '"$@"; code=$?; kill $app; wait $app; exit $code', "sh", listen, str(port)]
    for address, grade in (("192.0.2.7", "warn"), ("192.0.2.8", "ok")):
        waiting = ["sh", "-c", f'until ss -ltn | grep -q ":{port} "; do sleep 0.02; done; exec "$@"', "sh"]
        done = subprocess.run(
            [*network, *waiting, installation.sallyport, "audit", "--json", "--to", f"{address}:{port}", "--self-signed",
             "--listen", ":18443"], env={"PATH": os.environ["PATH"]}, text=True, capture_output=True, timeout=30)
        rows = {row["what"]: row for row in json.loads(done.stdout)["rows"]}
        assert rows["bypass"]["grade"] == grade, rows["bypass"]


def test_an_app_that_appears_later_is_warned_of_once_and_missed_when_it_goes(start, pki):
    # Goal: the check goes on. Method: listen on every address after the start, then stop; one line each way.
    port = free_port()
    sallyport = start(simple_config(pki.pair(), f"127.0.0.1:{port}"))
    with socket.create_server(("0.0.0.0", port)):
        sallyport.log.wait_for(event=PAST_US, seconds=15)
    sallyport.log.wait_for(event="app no longer reachable past us", seconds=15)
    assert len(sallyport.log.matching(event=PAST_US)) == 1


def test_strict_does_not_start_before_an_exposed_app(installation, pki, exposed):
    # Goal: `bypass: {strict: true}`. Method: exit 78 with the address; nobody serves.
    config = simple_config(pki.pair(), f"127.0.0.1:{exposed}", bypass={"strict": True})
    said = Sallyport(installation, config).wait_for_exit(78)
    assert f"0.0.0.0:{exposed}" in said and "bypass.strict" in said


def test_strict_stops_serving_when_the_app_becomes_exposed(start, pki):
    # Goal: strict is not only about the start. Method: the app moves to every address while we serve: drain, exit 78.
    port = free_port()
    sallyport = start(simple_config(pki.pair(), f"127.0.0.1:{port}", bypass={"strict": True}))
    with socket.create_server(("0.0.0.0", port)):
        sallyport.wait_for_exit(78, seconds=20)
    assert sallyport.log.matching(event="not serving any longer") and sallyport.log.matching(event="drained")


def test_strict_by_a_reload_changes_nothing_while_the_app_is_exposed(start, pki, exposed):
    # Goal: a reload that could not serve is refused like any other bad one, and says why. Method: strict is switched on.
    config = simple_config(pki.pair(), f"127.0.0.1:{exposed}")
    sallyport = start(config)
    worker = sallyport.worker().pid
    assert "bypass.strict" in reload_fails(sallyport, {**config, "bypass": {"strict": True}})
    assert sallyport.worker().pid == worker


def test_the_audit_before_a_start_has_a_row_for_it(installation, exposed):
    # Goal: `sallyport audit` with a configuration knows the app's port. Method: warn, and fail where it is strict.
    for strict, grade in (("false", "warn"), ("true", "fail")):
        done = subprocess.run(
            [installation.sallyport, "audit", "--json", "--to", str(exposed), "--self-signed", "--listen", ":18443"],
            env={"PATH": os.environ["PATH"], "SALLYPORT_CONFIG": f"bypass: {{strict: {strict}}}"}, text=True,
            capture_output=True, timeout=20)
        rows = {row["what"]: row for row in json.loads(done.stdout)["rows"]}
        assert rows["bypass"]["grade"] == grade and f"0.0.0.0:{exposed}" in rows["bypass"]["value"]
        assert done.returncode == (1 if grade == "fail" else 0)
