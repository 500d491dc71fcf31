"""What runs of the image under docker/seccomp.json, read-only, with at most 16 tasks, under the flags of docker/README.md."""

import json
import os
from ctypes import CDLL

import pytest

from containers.conftest import ANSWER
from support import trace
from support.podman import PIDS_MAX, Container, TracedContainer, podman
from support.procfs import Process
from support.programs import curl
from support.waiting import until

EXECUTABLES = ["sallyport", "sallyport-keyholder", "sallyport-worker"]
SYS_LANDLOCK_CREATE_RULESET = 444
LANDLOCK_CREATE_RULESET_VERSION = 1


# Beside what every Container of these tests has. SYSCTL: without any capability.
FLAGS = ["--user=65532", "--memory=64m", "--security-opt=no-new-privileges", "--cap-drop=ALL"]
CAPABILITY, SYSCTL = "by the capability", "by the sysctl"
FORMS = {CAPABILITY: (1024, ["--cap-add=NET_BIND_SERVICE"]), SYSCTL: (0, [])}


@pytest.fixture
def started(networks, pem_variables):
    """started(form): the options of a container that serves on 443 in this way, configured by environment alone."""

    def options(form):
        port_start, capabilities = FORMS[form]
        network = networks[port_start]
        variables = {"SALLYPORT_LISTEN": ":443", "SALLYPORT_TO": network.app, "SALLYPORT_MODE": "tcp", **pem_variables}
        return {"network": network, "options": FLAGS + capabilities, "variables": variables}

    return options


@pytest.fixture
def serving(request, started):
    """A container that serves, by the capability unless the test says otherwise."""
    options = started(getattr(request, "param", CAPABILITY))
    with Container(**options) as container:
        assert container.serves(), container.errors.text()
        container.network = options["network"]
        yield container


def family(container):
    """Gatekeeper, keyholder, worker: in the order of their births, which that of their numbers need not be."""
    first = container.first_process()
    return [first, *sorted(first.children(), key=Process.start_time)]


@pytest.mark.parametrize("serving", FORMS, indirect=True)
def test_it_serves_under_the_tightest_flags(serving, pki):
    # Goal: read-only, no capability or one, no_new_privs, 16 tasks, 64 MB, a user that is not root, our profile. Method: a
    # request; what the kernel and podman say of it; it ends in good order.
    assert serving.network.call(lambda: curl(("127.0.0.1", 443), pki.ca).stdout) == ANSWER
    for process in family(serving):
        status = process.status()
        assert (status["Uid"].split(), status["NoNewPrivs"], status["Seccomp"]) == (["65532"] * 4, "1", "2")
        assert process.capabilities()["CapEff"] == 0
    limits = json.loads(podman("inspect", serving.name))[0]["HostConfig"]
    assert (limits["Memory"], limits["PidsLimit"], limits["ReadonlyRootfs"]) == (64 << 20, PIDS_MAX, True)
    assert not serving.log.matching(event="system call refused")
    assert serving.stop() == 0


def test_no_write_is_ever_attempted(started, pki, tmp_path):
    # Goal: nothing to write is needed, not only refused. Method: every system call of a whole life: start, a request, a
    # worker that is replaced, an audit's reading, the end.
    options = started(CAPABILITY)
    trace_file = tmp_path / "calls"
    with TracedContainer(trace_file, **options) as container:
        assert container.serves(), container.errors.text()
        assert options["network"].call(lambda: curl(("127.0.0.1", 443), pki.ca).stdout) == ANSWER
        os.kill(family(container)[2].pid, 9)
        container.log.wait_for(count=2, event="child started", child="worker")
        until(lambda: options["network"].call(lambda: curl(("127.0.0.1", 443), pki.ca).stdout) == ANSWER, 10, "it serves again")
        assert container.stop() == 0, container.errors.text()
    seen = {call.executable for call in trace.calls_in(trace_file)}
    assert set(EXECUTABLES) <= seen
    assert trace.attempted_writes(trace_file, EXECUTABLES) == []


def test_the_trace_would_show_a_write(tmp_path):
    # Goal: the test before this one can fail. Method: lines as strace writes them.
    lines = ['7 execve("/sallyport", ["/sallyport"], 0x7ffd /* 9 vars */) = 0', '7 openat(AT_FDCWD, "/dev/null", O_RDWR) = 3',
             '7 openat(AT_FDCWD, "/etc/hosts", O_RDONLY|O_CLOEXEC) = 4</etc/hosts>',
             '7 openat(AT_FDCWD, "/run/x.pid", O_WRONLY|O_CREAT, 0644) = -1 EROFS (Read-only file system)',
             '7 mkdir("/tmp/x", 0700) = -1 EROFS (Read-only file system)']
    (tmp_path / "calls").write_text("\n".join(lines) + "\n")
    assert [call.name for call in trace.attempted_writes(tmp_path / "calls", EXECUTABLES)] == ["openat", "mkdir"]


def test_it_fits_into_16_tasks_even_while_a_worker_is_replaced(serving, pki):
    # Goal: what docker/README.md says of the PID limit. Method: count threads; kill the worker, which brings another.
    def tasks():
        try:
            return [len(process.thread_statuses()) for process in family(serving)]
        except (FileNotFoundError, ProcessLookupError):  # a thread has ended while it was looked at
            return None

    assert tasks() == [2, 3, 3]
    os.kill(family(serving)[2].pid, 9)
    serving.log.wait_for(count=2, event="child started", child="worker")
    until(lambda: tasks() == [2, 3, 3], 10, "the new worker serves")
    assert serving.network.call(lambda: curl(("127.0.0.1", 443), pki.ca).stdout) == ANSWER


def test_the_container_s_profile_is_in_force_and_leaves_the_sandbox_whole(serving):
    # Goal: the committed profile allows what our own cage needs, Landlock included. Method: the count of filters, which
    # is ours and the container's; what each process says of its cage, and which Landlock the kernel has.
    abi = CDLL(None).syscall(SYS_LANDLOCK_CREATE_RULESET, None, 0, LANDLOCK_CREATE_RULESET_VERSION)
    filters = [int(process.status()["Seccomp_filters"]) for process in family(serving)]
    assert filters == [2, 3, 4]
    cages = {name: serving.log.wait_for(event="confined", process=name) for name in ("gatekeeper", "keyholder", "worker")}
    assert {cage["seccomp"] for cage in cages.values()} == {"enforce"}
    for name in ("keyholder", "worker"):
        assert cages[name]["landlock_abi"] == max(0, min(abi, 7)), cages[name]
    assert not serving.log.matching(event="system call refused")


def test_an_audit_runs_beside_it(serving):
    # Goal: `sallyport audit` in the image, as an operator asks a live container. Method: exec; no row is a failure.
    text = podman("exec", serving.name, "/sallyport", "audit")
    for fact in ("(podman)", "read-only", f"limit {PIDS_MAX}", "cap_net_bind_service=p", " 0 fail"):
        assert fact in text, text


def test_the_diagnosis_names_an_option_that_helps():
    # Goal: the mending line is true. Method: 443 is refused; once more with the option that the diagnosis gives.
    command = ["run", "--listen", ":443", "--to", "7766", "--mode", "tcp", "--self-signed=localhost"]
    with Container(*command, options=["--cap-drop=ALL"]) as container:
        assert not container.serves()
        container.wait_for_exit()
        said = container.errors.text()
    option = next(word for word in said.split() if word.startswith("net.ipv4.ip_unprivileged_port_start="))
    with Container(*command, options=["--cap-drop=ALL", "--sysctl", option]) as container:
        assert container.serves(), container.errors.text()
        assert container.log.matching(event="socket bound")[0]["path"] == "plain"
        assert container.stop() == 0
