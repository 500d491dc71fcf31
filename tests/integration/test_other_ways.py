"""The other ways to a privileged port, as docker/README.md compares them: each is tried, with what it costs.

In each a program of an ordinary user listens on 443 by itself, in a network where that needs a privilege.
"""

import contextlib
import os
import shutil
import socket
import subprocess

import pytest

from support.installation import let_others_reach
from support.podman import Network
from support.procfs import CAP_NET_BIND_SERVICE
from support.sallyport import Log
from support.waiting import until

USER = ["setpriv", "--reuid=65533", "--regid=65533", "--clear-groups"]
NO_NEW_PRIVS, NO_CAPABILITY = ["--no-new-privs"], ["--bounding-set=-all"]
PYTHON = "/usr/bin/python3"
# What it says: "bound", or the error that it met.
BIND = """
import socket, sys
try:
    listener = socket.create_server(("0.0.0.0", int(sys.argv[1])))
    print("bound", flush=True)
except OSError as error:
    sys.exit(type(error).__name__)
"""
# An app that any of these ways leaves as it is: it listens where it is told, and says what its client asked.
APP = """
import socket, sys
listener = socket.create_server(("0.0.0.0", int(sys.argv[1])))
print("listening", flush=True)
connection, client = listener.accept()
connection.sendall(connection.recv(100))
"""


@pytest.fixture
def network():
    made = Network(1024)
    yield made
    made.close()


def tries(network, *before, interpreter=PYTHON, port=443):
    """What a program of user 65533 says that binds this port, started so."""
    command = [*before, str(interpreter), "-I", "-c", BIND, str(port)]
    done = network.call(lambda: subprocess.run(command, capture_output=True, text=True, timeout=20, cwd="/", env={
        "PATH": os.environ["PATH"]}))
    return (done.stdout + done.stderr).strip()


def test_without_any_of_them_443_is_refused_and_7766_is_not(network):
    # Goal: the ground on which the others stand. Method: the same program on both ports.
    assert tries(network, *USER) == "PermissionError"
    assert tries(network, *USER, port=7766) == "bound"


def test_the_sysctl_opens_the_port_to_every_program_of_the_network(network):
    # Goal: its price. Method: net.ipv4.ip_unprivileged_port_start=443: another user's program binds 443 and 700 too, and
    # 442 is still refused.
    other = ["setpriv", "--reuid=4711", "--regid=4711", "--clear-groups", *NO_CAPABILITY, *NO_NEW_PRIVS]
    opened = Network(443)
    try:
        assert tries(opened, *USER, *NO_CAPABILITY, *NO_NEW_PRIVS) == "bound"
        assert [tries(opened, *other, port=port) for port in (442, 443, 700)] == ["PermissionError", "bound", "bound"]
    finally:
        opened.close()


@pytest.fixture
def interpreter(tmp_path):
    """A copy of Python with cap_net_bind_service=ep, where user 65533 can execute it."""
    let_others_reach(tmp_path)
    copy = tmp_path / "python3"
    shutil.copy(os.path.realpath(PYTHON), copy)
    copy.chmod(0o755)
    subprocess.run(["setcap", "cap_net_bind_service=ep", copy], check=True, timeout=10)
    return copy


def test_setcap_on_the_interpreter_gives_the_power_to_every_script(network, interpreter):
    # Goal: its price, and where it fails. Method: it binds; any other script has the power too, and keeps it. Under
    # no_new_privs it is void behind a program that has no capability (setpriv has it still), such as a shell; without it
    # in the bounding set the interpreter cannot even be executed.
    assert tries(network, *USER, interpreter=interpreter) == "bound"
    held = subprocess.run([*USER, interpreter, "-I", "-c", "print(open('/proc/self/status').read())"], check=True,
                          capture_output=True, text=True, timeout=20).stdout
    assert f"CapEff:\t{CAP_NET_BIND_SERVICE:016x}" in held
    assert tries(network, *USER, *NO_NEW_PRIVS, interpreter=interpreter) == "bound"
    assert tries(network, *USER, *NO_NEW_PRIVS, "env", interpreter=interpreter) == "PermissionError"
    assert "Operation not permitted" in tries(network, *USER, *NO_CAPABILITY, interpreter=interpreter)


def test_authbind_needs_a_setuid_program_and_a_dynamic_linker(network):
    # Goal: what it rests on. Method: /etc/authbind/byport/443 for the user; it binds; its helper, root's, does not
    # under no_new_privs, nor where the capability is dropped for all; and what asks it is a library that is preloaded,
    # which a static executable does not load.
    permit = "mount -t tmpfs none /etc/authbind && mkdir /etc/authbind/byport && cd /etc/authbind/byport && " \
             "touch 443 && chown 65533 443 && chmod 500 443 && chmod 755 /etc/authbind && exec \"$@\""
    private = ["unshare", "--mount", "sh", "-c", permit, "sh"]
    assert tries(network, *private, *USER, "authbind", "--deep") == "bound"
    for least in (NO_NEW_PRIVS, NO_CAPABILITY):
        assert tries(network, *private, *USER, *least, "authbind", "--deep") == "PermissionError"
    preloaded = subprocess.run(["authbind", "--deep", "sh", "-c", "echo $LD_PRELOAD"], capture_output=True, text=True,
                               timeout=10, check=True).stdout
    assert "libauthbind" in preloaded
    helper = os.stat("/usr/lib/authbind/helper")
    assert helper.st_uid == 0 and helper.st_mode & 0o4000


@contextlib.contextmanager
def listening_app(network, port, before=(), code=APP):
    command = [*before, *USER, *NO_CAPABILITY, *NO_NEW_PRIVS, PYTHON, "-I", "-c", code, str(port)]
    app = network.call(lambda: subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd="/"))
    said = Log(app.stdout)
    try:
        yield said
    finally:
        app.kill()
        app.wait(10)
        said.join()


def echoed(address, text=b"in plain text"):
    with socket.create_connection(address, timeout=20) as client:  # uvicorn may have to start first
        client.sendall(text)
        return client.recv(100)


def test_a_redirect_by_iptables_brings_443_to_7766_for_those_outside_alone(network):
    # Goal: it works for an unprivileged app, needs NET_ADMIN once, brings no TLS, and leaves 7766 open. Method: a client
    # in another network namespace; the rule of docker/README.md; a client inside.
    outside = Network(0)
    ends = ["ip", "link", "add", "inner", "netns", network.name, "type", "veth", "peer", "name", "outer", "netns", outside.name]
    try:
        subprocess.run(ends, check=True)
        for place, end, address in ((network, "inner", "10.77.66.1/24"), (outside, "outer", "10.77.66.2/24")):
            subprocess.run(["ip", "-n", place.name, "address", "add", address, "dev", end], check=True)
            subprocess.run(["ip", "-n", place.name, "link", "set", end, "up"], check=True)
        rule = "iptables -t nat -A PREROUTING -p tcp --dport 443 -j REDIRECT --to-ports 7766".split()
        with pytest.raises(subprocess.CalledProcessError):
            network.call(lambda: subprocess.run([*USER, *rule], check=True, capture_output=True))
        network.call(lambda: subprocess.run(rule, check=True))
        for port in (443, 7766):
            with listening_app(network, 7766) as said:
                until(lambda: said.lines == ["listening"], 10, "the app listens")
                assert outside.call(lambda: echoed(("10.77.66.1", port))) == b"in plain text"
        with listening_app(network, 7766) as said, pytest.raises(ConnectionRefusedError):
            until(lambda: said.lines == ["listening"], 10, "the app listens")
            network.call(lambda: echoed(("127.0.0.1", 443)))
    finally:
        outside.close()


def test_socket_activation_needs_no_capability_and_an_app_that_takes_the_socket(network, tmp_path):
    # Goal: it works for uvicorn by --fd; TLS and its key are then the app's. Method: systemd-socket-activate.
    app = tmp_path / "app.py"
    app.write_text("async def app(scope, receive, send):\n"
                   "    if scope['type'] == 'http':\n"
                   "        await send({'type': 'http.response.start', 'status': 200, 'headers': []})\n"
                   "        await send({'type': 'http.response.body', 'body': scope['scheme'].encode()})\n")
    let_others_reach(tmp_path)
    command = ["systemd-socket-activate", "--listen=0.0.0.0:443", *USER, *NO_CAPABILITY, *NO_NEW_PRIVS, PYTHON, "-m", "uvicorn",
               "--app-dir", str(tmp_path), "--fd", "3", "app:app"]
    activated = network.call(lambda: subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/",
                                                      env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}))
    said = Log(activated.stderr)
    try:
        until(lambda: "Listening on" in said.text(), 10, "it listens")
        answered = network.call(lambda: echoed(("127.0.0.1", 443), b"GET / HTTP/1.0\r\n\r\n"))
        assert answered.startswith(b"HTTP/1.1 200")
    finally:
        activated.kill()
        activated.wait(10)
        said.join()
