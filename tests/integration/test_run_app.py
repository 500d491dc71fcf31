"""`sallyport run -- command…`: the app starts, is awaited, hears signals, ends with us, and inherits nothing of us."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from support.apps import App, echo
from support.pki import SERVICE_UID
from support.ports import free_port
from support.procfs import Process
from support.programs import curl
from support.sallyport import UNPRIVILEGED, Sallyport, address_of, simple_config
from support.scale import SANITIZED
from support.tls_client import TlsClient, client_context
from support.waiting import stays, until

APP_UID = 65533
SOURCE = Path(__file__).parent.parent / "support" / "owned_app.py"


@pytest.fixture
def program(tmp_path):
    """The app's program where its user can read it, in a directory where it can write."""
    for directory in (tmp_path, *tmp_path.parents):
        if directory != Path("/tmp") and directory.is_relative_to("/tmp"):
            directory.chmod(0o755)
    os.chown(tmp_path, APP_UID, APP_UID)
    copy = tmp_path / "owned_app.py"
    shutil.copy(SOURCE, copy)
    copy.chmod(0o644)
    return copy


@pytest.fixture
def run(installation, pki, program):
    """run("--delay", 1, app={…}): a Sallyport, not awaited, that starts our app. `command` replaces that one."""
    running = []

    def run_one(*flags, command=None, where=None, wrapper=(), environment=None, **changes):
        where = where or free_port()
        upstream = f"unix:{where}" if str(where).startswith("/") else where
        config = {**simple_config(pki.pair(), upstream), **changes}
        sallyport = Sallyport(installation, config, wrapper=wrapper, environment=environment,
                              app=command or [sys.executable, program, where, *flags])
        sallyport.address = address_of(config)
        running.append(sallyport)
        return sallyport

    yield run_one
    for sallyport in running:
        sallyport.abandon()
        print(f"--- its log\n{sallyport.log.text()[-6000:]}\n--- its errors\n{sallyport.errors.text()[-3000:]}")


def app_of(sallyport, count=1):
    """The app's process in its `count`-th life."""
    return Process(sallyport.log.wait_for(count=count, event="app started")["pid"])


def came_in_order(sallyport, *events):
    """Whether the first lines of these events stand in the log as they are named."""
    found = [r["event"] for r in sallyport.log.records()]
    places = [found.index(event) for event in events]
    return places == sorted(places)


@pytest.fixture(params=["root", "unprivileged"])
def started_by(request):
    """How it is started: (the words before, the app's user)."""
    return ((), APP_UID) if request.param == "root" else (tuple(UNPRIVILEGED), SERVICE_UID)


def test_the_app_inherits_nothing_but_no_new_privs(run, started_by):
    # Goal: it is as if somebody else had started it. Method: sleep(1), which changes nothing of what it gets, behind
    # limits that Sallyport raises and lowers for itself; every row of /proc that a parent leaves its mark on.
    wrapper, uid = started_by
    with App(echo) as listening:
        limits = ("prlimit", "--nofile=900:4000", "--core=4096:8192")
        sallyport = run(command=["sleep", "1000"], where=listening.address, wrapper=(*limits, *wrapper),
                        environment={"LISTEN_FDS": "0"}).wait_until_ready()
        app = app_of(sallyport)
        status, around = app.status(), Process(os.getpid()).status()
        assert status["Uid"].split() == [str(uid)] * 4 and status["Gid"].split() == [str(uid)] * 4
        assert status["Groups"].split() in ([], [str(uid)])
        assert status["NoNewPrivs"] == "1"
        assert status["Seccomp_filters"] == around["Seccomp_filters"]
        sets = app.capabilities()
        assert {sets[name] for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {0}
        assert sets["CapBnd"] == (0 if uid == APP_UID else Process(os.getpid()).capabilities()["CapBnd"])
        assert {int(status[name], 16) for name in ("SigBlk", "SigIgn", "SigCgt", "SigPnd", "ShdPnd")} == {0}
        until(lambda: sorted(app.descriptors()) == [0, 1, 2], 10, "no other descriptor, once its libraries are loaded")
        assert app.limits()["Max open files"] == ("900", "4000")
        # A sanitizer's runtime lowers the soft one before main.
        assert app.limits()["Max core file size"] == ("0" if SANITIZED else "4096", "8192")
        assert os.stat(f"/proc/{app.pid}/environ").st_uid == uid, "it is dumpable, as any program is"
        assert os.getsid(app.pid) == os.getpgid(app.pid) == app.pid
        assert sallyport.gatekeeper().limits()["Max open files"] == ("4000", "4000")
        sallyport.stop(code=128 + signal.SIGTERM)


def test_the_app_gets_its_own_variables_and_none_of_ours(run, pki):
    # Goal: no secret of ours, and nothing that is ours. Method: the PEM pair, a flag and a whole configuration by
    # environment; the app's environment then is exactly the rest.
    with App(echo) as listening:
        pair = pki.pair()
        ours = {"SALLYPORT_CERT": pair.cert.read_text(), "SALLYPORT_KEY": pair.key.read_text(),
                "SALLYPORT_LOG_LEVEL": "debug", "LISTEN_FDNAMES": "x"}
        sallyport = run(command=["sleep", "1000"], where=listening.address,
                        environment={**ours, "DATABASE": "db"}).wait_until_ready()
        entries = app_of(sallyport).environment().decode().strip("\0").split("\0")
        assert sorted(entry.split("=")[0] for entry in entries) == ["DATABASE", "PATH"]
        for process in (sallyport.gatekeeper(), sallyport.child("starter")):
            assert b"BEGIN" not in process.environment()


def test_the_starter_has_no_power_and_the_family_is_as_without_an_app(run, profiles):
    # Goal: what starts the app can do no more than the app. Method: /proc of the starter, and the gatekeeper's.
    with App(echo) as listening:
        sallyport = run(command=["sleep", "1000"], where=listening.address).wait_until_ready()
        starter, status = sallyport.child("starter"), sallyport.child("starter").status()
        assert set(starter.capabilities().values()) == {0}
        assert (status["NoNewPrivs"], status["Uid"].split()[0]) == ("1", str(APP_UID))
        assert os.stat(f"/proc/{starter.pid}/environ").st_uid == 0, "not dumpable"
        assert [d for d in starter.descriptors().values() if "memfd" in d] == []
        assert len(starter.descriptors()) == 3 + 2, "its channel and its signals"
        assert [p.pid for p in starter.children()] == [app_of(sallyport).pid]
        gatekeeper = sallyport.gatekeeper()
        assert sorted(p.pid for p in gatekeeper.children()) == sorted(
            [starter.pid, sallyport.keyholder().pid, sallyport.worker().pid])
        assert int(gatekeeper.status()["Seccomp_filters"]) > int(status["Seccomp_filters"])


@pytest.mark.parametrize("path, code", [("leave/0", 0), ("leave/3", 3), ("die/9", 137), ("die/11", 139)])
def test_an_app_that_ends_ends_us_with_its_exit_code(run, pki, path, code):
    # Goal: whoever supervises the container sees what became of the app. Method: it serves, then ends by itself.
    sallyport = run().wait_until_ready()
    app = app_of(sallyport)
    assert curl(sallyport.address, pki.ca).stdout == "hello"
    curl(sallyport.address, pki.ca, path=f"/{path}")
    sallyport.wait_for_exit(code, 10)
    assert sallyport.log.matching(event="app died" if code else "app ended", stream="audit", pid=app.pid)
    assert sallyport.log.matching(event="drained")


@pytest.mark.parametrize("restart, code", [("none", 3), ("none", 0), ("on-failure", 0)])
def test_an_app_that_ends_before_it_listens_ends_us_too(run, restart, code):
    # Goal: no service is pretended. Method: a command that ends at once; its exit code, no worker, nobody left.
    sallyport = run(command=["sh", "-c", f"exit {code}"], app={"restart": restart})
    sallyport.wait_for_exit(code, 10)
    assert not sallyport.log.matching(event="child started", child="worker")
    assert sallyport.log.matching(event="the app has ended before anybody was served")


@pytest.mark.parametrize("word, code, why", [
    ("no-such-command", 127, "No such file or directory; it is looked for in the directories of PATH"),
    ("/no/such/command", 127, "No such file or directory; it is a path"),
    ("/etc/passwd", 126, "Permission denied; it is a path"),
])
def test_a_command_that_cannot_be_executed_is_named_as_by_a_shell(run, word, code, why):
    # Goal: 127 and 126, and the reason. Method: such commands, under either policy.
    for restart in ("none", "on-failure"):
        sallyport = run(command=[word, "argument"], app={"restart": restart})
        said = sallyport.wait_for_exit(code, 10)
        assert f"cannot execute the app '{word}': {why}, and user {APP_UID} must be able to execute it" in said
        assert "app lost" not in said


def test_clients_wait_until_the_app_listens(run, pki):
    # Goal: no client meets an app that is not there yet. Method: connect while it still starts; the same connection is
    # served once it listens, and the worker is born then, not before.
    sallyport = run("--delay", 1)
    sallyport.log.wait_for(event="app begins")
    sallyport.log.wait_for(event="certificate loaded")
    with TlsClient(sallyport.address, client_context(pki.ca)) as client:
        stays(lambda: not sallyport.log.matching(event="child started", child="worker")
              or sallyport.log.matching(event="app is up"), 0.5)
        client.handshake().send(b"GET / HTTP/1.0\r\n\r\n")
        assert client.receive_all().endswith(b"hello")
    assert sallyport.log.wait_for(event="app listens")["after_ms"] >= 1000
    assert came_in_order(sallyport, "app is up", "app listens", "serving")
    sallyport.stop()


@pytest.mark.parametrize("restart, command", [("none", ["sleep", "1000"]), ("on-failure", ["false"])])
def test_an_app_that_does_not_listen_in_time_is_a_failed_start(run, restart, command):
    # Goal: waiting is finite, also over many lives. Method: one that never listens, and one that always dies; 69, the
    # address and the key to turn are named, the app is gone.
    sallyport = run(command=command, where=free_port(), app={"start_timeout": "700ms", "restart": restart})
    app = app_of(sallyport)
    said = sallyport.wait_for_exit(69, 10)
    assert "it did not listen on 127.0.0.1:" in said and "within 700 ms" in said and "app.start_timeout" in said
    until(lambda: not app.is_alive(), 5)


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH])
def test_signals_that_are_not_ours_reach_the_app(run, pki, number):
    # Goal: what an operator tells the app arrives, whoever's user it is. Method: to the gatekeeper; the app tells it.
    sallyport = run().wait_until_ready()
    sallyport.signal(number)
    sallyport.log.wait_for(event="signal", number=number)
    assert curl(sallyport.address, pki.ca).stdout == "hello"
    sallyport.stop()


def test_sighup_is_ours_alone(run, pki):
    # Goal: a reload of certificates does not end apps that do not know SIGHUP. Method: the certificates are read again,
    # and a later signal is the first that the app tells of.
    sallyport = run().wait_until_ready()
    sallyport.signal(signal.SIGHUP)
    sallyport.log.wait_for(event="certificate loaded", count=2)
    sallyport.signal(signal.SIGUSR1)
    assert sallyport.log.wait_for(event="signal")["number"] == signal.SIGUSR1
    sallyport.stop()


@pytest.mark.parametrize("number, stop_signal", [(signal.SIGTERM, "TERM"), (signal.SIGINT, "TERM"),
                                                 (signal.SIGTERM, "INT")])
def test_the_app_is_told_to_end_only_when_nobody_is_served(run, pki, number, stop_signal):
    # Goal: drain first. Method: a request that takes a second is on its way; it is answered in full, and the app hears
    # its stop signal after it has done that and after the drain. Its exit code is ours.
    sallyport = run("--code", 7, app={"stop_signal": stop_signal}).wait_until_ready()
    answers = []
    asking = threading.Thread(target=lambda: answers.append(curl(sallyport.address, pki.ca, path="/slow/1.2").stdout))
    asking.start()
    sallyport.log.wait_for(event="request begun")
    sallyport.signal(number)
    sallyport.wait_for_exit(7, 10)
    asking.join()
    assert answers == ["finished"]
    heard = sallyport.log.matching(event="signal")
    assert [line["number"] for line in heard] == [signal.Signals[f"SIG{stop_signal}"]]
    assert heard[0]["at"] > sallyport.log.matching(event="request done")[0]["at"]
    assert came_in_order(sallyport, "drained", "app told to end", "app ended")


@pytest.mark.parametrize("how", ["deaf", "stopped"])
def test_a_hung_app_is_killed_when_its_time_is_over(run, how):
    # Goal: an end is finite. Method: an app that ignores SIGTERM is killed after stop_timeout, said so, and its exit
    # code is that of the signal; one that was only stopped (SIGSTOP) is woken and ends in order.
    if how == "stopped":
        sallyport = run(app={"stop_timeout": "10s"}).wait_until_ready()
        app_of(sallyport).suspend()
        return sallyport.stop()
    sallyport = run("--ignore-term", app={"stop_timeout": "600ms"}).wait_until_ready()
    app = app_of(sallyport)
    sallyport.stop(code=137)
    assert sallyport.log.matching(event="app killed", pid=app.pid)[0]["reason"] == "it did not end within 600 ms"
    assert not app.is_alive()


def test_a_second_signal_ends_the_app_at_once(run, pki):
    # Goal: the operator's impatience counts for the app too. Method: a deaf app with fifty seconds of time.
    sallyport = run("--ignore-term", app={"stop_timeout": "50s"}).wait_until_ready()
    app = app_of(sallyport)
    sallyport.signal(signal.SIGTERM)
    sallyport.log.wait_for(event="app told to end")
    sallyport.signal(signal.SIGTERM)
    sallyport.wait_for_exit(1, 10)
    assert not app.is_alive()


def test_an_app_that_fails_is_started_again_and_the_log_counts(run, pki):
    # Goal: on-failure. Method: it dies twice, by a signal and by an exit code, and is back each time; the third time it
    # ends with 0, and so do we.
    sallyport = run(app={"restart": "on-failure"}).wait_until_ready()
    for life, path in enumerate(("die/9", "leave/5"), start=1):
        worker = sallyport.worker()
        old = app_of(sallyport, life)
        curl(sallyport.address, pki.ca, path=f"/{path}")
        again = sallyport.log.wait_for(event="app started", count=life + 1)
        assert again["restarts"] == life
        until(lambda: curl(sallyport.address, pki.ca).stdout == "hello", 10, "it serves again")
        assert sallyport.worker().pid == worker.pid
        died = sallyport.log.matching(event="app died", pid=old.pid)[0]
        assert died["stream"] == "audit" and died["another_in_ms"] == 100 * 2 ** (life - 1)
    curl(sallyport.address, pki.ca, path="/leave/0")
    sallyport.wait_for_exit(0, 10)
    ours = "".join(line + "\n" for line in sallyport.log.lines if json.loads(line)["process"] != "app")
    verified = subprocess.run([sallyport.installation.sallyport, "audit", "--verify-log", "-"], input=ours,
                              capture_output=True, text=True, timeout=10)
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_what_an_app_leaves_in_its_group_ends_with_it(run, pki):
    # Goal: no rest holds the port when the app is started again, and none outlives us. Method: a child of the app that
    # ignores SIGTERM, with the app's listening socket open; the app ends by itself.
    sallyport = run().wait_until_ready()
    rest = Process(int(curl(sallyport.address, pki.ca, path="/rest").stdout))
    assert rest.is_alive()
    sallyport.stop()
    until(lambda: not rest.is_alive(), 5, "the rest has gone")


def test_orphans_are_adopted_and_reaped(run, pki):
    # Goal: no zombie stays, without being PID 1. Method: a grandchild of the app whose parent has gone: its parent is
    # the starter now, and when it has ended nothing is left of it.
    sallyport = run().wait_until_ready()
    orphan = Process(int(curl(sallyport.address, pki.ca, path="/orphan/1000").stdout))
    assert orphan.status()["PPid"] == str(sallyport.child("starter").pid)
    os.kill(orphan.pid, signal.SIGKILL)
    until(lambda: not Path(f"/proc/{orphan.pid}").exists(), 5, "it is reaped")
    sallyport.stop()


def test_as_pid_1_it_is_init_for_the_app_and_for_strangers(run, pki):
    # Goal: the one process of a container. Method: in a PID namespace; signals reach it, the app's orphans and those of
    # somebody who came in from outside (docker exec) are reaped, and the exit code comes out.
    namespace = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
    sallyport = run("--code", 5, wrapper=namespace).wait_until_ready()
    gatekeeper = sallyport.gatekeeper()
    assert gatekeeper.status()["NSpid"].split()[-1] == "1"
    assert curl(sallyport.address, pki.ca).stdout == "hello"
    curl(sallyport.address, pki.ca, path="/orphan")
    subprocess.run(["nsenter", "-t", str(gatekeeper.pid), "-p", "-m", "sh", "-c", "(sleep 0.2 &)"], check=True, timeout=10)

    def below(process):
        return [process, *(p for child in process.children() for p in below(child))]

    def nobody_else_is_left():
        try:
            return [p.status()["State"][0] in "ZX" for p in below(gatekeeper)] == [False] * 5
        except (FileNotFoundError, ProcessLookupError):  # one that goes while we look
            return False

    until(nobody_else_is_left, 5, "only the family, the starter and the app live")
    sallyport.signal(signal.SIGUSR1)
    sallyport.log.wait_for(event="signal", number=signal.SIGUSR1)
    sallyport.signal(signal.SIGTERM)
    sallyport.wait_for_exit(5, 10)


def test_the_app_ends_when_the_gatekeeper_is_killed(run, pki):
    # Goal: no app serves on without its door. Method: SIGKILL; the app hears its stop signal and ends, all are gone.
    sallyport = run().wait_until_ready()
    everybody = [app_of(sallyport), sallyport.child("starter"), *sallyport.family().values()]
    os.kill(sallyport.gatekeeper().pid, signal.SIGKILL)
    sallyport.process.wait(5)
    sallyport.log.wait_for(event="signal", number=signal.SIGTERM)
    until(lambda: not any(process.is_alive() for process in everybody), 5, "nobody is left")


def test_an_app_whose_starter_is_killed_ends_and_so_do_we(run):
    # Goal: never an app that nobody watches. Method: SIGKILL to the starter.
    sallyport = run().wait_until_ready()
    app = app_of(sallyport)
    os.kill(sallyport.child("starter").pid, signal.SIGKILL)
    sallyport.wait_for_exit(70, 10)
    assert sallyport.log.matching(event="app lost")[0]["reason"] == "its starter has died"
    until(lambda: not app.is_alive(), 5)


def test_an_app_on_a_unix_socket_is_awaited_too(run, pki, tmp_path):
    # Goal: the other kind of upstream. Method: it makes its socket after half a second.
    sallyport = run("--delay", 0.5, where=str(tmp_path / "app.sock")).wait_until_ready()
    assert curl(sallyport.address, pki.ca).stdout == "hello"
    assert came_in_order(sallyport, "app is up", "serving")
    sallyport.stop()


def test_strict_looks_past_us_before_the_first_client_is_served(run, program):
    # Goal: the bypass check sees the app that we have started ourselves. Method: one on every address; 78, no worker.
    port = free_port()
    sallyport = run(where=port, command=[sys.executable, program, f"0.0.0.0:{port}"], bypass={"strict": True})
    assert f"listens on 0.0.0.0:{port}" in sallyport.wait_for_exit(78, 10)
    assert not sallyport.log.matching(event="child started", child="worker")


def test_with_two_upstreams_the_apps_has_to_be_named(installation, pki):
    # Goal: no guess. Method: two upstreams, without and with app.upstream.
    with App(echo) as listening, App(echo) as other:
        config = simple_config(pki.pair(), listening.address)
        config["upstreams"]["other"] = {"address": other.address}
        refused = Sallyport(installation, config, app=["sleep", "1000"])
        assert "name the one of the command after -- by app.upstream" in refused.wait_for_exit(78)
        config["app"] = {"upstream": "other"}
        sallyport = Sallyport(installation, config, app=["sleep", "1000"]).wait_until_ready()
        assert sallyport.log.matching(event="app listens")[0]["upstream"] == "other"
        sallyport.stop(code=128 + signal.SIGTERM)


@pytest.mark.parametrize("flags", [["--app-uid", "1234", "--app-gid", "1235"], []])
def test_the_apps_user_is_a_choice(installation, pki, flags):
    # Goal: uid and gid by flag and by variable. Method: /proc and the audit line, with another user than ours.
    with App(echo) as listening:
        variables = {} if flags else {"SALLYPORT_APP_UID": "1234", "SALLYPORT_APP_GID": "1235"}
        sallyport = Sallyport(installation, simple_config(pki.pair(), listening.address), environment=variables,
                              arguments=["run", *flags], app=["sleep", "1000"]).wait_until_ready()
        status = app_of(sallyport).status()
        assert (status["Uid"].split()[0], status["Gid"].split()[0]) == ("1234", "1235")
        line = sallyport.log.matching(event="app started")[0]
        assert (line["stream"], line["uid"], line["gid"], line["program"]) == ("audit", 1234, 1235, "sleep")
        assert "1000" not in {str(value) for value in line.values()}, "arguments may hold secrets"
        sallyport.stop(code=128 + signal.SIGTERM)
