"""Fixtures and house rules of all Python tests: a time limit for each, and no process left behind by any."""

import ctypes
import faulthandler
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from support import said
from support.installation import Installation
from support.pki import Pki
from support.procfs import Process, children_of
from support.sallyport import Sallyport, simple_config
from support.scale import scaled

SECONDS_MAX = scaled(60, 120)
PR_SET_CHILD_SUBREAPER = 36


def pytest_sessionstart():
    # Orphans of what a test started become our children, so that we can see them.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    said.listen_to_commands()


@pytest.fixture(autouse=True)
def time_limit(request):
    """Interrupts a test that hangs; if it cannot be interrupted, ends the run with every thread's stack."""
    own = request.node.get_closest_marker("seconds")
    seconds = own.args[0] if own else SECONDS_MAX

    def too_long(*_):
        raise AssertionError(f"{request.node.name} took longer than {seconds} s")

    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(seconds)
    faulthandler.dump_traceback_later(seconds + 30, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()
    signal.alarm(0)


@pytest.fixture(autouse=True)
def nobody_is_left(time_limit):
    """Fails a test that leaves a process, and ends the process."""
    before = set(children_of(os.getpid()))
    yield
    left = [Process(pid) for pid in children_of(os.getpid()) if pid not in before]
    left = [p for p in left if not (p.is_alive() and p.name() == "strace")]  # it ends with what it traces
    alive = [f"{p.pid} {p.name()}" for p in left if p.is_alive()]
    for process in left:
        if process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
        try:
            os.waitpid(process.pid, 0)
        except ChildProcessError:
            pass
    assert not alive, f"left behind: {alive}"


@pytest.fixture(scope="session")
def source_dir():
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def built():
    """The directory of the three executables under test."""
    given = os.environ.get("SALLYPORT_BIN")
    assert given, "SALLYPORT_BIN names the directory of the executables: use ./run test"
    return Path(given)


@pytest.fixture(scope="session")
def profiles(built):
    """The table of profiles (include/sallyport/privsep/profiles.hpp), by name."""
    text = subprocess.run([built / "print_profiles"], check=True, capture_output=True, text=True, timeout=10).stdout
    return {row["name"]: row for row in json.loads(text)}


@pytest.fixture(scope="session")
def installation(built):
    installed = Installation(built)
    yield installed
    installed.close()


@pytest.fixture(scope="session")
def pki():
    made = Pki()
    yield made
    told = said.told(said.secrets_of(made))
    made.close()
    assert not told, f"Sallyport wrote secrets into a log, an error or a report: {told}"


@pytest.fixture
def start(installation):
    """start(config, …): a Sallyport that is ready. All of them are stopped, and checked, at the end of the test."""
    running = []

    def start_one(config=None, **options):
        running.append(Sallyport(installation, config, **options))
        return running[-1].wait_until_ready()

    yield start_one
    troubles = [trouble for sallyport in running if (trouble := end(sallyport))]
    assert not troubles, "\n".join(troubles)


def end(sallyport):
    """Stops it unless the test has; returns what went wrong. Its log is shown with a failed test."""
    try:
        if sallyport.process.returncode is None:
            sallyport.stop()
        return None
    except AssertionError as error:
        return str(error)
    finally:
        sallyport.abandon()
        print(f"--- its log\n{sallyport.log.text()[-6000:]}\n--- its errors\n{sallyport.errors.text()[-6000:]}")


@pytest.fixture
def serve(start, pki):
    """serve(app, **changes): a ready Sallyport before this app, with a P-256 certificate for localhost."""

    def serve_one(app, pair=None, **changes):
        config = simple_config(pair or pki.pair(), app.address, **changes)
        sallyport = start(config)
        sallyport.config = config
        return sallyport

    return serve_one
