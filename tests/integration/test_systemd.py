"""config/systemd without systemd: what its own tools say of the units, and their commands with the powers that they give.

Real systemd runs them in tests/containers/test_systemd.py."""

import os
import re
import socket
import subprocess

import pytest
import yaml

from support.apps import App, answer
from support.installation import let_others_reach
from support.pki import SERVICE_UID
from support.ports import port_443
from support.procfs import CAP_NET_BIND_SERVICE
from support.programs import curl
from support.sallyport import Sallyport, simple_config
from support.units import BY_SOCKET, PLAIN, SOCKET, Unit
from support.waiting import until

# systemd's own scale: 10 is a service without any restriction, which is what it calls UNSAFE.
EXPOSURE_MAX = {PLAIN: 1.5, BY_SOCKET: 1.2}
USER = ["setpriv", f"--reuid={SERVICE_UID}", f"--regid={SERVICE_UID}", "--clear-groups", "--no-new-privs"]


def tool(*words):
    return subprocess.run(["systemd-analyze", *map(str, words)], capture_output=True, text=True, timeout=30,
                          env={"PATH": os.environ["PATH"]})


@pytest.fixture
def installed(installation, tmp_path):
    """installed(unit, …): copies in which the executable is where it is here."""

    def copy(*units):
        for unit in units:
            text = unit.read_text().replace("/usr/bin/sallyport", str(installation.sallyport))
            (tmp_path / unit.name).write_text(text)
        return [tmp_path / unit.name for unit in units]

    return copy


@pytest.mark.parametrize("units", [(PLAIN,), (BY_SOCKET, SOCKET)], ids=["plain", "socket"])
def test_systemd_finds_no_fault_in_the_units(installed, units):
    # Goal: no key is misspelt, misplaced or unknown. Method: systemd-analyze verify; and it sees a misspelt one.
    copies = installed(*units)
    checked = tool("verify", *copies)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
    copies[0].write_text(copies[0].read_text().replace("ProtectHome=", "ProtectHouse="))
    assert "ProtectHouse" in tool("verify", *copies).stderr


@pytest.mark.parametrize("unit", EXPOSURE_MAX, ids=["plain", "socket"])
def test_the_exposure_is_small(installed, unit):
    # Goal: a restriction that is lost is seen. Method: systemd's own measure against a threshold, at which a unit without
    # one of the lines fails.
    [copy] = installed(unit)
    threshold = f"--threshold={round(EXPOSURE_MAX[unit] * 10)}"
    good = tool("security", "--offline=yes", "--no-pager", threshold, copy)
    assert good.returncode == 0, good.stdout
    copy.write_text(re.sub(r"^SystemCallFilter=.*\n", "", copy.read_text(), flags=re.M))
    assert tool("security", "--offline=yes", "--no-pager", threshold, copy).returncode != 0


def test_the_two_forms_differ_in_who_binds_and_in_nothing_else():
    # Goal: hardening is not forgotten in one of them. Method: the settings that only one has.
    plain, by_socket = set(Unit(PLAIN).lines), set(Unit(BY_SOCKET).lines)
    assert plain - by_socket == {
        ("Unit.Wants", "network-online.target"), ("Unit.After", "network-online.target"),
        ("Service.AmbientCapabilities", "CAP_NET_BIND_SERVICE"), ("Service.CapabilityBoundingSet", "CAP_NET_BIND_SERVICE")}
    assert by_socket - plain == {
        ("Unit.Requires", "sallyport.socket"), ("Unit.After", "sallyport.socket"),
        ("Service.CapabilityBoundingSet", ""), ("Service.SocketBindDeny", "any"), ("Service.PrivateUsers", "yes")}


def test_systemd_waits_longer_than_a_drain_takes(installation):
    # Goal: it does not kill what is still draining. Method: the units' time, and the defaults as `check` prints them.
    printed = subprocess.run([installation.sallyport, "check", "--print", "--listen=:443", "--to=7766", "--self-signed"],
                             capture_output=True, text=True, check=True, timeout=10, env={}).stdout
    defaults = yaml.safe_load(printed)
    needed = sum(int(defaults[part][key].removesuffix("s")) for part, key in (("drain", "timeout"), ("app", "stop_timeout")))
    for unit in (PLAIN, BY_SOCKET):
        assert int(Unit(unit).one("Service.TimeoutStopSec")) > needed


class Systemd:
    """systemd's end of NOTIFY_SOCKET."""

    def __init__(self, path):
        self.path = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        os.chmod(path, 0o777)
        self._socket.settimeout(20)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def hear(self):
        return self._socket.recv(100).decode()


@pytest.fixture
def directory(tmp_path):
    """One that the service's user can reach."""
    let_others_reach(tmp_path)
    return tmp_path


def test_the_plain_form_s_powers_are_enough_and_systemd_hears_of_its_life(installation, pki, directory):
    # Goal: Type=notify, and 443 by the capability that the unit gives. Method: its sets by setpriv; the words on
    # NOTIFY_SOCKET, READY=1 when a request is served and STOPPING=1 when it drains.
    unit = Unit(PLAIN)
    assert unit.capabilities("AmbientCapabilities") == unit.capabilities("CapabilityBoundingSet") == ["cap_net_bind_service"]
    sets = [f"--{kind}=-all,+net_bind_service" for kind in ("bounding-set", "inh-caps", "ambient-caps")]
    with App(answer("by systemd")) as app, port_443(), Systemd(directory / "notify") as systemd:
        config = simple_config(pki.pair(), app.address, port=443)
        with Sallyport(installation, config, arguments=unit.command()[1:2], wrapper=[*USER, *sets],
                       environment={"NOTIFY_SOCKET": systemd.path}) as sallyport:
            assert systemd.hear() == "READY=1"
            assert curl(("127.0.0.1", 443), pki.ca).stdout == "by systemd"
            assert sallyport.gatekeeper().capabilities()["CapPrm"] == CAP_NET_BIND_SERVICE
            sallyport.stop()
            assert systemd.hear() == "STOPPING=1"


def test_a_systemd_that_cannot_be_told_is_warned_of(installation, pki):
    # Goal: a wrong NOTIFY_SOCKET costs no service. Method: one that is not there, one that is too long.
    for place in ("/nowhere/notify", "/" + "x" * 200):
        with App(answer("still")) as app:
            config = simple_config(pki.pair(), app.address)
            with Sallyport(installation, config, environment={"NOTIFY_SOCKET": place}) as sallyport:
                sallyport.log.wait_for(event="systemd was not told", state="READY=1", level="warn")


def test_the_socket_form_needs_no_capability_at_all(installation, pki, directory):
    # Goal: 443 by socket activation. Method: systemd-socket-activate with the unit's name and port, no capability in any
    # set, and a first client, which it waits for.
    assert Unit(BY_SOCKET).one("Service.CapabilityBoundingSet") == ""
    unit = Unit(SOCKET)
    port, name = int(unit.one("Socket.ListenStream")), unit.one("Socket.FileDescriptorName")
    none = [f"--{kind}=-all" for kind in ("bounding-set", "inh-caps", "ambient-caps")]
    with App(answer("activated")) as app, port_443():
        config = simple_config(pki.pair(), app.address)
        config["listeners"][0]["bind"] = f"systemd:{name}"
        activate = ["systemd-socket-activate", f"--listen=127.0.0.1:{port}", f"--fdname={name}", *USER, *none]
        with Sallyport(installation, config, wrapper=activate) as sallyport:
            until(lambda: "Listening on" in sallyport.errors.text(), 10, "systemd-socket-activate listens")
            assert curl(("127.0.0.1", port), pki.ca).stdout == "activated"
            sallyport.wait_until_ready()
            assert set(sallyport.gatekeeper().capabilities().values()) == {0}
            assert sallyport.log.matching(event="socket bound")[0]["path"] == "inherited"
