"""The audit stream of a real family: one chain for each process, and `sallyport audit --verify-log`, which checks them."""

import os
import re
import signal
import subprocess

import pytest

from support.apps import App, echo
from support.sallyport import simple_config


@pytest.fixture
def verify(installation):
    """verify(text): the finished `sallyport audit --verify-log -` over this text."""

    def run(text, *arguments):
        return subprocess.run([installation.sallyport, "audit", "--verify-log", *(arguments or ["-"])], input=text,
                              env={"PATH": os.environ["PATH"]}, text=True, capture_output=True, timeout=20)

    return run


@pytest.fixture
def lines(start, pki):
    """What a family wrote that lost a worker to SIGKILL and was then stopped."""
    with App(echo) as app:
        sallyport = start(simple_config(pki.pair(), app.address))
        os.kill(sallyport.worker().pid, signal.SIGKILL)
        sallyport.log.wait_for(count=2, event="serving")
        sallyport.stop()
        return sallyport.log.lines


def test_what_a_family_wrote_is_whole_and_every_child_is_announced(lines, verify):
    # Goal: --verify-log agrees with the log as it is. Method: four processes, one of them killed: its chain is open.
    done = verify("\n".join(lines))
    assert done.returncode == 0, done.stdout
    chains = re.findall(r"^  chain (\w{16})  (\w+), (\d+) lines?, (\w+)$", done.stdout, re.M)
    assert sorted((process, state) for _, process, _, state in chains) == [
        ("gatekeeper", "ended"), ("keyholder", "ended"), ("worker", "ended"), ("worker", "open")]
    text = "\n".join(lines)
    assert all(f'"child_chain":"{chain}"' in text for chain, process, _, _ in chains if process != "gatekeeper")


def test_a_gap_and_an_edit_are_told_with_their_lines(lines, verify, tmp_path):
    # Goal: tampering shows. Method: a file; one audit line changed, another taken out, a whole chain taken out.
    audit = [n for n, line in enumerate(lines) if '"stream":"audit"' in line and '"process":"gatekeeper"' in line]
    changed = list(lines)
    changed[audit[1]] = changed[audit[1]].replace("65532", "0", 1)
    file = tmp_path / "audit.log"
    file.write_text("\n".join(changed) + "\n")
    done = verify("", str(file))
    assert done.returncode == 1 and f"line {audit[1] + 1}: " in done.stdout and "was changed" in done.stdout

    done = verify("\n".join(lines[: audit[2]] + lines[audit[2] + 1 :]))
    assert done.returncode == 1 and "1 line is missing before seq 4" in done.stdout

    without = [line for line in lines if not ('"stream":"audit"' in line and '"process":"keyholder"' in line)]
    done = verify("\n".join(without))
    assert done.returncode == 1 and "has no line" in done.stdout


def test_a_file_that_is_not_there_is_unavailable(verify):
    # Goal: "not whole" and "not read" differ. Method: exit codes, also of a file without any audit line.
    assert verify("", "/nonexistent/audit.log").returncode == 69
    assert verify("hello\n").returncode == 1
