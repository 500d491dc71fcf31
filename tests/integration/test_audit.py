"""`sallyport audit`: of this place before a start, and of a running family. Verdicts on recorded cases: tests/unit/audit."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from support.apps import App, echo
from support.installation import Installation
from support.ports import free_port
from support.sallyport import UNPRIVILEGED, Sallyport, simple_config
from support.scale import PRESET, SANITIZED

WITHOUT_CAPABILITIES = [*UNPRIVILEGED, "--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all"]
NUMBER_OF_ACCT = 163


def filters_around_us():
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("Seccomp_filters:")))


class Audit:
    """A finished `sallyport audit --json`, and its rows."""

    def __init__(self, done):
        self.code, self.errors = done.returncode, done.stderr
        report = json.loads(done.stdout) if done.stdout else {"rows": []}
        self.report, self.rows = report, report["rows"]

    def row(self, what, process=None):
        found = [r for r in self.rows if r["what"] == what and process in (None, r["process"])]
        assert found, f"no row {what} of {process}: {self.rows}"
        return found[0]

    def failed(self):
        return [f"{r['process']} {r['what']}: {r['value']}" for r in self.rows if r["grade"] == "fail"]


@pytest.fixture
def command(installation):
    """command(*arguments): the finished `sallyport audit`."""

    def run(*arguments, wrapper=(), program=installation.sallyport, **environment):
        return subprocess.run([*wrapper, program, "audit", *map(str, arguments)], text=True, capture_output=True,
                              env={"PATH": os.environ["PATH"], **environment}, stdin=subprocess.DEVNULL, timeout=20)

    return run


@pytest.fixture
def audit(command):
    return lambda *arguments, **options: Audit(command(*arguments, "--json", **options))


def test_a_running_family_passes_row_by_row(serve, audit):
    # Goal: what the tests prove, anybody can ask. Method: --pid as root; rows against what /proc says to this test.
    with App(echo) as app:
        sallyport = serve(app)
        found = audit("--pid", sallyport.gatekeeper().pid)
        assert found.report["live"] is True and not [r for r in found.rows if r["process"] == "starter"]
        for name, process in sallyport.family().items():
            expected = "cap_net_bind_service" if name == "gatekeeper" else "none"
            assert found.row("capabilities_permitted", name)["value"] == expected
            assert found.row("no_new_privs", name)["value"] == "yes"
            assert found.row("user", name)["value"] == "uid 65532, gid 65532"
            assert found.row("environment", name)["grade"] == "ok"
            assert found.row("descriptors", name)["value"].split()[1].strip(",") == process.limits()["Max open files"][0]
            around = filters_around_us() + (0 if name == "gatekeeper" else 1)
            expected = {"gatekeeper": 1, "keyholder": 1, "worker": 2}[name]
            # ThreadSanitizer's own thread is older than any filter.
            if PRESET != "tsan" and (name != "gatekeeper" or found.report["runtime"] == "plain"):
                assert found.row("seccomp", name)["value"] == f"{expected} of its own, {around} around it"
            if not SANITIZED:
                assert found.row("dumpable", name)["value"] == "no"
                assert (found.code, found.failed()) == (0, [])


def test_the_starter_of_an_app_has_rows_of_its_own(installation, pki, audit):
    # Goal: `run -- command` is a family of four. Method: an app that changes nothing; the starter's rows against /proc,
    # no failure, and the tasks of the app are spoken of.
    with App(echo) as listening:
        config = simple_config(pki.pair(), listening.address)
        sallyport = Sallyport(installation, config, app=["sleep", "1000"]).wait_until_ready()
        sallyport.log.wait_for(event="app started")
        found = audit("--pid", sallyport.gatekeeper().pid)
        starter = sallyport.child("starter").status()
        assert found.row("user", "starter")["value"] == f"uid {starter['Uid'].split()[0]}, gid {starter['Gid'].split()[0]}"
        around = filters_around_us()
        if found.report["runtime"] == "plain":
            assert found.row("seccomp", "starter")["value"] == (
                f"0 of its own, {around} around it" if around else "no filter: it would bind the app as well")
        assert "the app's tasks come on top" in found.row("tasks")["value"]
        if not SANITIZED:  # the runtimes have a thread of their own, which gives nothing up
            for name in ("permitted", "effective", "inheritable", "ambient", "bounding"):
                assert found.row(f"capabilities_{name}", "starter")["value"] == "none"
            assert found.row("no_new_privs", "starter")["value"] == "yes"
            assert found.row("dumpable", "starter")["value"] == "no"
            assert (found.code, found.failed()) == (0, [])
        sallyport.stop(code=128 + signal.SIGTERM)


def test_a_family_that_only_its_container_filters_is_warned_of(start, pki, audit):
    # Goal: the runtime's filter is not taken for ours. Method: seccomp: none under a filter that stands around all of
    # it, as a container's does.
    filtered = [sys.executable, Path(__file__).parent.parent / "support" / "without_call.py", NUMBER_OF_ACCT]
    with App(echo) as app:
        sallyport = start(simple_config(pki.pair(), app.address, sandbox={"seccomp": "none"}), wrapper=filtered)
        found = audit("--pid", sallyport.gatekeeper().pid)
        for name in ("keyholder", "worker"):
            row = found.row("seccomp", name)
            assert row["grade"] == "warn" and row["value"].startswith("0 of its own, "), row


def test_rows_that_may_not_be_read_say_so(serve, audit):
    # Goal: no guess. Method: the same question by a user without any capability: what needs ptrace rights warns.
    with App(echo) as app:
        pid = serve(app).gatekeeper().pid
        found = audit("--pid", pid, wrapper=WITHOUT_CAPABILITIES)
        assert found.row("environment", "gatekeeper")["grade"] == "warn"
        assert "may not be read" in found.row("environment", "gatekeeper")["value"]
        assert "may not be read" in found.row("network_namespace")["value"]
        assert found.row("no_new_privs", "gatekeeper")["value"] == "yes"


def test_a_secret_in_the_gatekeepers_environment_is_seen(start, pki, audit):
    # Goal: secrets left behind are found, and PEM given the right way is not there. Method: SALLYPORT_CERT and _KEY as
    # PEM texts, and a password that has no business there.
    pair = pki.pair()
    with App(echo) as app:
        sallyport = start(arguments=["run", "--listen", f"127.0.0.1:{free_port()}", "--to", app.address, "--mode", "tcp"],
                          environment={"SALLYPORT_CERT": pair.cert.read_text(), "SALLYPORT_KEY": pair.key.read_text(),
                                       "DB_PASSWORD": "hunter2"})
        found = audit("--pid", sallyport.gatekeeper().pid)
        row = found.row("environment", "gatekeeper")
        assert (row["grade"], row["value"]) == ("warn", "holds DB_PASSWORD")
        assert "hunter2" not in json.dumps(found.report)
        assert found.row("environment", "worker")["grade"] == "ok"


def test_before_a_start_a_port_that_could_not_be_bound_fails(audit, command):
    # Goal: the answer before the crash. Method: port 443 for a user without capabilities in a network namespace of its
    # own, where the sysctl has its default; then a high port; the table for people says the same.
    alone = ["unshare", "--net", *WITHOUT_CAPABILITIES]
    found = audit(wrapper=alone)
    assert found.code == 1 and found.row("bind :443")["grade"] == "fail"
    assert "CAP_NET_BIND_SERVICE" in found.row("bind :443")["value"]
    assert "ip_unprivileged_port_start" in found.row("bind :443")["mend"]
    assert found.row("unprivileged_port_start")["value"] == "1024"
    high = audit("--listen", ":8443", "--to", "7766", "--self-signed", wrapper=alone)
    assert (high.code, high.failed()) == (0, []) and high.row("bind :8443")["grade"] == "ok"
    said = command(wrapper=alone)
    assert said.returncode == 1 and "fail  bind :443" in said.stdout and " fail\n" in said.stdout


def test_before_a_start_the_file_capability_is_seen(built, audit):
    # Goal: =p is right, =ep is warned of. Method: setcap on a copy, asked by an ordinary user.
    ordinary = [*UNPRIVILEGED, "sh", "-c", 'exec "$@"', "sh"]  # setpriv itself still holds root's capabilities
    copy = Installation(built)
    for flags, grade in (("p", "ok"), ("ep", "warn")):
        subprocess.run(["setcap", f"cap_net_bind_service={flags}", copy.sallyport], check=True, timeout=10)
        found = audit(wrapper=ordinary, program=copy.sallyport, DB_PASSWORD="hunter2")
        row = found.row("file_capability")
        assert (row["grade"], row["value"]) == (grade, f"cap_net_bind_service={flags}")
        assert found.row("bind :443")["grade"] == "ok"
        # Such a process is not dumpable, so its files belong to root: what it knows of itself it needs not read there.
        assert found.row("environment")["value"] == "holds DB_PASSWORD"
        assert found.row("dumpable")["value"].startswith("no, ")
    copy.close()


def test_before_a_start_what_the_configuration_takes_is_no_secret_left_behind(audit, pki):
    # Goal: `env:NAME` is no fault, another variable with the same key is. Method: the row before a start.
    pair = pki.pair()
    by_variables = "listeners: [{bind: ':8443', tls: {certificates: [{cert: 'env:TLS_CERT', key: 'env:TLS_KEY'}]}}]\n"
    environment = {"SALLYPORT_CONFIG": by_variables + "upstreams: {app: {address: 7766}}",
                   "TLS_CERT": pair.cert.read_text(), "TLS_KEY": pair.key.read_text()}
    assert audit(**environment).row("environment")["grade"] == "ok"
    found = audit(**environment, OTHER=pair.key.read_text()).row("environment")
    assert (found["grade"], found["value"]) == ("fail", "holds OTHER (a private key)")


def test_a_configuration_that_is_half_in_the_flags_of_run_stops_no_audit(audit, command, pki, tmp_path):
    # Goal: `docker exec … sallyport audit` beside `sallyport --to 7766` answers. Method: the pair alone is given; a file
    # that is named and wrong is still refused.
    pair = pki.pair()
    told = audit(SALLYPORT_CERT=pair.cert.read_text(), SALLYPORT_KEY=pair.key.read_text())
    assert told.row("configuration")["grade"] == "warn" and "no app" in told.row("configuration")["value"]
    assert told.row("bind :443")
    (tmp_path / "wrong.yaml").write_text("lisen: 1\n")
    assert command("--config", tmp_path / "wrong.yaml").returncode == 78


def test_a_read_only_root_is_seen(audit):
    # Goal: the row follows the mount. Method: a mount namespace whose root is remounted read-only.
    readonly = ["unshare", "--mount", "sh", "-c", 'mount -o remount,bind,ro / && exec "$@"', "sh"]
    assert audit(wrapper=readonly).row("root_filesystem")["value"] == "read-only"


@pytest.mark.parametrize(("variable", "runtime", "line"), [
    ("ECS_CONTAINER_METADATA_URI_V4", "ecs", "readonlyRootFilesystem"),
    ("KUBERNETES_SERVICE_HOST", "kubernetes", "readOnlyRootFilesystem: true"),
    ("container", "podman", "podman run --read-only"),
])
def test_the_runtime_chooses_the_lines_that_mend(audit, variable, runtime, line):
    # Goal: lines to paste. Method: the sign of each runtime in the environment; the line for a writable root.
    found = audit(**{variable: "podman"})
    assert found.report["runtime"] == runtime
    row = found.row("root_filesystem")
    assert row["grade"] == "ok" or line in row["mend"]


def test_a_wrong_question_is_a_usage_error_and_a_wrong_process_is_unavailable(command):
    # Goal: CI tells "no" from "not asked right". Method: exit codes.
    assert command("--pid", "none").returncode == 64
    assert command("--no-such-flag").returncode == 64
    assert command("--pid", os.getpid()).returncode == 69
    assert command("--listen", "nonsense").returncode == 78
