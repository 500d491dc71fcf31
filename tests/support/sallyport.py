"""Sallyport under test: starts the real gatekeeper, reads its log, finds its children, ends it and proves the end."""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from pathlib import Path

import yaml

from support import said, trace
from support.pki import SERVICE_UID
from support.ports import free_port
from support.procfs import Process
from support.waiting import until

UNPRIVILEGED = ["setpriv", f"--reuid={SERVICE_UID}", f"--regid={SERVICE_UID}", "--clear-groups"]
SANITIZER_REPORTS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:", "WARNING: ThreadSanitizer")


class Log:
    """The lines of one stream, read on a thread of its own until its end."""

    def __init__(self, stream):
        self.lines = []
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def _read(self, stream):
        with stream:
            for line in stream:
                with self._changed:
                    self.lines.append(line.decode(errors="replace").rstrip("\n"))
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def join(self):
        self._thread.join(10)
        assert not self._thread.is_alive(), "somebody still holds the log's pipe"

    def text(self):
        return "\n".join(self.lines)

    def records(self):
        """The JSON lines as dictionaries; anything else on standard output is a fault."""
        return [json.loads(line) for line in list(self.lines)]

    def matching(self, **fields):
        return [r for r in self.records() if all(r.get(name) == value for name, value in fields.items())]

    def wait_for(self, count=1, seconds=10, **fields):
        """The `count`-th line that has these fields, once it is there."""
        with self._changed:
            found = self._changed.wait_for(lambda: self._ended or len(self.matching(**fields)) >= count, seconds)
            lines = self.matching(**fields)
            assert found and len(lines) >= count, f"no such line: {fields}; there are:\n{self.text()[-4000:]}"
            return lines[count - 1]


def traced(installation, name, wrapper_words):
    """The words before a command whose system calls are to be written down, for support/traced_calls.py."""
    directory = os.environ.get("SALLYPORT_TRACE")
    if not directory or installation.is_captured or "strace" in wrapper_words:
        return []
    return trace.wrapper(f"{directory}/{name}")


class Sallyport:
    """One running Sallyport. Use as a context manager: leaving it stops it in good order and checks that."""

    def __init__(self, installation, config=None, *, arguments=("run",), environment=None, wrapper=(), pass_fds=(),
                 raw=None, app=()):
        self.workdir = Path(tempfile.mkdtemp(prefix="sallyport-run-"))
        self.workdir.chmod(0o755)
        self.installation = installation
        command = [*map(str, wrapper), str(installation.sallyport), *map(str, arguments)]
        if config is not None or raw is not None:
            self.config_file = self.workdir / "sallyport.yaml"
            self.config_file.write_text(raw if raw is not None else yaml.safe_dump(config, sort_keys=False))
            command += ["--config", str(self.config_file)]
        if app:
            command += ["--", *map(str, app)]
        self.may_trap = False  # whether a call outside the profiles is meant
        self.process = subprocess.Popen(
            [*traced(installation, self.workdir.name, wrapper), *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, cwd="/",
            env={"PATH": os.environ["PATH"], **(environment or {})}, pass_fds=pass_fds,
        )
        self.log = Log(self.process.stdout)
        self.errors = Log(self.process.stderr)
        said.remember(self.everything)
        self._wrapped = bool(wrapper)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if error is None:
            self.stop()
        else:
            self.abandon()
            print(f"--- its log\n{self.log.text()[-6000:]}\n--- its errors\n{self.errors.text()[-6000:]}")

    def wait_until_ready(self, seconds=20):
        def answered():
            assert self.process.poll() is None, f"it ended with {self.process.returncode}:\n{self.everything()}"
            return [r for r in self.log.records() if r["event"] == "serving"]

        until(answered, seconds, "Sallyport is ready")
        return self

    def everything(self):
        return f"{self.log.text()}\n{self.errors.text()}"

    def gatekeeper(self):
        """The gatekeeper's process, below the wrapper if there is one that forks."""
        found = Process(self.process.pid)
        while self._wrapped and found.name() != "sallyport":
            found = until(found.children, what="the wrapper has started Sallyport")[0]
        return found

    def child(self, name):
        """The living keyholder or worker, once there is one: the newest, where an old generation still drains."""
        comm = f"sallyport-{name}"[:15]

        def newest():
            found = []
            for child in self.gatekeeper().children():
                try:
                    if child.is_alive() and child.name() == comm:
                        found.append((child.start_time(), child.pid, child))
                except (FileNotFoundError, ProcessLookupError):
                    pass  # it ended between two questions
            return max(found)[-1] if found else None

        return until(newest, what=f"a {name} lives")

    def worker(self):
        return self.child("worker")

    def keyholder(self):
        return self.child("keyholder")

    def family(self):
        """Name → process, of all three."""
        return {"gatekeeper": self.gatekeeper(), "keyholder": self.keyholder(), "worker": self.worker()}

    def signal(self, number):
        os.kill(self.gatekeeper().pid, number)

    def connections(self, count=1, seconds=10):
        """The log's lines of connections that have ended; waits until there are so many."""
        self.log.wait_for(count=count, seconds=seconds, event="connection ended")
        return self.log.matching(event="connection ended")

    def stop(self, code=0, seconds=20):
        """Asks it to end, and asserts: this exit code, nobody left, no sanitizer's report."""
        family = [self.gatekeeper(), *self.gatekeeper().children()] if self.process.poll() is None else []
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        self.wait_for_exit(code, seconds)
        until(lambda: not any(p.is_alive() for p in family), 5, f"nobody of {family} is left")

    def wait_for_exit(self, code, seconds=20):
        """Waits for its own end and returns everything it said."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.abandon()
            raise AssertionError(f"it did not end within {seconds} s:\n{self.everything()[-6000:]}") from None
        self._release()
        assert self.process.returncode == code, f"exit {self.process.returncode}, not {code}:\n{self.everything()}"
        for report in SANITIZER_REPORTS:
            assert report not in self.errors.text(), self.errors.text()
        assert self.may_trap or "system call refused" not in self.log.text(), self.log.text()[-4000:]
        return self.everything()

    def abandon(self):
        """Ends it without questions: the test has failed already."""
        if self.process.poll() is None:
            family = Process(self.process.pid)
            below = [p for c in family.children() for p in (c, *c.children())]
            for process in (family, *below):
                try:
                    os.kill(process.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            self.process.wait(10)
            until(lambda: not any(p.is_alive() for p in below), 10, f"{below} have ended")
        self._release()

    def _release(self):
        self.log.join()
        self.errors.join()
        shutil.rmtree(self.workdir, ignore_errors=True)


def simple_config(pair, app, port=None, **changes):
    """One TLS listener on loopback before one app. `changes` are further top-level keys."""
    certificates = [p.config() for p in (pair if isinstance(pair, list) else [pair])]
    listener = {"bind": f"127.0.0.1:{port or free_port()}", "mode": "tcp", "tls": {"certificates": certificates},
                "forward": "app"}
    return {"listeners": [listener], "upstreams": {"app": {"address": app}}, "shards": 1, **changes}


def http_config(pair, app, listener=(), **changes):
    """As `simple_config`, in `mode: http`. `listener` are further keys of the listener; None leaves one out."""
    config = simple_config(pair, app, **changes)
    keys = config["listeners"][0] | {"mode": "http", **dict(listener)}
    config["listeners"][0] = {name: value for name, value in keys.items() if value is not None}
    return config


def address_of(config):
    """(host, port) of the first listener of a configuration made by `simple_config`."""
    host, port = config["listeners"][0]["bind"].rsplit(":", 1)
    return host or "127.0.0.1", int(port)


def reset(connection):
    """Closes a socket so that the peer gets RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()
