"""The cage of each process, as the kernel tells it: who is filtered, what `sandbox:` chooses, what a lack means."""

import os
import signal
import sys
from pathlib import Path

import pytest

from support.apps import App, echo
from support.kernel import CREATE_RULESET, landlock_abi
from support.pki import SERVICE_UID
from support.procfs import Process
from support.sallyport import Sallyport, address_of, simple_config
from support.scale import SANITIZED
from support.tls_client import TlsClient, client_context

NAMES = ["gatekeeper", "keyholder", "worker"]
SECCOMP_CALL = 317  # x86-64


def filters_of(process):
    """How many filters each thread is under, besides those of whoever runs this test (a container's runtime)."""
    around = int(Process(os.getpid()).status()["Seccomp_filters"])
    return {int(status["Seccomp_filters"]) - around for status in process.thread_statuses()}


def exchange(sallyport, config, pki):
    with TlsClient(address_of(config), client_context(pki.ca)) as client:
        client.handshake().send(b"hello")
        assert client.receive_exactly(5) == b"hello"


def test_every_thread_of_all_three_is_under_a_filter(serve, pki):
    # Goal: seccomp by default, in every thread, without slower speculation. Method: /proc. A filter binds what is
    # started later, so the children have the gatekeeper's as well, and a serving worker a third one. ThreadSanitizer has
    # a thread of its own before any filter.
    with App(echo) as app:
        sallyport = serve(app, shards=2)
        exchange(sallyport, sallyport.config, pki)
        family = sallyport.family()
        for name, filters in zip(NAMES, (1, 2, 3)):
            found = filters_of(family[name])
            assert filters in found if SANITIZED else found == {filters}, name
        mine = {line.split(":\t")[1].strip() for line in Path("/proc/self/status").read_text().splitlines()
                if line.startswith("Speculation_Store_Bypass")}
        assert {status["Speculation_Store_Bypass"] for status in family["worker"].thread_statuses()} == mine


def test_each_says_in_the_audit_log_how_it_is_confined(serve):
    # Goal: the log proves the posture. Method: one line each, with what this kernel has.
    with App(echo) as app:
        sallyport = serve(app)
        abi = max(0, min(landlock_abi(), 7))
        guards = "files,network,scopes" if abi >= 6 else None
        for name in NAMES:
            line = sallyport.log.wait_for(event="confined", profile=name)
            assert (line["stream"], line["seccomp"]) == ("audit", "enforce")
            assert line["landlock_abi"] == (0 if name == "gatekeeper" else abi)
            if guards:
                assert line["landlock"] == ("none" if name == "gatekeeper" else guards)
        sallyport.log.wait_for(event="sandbox tightened", profile="worker", process="worker")


def test_no_call_of_a_whole_life_is_refused(serve, pki):
    # Goal: the profiles have everything that serving, reloading and draining take. Method: a life with each; no audit
    # line of a refused call, and nobody dies.
    with App(echo) as app:
        sallyport = serve(app)
        exchange(sallyport, sallyport.config, pki)
        sallyport.signal(signal.SIGHUP)
        sallyport.log.wait_for(event="certificate loaded", count=2)
        exchange(sallyport, sallyport.config, pki)
        sallyport.stop()
        assert not sallyport.log.matching(event="system call refused")
        assert not sallyport.log.matching(event="child died")


@pytest.mark.parametrize("given", ["flag", "variable", "file"])
def test_without_a_sandbox_there_is_no_filter(start, pki, given):
    # Goal: `none` means none, the older guards stay. Method: all three ways to say it; /proc.
    with App(echo) as app:
        config = simple_config(pki.pair(), app.address)
        if given == "file":
            config["sandbox"] = {"level": "none"}
        arguments = ("run", "--sandbox", "none") if given == "flag" else ("run",)
        environment = {"SALLYPORT_SANDBOX": "none"} if given == "variable" else {}
        sallyport = start(config, arguments=arguments, environment=environment)
        for process in sallyport.family().values():
            assert filters_of(process) == {0}
            assert {status["NoNewPrivs"] for status in process.thread_statuses()} == {"1"}
        assert sallyport.log.wait_for(event="confined", profile="worker")["landlock"] == "none"
        exchange(sallyport, config, pki)


@pytest.mark.parametrize("mode, expected", [("log", 3), ("none", 0)])
def test_seccomp_may_only_log_or_be_left_out(serve, pki, mode, expected):
    # Goal: a way to find what a platform's libraries call. Method: /proc and the audit line; Landlock stays.
    with App(echo) as app:
        sallyport = serve(app, sandbox={"seccomp": mode})
        exchange(sallyport, sallyport.config, pki)
        found = filters_of(sallyport.worker())
        assert expected in found if SANITIZED else found == {expected}
        line = sallyport.log.wait_for(event="confined", profile="worker")
        assert (line["seccomp"], line["landlock_abi"]) == (mode, max(0, min(landlock_abi(), 7)))


def test_required_starts_where_the_kernel_has_everything(installation, serve, pki):
    # Goal: `required` is no more than that where nothing lacks. Method: a request. Where a part of Landlock lacks, a
    # refusal.
    with App(echo) as app:
        if landlock_abi() < 6:
            config = simple_config(pki.pair(), app.address, sandbox={"level": "required"})
            return Sallyport(installation, config).wait_for_exit(71)
        sallyport = serve(app, sandbox={"level": "required"})
        exchange(sallyport, sallyport.config, pki)


def lacking(number):
    return (sys.executable, Path(__file__).parent.parent / "support" / "without_call.py", number)


def test_a_guard_that_the_kernel_lacks_is_told_and_done_without(installation, pki):
    # Goal: `enforce` is the best that can be had. Method: a kernel without Landlock; it serves, the audit log says what
    # is missing and what would bring it.
    with App(echo) as app:
        config = simple_config(pki.pair(), app.address)
        with Sallyport(installation, config, wrapper=lacking(CREATE_RULESET)) as sallyport:
            sallyport.wait_until_ready()
            exchange(sallyport, config, pki)
            for name in ("keyholder", "worker"):
                lack = sallyport.log.wait_for(event="guard not available", guard="landlock", process=name)
                assert lack["stream"] == "audit" and lack["needs"].startswith("Linux 5.13")


def test_a_guard_that_is_required_and_lacks_is_a_refusal(installation, pki):
    # Goal: fail closed. Method: the same kernel; exit 71 with the process and the guard, and nobody is left.
    config = simple_config(pki.pair(), "127.0.0.1:1", sandbox={"level": "required"})
    sallyport = Sallyport(installation, config, wrapper=lacking(CREATE_RULESET))
    said = sallyport.wait_for_exit(71)
    assert "cannot confine the keyholder: landlock: sandbox.level is 'required', and it needs Linux 5.13" in said


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the number of seccomp(2) is that of x86-64")
def test_a_kernel_without_filters_is_told_or_refused(installation, pki):
    # Goal: the same for seccomp. Method: seccomp(2) answers ENOSYS, for libseccomp too.
    with App(echo) as app:
        config = simple_config(pki.pair(), app.address)
        with Sallyport(installation, config, wrapper=lacking(SECCOMP_CALL)) as sallyport:
            sallyport.wait_until_ready()
            exchange(sallyport, config, pki)
            assert sallyport.log.wait_for(event="guard not available", guard="seccomp", process="worker")
    config = {**config, "sandbox": {"level": "required"}}
    said = Sallyport(installation, config, wrapper=lacking(SECCOMP_CALL)).wait_for_exit(71)
    assert "cannot confine the gatekeeper: seccomp: sandbox.level is 'required'" in said


def test_the_keyholder_reads_its_directories_and_no_other(serve, pki, tmp_path):
    # Goal: Landlock's directories, rotation by links included. Method: a link like Kubernetes' is turned to a new
    # directory beside the old one, and is read; turned to a place outside, it is refused by name, the old pair stays.
    if SANITIZED:
        pytest.skip("every file stays readable there")
    assert landlock_abi() >= 1, "this test needs a kernel with Landlock"
    pair = pki.pair()
    volume, outside = tmp_path / "volume", tmp_path / "outside"
    for place in (volume / "..1", volume / "..2", outside):
        place.mkdir(parents=True)
        for source, name in ((pair.cert, "tls.crt"), (pair.key, "tls.key")):
            (place / name).write_bytes(Path(source).read_bytes())
            os.chown(place / name, SERVICE_UID, SERVICE_UID)
    for place in (tmp_path, *tmp_path.parents):
        if place.stat().st_uid == os.geteuid() and place != Path("/"):
            place.chmod(place.stat().st_mode | 0o055)
    for name in ("tls.crt", "tls.key"):
        (volume / name).symlink_to(f"..data/{name}")
    turn(volume / "..data", "..1")
    with App(echo) as app:
        sallyport = serve(app, pair=Files(volume / "tls.crt", volume / "tls.key"))
        turn(volume / "..data", "..2")
        sallyport.signal(signal.SIGHUP)
        sallyport.log.wait_for(event="certificate loaded", count=2)
        turn(volume / "..data", str(outside))
        sallyport.signal(signal.SIGHUP)
        refused = sallyport.log.wait_for(event="certificates not reloaded")
        assert f"cannot read {volume}/tls.crt: permission denied (it leads out of the directories" in refused["reason"]
        exchange(sallyport, sallyport.config, pki)


class Files:
    """A pair by its paths."""

    def __init__(self, cert, key):
        self.cert, self.key = cert, key

    def config(self):
        return {"cert": str(self.cert), "key": str(self.key)}


def turn(link, target):
    """The link leads to the target from one moment to the next."""
    fresh = link.with_name("..fresh")
    fresh.symlink_to(target)
    fresh.rename(link)
