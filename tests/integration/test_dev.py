"""`sallyport dev`: HTTPS on a developer's machine, by an authority that its programs and browsers can trust."""

import json
import os
import re
import shutil
import tempfile
from pathlib import Path

import httpx
import pytest

from support.apps import App
from support.browser import chromium
from support.keyparts import found_in, secret_forms
from support.pki import SERVICE_UID
from support.ports import free_port
from support.programs import curl, run
from support.real_app import RealApp
from support.sallyport import UNPRIVILEGED, Sallyport
from support.scale import scaled
from support.tls_client import TlsClient, client_context
from support.waiting import until

# Two that start at the same moment may choose the same port.
pytestmark = pytest.mark.xdist_group("dev")
UNTRUSTED = {"reason": "handshaking: client alert: certificate unknown"}
HTTP = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"


@pytest.fixture
def home():
    """A developer's home, of Sallyport's own user, who is nobody special."""
    made = Path(tempfile.mkdtemp(prefix="sallyport-home-"))
    os.chown(made, SERVICE_UID, SERVICE_UID)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def dev(start, home):
    """dev(*words): `sallyport dev` of that developer, once it serves; with `.port` and `.authority`."""

    def start_one(*words, wrapper=UNPRIVILEGED, **environment):
        sallyport = start(arguments=["dev", "--log-format", "json", *words], wrapper=wrapper,
                          environment={"HOME": str(home), **environment})
        greeting = until(lambda: re.search(r"https://[^:\s]+:?(\d*) -> ", sallyport.errors.text()), what="the greeting")
        sallyport.port = int(greeting.group(1) or 443)
        sallyport.authority = home / ".local/share/sallyport/dev-ca.pem"
        return sallyport

    return start_one


def saying(text):
    """An app that answers every request with this text."""

    def serve(connection):
        connection.recv(65536)
        connection.sendall(HTTP % (len(text), text))

    return App(serve)


def port_of(app):
    return app.address.rsplit(":")[1]


def get(dev, name, *options):
    done = curl(("127.0.0.1", dev.port), dev.authority, *options, name=name)
    assert done.returncode == 0, done.stderr
    return done.stdout


def leaf(dev, name):
    with TlsClient(("127.0.0.1", dev.port), client_context(dev.authority, resume=False), name) as client:
        client.handshake()
        return client.tls.getpeercert()


def test_each_name_has_its_certificate_and_its_app(dev, home):
    # Goal: several names to several ports, over HTTP/2 too, on loopback alone. Method: three names, two apps; each
    # certificate is issued for its name by the authority in the developer's home, which others cannot read.
    with saying(b"web") as web, saying(b"api") as api:
        running = dev("--to", port_of(web), "--to", f"api.localhost={port_of(api)}", "--name", "app.localhost")
        for name, expected in (("localhost", "web"), ("app.localhost", "web"), ("api.localhost", "api")):
            assert get(running, name) == expected
            assert get(running, name, "--http2", "-o", "/dev/null", "-w", "%{http_version}") == "2"
            assert ("DNS", name) in leaf(running, name)["subjectAltName"]
            assert f"https://{name}:{running.port} -> " in running.errors.text()
        assert len({leaf(running, name)["serialNumber"] for name in ("localhost", "app.localhost", "api.localhost")}) == 3
        assert get(running, "127.0.0.1") == "web"
        listening = run("ss", "-Htln", f"sport = :{running.port}").stdout
        assert set(re.findall(r"(\S+):\d+\s+\S+:\*", listening)) <= {"127.0.0.1", "[::1]"}
    directory = home / ".local/share/sallyport"
    assert directory.stat().st_mode & 0o777 == 0o700
    assert (directory / "dev-ca.key").stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in directory.iterdir()) == ["dev-ca.key", "dev-ca.pem"]


def test_the_authority_is_kept_and_its_key_is_in_the_keyholder_alone(dev, home):
    # Goal: who trusts it once trusts the next run; the gatekeeper never has the key. Method: two runs, the same
    # authority, other leaves; all memory of the three processes is searched.
    with saying(b"web") as web:
        first = dev("--to", port_of(web))
        authority, serial = first.authority.read_bytes(), leaf(first, "localhost")["serialNumber"]
        forms = secret_forms((home / ".local/share/sallyport/dev-ca.key").read_text())
        for process in (first.gatekeeper(), first.worker()):
            assert found_in(process, {**forms.text, **forms.live}) == set()
        first.stop()
        second = dev("--to", port_of(web))
        assert second.authority.read_bytes() == authority and leaf(second, "localhost")["serialNumber"] != serial


def test_root_s_authority_serves_though_nobody_of_us_may_read_it(dev, home):
    # Goal: started as root, for port 443, it leaves root all the same. Method: a home of root's; who serves is another.
    os.chown(home, 0, 0)
    home.chmod(0o700)
    with saying(b"web") as web:
        running = dev("--to", port_of(web), wrapper=())
        assert {process.status()["Uid"].split()[0] for process in running.family().values()} == {str(SERVICE_UID)}
        assert leaf(running, "localhost")


def test_a_browser_opens_it_without_a_warning_once_it_is_trusted(dev, home, installation):
    # Goal: the green lock, HTTP/2 and WebSocket included. Method: Chromium with the developer's home, without an
    # exception for our certificate, before and after --trust, and after --untrust.
    def trust(flag):
        return run(*UNPRIVILEGED, "env", "-i", f"HOME={home}", installation.sallyport, "dev", flag)

    with RealApp("browser") as app:
        running = dev("--to", app.address)
        url = f"https://localhost:{running.port}"
        refusals = 0

        def refuses():
            nonlocal refusals
            with chromium(url, home=home):
                refusals += 1
                return running.log.wait_for(event="connection ended", count=refusals, seconds=scaled(40, 100),
                                            **UNTRUSTED)

        assert refuses()
        trusted = trust("--trust")
        assert f"trusted in {home}/.pki/nssdb" in trusted.stderr
        # The system's store is root's, and that is said.
        assert trusted.returncode == 1 and "the system's store needs root: sudo cp" in trusted.stderr
        with chromium(url, home=home):
            report = until(lambda: json.loads(httpx.get(f"http://{app.address}/reported", trust_env=False).text),
                           scaled(40, 100), "the page has reported", every=0.2)
        assert report["page"] == "h2" and report["images"] == 200
        assert report["socket"] == {"heard": ["one", "two", "three"], "code": 4000, "clean": True}
        assert trust("--trust").returncode == 1  # again, with the one that is there
        untrusted = trust("--untrust")
        assert f"removed from {home}/.pki/nssdb" in untrusted.stderr and untrusted.returncode == 0
        assert refuses()


IN_A_NAMESPACE = """
set -e
cp -a /etc/ssl/certs "$1/certs"; cp -a /usr/local/share/ca-certificates "$1/local"
mount --bind "$1/certs" /etc/ssl/certs; mount --bind "$1/local" /usr/local/share/ca-certificates
ca=$HOME/.local/share/sallyport/dev-ca.pem
trusts() { openssl verify -CApath /etc/ssl/certs -CAfile /etc/ssl/certs/ca-certificates.crt "$ca" >/dev/null 2>&1 && echo yes || echo no; }
"$2" dev --trust; trusts
"$2" dev --untrust; trusts
"$2" dev --untrust; ls /usr/local/share/ca-certificates
"""


def test_root_s_trust_is_the_system_s(installation, home):
    # Goal: the system's store and back. Method: a mount namespace of the test's own, with copies of the store's
    # directories; openssl asks the store.
    os.chown(home, 0, 0)
    store = home / "store"
    store.mkdir()
    before = sorted(os.listdir("/usr/local/share/ca-certificates"))
    done = run("unshare", "-m", "--propagation", "private", "env", "-i", f"HOME={home}", "PATH=/usr/sbin:/usr/bin:/bin", "bash",
               "-c", IN_A_NAMESPACE, "-", store, installation.sallyport, timeout=50)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["yes", "no", *before], done.stderr
    assert "trusted by the system" in done.stderr and "removed from the system's store" in done.stderr
    assert "nothing to do" in done.stderr
    assert sorted(os.listdir("/usr/local/share/ca-certificates")) == before


def refused(installation, home, *words, code=64, user=UNPRIVILEGED):
    sallyport = Sallyport(installation, arguments=["dev", *words], environment={"HOME": str(home)}, wrapper=user)
    return sallyport.wait_for_exit(code)


@pytest.mark.parametrize(("words", "expected"), [
    ((), "'sallyport dev' needs to know where the app is: --to 7766"),
    (("--to", "7766", "--to", "7767"), "two apps for the same names: write --to NAME=7767 for one of them"),
    (("--to", "a.localhost=1", "--to", "A.localhost=2"), "two apps for a.localhost"),
    (("--to", "=7766"), "--to '=7766' is neither an app, such as 7766, nor a name with its app"),
    (("--to", "a.localhost=7766", "--name", "b.localhost"), "--name is for the app of a --to without a name"),
    (("--to", "7766", "--cert", "x.pem"), "--cert contradicts 'sallyport dev'"),
    (("--to", "7766", "--untrust"), "--untrust stands alone"),
])
def test_what_makes_no_sense_is_told(installation, home, words, expected):
    # Goal: usage errors say how it is meant. Method: each; exit code 64.
    assert expected in refused(installation, home, *words)


@pytest.mark.parametrize(("words", "expected"), [
    (("--to", "nonsense"), "--to"), (("--to", "7766", "--name", "no name"), '"no name" is neither a DNS name nor an IP address')])
def test_what_cannot_be_served_is_told(installation, home, words, expected):
    # Goal: the same words as `run` has, and the keyholder's. Method: a bad address, a bad name; exit code 78.
    assert expected in refused(installation, home, *words, code=78)


def test_an_authority_that_others_could_read_is_refused(dev, installation, home):
    # Goal: a key that others may have is none. Method: loosen each permission; put the key away.
    with saying(b"web") as web:
        dev("--to", port_of(web)).stop()
        directory = home / ".local/share/sallyport"
        for path, mode in ((directory, 0o700), (directory / "dev-ca.key", 0o600)):
            path.chmod(mode | 0o040)
            assert f"{path}: is open to others: chmod 0{mode:o} {path}" in refused(
                installation, home, "--to", port_of(web), code=77)
            path.chmod(mode)
        os.chown(directory / "dev-ca.key", 0, 0)
        assert "Permission denied" in refused(installation, home, "--to", port_of(web), code=77)
        (directory / "dev-ca.key").unlink()
        assert "is there without its key" in refused(installation, home, "--to", port_of(web), code=78)


def test_without_a_home_there_is_no_authority(installation):
    # Goal: no guess. Method: neither HOME nor XDG_DATA_HOME.
    said = Sallyport(installation, arguments=["dev", "--to", "7766"], wrapper=UNPRIVILEGED).wait_for_exit(78)
    assert "set HOME or XDG_DATA_HOME" in said


def test_it_starts_the_app_too(dev, home):
    # Goal: one command. Method: `-- command`, an app that listens; XDG_DATA_HOME names the place.
    port = free_port()
    data = home / "data"
    sallyport = dev("--to", str(port), "--", "python3", "-m", "http.server", str(port), "--bind", "127.0.0.1", "-d", "/usr/share",
                    XDG_DATA_HOME=str(data))
    sallyport.authority = data / "sallyport/dev-ca.pem"
    assert "Directory listing" in get(sallyport, "localhost")
    sallyport.stop(143)  # the app's, which leaves SIGTERM alone
