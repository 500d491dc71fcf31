"""Podman for tests/containers: in a store of its own, containers, and the networks that they share."""

import ctypes
import itertools
import os
import re
import subprocess
import threading
from pathlib import Path

from support.procfs import Process, children_of
from support.sallyport import Log
from support.waiting import until

SOURCE = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("SALLYPORT_CONTAINERS", "/var/cache/sallyport-containers"))
VERSION = re.search(r"project\(sallyport VERSION (\S+)", (SOURCE / "CMakeLists.txt").read_text())[1]
RELEASE = "trixie"
BASE = f"docker.io/library/debian:{RELEASE}-slim"
IMAGE = f"localhost/sallyport:{VERSION}"
NOCAPS = f"{IMAGE}-nocaps"
SECCOMP = SOURCE / "docker" / "seccomp.json"
PIDS_MAX = 16

# crun refuses hybrid control groups, and not every machine may raise its descriptor limit further.
CONTAINERS_CONF = """\
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=1000:1000"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
"""
STORAGE_CONF = f"""\
[storage]
driver = "overlay"
graphroot = "{CACHE}/storage"
runroot = "/run/{CACHE.name}"
"""
# Which capabilities a user that is not root has before exec: podman's own way, or Docker's and containerd's.
RUNTIMES = {"podman": "runc", "docker": str(SOURCE / "tests" / "support" / "docker_capabilities.py")}


def environment():
    files = {"CONTAINERS_CONF": CONTAINERS_CONF, "CONTAINERS_STORAGE_CONF": STORAGE_CONF}
    temporary = CACHE / "tmp"  # podman keeps the caches of a build there
    temporary.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        if not (CACHE / name).exists() or (CACHE / name).read_text() != text:
            (CACHE / name).write_text(text)
    # There may be no systemd to run the image's health check.
    return {**os.environ, "TMPDIR": str(temporary), "DISABLE_HC_SYSTEMD": "true",
            **{name: str(CACHE / name) for name in files}}


def podman(*arguments, **options):
    """Its standard output, without the last line end."""
    command = ["podman", *map(str, arguments)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, **options)
    if done.returncode:
        said = f"{done.stdout[-6000:]}\n{done.stderr[-6000:]}"
        raise RuntimeError(f"{' '.join(command)}: exit {done.returncode}\n{said}")
    return done.stdout.rstrip("\n")


def build(context, *options):
    """In Docker's form: the other one has no health check."""
    return podman("build", "-q", "--format", "docker", "--network", "host", *options, context)


# Networks


class Network:
    """A network namespace as a pod or a task has one: loopback alone, and its own first unprivileged port."""

    _numbers = itertools.count()

    def __init__(self, port_start, name=""):
        self.name = f"sallyport-{os.getpid()}-{name or port_start}-{next(self._numbers)}"
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        subprocess.run(["ip", "-n", self.name, "link", "set", "lo", "up"], check=True)
        sysctl = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
        self.call(lambda: sysctl.write_text(str(port_start)))

    def close(self):
        subprocess.run(["ip", "netns", "delete", self.name], check=True)

    def option(self):
        return f"--network=ns:/run/netns/{self.name}"

    def call(self, function):
        return call_inside(f"/run/netns/{self.name}", function)


def call_inside(namespace, function):
    """function() by a thread inside this network namespace, whose sockets, threads and programs then belong there."""
    results = []

    def inside():
        try:
            with open(namespace) as file:
                if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            results.append((function(), None))
        except BaseException as error:
            results.append((None, error))

    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    result, error = results[0]
    if error:
        raise error
    return result


CLONE_NEWNET = 0x40000000


# Containers


def processes():
    """Ours at this moment. Podman's helpers (conmon) become ours when it ends."""
    return set(children_of(os.getpid()))


def wait_for_helpers(before):
    """Until none is left but those before: a moment after their containers have been removed."""
    until(lambda: not any(Process(pid).is_alive() for pid in processes() - before), 20, "podman's helpers have ended")


# How Sallyport is run: it needs no more than that.
CONFINED = ("--read-only", "--read-only-tmpfs=false", "--pids-limit", str(PIDS_MAX), "--security-opt", f"seccomp={SECCOMP}")


class Container:
    """One container, attached. Leaving it ends it. `variables` are passed by podman's own environment."""

    _numbers = itertools.count()

    def __init__(self, *arguments, image=IMAGE, network=None, confined=CONFINED, options=(), runtime="podman", variables=None):
        self.name = f"sallyport-{os.getpid()}-{next(self._numbers)}"
        self._before = processes()
        self._environment = {**environment(), **(variables or {})}
        self._global_options = ["--runtime", RUNTIMES[runtime]]
        self._start(["--rm", "--name", self.name, "--log-driver", "none", network.option() if network else "--network=none",
                     *confined, *(f"--env={name}" for name in variables or {}), *options, image, *arguments])

    def _start(self, words):
        self._attach("run", *words)

    def _attach(self, *words):
        self.process = subprocess.Popen(
            ["podman", *self._global_options, *words], env=self._environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.log = Log(self.process.stdout)
        self.errors = Log(self.process.stderr)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            podman("rm", "--force", "--time", "0", self.name)
        self.wait_for_exit()

    def serves(self):
        """Waits: it says that it serves, or it has ended."""
        until(lambda: self.log.matching(event="serving") or self.process.poll() is not None, 20, "it serves or ends")
        return self.process.poll() is None

    def succeeds(self, *command):
        """Whether this command, started inside, exits with 0."""
        done = subprocess.run(["podman", "exec", self.name, *command], env=self._environment, capture_output=True)
        return done.returncode == 0

    def first_process(self):
        return Process(int(podman("inspect", "--format", "{{.State.Pid}}", self.name)))

    def stop(self):
        """As a runtime does, by SIGTERM. Returns the exit code."""
        self.process.terminate()
        return self.wait_for_exit()

    def wait_for_exit(self):
        code = self.process.wait(30)
        self.log.join()
        self.errors.join()
        wait_for_helpers(self._before)
        return code


class TracedContainer(Container):
    """The same under strace, from its first instruction on. The tracer is outside: inside nothing is otherwise."""

    def __init__(self, path, *arguments, **options):
        self._path = path
        super().__init__(*arguments, **options)

    def _start(self, words):
        command = ["podman", *self._global_options]
        for step in (["create", *words], ["init", self.name]):  # init: runc waits for the word to execute it
            subprocess.run([*command, *step], env=self._environment, check=True, stdout=subprocess.DEVNULL)
        pid = self.first_process().pid
        self._tracer = subprocess.Popen(["strace", "-f", "-y", "-o", self._path, "-p", str(pid)], stdin=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE)
        self._said = Log(self._tracer.stderr)
        until(lambda: "attached" in self._said.text(), 10, "strace is attached")
        self._attach("start", "--attach", "--sig-proxy", self.name)

    def wait_for_exit(self):
        self._tracer.wait(30)
        return super().wait_for_exit()
