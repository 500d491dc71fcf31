"""Podman for tests/containers: images in a store of their own, containers, and the networks that they share.

    PYTHONPATH=tests python3 -m support.podman     makes the base image once, and Sallyport's anew
"""

import ctypes
import itertools
import os
import re
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

from support.procfs import Process, children_of
from support.sallyport import Log
from support.waiting import until

SOURCE = Path(__file__).resolve().parents[2]
CACHE = Path("/var/cache/sallyport-containers")
RELEASE = "trixie"
BASE = f"docker.io/library/debian:{RELEASE}-slim"
PACKAGES = "localhost/sallyport-packages:test"
IMAGE = "localhost/sallyport:test"
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
runroot = "/run/sallyport-containers"
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
    return {**os.environ, "TMPDIR": str(temporary), **{name: str(CACHE / name) for name in files}}


def podman(*arguments, **options):
    """Its standard output, without the last line end."""
    command = ["podman", *map(str, arguments)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, **options)
    if done.returncode:
        said = f"{done.stdout[-6000:]}\n{done.stderr[-6000:]}"
        raise RuntimeError(f"{' '.join(command)}: exit {done.returncode}\n{said}")
    return done.stdout.rstrip("\n")


def build(context, *options):
    return podman("build", "-q", "--network", "host", *options, context)


# The images


def apt_sources(release):
    """This machine's own sources of Debian packages, for another release: (the first mirror, the text)."""
    texts = [path.read_text() for path in sorted(Path("/etc/apt").glob("sources.list.d/debian*.sources"))]
    if not texts:
        texts = [re.sub(r"^deb(?:-src)?\b.*$", _as_stanza, Path("/etc/apt/sources.list").read_text(), flags=re.M)]
    text = "\n".join(texts)
    here = re.search(r"^VERSION_CODENAME=(\w+)$", Path("/etc/os-release").read_text(), re.M)[1]
    mirror = re.search(r"^URIs: *(\S+)", text, re.M)[1]
    return mirror, re.sub(rf"\b{here}\b", release, text)


def _as_stanza(line):
    kind, *words = re.sub(r"\[.*?\]", "", line[0]).split()
    uri, suite, *components = words
    return f"Types: {kind}\nURIs: {uri}\nSuites: {suite}\nComponents: {' '.join(components)}\n"


def make_base():
    """What docker/Dockerfile begins with, where no registry is at hand: Debian's own bootstrap."""
    mirror, sources = apt_sources(RELEASE)
    with tempfile.TemporaryDirectory(dir=CACHE / "tmp") as directory:
        root = Path(directory)
        command = ["debootstrap", "--variant=minbase", RELEASE, root, mirror]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        (root / "etc/apt/sources.list").write_text("")
        (root / "etc/apt/sources.list.d/debian.sources").write_text(sources)
        shutil.rmtree(root / "var/cache/apt/archives", ignore_errors=True)
        with subprocess.Popen(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE) as tar:
            podman("import", "-", BASE, stdin=tar.stdout)


def prepare():
    if subprocess.run(["podman", "image", "exists", BASE], env=environment(), stderr=subprocess.DEVNULL).returncode:
        print("containers: making the base image", flush=True)
        make_base()
    print("containers: building the image", flush=True)
    dockerfile = ("-f", SOURCE / "docker" / "Dockerfile")
    build(SOURCE, *dockerfile, "--target", "packages", "-t", PACKAGES)  # named, so that pruning leaves it
    build(SOURCE, *dockerfile, "-t", IMAGE)
    podman("image", "prune", "-f")
    size = int(podman("image", "inspect", "--format", "{{.Size}}", IMAGE))
    print(f"containers: {IMAGE} is {size / 1e6:.1f} MB", flush=True)


# Networks


class Network:
    """A network namespace as a pod or a task has one: loopback alone, and its own first unprivileged port."""

    def __init__(self, port_start):
        self.name = f"sallyport-{os.getpid()}-{port_start}"
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        subprocess.run(["ip", "-n", self.name, "link", "set", "lo", "up"], check=True)
        sysctl = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
        self.call(lambda: sysctl.write_text(str(port_start)))

    def close(self):
        subprocess.run(["ip", "netns", "delete", self.name], check=True)

    def call(self, function):
        """function() by a thread inside, whose sockets, threads and programs then belong there."""
        results = []

        def inside():
            try:
                with open(f"/run/netns/{self.name}") as namespace:
                    if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET) != 0:
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


class Container:
    """One container, attached: read-only, at most 16 tasks, under docker/seccomp.json. Leaving it ends it."""

    _numbers = itertools.count()

    def __init__(self, *arguments, network=None, options=(), runtime="podman", variables=None):
        self.name = f"sallyport-{os.getpid()}-{next(self._numbers)}"
        self._before = set(children_of(os.getpid()))
        self.process = subprocess.Popen(
            ["podman", "--runtime", RUNTIMES[runtime], "run", "--rm", "--name", self.name, "--log-driver", "none",
             "--network", f"ns:/run/netns/{network.name}" if network else "none", "--read-only",
             "--read-only-tmpfs=false", "--pids-limit", str(PIDS_MAX), "--security-opt", f"seccomp={SECCOMP}",
             *(f"--env={name}" for name in variables or {}), *options, IMAGE, *arguments],
            env={**environment(), **(variables or {})}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
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
        until(lambda: not [p for p in map(Process, set(children_of(os.getpid())) - self._before) if p.is_alive()], 20,
              "podman's helpers have ended")
        return code


if __name__ == "__main__":
    prepare()
