"""Certificates whose files change are shown to new connections, without a signal, a restart or a cut connection."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from support.apps import App, answer, echo
from support.handshakes import Load
from support.pki import give
from support.sallyport import address_of, simple_config
from support.scale import SANITIZED, scaled
from support.tls_client import TlsClient, client_context
from support.waiting import stays, until

INOTIFY_INIT1 = 294  # x86-64
HELLO_RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")  # RFC 8446 §4.1.3
TAKEN_OVER = "certificates and ticket keys taken over"
REFUSED = "certificate not rotated, the old one stays"


def leaf(address, ca, name="localhost"):
    with TlsClient(address, client_context(ca, resume=False), name) as client:
        return client.handshake().tls.getpeercert(binary_form=True)


def wait_for_leaf(address, ca, pair):
    until(lambda: leaf(address, ca) == pair.der(), 10, "the new certificate is shown")


def place(pair, directory, cert="tls.crt", key="tls.key"):
    """Copies of both, as Sallyport's user may read them."""
    directory.mkdir(exist_ok=True)
    for source, name in ((pair.cert, cert), (pair.key, key)):
        shutil.copy(source, directory / name)
        give(directory / name)


class Renamed:
    """Both files, each replaced by rename."""

    def __init__(self, directory, pair):
        self.directory = directory
        place(pair, directory)

    def places(self):
        return {"cert": str(self.directory / "tls.crt"), "key": str(self.directory / "tls.key")}

    def replace(self, pair):
        place(pair, self.directory, "new.crt", "new.key")
        os.replace(self.directory / "new.key", self.directory / "tls.key")
        os.replace(self.directory / "new.crt", self.directory / "tls.crt")


def rewrite(pair, directory):
    (directory / "tls.crt").write_bytes(pair.cert.read_bytes())
    (directory / "tls.key").write_bytes(pair.key.read_bytes())


class Rewritten(Renamed):
    """Both files, written anew in their places."""

    def replace(self, pair):
        rewrite(pair, self.directory)


class OneFile(Renamed):
    """Vault agent's: one file with both, replaced by rename."""

    def __init__(self, directory, pair):
        self.directory = directory
        directory.mkdir(exist_ok=True)
        self.replace(pair)

    def places(self):
        return {"cert": str(self.directory / "tls.pem")}

    def replace(self, pair):
        new = self.directory / "new"
        new.write_bytes(pair.cert.read_bytes() + pair.key.read_bytes())
        give(new)
        os.replace(new, self.directory / "tls.pem")


class Volume(Renamed):
    """A Kubernetes secret's: names that lead through ..data, which is turned to another directory."""

    def __init__(self, directory, pair):
        self.directory, self.count = directory, 0
        directory.mkdir(exist_ok=True)
        self.replace(pair)
        for name in ("tls.crt", "tls.key"):
            (directory / name).symlink_to(f"..data/{name}")

    def replace(self, pair):
        self.count += 1
        place(pair, self.directory / f"..{self.count}")
        (self.directory / "..new").symlink_to(f"..{self.count}")
        os.replace(self.directory / "..new", self.directory / "..data")
        if self.count > 1:
            shutil.rmtree(self.directory / f"..{self.count - 1}")


@pytest.fixture
def directory():
    """For files that change; Sallyport's user may enter it."""
    made = Path(tempfile.mkdtemp(prefix="sallyport-rotation-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def rotating(start, pki, directory):
    """rotating(app, Way, **changes): a ready Sallyport whose certificate is placed that way, as `.files`."""

    def serve_one(app, way, wrapper=(), **changes):
        files = way(directory / "files", pki.new_pair())
        config = simple_config(pki.pair(), app.address, **changes)
        config["listeners"][0]["tls"]["certificates"] = [files.places()]
        sallyport = start(config, wrapper=wrapper)
        sallyport.files, sallyport.address = files, address_of(config)
        return sallyport

    return serve_one


@pytest.mark.parametrize("way", [Renamed, Rewritten, OneFile, Volume])
@pytest.mark.parametrize("shards", [1, 2])
def test_every_way_to_replace_files_rotates_the_certificate(rotating, pki, way, shards):
    # Goal: no signal, no restart, no cut. Method: each platform's way, twice, also to another key type; a connection
    # from before goes on; the same processes live; each rotation is one audit line that says what is shown from now on.
    with App(echo) as app:
        sallyport = rotating(app, way, shards=shards)
        pids = {name: process.pid for name, process in sallyport.family().items()}
        with TlsClient(sallyport.address, client_context(pki.ca)) as client:
            client.handshake()
            for count, key_type in enumerate(("P-256", "RSA"), 1):
                pair = pki.new_pair(key_type, names=("localhost", f"name{count}.example"))
                sallyport.files.replace(pair)
                wait_for_leaf(sallyport.address, pki.ca, pair)
                sallyport.log.wait_for(event=TAKEN_OVER, count=count)
                assert [leaf(sallyport.address, pki.ca) == pair.der() for _ in range(8)] == [True] * 8
                line = sallyport.log.wait_for(event="certificate rotated", count=count)
                assert (line["stream"], line["process"], line["rotations"]) == ("audit", "keyholder", count)
                assert line["key"] == {"P-256": "EC P-256", "RSA": "RSA 2048"}[key_type]
                assert f"name{count}.example" in line["names"] and line["not_after"].endswith("Z")
                assert len(line["spki_sha256"]) == 64 and line["certificate"] == sallyport.files.places()["cert"]
            client.send(b"same connection")
            assert client.receive_exactly(15) == b"same connection"
        assert {name: process.pid for name, process in sallyport.family().items()} == pids
        assert not sallyport.log.matching(event=REFUSED)


def garbage(pki, files):
    (files / "tls.crt").write_bytes(b"-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n")
    return "tls.crt"


def half(pki, files):
    pem = pki.new_pair().cert.read_bytes()
    (files / "tls.crt").write_bytes(pem[: len(pem) // 2])
    return "tls.crt"


def mismatched(pki, files):
    (files / "tls.crt").write_bytes(pki.new_pair().cert.read_bytes())
    return "the key does not belong to the certificate"


def expired(pki, files):
    rewrite(pki.new_pair(days=-1), files)
    return "the certificate expired on"


def missing(pki, files):
    (files / "tls.key").unlink()
    return f"cannot read {files}/tls.key: No such file"


def forbidden(pki, files):
    (files / "tls.key").chmod(0)
    return f"cannot read {files}/tls.key: permission denied"


@pytest.mark.parametrize("fault", [garbage, half, mismatched, expired, missing, forbidden])
def test_wrong_files_are_refused_told_once_and_mended(rotating, pki, fault):
    # Goal: on any error the old pair stays, and it is visible. Method: each fault; one line names it, the old leaf is
    # shown; then a good pair takes over.
    with App(answer("kept")) as app:
        sallyport = rotating(app, Renamed, certificates={"check_every": "200ms"})
        before = leaf(sallyport.address, pki.ca)
        expected = fault(pki, sallyport.files.directory)
        line = sallyport.log.wait_for(event=REFUSED)
        assert expected in line["reason"] and line["level"] == "error" and line["refusals"] == 1
        assert line["certificate"] == sallyport.files.places()["cert"] and line["in_force_until"].endswith("Z")
        stays(lambda: leaf(sallyport.address, pki.ca) == before, 1)
        assert len(sallyport.log.matching(event=REFUSED)) == 1, "it is told again"
        third = pki.new_pair()
        sallyport.files.replace(third)
        wait_for_leaf(sallyport.address, pki.ca, third)
        sallyport.log.wait_for(event="certificate rotated")
        assert len(sallyport.log.matching(event="certificate rotated")) == 1
        sallyport.log.wait_for(event=TAKEN_OVER)


def test_next_weeks_pair_waits_for_its_time_whatever_is_sent(rotating, pki):
    # Goal: clients refuse a certificate that is not valid yet. Method: next week's pair lies in the directory, and is
    # refused; SIGHUP with an unchanged configuration reads the files again: refused, told, and today's pair is shown.
    with App(answer("kept")) as app:
        sallyport = rotating(app, Renamed)
        before = leaf(sallyport.address, pki.ca)
        sallyport.files.replace(pki.new_pair(starts_in=7))
        assert "is not valid before" in sallyport.log.wait_for(event=REFUSED)["reason"]
        sallyport.signal(signal.SIGHUP)
        line = sallyport.log.wait_for(event=REFUSED, count=2)
        assert "is not valid before" in line["reason"] and line["refusals"] == 2
        sallyport.log.wait_for(event=TAKEN_OVER)
        assert leaf(sallyport.address, pki.ca) == before
        tomorrow = pki.new_pair()
        sallyport.files.replace(tomorrow)
        wait_for_leaf(sallyport.address, pki.ca, tomorrow)


def test_a_start_with_a_pair_that_is_not_valid_yet_is_warned_of(start, pki):
    # Goal: without another one it is shown all the same, and said. Method: next week's pair at the start.
    with App(echo) as app:
        sallyport = start(simple_config(pki.new_pair(starts_in=7), app.address))
        line = sallyport.log.wait_for(event="certificate is not valid yet")
        assert line["level"] == "warn" and line["not_before"].endswith("Z") and line["process"] == "keyholder"


def test_a_pair_written_slowly_is_waited_for(rotating, pki):
    # Goal: two files are one pair. Method: the certificate in two writes, the key later; nothing is refused, unless that
    # took this machine the second after which files that stay wrong are.
    with App(echo) as app:
        sallyport = rotating(app, Renamed)
        before, pair = leaf(sallyport.address, pki.ca), pki.new_pair()
        pem = pair.cert.read_bytes()
        with (sallyport.files.directory / "tls.crt").open("wb", buffering=0) as cert:
            cert.write(pem[:100])
            stays(lambda: leaf(sallyport.address, pki.ca) == before, 0.3)
            written = time.monotonic()
            cert.write(pem[100:])
        stays(lambda: leaf(sallyport.address, pki.ca) == before, 0.3)
        (sallyport.files.directory / "tls.key").write_bytes(pair.key.read_bytes())
        took = time.monotonic() - written
        wait_for_leaf(sallyport.address, pki.ca, pair)
        assert took >= 1 or not sallyport.log.matching(event=REFUSED)


def test_without_inotify_the_periodic_check_finds_a_change(rotating, pki):
    # Goal: mounts and kernels that tell nothing. Method: a kernel without inotify; checked every 300 ms, and it is said.
    if SANITIZED:
        pytest.skip("the filter of this test refuses the runtimes' personality(2)")
    wrapper = [sys.executable, str(Path(__file__).parent.parent / "support" / "without_call.py"), str(INOTIFY_INIT1)]
    with App(echo) as app:
        sallyport = rotating(app, Renamed, wrapper=wrapper, certificates={"check_every": "300ms"})
        line = sallyport.log.wait_for(event="certificate files are looked at from time to time only")
        assert line["level"] == "warn" and line["every_ms"] == 300
        pair = pki.new_pair()
        sallyport.files.replace(pair)
        wait_for_leaf(sallyport.address, pki.ca, pair)


def test_one_certificate_s_fault_keeps_no_other_from_rotating(start, pki, directory):
    # Goal: pairs are independent. Method: two names; one gets garbage, the other a new pair.
    first = Renamed(directory / "one", pki.new_pair(names=("one.example",)))
    second = Renamed(directory / "two", pki.new_pair(names=("two.example",)))
    with App(echo) as app:
        config = simple_config(pki.pair(), app.address)
        config["listeners"][0]["tls"]["certificates"] = [first.places(), second.places()]
        sallyport = start(config)
        before = leaf(address_of(config), pki.ca, "one.example")
        garbage(pki, directory / "one")
        pair = pki.new_pair(names=("two.example",))
        second.replace(pair)
        until(lambda: leaf(address_of(config), pki.ca, "two.example") == pair.der(), 10, "the second one rotates")
        assert "one" in sallyport.log.wait_for(event=REFUSED)["certificate"]
        assert leaf(address_of(config), pki.ca, "one.example") == before


def test_a_handshake_that_began_before_a_rotation_ends_well(rotating, pki):
    # Goal: no handshake fails for a rotation in its middle. Method: connections that have sent nothing, or half a
    # ClientHello, wait while the certificate rotates three times.
    with App(echo) as app:
        sallyport = rotating(app, Volume)
        context = client_context(pki.ca, resume=False)
        with TlsClient(sallyport.address, context) as silent, TlsClient(sallyport.address, context) as halved:
            hello = halved.first_flight()
            halved.socket.sendall(hello[:50])
            for count in range(1, 4):
                sallyport.files.replace(pki.new_pair())
                sallyport.log.wait_for(event=TAKEN_OVER, count=count)
            halved.socket.sendall(hello[50:])
            for client in (silent, halved):
                client.handshake().send(b"well")
                assert client.receive_exactly(4) == b"well"


def test_a_rotation_between_two_hellos_fails_no_handshake(rotating, pki):
    # Goal: a HelloRetryRequest makes a handshake of two turns, and the second one finds the key that the first one
    # chose. Method: a client whose first group we do not speak; the bytes pass through us, and the certificate rotates
    # three times after the request.
    with App(echo) as app, socket.create_server(("127.0.0.1", 0)) as between:
        sallyport = rotating(app, Volume)
        command = ["openssl", "s_client", "-connect", "127.0.0.1:%d" % between.getsockname()[1], "-groups", "X448:P-384",
                   "-servername", "localhost", "-CAfile", str(pki.ca), "-verify_return_error", "-brief"]
        client = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        near = between.accept()[0]
        with near, socket.create_connection(sallyport.address, 15) as far:
            far.sendall(near.recv(65536))
            answer = far.recv(65536)
            assert HELLO_RETRY in answer
            for count in range(1, 4):
                sallyport.files.replace(pki.new_pair())
                sallyport.log.wait_for(event=TAKEN_OVER, count=count)
            near.sendall(answer)
            pumps = [threading.Thread(target=pump, args=ends) for ends in ((near, far), (far, near))]
            for thread in pumps:
                thread.start()
            client.stdin.write(b"well\n")
            client.stdin.flush()
            assert client.stdout.readline() == b"well\n"
            _, complaint = client.communicate(timeout=20)
            for thread in pumps:
                thread.join()
        assert client.returncode == 0 and b"Verification: OK" in complaint, complaint


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # the other end has gone; the client's verdict counts


def memory_of(process):
    """Of the process alone, in KiB."""
    text = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Private_"))


class Lines:
    """Counts the lines with a text, reading each line once."""

    def __init__(self, log, text):
        self.log, self.text, self.read, self.count = log, text, 0, 0

    def reach(self, count):
        def reached():
            lines = self.log.lines[self.read :]
            self.read += len(lines)
            self.count += sum(self.text in line for line in lines)
            return self.count >= count

        until(reached, 20, f"{count} lines with '{self.text}'", every=0.002)


@pytest.mark.seconds(180)
def test_a_thousand_rotations_under_load_fail_no_handshake_and_keep_no_memory(rotating, pki):
    # Goal: as often as one likes. Method: two clients shake hands all the time, an old connection lives; eight pairs take
    # turns, each rotation as soon as the one before is in place; private memory after a tenth and at the end.
    rotations = scaled(1000, 150)
    pairs = [pki.new_pair("RSA" if i == 3 else "P-256") for i in range(8)]
    with App(echo) as app:
        sallyport = rotating(app, Volume, shards=2)
        places = [sallyport.files.directory / f"..{name}" for name in "abcdefgh"]
        for pair, directory in zip(pairs, places):
            place(pair, directory)
        taken = Lines(sallyport.log, TAKEN_OVER)
        new = sallyport.files.directory / "..new"
        with (TlsClient(sallyport.address, client_context(pki.ca)) as old, Load(sallyport.address, pki.ca) as load):
            old.handshake()
            for count in range(1, rotations + 1):
                new.symlink_to(places[count % 8].name)
                os.replace(new, sallyport.files.directory / "..data")
                taken.reach(count)
                if count == rotations // 10:
                    early = {name: memory_of(sallyport.child(name)) for name in ("keyholder", "worker")}
            result = load.result()
            late = {name: memory_of(sallyport.child(name)) for name in ("keyholder", "worker")}
            old.send(b"still here")
            assert old.receive_exactly(10) == b"still here"
        assert result["failed"] == [] and result["made"] > rotations / 10 and result["leaves"] in (8, 9), result
        if not SANITIZED:
            assert all(late[name] < early[name] * 1.15 + 512 for name in early), (early, late)
        sallyport.log.wait_for(count=rotations, event="certificate rotated")
        assert len(sallyport.log.matching(event="certificate rotated")) == rotations
        assert not sallyport.log.matching(event=REFUSED)
