"""`sallyport health`: finds the endpoint by the configuration, says one line, costs next to nothing."""

import os
import resource
import signal
import socket
import subprocess
import threading

import pytest

from support.admin import health, place_of
from support.apps import App, echo
from support.frozen_thread import frozen
from support.pki import SERVICE_UID
from support.ports import free_port
from support.reloading import reload, write
from support.sallyport import UNPRIVILEGED, Sallyport, address_of, simple_config
from support.scale import SANITIZED, scaled
from support.tls_client import TlsClient, client_context
from support.waiting import until


@pytest.fixture
def app():
    with App(echo) as running:
        yield running


def said(done):
    assert done.stderr == "" and done.stdout.count("\n") == 1, (done.stdout, done.stderr)
    return done.returncode, done.stdout.rstrip("\n")


def test_one_that_serves_is_healthy_and_ready(installation, serve, app):
    # Goal: the same file is enough, for root and for Sallyport's own user. Method: both questions, both users.
    sallyport = serve(app)
    for wrapper in ((), UNPRIVILEGED):
        assert said(health(installation, "--config", sallyport.config_file, wrapper=wrapper)) == (0, "healthy")
        assert said(health(installation, "--ready", "--config", sallyport.config_file, wrapper=wrapper)) == (0, "ready")


def test_flags_and_variables_find_it_too(installation, pki, app):
    # Goal: containers without a file. Method: everything by environment, as ECS does; health sees the same variables.
    pair, port = pki.pair(), free_port()
    environment = {"SALLYPORT_LISTEN": f"127.0.0.1:{port}", "SALLYPORT_TO": app.address,
                   "SALLYPORT_CERT": pair.cert.read_text(), "SALLYPORT_KEY": pair.key.read_text()}
    with Sallyport(installation, environment=environment) as sallyport:
        sallyport.wait_until_ready()
        assert said(health(installation, environment=environment)) == (0, "healthy")
        assert said(health(installation, "--listen", f"127.0.0.1:{port}")) == (0, "healthy")
        assert health(installation, "--listen", f"127.0.0.1:{free_port()}").returncode == 1


def test_a_file_that_an_edit_has_broken_makes_nobody_ill(installation, serve, app):
    # Goal: what the next reload will refuse is no reason to kill what runs. Method: an unknown key, and a variable
    # that is not there; with --admin not even YAML is asked for.
    sallyport = serve(app)
    good = sallyport.config_file.read_text()
    sallyport.config_file.write_text(good + "lisen: 1\nlog: {level: '${NOWHERE}'}\n")
    assert said(health(installation, "--config", sallyport.config_file)) == (0, "healthy")
    sallyport.config_file.write_text("[")
    assert said(health(installation, "--config", sallyport.config_file, "--admin", place_of(sallyport))) == (0, "healthy")


@pytest.fixture
def apart(start, pki, app):
    """apart(): a Sallyport in a network namespace of its own, with the words that lead there as `.inside`, and one more
    listener in its file than it has read."""

    def start_apart():
        config = simple_config(pki.pair(), app.address)
        sallyport = start(config, wrapper=["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"])
        sallyport.inside = ("nsenter", f"--net=/proc/{sallyport.gatekeeper().pid}/ns/net")
        edit(sallyport, config)
        return sallyport

    return start_apart


def edit(sallyport, config):
    config["listeners"].append({**config["listeners"][0], "bind": f"127.0.0.1:{free_port()}"})
    write(sallyport, config)


def test_a_file_that_was_edited_and_not_reloaded_makes_nobody_ill(installation, apart):
    # Goal: Kubernetes changes a mounted file whenever it likes, and a probe must not kill what serves. Method: a listener
    # more in the file, and then no YAML at all; the one that runs is found, and it is said that it was not by the file.
    # Who names listeners himself means these.
    sallyport = apart()
    for _ in ("a listener more", "no YAML"):
        for ready, word in ((), "healthy"), (("--ready",), "ready"):
            code, line = said(health(installation, "--config", sallyport.config_file, *ready, wrapper=sallyport.inside))
            assert code == 0 and line.startswith(f"{word} (says the only one that runs here, {place_of(sallyport)}")
        sallyport.config_file.write_text("[")
    code, line = said(health(installation, "--listen", "127.0.0.1:1", wrapper=sallyport.inside))
    assert code == 1 and line.startswith("unhealthy: nobody answers at unix:@sallyport-")


def test_of_several_one_has_to_be_named(installation, apart, start, pki, app):
    # Goal: no guess. Method: a second Sallyport beside the first; both names are said, and each can be asked for.
    sallyport = apart()
    other = start(simple_config(pki.pair(), app.address), wrapper=sallyport.inside)
    code, line = said(health(installation, "--config", sallyport.config_file, wrapper=sallyport.inside))
    assert code == 1 and "--admin" in line and place_of(sallyport) in line and place_of(other) in line
    for one in (sallyport, other):
        assert said(health(installation, "--admin", place_of(one), wrapper=sallyport.inside)) == (0, "healthy")


def test_a_neighbour_is_not_taken_for_ours(installation, apart):
    # Goal: a container's probe asks its own Sallyport. Method: from another process namespace, as a container of the same
    # pod has one; and beside a name of our form that another user holds.
    sallyport = apart()
    elsewhere = (*sallyport.inside, "unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
    code, line = said(health(installation, "--config", sallyport.config_file, wrapper=elsewhere))
    assert code == 1 and "nobody answers" in line
    program = ("import socket, os; s = socket.socket(socket.AF_UNIX); os.setuid(12345);"
               "s.bind(chr(0) + 'sallyport-0123456789abcdef'); s.listen(); print(1, flush=True); input()")
    with subprocess.Popen([*sallyport.inside, "/usr/bin/python3", "-I", "-c", program], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as liar:
        liar.stdout.readline()
        code, line = said(health(installation, "--config", sallyport.config_file, wrapper=sallyport.inside))
        liar.communicate(b"\n")
    assert code == 0 and place_of(sallyport) in line


def test_nobody_there(installation):
    code, line = said(health(installation, "--listen", f"127.0.0.1:{free_port()}"))
    assert code == 1 and line.startswith("unhealthy: nobody answers at unix:@sallyport-")


def test_no_endpoint(installation):
    assert said(health(installation, "--admin", "none")) == (1, "unhealthy: admin.bind is none, so nobody can be asked")


def test_a_hung_shard_and_a_drain(installation, serve, app):
    sallyport = serve(app)
    with frozen(sallyport.worker().thread("shard 0")):
        assert said(health(installation, "--config", sallyport.config_file)) == (
            1, "unhealthy: no answer from shard 0")


def test_not_ready_has_its_reason(installation, start, pki):
    sallyport = start(simple_config(pki.pair(), f"127.0.0.1:{free_port()}", startup={"wait_for_upstream": "1h"}))
    assert said(health(installation, "--ready", "--config", sallyport.config_file)) == (
        1, "not ready: waiting for upstream app")
    assert said(health(installation, "--config", sallyport.config_file)) == (0, "healthy")


def test_who_has_met_the_apps_once_does_not_wait_for_them_again(installation, start, pki):
    # Goal: a reload is no start. Method: the app accepts, then goes for good; a new configuration serves at once, and is
    # ready. Before it was ever met, a new one lets clients in, but is not ready.
    port = free_port()
    config = simple_config(pki.pair(), f"127.0.0.1:{port}", startup={"wait_for_upstream": "1h"})
    sallyport = start(config)
    command = ("--ready", "--config", sallyport.config_file)
    with App(echo, port=port):
        until(lambda: said(health(installation, *command)) == (0, "ready"), 10)
    reload(sallyport, {**config, "limits": {"idle_timeout": "1m"}})
    assert said(health(installation, *command)) == (0, "ready")
    with TlsClient(address_of(config), client_context(pki.ca)) as client:
        client.handshake()  # it was let in: nobody waits
    os.kill(sallyport.worker().pid, signal.SIGKILL)
    sallyport.log.wait_for(event="serving", count=3)
    assert said(health(installation, *command)) == (0, "ready")


def test_who_was_let_in_by_one_configuration_is_by_the_next(installation, start, pki):
    config = simple_config(pki.pair(), f"127.0.0.1:{free_port()}", startup={"wait_for_upstream": "100ms"})
    sallyport = start(config)
    sallyport.log.wait_for(event="an app does not accept yet; clients are let in all the same")
    with TlsClient(address_of(config), client_context(pki.ca)) as client:
        client.handshake()  # it has been noted, too
    reload(sallyport, {**config, "startup": {"wait_for_upstream": "1h"}})
    with TlsClient(address_of(config), client_context(pki.ca)) as client:
        client.handshake()
    assert said(health(installation, "--ready", "--config", sallyport.config_file)) == (
        1, "not ready: waiting for upstream app")


def test_a_gatekeeper_that_has_no_worker_is_asked_in_vain(installation, serve, app):
    # Goal: an answer within the endpoint's time, whatever hangs. Method: the whole family stopped.
    sallyport = serve(app, admin={"timeout": "500ms"})
    worker = sallyport.worker()
    worker.suspend()
    code, line = said(health(installation, "--config", sallyport.config_file))
    os.kill(worker.pid, signal.SIGCONT)
    assert code == 1 and "timed out" in line


def test_a_liar_is_not_believed(installation):
    # Goal: anybody may bind an abstract name that is free. Method: another user does, and says 200.
    program = ("import socket, os; s = socket.socket(socket.AF_UNIX); os.setuid(12345); s.bind(chr(0) + 'sallyport-liar');"
               "s.listen(); print(1, flush=True); c = s.accept()[0]; c.recv(99);"
               "c.sendall(b'HTTP/1.1 200 OK\\r\\n\\r\\nhealthy\\n')")
    with subprocess.Popen(["/usr/bin/python3", "-I", "-c", program], stdout=subprocess.PIPE) as liar:
        liar.stdout.readline()
        code, line = said(health(installation, "--admin", "unix:@sallyport-liar"))
        liar.kill()
    assert code == 1 and "user 12345 answers" in line


def test_who_leaves_without_a_word_is_asked_again(installation):
    # Goal: a check in the moment of a reload is no bad check. Method: one that takes the connection and closes it, then
    # one that answers; and one that only ever closes, which is given up.
    with socket.socket(socket.AF_UNIX) as leaver:
        leaver.bind("\0sallyport-leaver")
        leaver.listen()
        leaver.settimeout(10)
        taken = []

        def serve(answers):
            for answer in answers:
                client = leaver.accept()[0]
                taken.append(client.recv(99))
                client.sendall(answer)
                client.close()

        for answers, code in (([b"", b"HTTP/1.1 200 OK\r\n\r\nhealthy\n"], 0), ([b""] * 5, 1)):
            taken.clear()
            serving = threading.Thread(target=serve, args=(answers,))
            serving.start()
            assert said(health(installation, "--admin", "unix:@sallyport-leaver"))[0] == code
            serving.join(15)
            assert len(taken) == len(answers)


@pytest.mark.parametrize("is_edited", [False, True])
def test_it_costs_at_most_ten_milliseconds(installation, serve, apart, app, is_edited):
    # Goal: a check every few seconds is nothing. Method: CPU time of our finished children, of ten checks; also of one
    # that has to look for whom to ask.
    sallyport = apart() if is_edited else serve(app)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for _ in range(10):
        assert health(installation, "--config", sallyport.config_file,
                      wrapper=sallyport.inside if is_edited else ()).returncode == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    each = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / 10
    assert each < scaled(0.010, 0.5), f"{each * 1000:.1f} ms"


@pytest.mark.skipif(SANITIZED, reason="LeakSanitizer cannot work under strace")
def test_it_opens_no_network_and_reads_no_resolver(installation, serve, app, tmp_path):
    # Goal: no DNS, no TLS, no child. Method: strace: one socket, of the Unix family; neither resolv.conf nor a key.
    sallyport = serve(app)
    trace = tmp_path / "trace"
    wrapper = ["strace", "-f", "-o", trace, "-e", "trace=%network,openat,clone,clone3,fork,vfork,execve"]
    assert health(installation, "--config", sallyport.config_file, wrapper=wrapper).returncode == 0
    text = trace.read_text()
    assert text.count("socket(") == 1 and "socket(AF_UNIX" in text
    assert "resolv.conf" not in text and "/etc/hosts" not in text and ".key" not in text
    assert "libssl" not in text and "libcrypto" not in text
    assert "clone" not in text and "vfork" not in text and text.count("execve(") == 1
