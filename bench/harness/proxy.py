"""One running proxy: pinned to its core with all its children, its CPU time on an account of its own."""

import os
import subprocess
import time

from harness import tree
from harness.cores import PROXY_CORE
from harness.h2load import H2Load
from harness.load import Load
from harness.site import minimal_environment


class Failure(Exception):
    """A measurement that does not count, with the reason."""


class Late(Failure):
    """The machine was too busy for the rate that was asked for."""


class Proxy:
    """Started when it is made. Use as a context manager: leaving it stops the whole tree."""

    def __init__(self, site, system, place, wrapper=()):
        self._site, self._system, self.place = site, system, place
        self._account = site.accounts.open()
        self._errors = open(place.directory / "errors.txt", "w+b")
        command = [*wrapper, *system.command(place)]
        environment = minimal_environment(place.directory) | system.environment
        if wrapper:
            environment["SALLYPORT_SANDBOX"] = "none"  # valgrind makes calls of its own inside the process
        self.started = time.monotonic()
        try:
            self.process = subprocess.Popen(
                command, cwd=place.directory, env=environment, start_new_session=True, preexec_fn=self._settle,
                stdin=subprocess.DEVNULL, stdout=self._errors, stderr=self._errors,
            )
        except OSError as error:
            self._account.close()
            self._errors.close()
            raise Failure(f"{command[0]} does not start: {error}") from error

    def __enter__(self):
        return self

    def __exit__(self, *_):
        tree.stop(self.process)
        self._account.close()
        self._errors.close()

    def _settle(self):
        self._account.join()
        os.sched_setaffinity(0, {PROXY_CORE})

    def load(self, arguments, tls="1.3"):
        """A load generator aimed at this proxy."""
        if arguments[0] == "h2load":
            return H2Load(self.place.port, arguments[1:])
        version = tls if self._system.speaks_tls else "none"
        return Load(self._site.programs, self.place.port, arguments, version)

    def await_first_exchange(self, patience=15, attempt=1):
        """Waits until it serves; returns that moment of the monotonic clock. `attempt`: seconds for one connection."""
        with self.load(["first", "--limit", str(patience), "--patience", str(attempt)]) as load:
            load.await_ready()
            load.go()
            report = load.report()
        if report is None:
            raise Failure(f"it does not serve: {self.last_words()}")
        return report["finished"]

    def cpu_seconds(self):
        return self._account.seconds(self.process.pid)

    def memory_kib(self):
        return tree.memory_kib(self.process.pid)

    def last_words(self):
        self._errors.seek(0)
        words = self._errors.read().decode(errors="replace").strip()
        return words.splitlines()[-1][:300] if words else "it said nothing"
