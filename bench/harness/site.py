"""Where a run happens: a directory, the certificate, the two apps, and a place for each proxy that is started."""

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from harness import tree
from harness.certificate import Certificate
from harness.cpu import Accounts
from peers.system import Place

FIRST_PORT = 20_000  # below the ephemeral ports, which outgoing connections take
LAST_PORT = 29_999


class Site:
    """Use as a context manager: leaving it stops everything and removes every trace."""

    def __init__(self, programs):
        self.programs = programs.resolve()
        self.accounts = Accounts()
        self.directory = Path(tempfile.mkdtemp(prefix="sallyport-bench-"))
        self.directory.chmod(0o755)
        self.certificate = Certificate(self.directory)
        self._next_port = FIRST_PORT
        self._opened = 0
        self._apps = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process, _ in self._apps.values():
            tree.stop(process)
        shutil.rmtree(self.directory)
        self.accounts.close()

    def free_port(self):
        """Another one each time, so that no measurement meets the last one's closed connections."""
        while True:
            port = self._next_port
            self._next_port = FIRST_PORT if port == LAST_PORT else port + 1
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) != 0:
                    return port

    def app_port(self, core):
        """The port of the app that is pinned to this core; it lives until the end of the run."""
        if core not in self._apps:
            port = self.free_port()
            command = [str(self.programs / "bench-app"), "--port", str(port), "--core", str(core)]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            if process.stdout.readline() != "ready\n":
                raise SystemExit("bench: the app did not start")
            self._apps[core] = (process, port)
        return self._apps[core][1]

    def place(self, mode, app_core):
        self._opened += 1
        directory = self.directory / str(self._opened)
        directory.mkdir()
        directory.chmod(0o777)  # some systems write there as another user
        return Place(
            directory=directory,
            port=self.free_port(),
            app_port=self.app_port(app_core),
            mode=mode,
            certificate=self.certificate.certificate,
            key=self.certificate.key,
            combined=self.certificate.combined,
            programs=self.programs,
        )


def minimal_environment(directory):
    """What a service manager would give: nothing of the caller's reaches a proxy."""
    return {"PATH": os.environ["PATH"], "HOME": str(directory), "XDG_DATA_HOME": str(directory),
            "XDG_CONFIG_HOME": str(directory)}
