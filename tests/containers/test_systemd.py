"""config/systemd under a real systemd: as its README says it, with both forms of the unit."""

import json
import re
import shutil
from pathlib import Path

import pytest

from containers.conftest import ANSWER
from support.apps import App, answer
from support.kernel import landlock_abi
from support.podman import IMAGE, Network, podman
from support.programs import curl
from support.printed import commands
from support.systemd import Machine, build_image
from support.waiting import until

pytestmark = pytest.mark.seconds(180)  # more than the limits of what it waits for take together

COMMANDS = commands("config/systemd/README.md")
EXECUTABLES = ["sallyport", "sallyport-keyholder", "sallyport-worker"]


@pytest.fixture(scope="module")
def machine_image():
    build_image()


@pytest.fixture(scope="module")
def executables():
    """Where the image's three are: static, so that this machine can run them too."""
    yield next(Path(podman("image", "mount", IMAGE)).rglob("sallyport")).parent
    podman("image", "unmount", IMAGE)


@pytest.fixture
def machine(machine_image, executables, source_dir, pki, tmp_path):
    """A machine whose /source is a clone in which ./run build was done, beside a pair; with an app on 7766."""
    programs = tmp_path / "build/release/bin"
    programs.mkdir(parents=True)
    for name in EXECUTABLES:
        shutil.copyfile(executables / name, programs / name)
    shutil.copytree(source_dir / "config", tmp_path / "config")
    pair = pki.pair()
    shutil.copy(pair.cert, tmp_path / "tls.crt")
    shutil.copy(pair.key, tmp_path / "tls.key")
    network = Network(1024)
    try:
        with network.call(lambda: App(answer(ANSWER), port=7766)), Machine(network, tmp_path) as booted:
            booted.ask = lambda: network.call(lambda: curl(("127.0.0.1", 443), pki.ca)).stdout
            yield booted
    finally:
        network.close()


def install(machine, form):
    """The README's commands, in order, for one of its two forms."""
    common, plain, by_socket, rest = COMMANDS[:4], COMMANDS[4:8], COMMANDS[8:12], COMMANDS[12:]
    assert rest == ["systemctl reload sallyport"]
    for command in (*common, *(plain if form == "plain" else by_socket)):
        machine.call(command)


def statuses(machine):
    """Name → the lines of /proc/PID/status, of the three."""
    found = {}
    for pid in machine.call("cat /sys/fs/cgroup/system.slice/sallyport.service/cgroup.procs").split():
        status = dict(line.split(":\t", 1) for line in machine.call(f"cat /proc/{pid}/status").splitlines() if ":\t" in line)
        found[status["Name"]] = status
    return found


def lines(machine, event):
    return [line for line in map(json.loads, re.findall(r"^{.*}$", machine.log(), re.M)) if line["event"] == event]


@pytest.mark.parametrize("form", ["plain", "socket"])
def test_it_serves_reloads_and_ends_as_the_readme_says(machine, form):
    # Goal: the unit's restrictions leave all that Sallyport needs, its own cages too. Method: install, start, a request,
    # what each process holds, reload, stop; the words and the exit code as systemd has them.
    install(machine, form)
    assert machine.ask() == ANSWER
    until(lambda: machine.property("sallyport", "ActiveState") == "active", 10, "systemd has heard that it serves")
    processes = statuses(machine)
    assert sorted(processes) == ["sallyport", "sallyport-keyho", "sallyport-worke"]
    assert {status["Uid"].split()[0] for status in processes.values()} == {"65532"}
    powers = {name: int(status["CapPrm"], 16) for name, status in processes.items()}
    assert powers == {"sallyport": 1 << 10 if form == "plain" else 0, "sallyport-keyho": 0, "sallyport-worke": 0}
    cages = {line["process"]: line for line in lines(machine, "confined")}
    assert {cage["seccomp"] for cage in cages.values()} == {"enforce"}
    assert {cages[name]["landlock_abi"] for name in ("keyholder", "worker")} == {min(7, landlock_abi())}
    # Only a start with CAP_SETPCAP could empty what the plain form has in it: the one capability.
    kept = {"empty bounding set"} if form == "plain" else set()
    assert {line["guard"] for line in lines(machine, "guard not available")} == kept
    assert not lines(machine, "system call refused")
    machine.call("systemctl reload sallyport")
    assert machine.ask() == ANSWER
    machine.call("systemctl stop sallyport")
    assert [machine.property("sallyport", name) for name in ("Result", "ExecMainStatus")] == ["success", "0"]


def test_a_start_that_fails_is_told_and_not_repeated(machine):
    # Goal: Type=notify, and RestartPreventExitStatus. Method: a configuration with a mistake.
    install(machine, "plain")
    machine.call("systemctl stop sallyport; sed -i s/forward:/fordward:/ /etc/sallyport/sallyport.yaml")
    machine.call("systemctl start sallyport", codes=[1])
    assert machine.property("sallyport", "ExecMainStatus") == "78"
    assert machine.property("sallyport", "NRestarts") == "0"
    until(lambda: "fordward" in machine.log(), 10, "the journal has what it said", every=0.2)


def test_a_client_waits_while_the_service_is_restarted(machine):
    # Goal: what the socket form is for. Method: it is stopped, the socket is not; the next client starts it anew.
    install(machine, "socket")
    assert machine.ask() == ANSWER
    first = machine.property("sallyport", "MainPID")
    machine.call("systemctl stop sallyport 2>&1")
    assert machine.property("sallyport", "ActiveState") == "inactive"
    assert machine.ask() == ANSWER
    assert machine.property("sallyport", "MainPID") not in (first, "0")


def test_one_that_is_killed_comes_back(machine):
    # Goal: Restart=on-failure. Method: SIGKILL to the gatekeeper; another one serves.
    install(machine, "plain")
    first = machine.property("sallyport", "MainPID")
    machine.call(f"kill -KILL {first}")
    until(lambda: machine.property("sallyport", "MainPID") not in (first, "0"), 20, "another one was started")
    until(lambda: machine.ask() == ANSWER, 20, "it serves")
