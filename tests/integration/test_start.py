"""How Sallyport starts: as whom, below whom, and how it refuses."""

import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from support.apps import App, answer, echo
from support.installation import Installation
from support.pki import SERVICE_UID, Pair
from support.ports import free_port, port_443, unprivileged_port_start
from support.procfs import CAP_NET_BIND_SERVICE, Process
from support.programs import curl
from support.sallyport import UNPRIVILEGED, Sallyport, address_of, simple_config
from support.scale import SANITIZED
from support.waiting import until

WITHOUT_CAPABILITIES = [*UNPRIVILEGED, "--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all"]


def test_started_as_root_it_ends_unprivileged_and_says_so(serve):
    # Goal: nobody serves as root. Method: all four ids and the groups of the three processes, and an audit line.
    with App(echo) as app:
        sallyport = serve(app)
        for name, process in sallyport.family().items():
            status = process.status()
            assert status["Uid"].split() == [str(SERVICE_UID)] * 4, name
            assert status["Gid"].split() == [str(SERVICE_UID)] * 4, name
            assert status["Groups"].split() in ([], [str(SERVICE_UID)]), name
        assert any(str(SERVICE_UID) in str(r) for r in sallyport.log.matching(stream="audit", process="gatekeeper"))


def test_it_becomes_the_user_that_the_configuration_names(serve, pki):
    # Goal: `user`. Method: another uid and gid; read from /proc. Its key file is readable for this one.
    pair = pki.new_pair()
    os.chown(pair.key, 65531, 65530)
    os.chown(pair.cert, 65531, 65530)
    with App(echo) as app:
        sallyport = serve(app, pair=pair, user={"uid": 65531, "gid": 65530})
        for process in sallyport.family().values():
            assert process.status()["Uid"].split() == ["65531"] * 4
            assert process.status()["Gid"].split() == ["65530"] * 4


def test_an_unprivileged_start_on_a_high_port_needs_nothing(start, pki):
    # Goal: no root needed where no privilege is. Method: start without any capability, with no_new_privs.
    with App(answer("humble")) as app:
        config = simple_config(pki.pair(), app.address)
        start(config, wrapper=[*WITHOUT_CAPABILITIES, "--no-new-privs"])
        assert curl(address_of(config), pki.ca).stdout == "humble"


def test_port_443_without_the_capability_is_refused_with_a_diagnosis(installation, pki):
    # Goal: exit 77 tells what is missing and what mends it. Method: port 443 as a user with nothing. On a machine whose
    # sysctl frees the port, the same start must simply succeed: that is bind path 1.
    with port_443():
        config = simple_config(pki.pair(), "127.0.0.1:7766", port=443)
        sallyport = Sallyport(installation, config, wrapper=WITHOUT_CAPABILITIES)
        if unprivileged_port_start() <= 443:
            sallyport.wait_until_ready().stop()
            return
        said = sallyport.wait_for_exit(77)
    for expected in ("443", "CAP_NET_BIND_SERVICE", "ip_unprivileged_port_start", "setcap cap_net_bind_service=p"):
        assert expected in said, expected


@pytest.mark.parametrize("no_new_privs", [[], ["--no-new-privs"]], ids=["", "no_new_privs"])
def test_port_443_is_served_with_an_ambient_capability(start, pki, no_new_privs):
    # Goal: bind path 2 for a user that is not root, as under systemd. Method: ambient CAP_NET_BIND_SERVICE alone.
    wrapper = [*UNPRIVILEGED, "--bounding-set=-all,+net_bind_service", "--inh-caps=-all,+net_bind_service",
               "--ambient-caps=-all,+net_bind_service", *no_new_privs]
    with App(answer("ambient")) as app, port_443():
        config = simple_config(pki.pair(), app.address, port=443)
        sallyport = start(config, wrapper=wrapper)
        assert curl(("127.0.0.1", 443), pki.ca).stdout == "ambient"
        assert sallyport.gatekeeper().capabilities()["CapAmb"] == 0
        sallyport.stop()


def test_port_443_is_served_with_the_file_capability(built, start, pki):
    # Goal: bind path 2 as in an image: cap_net_bind_service=p on the file. Method: setcap on a copy, an ordinary user.
    copy = Installation(built)
    subprocess.run(["setcap", "cap_net_bind_service=p", copy.sallyport], check=True, timeout=10)
    with App(answer("by file")) as app, port_443():
        sallyport = Sallyport(copy, simple_config(pki.pair(), app.address, port=443), wrapper=UNPRIVILEGED)
        with sallyport.wait_until_ready():
            assert curl(("127.0.0.1", 443), pki.ca).stdout == "by file"
            sets = sallyport.gatekeeper().capabilities()
            assert (sets["CapPrm"], sets["CapEff"]) == (CAP_NET_BIND_SERVICE, 0)
    copy.close()


def test_it_works_as_pid_1_and_reaps_orphans(start, pki):
    # Goal: the container's first process. Method: a PID namespace of its own; SIGTERM ends it with 0; a stranger that
    # becomes its child is reaped.
    with App(answer("first")) as app:
        config = simple_config(pki.pair(), app.address)
        sallyport = start(config, wrapper=["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"])
        gatekeeper = sallyport.gatekeeper()
        assert gatekeeper.status()["NSpid"].split()[-1] == "1"
        assert curl(address_of(config), pki.ca).stdout == "first"
        # The inner sh leaves its background child to PID 1 of the namespace.
        subprocess.run(["nsenter", "--target", str(gatekeeper.pid), "--pid", "sh", "-c", "sh -c 'true & exec true'"],
                       check=True, timeout=10)
        until(lambda: len(gatekeeper.children()) == 2, 5, "no zombie is left")
        sallyport.signal(signal.SIGTERM)
        sallyport.wait_for_exit(0)


def test_it_works_below_another_process(serve, pki):
    # Goal: not PID 1. Method: the ordinary start of every test, said once: its pid is not 1 and it ends with 0.
    with App(answer("below")) as app:
        sallyport = serve(app)
        assert Process(sallyport.process.pid).status()["NSpid"].split()[-1] != "1"
        assert curl(address_of(sallyport.config), pki.ca).stdout == "below"
        sallyport.stop(0)


def test_a_taken_port_is_refused_and_says_by_whom(installation, pki):
    # Goal: the commonest mistake explains itself. Method: a listener of this very program on the port.
    with socket.create_server(("127.0.0.1", free_port())) as taken:
        config = simple_config(pki.pair(), "127.0.0.1:7766", port=taken.getsockname()[1])
        sallyport = Sallyport(installation, config)
        sallyport.process.wait(10)
        said = sallyport.wait_for_exit(sallyport.process.returncode)
        assert sallyport.process.returncode != 0
        assert str(taken.getsockname()[1]) in said and "python" in said


def test_a_failed_start_leaves_its_privileged_acts_in_the_audit_log(installation, pki):
    # Goal: no bind goes unrecorded. Method: a second listener's port is taken; the first one's bind is in the log.
    with socket.create_server(("127.0.0.1", free_port())) as taken:
        config = simple_config(pki.pair(), "127.0.0.1:7766")
        config["listeners"].append({**config["listeners"][0], "bind": f"127.0.0.1:{taken.getsockname()[1]}"})
        sallyport = Sallyport(installation, config)
        sallyport.process.wait(10)
        sallyport.wait_for_exit(sallyport.process.returncode)
        bound = sallyport.log.matching(stream="audit", event="socket bound")
        assert [line["bind"] for line in bound] == [config["listeners"][0]["bind"]]


def test_a_missing_certificate_file_is_refused_with_its_name(installation, pki):
    # Goal: exit 78 and the path. Method: a file that is not there.
    nowhere = Pair(Path("/nonexistent/tls.crt"), Path("/nonexistent/tls.key"))
    said = Sallyport(installation, simple_config(nowhere, "127.0.0.1:7766")).wait_for_exit(78)
    assert "/nonexistent/tls.crt" in said


def test_a_self_signed_pair_is_made_only_when_asked_for(start, installation, pki):
    # Goal: --self-signed serves a P-256 pair for the given name, and no certificate at all is an error otherwise.
    # Method: flags alone; curl without verification; then the same without the flag.
    with App(answer("self")) as app:
        port = free_port()
        flags = ["run", "--listen", f"127.0.0.1:{port}", "--to", app.address.rsplit(":")[1], "--mode", "tcp"]
        start(arguments=[*flags, "--self-signed"])
        assert curl(("127.0.0.1", port), pki.ca, "--insecure").stdout == "self"
        Sallyport(installation, arguments=flags).wait_for_exit(78)


@pytest.mark.skipif(SANITIZED, reason="their runtimes have threads of their own")
def test_a_thread_that_cannot_be_had_is_a_refusal_that_names_the_limits(installation):
    # Goal: all shards or none. Method: a user with as many tasks as all but the last two of four shards' threads need
    # (gatekeeper: 2; keyholder: 2, and one per shard; worker: 2, and one per shard); exit 71.
    shards, uid = 4, 64999
    tasks = 6 + 2 * shards - 2
    limited = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "prlimit", f"--nproc={tasks}"]
    arguments = ["run", "--listen", f"127.0.0.1:{free_port()}", "--to", "1", "--mode", "tcp", "--self-signed", "--shards", str(shards)]
    said = Sallyport(installation, arguments=arguments, wrapper=limited).wait_for_exit(71)
    assert "no thread for a shard (see pids.max and RLIMIT_NPROC): " in said
