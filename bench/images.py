"""./run bench --images: Sallyport's image beside those of nginx, HAProxy and stunnel, made from Debian's packages.

Size, time from `podman start` to the end of the first TLS handshake (podman's own share, the same for all, is in it), and
memory at rest: the PSS of all processes. Needs root and podman.
"""

import argparse
import datetime
import os
import shutil
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

BENCH = Path(__file__).resolve().parent
sys.path[:0] = [str(BENCH), str(BENCH.parent / "tests")]
from harness import tree  # noqa: E402
from harness.certificate import Certificate  # noqa: E402
from peers import SYSTEMS  # noqa: E402
from peers.system import Place  # noqa: E402
from support import podman as containers  # noqa: E402
from support.apps import App, answer  # noqa: E402
from support.podman import podman  # noqa: E402

PORT = 8443
PATIENCE = 20
# System → what its bare image holds beside the libraries: the executable first.
FILES = {
    "nginx": ["/usr/sbin/nginx", "/usr/lib/nginx/modules/ngx_stream_module.so"],
    "haproxy": ["/usr/sbin/haproxy"],
    "stunnel": ["/usr/bin/stunnel4", "/usr/lib/x86_64-linux-gnu/libgcc_s.so.1"],  # which pthread_exit(3) loads
}
CONFINED = ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--user=65532:65532", "--pids-limit=16"]


@dataclass(frozen=True)
class Image:
    """One that is started: what it is called in the table, and its name in the store."""

    title: str
    system: str
    name: str

    def size(self):
        return int(podman("image", "inspect", "--format", "{{.Size}}", self.name))


def images():
    """All of them, built."""
    made = [Image("sallyport", "sallyport", containers.IMAGE)]
    for system, files in FILES.items():
        for target, title in (("bare", f"{system}, bare"), ("packaged", f"{system}, on Debian")):
            name = f"localhost/sallyport-peer-{system}-{target}"
            containers.build(BENCH / "images", "--target", target, "-t", name, "--build-arg",
                             f"PACKAGES={' '.join(SYSTEMS[system].packages)}", "--build-arg", f"FILES={' '.join(files)}")
            made.append(Image(title, system, name))
    return made


class Site:
    """A network namespace with an app, and a directory with the certificate. Use as a context manager."""

    def __enter__(self):
        self.directory = Path(tempfile.mkdtemp(prefix="sallyport-bench-"))
        self.directory.chmod(0o777)
        self.certificate = Certificate(self.directory)
        self.network = containers.Network(1024)
        self._app = self.network.call(lambda: App(answer("at rest")))
        return self

    def __exit__(self, *_):
        self._app.__exit__()
        self.network.close()
        shutil.rmtree(self.directory)

    def command(self, image):
        place = Place(self.directory, PORT, int(self._app.address.rpartition(":")[2]), "tcp", self.certificate.certificate,
                      self.certificate.key, self.certificate.combined, Path("/"))
        return SYSTEMS[image.system].command(place)

    def first_handshake(self):
        """Waits for it; returns its moment of the monotonic clock."""
        context = ssl.create_default_context(cafile=self.certificate.certificate)
        limit = time.monotonic() + PATIENCE
        while True:
            try:
                with socket.create_connection(("127.0.0.1", PORT), timeout=PATIENCE) as plain:
                    with context.wrap_socket(plain, server_hostname="bench.test") as connection:
                        moment = time.monotonic()
                        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
                        if not connection.recv(1):
                            raise SystemExit("bench: the app's answer did not come through")
                        return moment
            except (ConnectionError, ssl.SSLError):
                if time.monotonic() > limit:
                    raise
                time.sleep(0.0005)


def measure(site, image):
    """(seconds from `podman start` to the first handshake, KiB at rest after it)."""
    before = containers.processes()
    program, *arguments = site.command(image)
    entry = [] if image.system == "sallyport" else [f"--entrypoint={program}"]
    container = podman("create", *CONFINED, *entry, "--network", f"ns:/run/netns/{site.network.name}", "--volume",
                       f"{site.directory}:{site.directory}", "--workdir", str(site.directory), image.name, *arguments)
    try:
        began = time.monotonic()
        with subprocess.Popen(["podman", "start", container], env=containers.environment(),
                              stdout=subprocess.DEVNULL) as starting:
            try:
                seconds = site.network.call(site.first_handshake) - began
            except OSError as error:
                raise SystemExit(f"bench: {image.name}: {error}\n{podman('logs', container)}") from error
            starting.wait()
        time.sleep(0.5)  # at rest
        return seconds, tree.memory_kib(int(podman("inspect", "--format", "{{.State.Pid}}", container)))
    finally:
        podman("rm", "--force", "--time", "0", container)
        containers.wait_for_helpers(before)


def compare(rounds):
    """The lines of the table. The systems take turns."""
    found = {image: [] for image in images()}
    with Site() as site:
        for _ in range(rounds):
            for image, results in found.items():
                results.append(measure(site, image))
    yield "| image | size | start to first handshake | memory at rest |"
    yield "| --- | ---: | ---: | ---: |"
    for image, results in found.items():
        seconds, kib = (statistics.median(values) for values in zip(*results))
        yield f"| {image.title} | {image.size() / 1e6:.1f} MB | {seconds * 1000:.0f} ms | {kib / 1024:.1f} MiB |"


def main():
    parser = argparse.ArgumentParser(prog="./run bench --images", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    if os.geteuid() != 0:
        raise SystemExit("bench: containers need root here")
    for line in compare(rounds):
        print(line, flush=True)
    base = int(podman("image", "inspect", "--format", "{{.Size}}", containers.BASE))
    print(f"\n{datetime.date.today()}: medians of {rounds} rounds; Debian itself is {base / 1e6:.0f} MB of each that is on it")


if __name__ == "__main__":
    main()
