"""The privilege table, cell by cell, as the kernel tells it."""

import os
import signal

import pytest

from support.apps import App, echo
from support.procfs import CAP_NET_BIND_SERVICE
from support.sallyport import Sallyport, address_of, simple_config
from support.scale import SANITIZED
from support.tls_client import TlsClient, client_context
from support.waiting import until

NAMES = ["gatekeeper", "keyholder", "worker"]
SHARDS = 2


@pytest.fixture(scope="module")
def running(installation, pki):
    """One Sallyport with two shards and one open connection through it, for all tests of this file."""
    with App(echo) as app:
        config = simple_config(pki.pair(), app.address, shards=SHARDS)
        with Sallyport(installation, config) as sallyport:
            sallyport.wait_until_ready()
            with TlsClient(address_of(config), client_context(pki.ca)) as client:
                client.handshake().send(b"open")
                assert client.receive_exactly(4) == b"open"
                yield sallyport


@pytest.fixture
def family(running):
    return running.family()


@pytest.mark.parametrize("name", ["keyholder", "worker"])
def test_every_thread_of_it_holds_no_capability(family, name):
    # Goal: zero capabilities, in every set of every thread, the bounding set too as root started us. Method: /proc.
    threads = family[name].thread_statuses()
    assert len(threads) > 1
    for status in threads:
        assert set(family[name].capabilities(status).values()) == {0}, status["Name"]


def test_the_gatekeeper_alone_may_bind_and_only_when_it_raises_the_right(family):
    # Goal: CAP_NET_BIND_SERVICE permitted, not effective, nothing else. Method: /proc, every thread.
    for status in family["gatekeeper"].thread_statuses():
        sets = family["gatekeeper"].capabilities(status)
        assert (sets["CapPrm"], sets["CapEff"], sets["CapInh"], sets["CapAmb"]) == (CAP_NET_BIND_SERVICE, 0, 0, 0)
        assert sets["CapBnd"] in (0, CAP_NET_BIND_SERVICE)


@pytest.mark.parametrize("name", NAMES)
def test_no_thread_of_it_may_gain_privileges(family, name):
    # Goal: no_new_privs everywhere. Method: /proc, every thread.
    assert {status["NoNewPrivs"] for status in family[name].thread_statuses()} == {"1"}


@pytest.mark.parametrize("name", NAMES)
def test_it_leaves_no_core_and_cannot_be_dumped(family, name):
    # Goal: memory stays where it is. Method: the core limit, and who owns /proc/PID/: root if not dumpable (proc(5)).
    # Sanitizer builds must stay dumpable: that alone is relaxed, at compile time. The gatekeeper is not dumpable even
    # then, as it has changed its user.
    assert family[name].limits()["Max core file size"] == ("0", "0")
    owner = os.stat(f"/proc/{family[name].pid}/environ").st_uid
    assert owner == (65532 if SANITIZED and name != "gatekeeper" else 0)


@pytest.mark.parametrize("name", ["keyholder", "worker"])
def test_its_environment_is_empty(family, name):
    # Goal: nothing is inherited that way. Method: /proc/PID/environ.
    assert family[name].environment().strip(b"\0") == b""


def kinds(process):
    """The open descriptors from 3 up, by kind: "socket", "memfd", "eventpoll" …, as the table of profiles has them."""
    found = {}
    for number, target in process.descriptors().items():
        if number > 2:
            kind = target.removeprefix("anon_inode:").strip("[]/").split(":")[0]
            found[kind] = found.get(kind, 0) + 1
    return found


@pytest.mark.parametrize("name", NAMES)
def test_it_holds_the_kinds_of_descriptors_that_its_profile_has(family, profiles, name):
    # Goal: the table is the truth about descriptors. Method: every descriptor that is open, but for a file while it is
    # read: the gatekeeper looks who listens now and then, the keyholder at its certificates.
    allowed = set(profiles[name]["descriptors"].split())
    until(lambda: set(kinds(family[name])) <= allowed, 5, f"nothing but {allowed}")


def test_the_keyholder_holds_its_channels_and_nothing_else(family):
    # Goal: exactly the descriptors it needs. Method: only sockets (one to the gatekeeper, a supply channel and one per
    # shard to the worker), the memory file of the ticket secret and its watch; no file stays open.
    held = {"socket": 1 + 1 + SHARDS, "memfd": 1, "inotify": 1}
    until(lambda: kinds(family["keyholder"]) == held, 5, f"{held} and no file")


def test_the_worker_holds_sockets_and_event_queues_and_no_file(family):
    # Goal: the worker reads no file. Method: every descriptor is a socket or an event queue.
    found = kinds(family["worker"])
    listeners, admin, channels, connection = SHARDS, 1, 1 + 1 + SHARDS, 2
    assert found["socket"] == listeners + admin + channels + connection
    assert "memfd" not in found, "the pages of figures are mapped, not held"


def test_the_gatekeeper_holds_no_connection(running, family):
    # Goal: it touches nothing that comes from the network. Method: its sockets are listeners, the admin endpoint's
    # and two control channels.
    until(lambda: kinds(family["gatekeeper"])["socket"] == SHARDS + 1 + 2, 5, "no socket more")  # once none looks around


@pytest.mark.parametrize("name", NAMES)
def test_its_standard_input_is_the_null_device(family, name):
    # Goal: no terminal, no pipe to read. Method: descriptor 0.
    assert family[name].descriptors()[0] == "/dev/null"


def test_the_gatekeeper_starts_nobody_but_its_two_children(family, running):
    # Goal: one power, one process. Method: the process tree below the gatekeeper is those two, and they have none.
    assert sorted(p.pid for p in family["gatekeeper"].children()) == sorted(
        [family["keyholder"].pid, family["worker"].pid])
    assert not family["keyholder"].children() and not family["worker"].children()


def test_a_replaced_process_is_as_confined_as_the_first(installation, pki):
    # Goal: a restart loses no guard. Method: kill both, then the same capability and descriptor checks again.
    with App(echo) as app:
        config = simple_config(pki.pair(), app.address, shards=SHARDS)
        with Sallyport(installation, config) as sallyport:
            sallyport.wait_until_ready()
            # Both at first: a keyholder may still hold channels of the worker that is replaced.
            before = {name: kinds(sallyport.child(name)) for name in ("worker", "keyholder")}
            for name in before:
                old = sallyport.child(name)
                os.kill(old.pid, signal.SIGKILL)
                new = until(lambda: sallyport.child(name).pid != old.pid and sallyport.child(name), 5)
                until(lambda: kinds(new) == before[name], 5, f"the new {name} holds {before[name]}")
                for status in new.thread_statuses():
                    assert set(new.capabilities(status).values()) == {0}
                    assert status["NoNewPrivs"] == "1"
