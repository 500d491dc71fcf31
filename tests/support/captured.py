"""A running Sallyport of which one process obeys an attacker (tests/support/captured.cpp), and what to tell it."""

import contextlib
import select
import shutil
import socket
from pathlib import Path

from support.apps import App, echo
from support.installation import Installation
from support.sallyport import Sallyport, address_of, simple_config
from support.tls_client import TlsClient, client_context

SEQPACKET = "0005"  # as /proc/net/unix has it


@contextlib.contextmanager
def captured(built, pki, process="worker", wrapper=(), **changes):
    """A ready Sallyport before an echo, its `process` captured; `changes` are further keys of its configuration."""
    installation = Installation(built, is_captured=True)
    shutil.copy(built / f"captured_{process}", installation.root / f"sallyport-{process}")
    with socket.socket(socket.AF_UNIX) as orders, App(echo) as app:
        orders.bind(str(installation.root / "orders"))
        (installation.root / "orders").chmod(0o666)
        orders.listen()
        config = simple_config(pki.pair(), app.address, **changes)
        with Sallyport(installation, config, wrapper=wrapper) as sallyport:
            sallyport.may_trap = True
            sallyport.wait_until_ready()
            subject = Captured(sallyport, config, pki, orders, process)
            yield subject
            subject.release()
    installation.close()


class Captured:
    """Its orders go to the newest life of the captured process."""

    def __init__(self, sallyport, config, pki, orders, process):
        self.sallyport, self.config, self.pki, self.process = sallyport, config, pki, process
        self._orders, self._lives = orders, []

    def order(self, line):
        """System calls. {gatekeeper}, {keyholder}, {worker} are ids of processes; {listener}, {control}, {supply} and
        {sign}, descriptors of a captured worker."""
        family = {name: process.pid for name, process in self.sallyport.family().items()}
        descriptors = self.descriptors() if self.process == "worker" else {}
        self._boss().sendall((line.format(**family, **descriptors) + "\n").encode())

    def ask(self, line, seconds=10):
        """What the last call gave: (result, the name of its error)."""
        before = len(self.sallyport.log.matching(event="order"))
        self.order(line)
        answer = self.sallyport.log.wait_for(count=before + 1, seconds=seconds, event="order")
        return answer["result"], answer["error"]

    def _boss(self):
        while not self._lives or select.select([self._orders], [], [], 0)[0]:
            self._lives.append(self._orders.accept()[0])
        return self._lives[-1]

    def release(self):
        """Ends the threads that obey."""
        for life in self._lives:
            life.close()

    def descriptors(self):
        """What a worker has, by name: of several of a kind, the first shard's."""
        inodes = {number: target.removeprefix("socket:[").rstrip("]")
                  for number, target in self.sallyport.worker().descriptors().items()}
        rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        port = address_of(self.config)[1]
        listening = {row[9] for row in rows if row[3] == "0A" and int(row[1].split(":")[1], 16) == port}
        unix = [row.split() for row in Path("/proc/net/unix").read_text().splitlines()[1:]]
        channels = {row[6] for row in unix if row[4] == SEQPACKET}
        ours = sorted(number for number, inode in inodes.items() if inode in channels)
        listener = min(number for number, inode in inodes.items() if inode in listening)
        return {"listener": listener, **dict(zip(("control", "supply", "sign"), ours))}

    def serves(self):
        """A request through it is answered."""
        try:
            with TlsClient(address_of(self.config), client_context(self.pki.ca), timeout=5) as client:
                client.handshake().send(b"alive")
                return client.receive_exactly(5) == b"alive"
        except (OSError, AssertionError, EOFError):
            return False
