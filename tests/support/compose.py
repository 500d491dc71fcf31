"""docker/compose by podman-compose: the one of the image's own Debian, as Debian 12's (1.0) cannot share a network."""

import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from support.podman import CACHE, SOURCE, environment, podman, processes, wait_for_helpers
from support.ports import free_port
from support.printed import marked

COMPOSE = SOURCE / "docker" / "compose"
PROGRAM = CACHE / "podman-compose" / "usr/lib/python3/dist-packages/podman_compose.py"
FETCH = "apt-get -q update && cd /tmp && apt-get -q download podman-compose && dpkg -x podman-compose_*.deb /out"


def fetch_podman_compose(image):
    """By apt in a container of this image."""
    if not PROGRAM.exists():
        out = CACHE / "podman-compose"
        out.mkdir(exist_ok=True)
        podman("run", "--rm", "--network", "host", f"--volume={out}:/out", image, "bash", "-euc", FETCH)


class Project:
    """Up from its start by the command of this name in docker/compose/README.md, in a directory of its own with a
    certificate. Leaving it takes it down."""

    def __init__(self, name, pair):
        self.directory = Path(tempfile.mkdtemp(prefix="sallyport-compose-"))
        self.directory.chmod(0o755)
        for path in COMPOSE.glob("*.yaml"):
            shutil.copy(path, self.directory)
        shutil.copy(pair.cert, self.directory / "tls.crt")
        shutil.copy(pair.key, self.directory / "tls.key")
        for file in ("tls.crt", "tls.key"):
            os.chown(self.directory / file, 65532, 65532)
        self.https, self.http = free_port(), free_port()
        self._before = processes()
        program, option, self._file, *words = shlex.split(marked("docker/compose/README.md", name), comments=True)
        assert (program, option) == ("podman-compose", "-f")
        try:
            self.run(*words)
        except BaseException:
            self.__exit__()
            raise

    def run(self, *words):
        variables = {"HTTPS_PORT": str(self.https), "HTTP_PORT": str(self.http), "PYTHONPATH": ""}
        done = subprocess.run(["/usr/bin/python3", PROGRAM, "-f", self._file, *words], env={**environment(), **variables},
                              capture_output=True, text=True, stdin=subprocess.DEVNULL, cwd=self.directory, timeout=50)
        assert done.returncode == 0, f"podman-compose {words}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def container(self, service):
        return f"{self.directory.name}_{service}_1"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.run("down", "--timeout", "5")
        wait_for_helpers(self._before)
        shutil.rmtree(self.directory)
