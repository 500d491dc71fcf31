"""An app that fails in one way, and a look at what Sallyport keeps of that."""

import time

from support.apps import App
from support.http_peers import OK, Incoming, Incomplete
from support.procfs import has_read_all
from support.waiting import until

# Deadlines that a test can wait for.
LIMITS = {"connect_timeout": "500ms", "idle_timeout": "1500ms",
          "http": {"header_timeout": "700ms", "body_timeout": "700ms", "min_body_rate": "1KiB",
                   "keep_alive_timeout": "2s", "response_timeout": "1s"}}
BAD_GET = b"GET /bad HTTP/1.1\r\nHost: a.example\r\n\r\n"


class FaultyApp(App):
    """Answers 200, but to /bad what `fault(connection, incoming)` makes of it, after the head."""

    def __init__(self, fault):
        self.fault, self.seen = fault, []
        super().__init__(self._serve_requests)

    def _serve_requests(self, connection):
        incoming = Incoming(connection)
        while True:
            try:
                head = incoming.head()
            except Incomplete:
                return None
            self.seen.append(head)
            if b" /bad " not in head:
                connection.sendall(OK)
                continue
            try:
                return self.fault(connection, incoming)
            except (Incomplete, OSError) as ended:
                return ended

    def ends_of_faults(self, count):
        """How the connections on which something failed ended, once they have."""
        found = []
        while len(found) < count:
            outcome = self.outcome(8)
            if outcome is not None:
                found.append(outcome)
        return found


def sends(*parts, then=None, pause=0.0):
    """An app that sends these parts, and goes; or resets, when they have been read: a reset takes away what was not."""

    def fault(connection, incoming):
        for part in parts:
            connection.sendall(part)
            time.sleep(pause)
        if then:
            until(lambda: has_read_all(connection), 5, "what was sent is read")
            then(connection)
        return "went"

    return fault


def waits_for_the_end(connection, incoming):
    """Says nothing."""
    connection.settimeout(8)
    return "told" if not connection.recv(1) else "data"


class Watched:
    """A site whose worker has the descriptors that it had when nothing had failed yet."""

    def __init__(self, site):
        self.site = site
        self.assert_serves()
        self._at_rest = self._count_at_rest()

    def assert_serves(self):
        with self.site.client() as client:
            assert client.get("/good").body == b"ok"

    def _count_at_rest(self):
        """Once the pool has let go of what is idle."""
        worker, counts = self.site.sallyport.worker(), []

        def quiet():
            counts.append(len(worker.descriptors()))
            return len(counts) > 30 and len(set(counts[-30:])) == 1

        until(quiet, 10, "no descriptor comes or goes", every=0.02)
        return counts[-1]

    def assert_nothing_is_left(self):
        self.assert_serves()
        worker = self.site.sallyport.worker()
        until(lambda: len(worker.descriptors()) <= self._at_rest, 8, "the descriptors are as before")
