"""Sessions resume by ticket, also after a worker or the keyholder was replaced."""

import os
import select
import signal

import pytest

from support.apps import App, answer, echo
from support.programs import s_client
from support.sallyport import address_of, simple_config
from support.tls_client import TlsClient, client_context
from support.waiting import until

VERSIONS = ["-tls1_2", "-tls1_3"]


class Session:
    """openssl s_client with one session file."""

    def __init__(self, sallyport, pki, tmp_path, version):
        self._address, self._ca = address_of(sallyport.config), pki.ca
        self._file, self._version = tmp_path / "session.pem", version

    def begin(self):
        done = s_client(self._address, self._ca, self._version, "-sess_out", self._file)
        assert "New, TLS" in done.stdout and "answered" in done.stdout, done.stdout + done.stderr

    def resumes(self):
        done = s_client(self._address, self._ca, self._version, "-sess_in", self._file)
        assert "answered" in done.stdout, done.stdout + done.stderr
        return "Reused, TLS" in done.stdout


@pytest.mark.parametrize("version", VERSIONS)
def test_a_session_resumes(serve, pki, tmp_path, version):
    # Goal: a second handshake is abbreviated, and the log says so. Method: s_client saves and offers its session.
    with App(answer("answered")) as app:
        sallyport = serve(app)
        session = Session(sallyport, pki, tmp_path, version)
        session.begin()
        assert session.resumes()
        assert [line["resumed"] for line in sallyport.connections(2)] == [False, True]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("victim", ["worker", "keyholder"])
def test_a_session_resumes_after_a_process_was_replaced(serve, pki, tmp_path, version, victim):
    # Goal: ticket keys outlive the process that uses or makes them. Method: kill it, wait for the next one, resume.
    with App(answer("answered")) as app:
        sallyport = serve(app)
        session = Session(sallyport, pki, tmp_path, version)
        session.begin()
        killed = sallyport.child(victim).pid
        os.kill(killed, signal.SIGKILL)
        until(lambda: sallyport.child(victim).pid != killed, what=f"another {victim}")
        assert session.resumes()


def test_a_session_resumes_at_another_shard(serve, pki, tmp_path):
    # Goal: all shards share the ticket keys. Method: two shards; twelve connections with one session all resume.
    with App(answer("answered")) as app:
        sallyport = serve(app, shards=2)
        session = Session(sallyport, pki, tmp_path, "-tls1_3")
        session.begin()
        assert all(session.resumes() for _ in range(12))


def test_without_session_tickets_nothing_resumes(start, pki, tmp_path):
    # Goal: `session_tickets: false` holds. Method: the same two handshakes; the second one is full again.
    with App(answer("answered")) as app:
        config = simple_config(pki.pair(), app.address)
        config["listeners"][0]["tls"]["session_tickets"] = False
        sallyport = start(config)
        sallyport.config = config
        for version in VERSIONS:
            first = s_client(address_of(config), pki.ca, version, "-sess_out", tmp_path / "s.pem")
            assert "answered" in first.stdout and "TLS session ticket:" not in first.stdout


def test_a_ticket_leaves_with_the_first_answer_or_soon_alone(serve, pki):
    # Goal: a ticket waits for the first answer, but no client waits for it. Method: one has it with its answer; to one that
    # asks nothing it comes all the same.
    with App(echo) as app:
        address = address_of(serve(app).config)
        with TlsClient(address, client_context(pki.ca)) as asking, TlsClient(address, client_context(pki.ca)) as silent:
            asking.handshake().send(b"hello")
            assert asking.receive_exactly(5) == b"hello" and asking.tls.session.has_ticket
            silent.handshake()
            assert select.select([silent.socket], [], [], 10)[0]
