"""A machine with systemd as its first process: a container that has a tree of control groups for itself."""

import subprocess
import tempfile
from pathlib import Path

from support.podman import BASE, build, environment, podman, processes, wait_for_helpers
from support.waiting import until

IMAGE = "localhost/sallyport-systemd:test"
DOCKERFILE = f"""\
FROM {BASE}
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
RUN apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -qy --no-install-recommends install systemd dbus procps
# It would load the host's modules.
RUN systemctl mask systemd-modules-load.service
"""
# The host may have control groups of the first kind, which systemd no longer knows.
BOOT = """\
umount -R /sys/fs/cgroup
mount -t cgroup2 none /sys/fs/cgroup && mkdir /sys/fs/cgroup/$GROUP && echo $$ > /sys/fs/cgroup/$GROUP/cgroup.procs || exit 1
umount /sys/fs/cgroup
exec unshare --cgroup sh -c 'mount -t cgroup2 none /sys/fs/cgroup && exec /lib/systemd/systemd'
"""


def build_image():
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "Dockerfile").write_text(DOCKERFILE)
        build(directory, "-t", IMAGE)


class Machine:
    """Booted, in this network. `sources` is a directory that it sees as /source. Use as a context manager."""

    def __init__(self, network, sources):
        self.name = f"{network.name}-systemd"
        self._before = processes()
        podman("run", "--detach", "--name", self.name, "--privileged", "--systemd=false", "--cgroupns=private",
               "--network", f"ns:/run/netns/{network.name}", "--tmpfs=/run", "--tmpfs=/tmp", "--env=container=podman",
               f"--env=GROUP={self.name}", f"--volume={sources}:/source:ro", "--workdir=/source", "--entrypoint=sh", IMAGE,
               "-c", BOOT)
        until(lambda: self.call("systemctl is-system-running", codes=range(256)) in ("running", "degraded"), 50,
              "systemd has booted", every=0.1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        podman("rm", "--force", "--time", "0", self.name)
        wait_for_helpers(self._before)
        self._remove_groups()

    def call(self, command, codes=(0,)):
        """What this command of a shell prints."""
        words = ["podman", "exec", self.name, "bash", "-c", command]
        done = subprocess.run(words, env=environment(), capture_output=True, text=True, timeout=50)
        assert done.returncode in codes, f"{command}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout.strip()

    def property(self, unit, name):
        return self.call(f"systemctl show --value --property={name} {unit}")

    def log(self, unit="sallyport"):
        return self.call(f"journalctl --no-pager --output=cat --unit={unit}")

    def _remove_groups(self):
        mount = next(line.split()[1] for line in Path("/proc/mounts").read_text().splitlines() if " cgroup2 " in line)
        groups = Path(mount, self.name)
        for directory in sorted(groups.glob("**/"), reverse=True):
            directory.rmdir()
