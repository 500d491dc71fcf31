"""The audit stream of a real family: one chain for each process, and `sallyport audit --verify-log`, which checks them."""

import json
import os
import re
import signal
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from support.apps import App, echo
from support.sallyport import Sallyport, simple_config


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
        sallyport.log.wait_for(stream="audit", process="worker")  # else its chain has no line
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
    edited = next(n for n in audit if "left root" in lines[n])
    changed = list(lines)
    changed[edited] = changed[edited].replace("65532", "0", 1)
    file = tmp_path / "audit.log"
    file.write_text("\n".join(changed) + "\n")
    done = verify("", str(file))
    assert done.returncode == 1 and f"line {edited + 1}: " in done.stdout and "was changed" in done.stdout

    done = verify("\n".join(lines[: audit[2]] + lines[audit[2] + 1 :]))
    assert done.returncode == 1 and "1 line is missing before seq 4" in done.stdout

    without = [line for line in lines if not ('"stream":"audit"' in line and '"process":"keyholder"' in line)]
    done = verify("\n".join(without))
    assert done.returncode == 1 and "has no line" in done.stdout


def test_a_forged_chain_is_told_and_a_rotated_file_is_not(lines, verify):
    # Goal: nobody but the gatekeeper introduces a chain, and what rotation cut off is a remark. Method: a worker's whole
    # chain of another family; then the second half of this one, alone and after the first.
    other = [line for line in lines if '"stream":"audit"' in line and '"process":"worker"' in line]
    chain = json.loads(other[0])["chain"]
    without = [line for line in lines if chain not in line or '"child_chain"' not in line]
    done = verify("\n".join(without))
    assert done.returncode == 1 and f"chain {chain}: nobody introduced it" in done.stdout

    half = next(n for n, line in enumerate(lines) if '"event":"child died"' in line)
    done = verify("\n".join(lines[half:]))
    assert done.returncode == 0 and "begins at seq" in done.stdout and "unchanged" in done.stdout, done.stdout
    done = verify("\n".join(lines))
    assert done.returncode == 0 and "whole: " in done.stdout


def test_a_file_that_is_not_there_is_unavailable(verify):
    # Goal: "not whole" and "not read" differ. Method: exit codes, also of a file without any audit line.
    assert verify("", "/nonexistent/audit.log").returncode == 69
    assert verify("hello\n").returncode == 1


def test_the_audit_stream_goes_to_an_inherited_descriptor(start, pki, verify, tmp_path):
    # Goal: `log.audit: fd:N`, for all three processes. Method: a file; the audit lines are there, as JSON although the
    # log is plain, and standard output has none; nobody needs the file's permissions.
    path = tmp_path / "audit.log"
    with App(echo) as app, open(path, "ab", buffering=0) as file:
        os.set_inheritable(file.fileno(), True)
        sallyport = start(simple_config(pki.pair(), app.address, log={"audit": f"fd:{file.fileno()}"}),
                          pass_fds=[file.fileno()])
        sallyport.stop()
        assert not sallyport.log.matching(stream="audit")
    records = [json.loads(line) for line in path.read_text().splitlines()]
    assert {r["process"] for r in records} == {"gatekeeper", "keyholder", "worker"}
    assert all(r["stream"] == "audit" for r in records)
    done = verify("", str(path))
    assert done.returncode == 0 and done.stdout.count(", ended") == 3, done.stdout


def test_a_socket_for_the_audit_stream_stands_where_no_worker_can_end_it(start, pki):
    # Goal: one Unix stream for all three, and a captured worker cannot shut it down (test_attacks.py: below 4). Method:
    # the worker has no other descriptor of it; its lines arrive.
    ours, theirs = socket.socketpair()
    with App(echo) as app, ours:
        sallyport = start(simple_config(pki.pair(), app.address, log={"audit": f"fd:{theirs.fileno()}"}),
                          pass_fds=[theirs.fileno()])
        inode = os.fstat(theirs.fileno()).st_ino
        theirs.close()
        held = [n for n, what in sallyport.worker().descriptors().items() if what == f"socket:[{inode}]"]
        assert held == [0]
        sallyport.stop()
        said = b"".join(iter(lambda: ours.recv(65536), b""))
    assert {json.loads(line)["process"] for line in said.splitlines()} == {"gatekeeper", "keyholder", "worker"}


def test_a_descriptor_that_is_not_open_is_a_mistake(installation, pki):
    # Goal: exit 78 with the key and the number. Method: fd:9, which nobody passes; then one that is only readable.
    for passed in ([], [os.open("/dev/null", os.O_RDONLY)]):
        number = passed[0] if passed else 99
        config = simple_config(pki.pair(), "127.0.0.1:7766", log={"audit": f"fd:{number}"})
        said = Sallyport(installation, config, pass_fds=passed).wait_for_exit(78)
        assert "log.audit" in said and str(number) in said
        for descriptor in passed:
            os.close(descriptor)


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM], ids=["listening", "unconnected"])
def test_a_socket_that_takes_no_line_is_a_mistake(installation, pki, kind):
    # Goal: `fd:3` where systemd has put a listening socket is refused, not written to in vain. Method: exit 78.
    with socket.socket(socket.AF_INET, kind) as passed:
        number = passed.fileno()
        passed.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            passed.listen()
        config = simple_config(pki.pair(), "127.0.0.1:7766", log={"audit": f"fd:{passed.fileno()}"})
        said = Sallyport(installation, config, pass_fds=[passed.fileno()]).wait_for_exit(78)
    assert f"descriptor {number} is a" in said and "another number" in said


# A /dev of its own in a mount namespace of its own, with the socket $1/log as its log if there is one.
OWN_DEV = """
set -e
mkdir -p "$1/dev"
mount -t tmpfs sallyport-test "$1/dev"
for node in null zero random urandom; do : > "$1/dev/$node"; mount --bind "/dev/$node" "$1/dev/$node"; done
if [ -e "$1/log" ]; then : > "$1/dev/log"; mount --bind "$1/log" "$1/dev/log"; fi
mount --rbind "$1/dev" /dev
shift
exec "$@"
"""


def in_own_dev(directory):
    """The words before a command that is to see another /dev/log than this machine's, or none."""
    return ("unshare", "--mount", "sh", "-c", OWN_DEV, "sh", directory)


def syslog_inode(process):
    """Of the datagram socket that a process writes its audit lines to."""
    rows = [row.split() for row in Path("/proc/net/unix").read_text().splitlines()[1:]]
    datagram = {row[6] for row in rows if row[4] == "0002"}
    inodes = {target.removeprefix("socket:[").rstrip("]") for target in process.descriptors().values()}
    (found,) = inodes & datagram
    return found


def test_the_audit_stream_goes_to_syslog(start, pki, verify, tmp_path):
    # Goal: `log.audit: syslog`, from processes that could not open a socket themselves, each by one of its own: who
    # captures one cannot turn the others'. Method: this test is the syslog daemon; three sockets; every line is one
    # datagram with priority, tag and pid, and the chains are whole.
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as daemon, App(echo) as app:
        daemon.bind(str(tmp_path / "log"))
        (tmp_path / "log").chmod(0o666)
        lines = []
        reader = threading.Thread(target=lambda: lines.extend(iter(lambda: daemon.recv(8192).decode(), "end")),
                                  daemon=True)
        reader.start()
        sallyport = start(simple_config(pki.pair(), app.address, log={"audit": "syslog"}),
                          wrapper=in_own_dev(tmp_path))
        family = sallyport.family()
        assert len({syslog_inode(process) for process in family.values()}) == 3
        sallyport.stop()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
            last.sendto(b"end", str(tmp_path / "log"))
        reader.join(10)
    assert not sallyport.log.matching(stream="audit")
    for name, process in family.items():
        head = re.compile(rf"<85>\w{{3}} [ \d]\d \d\d:\d\d:\d\d sallyport-{name}\[{process.pid}\]: {{")
        assert any(head.match(line) for line in lines)
    done = verify("\n".join(lines))
    assert done.returncode == 0 and done.stdout.count(", ended") == 3, done.stdout


def test_without_a_syslog_it_does_not_start(installation, pki, tmp_path):
    # Goal: no silent loss of the audit stream. Method: no /dev/log; exit 69 names it.
    config = simple_config(pki.pair(), "127.0.0.1:7766", log={"audit": "syslog"})
    assert "/dev/log" in Sallyport(installation, config, wrapper=in_own_dev(tmp_path)).wait_for_exit(69)
