"""Private keys are in the keyholder and nowhere else."""

import base64
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from support.apps import App, answer
from support.keyparts import found_in, secret_forms
from support import said
from support.pki import NEW_KEY, PASSPHRASE, SERVICE_UID, give
from support.ports import free_port
from support.programs import curl, s_client
from support.sallyport import Sallyport, address_of, simple_config
from support.scale import SANITIZED
from support.waiting import until

MARKER = {"PEM header": b"-----BEGIN PRIVATE KEY-----"}


@contextlib.contextmanager
def piped(text):
    """The reading end of a pipe with this text and its end."""
    reading, writing = os.pipe()
    os.write(writing, text)
    os.close(writing)
    yield reading
    os.close(reading)


def place(directory, pair):
    """The pair as tls.crt and tls.key there."""
    directory.mkdir(exist_ok=True)
    for source, name in ((pair.cert, "tls.crt"), (pair.key, "tls.key")):
        shutil.copy(source, directory / name)
        give(directory / name)
    os.chown(directory, SERVICE_UID, SERVICE_UID)
    return {"cert": str(directory / "tls.crt"), "key": str(directory / "tls.key")}


def use_both_versions(address, ca):
    for version in ("-tls1_2", "-tls1_3"):
        assert "used" in s_client(address, ca, version).stdout


def check_memory(sallyport, pem, came_by_environment=False):
    forms = secret_forms(pem)
    everything = {**forms.text, **forms.live, **MARKER}
    assert found_in(sallyport.worker(), everything) == set()
    # A sanitizer's runtime keeps a copy of the environment of its own.
    if not (SANITIZED and came_by_environment):
        assert found_in(sallyport.gatekeeper(), everything) == set()
    keyholder = sallyport.keyholder()
    assert found_in(keyholder, forms.live), "the search does not find what must be there"
    assert found_in(keyholder, {**forms.text, **MARKER}) == set()


@pytest.mark.parametrize("key_type", NEW_KEY)
@pytest.mark.parametrize("encrypted", [False, True], ids=["clear", "encrypted"])
def test_a_key_from_a_file_is_in_the_keyholder_s_memory_alone(serve, pki, key_type, encrypted):
    # Goal: the worker never has the key, the keyholder no PEM after loading. Method: after handshakes of both versions,
    # all readable memory is searched for PEM, DER and the secret numbers in both byte orders; the same search finds
    # the numbers in the keyholder, so it works.
    pair = pki.pair(key_type, encrypted=encrypted)
    with App(answer("used")) as app:
        sallyport = serve(app, pair=pair)
        use_both_versions(address_of(sallyport.config), pki.ca)
        check_memory(sallyport, pair.clear_key_pem())


@pytest.mark.parametrize("key_type", NEW_KEY)
def test_a_key_from_the_environment_is_in_the_keyholder_s_memory_alone(start, pki, key_type):
    # Goal: the same for PEM that ECS injects; and the environment block of all three is wiped of it. Method: as above,
    # and /proc/PID/environ.
    pair, port = pki.pair(key_type), free_port()
    with App(answer("used")) as app:
        sallyport = start(environment={
            "SALLYPORT_LISTEN": f"127.0.0.1:{port}",
            "SALLYPORT_TO": app.address.rsplit(":")[1],
            "SALLYPORT_MODE": "tcp",
            "SALLYPORT_CERT": pair.cert.read_text(),
            "SALLYPORT_KEY": pair.key.read_text(),
            "UNRELATED": "stays",
        })
        use_both_versions(("127.0.0.1", port), pki.ca)
        for name, process in sallyport.family().items():
            environment = process.environment()
            assert b"PRIVATE KEY" not in environment and b"BEGIN" not in environment, name
            assert pair.key.read_bytes().splitlines()[1] not in environment, name
        assert b"UNRELATED=stays" in sallyport.gatekeeper().environment()
        check_memory(sallyport, pair.clear_key_pem(), came_by_environment=True)


def test_a_key_from_the_environment_survives_a_new_keyholder(start, pki):
    # Goal: the memory file serves the next keyholder too. Method: kill it, then a full handshake.
    pair, port = pki.pair("P-256"), free_port()
    with App(answer("used")) as app:
        sallyport = start(environment={
            "SALLYPORT_LISTEN": f"127.0.0.1:{port}",
            "SALLYPORT_TO": app.address.rsplit(":")[1],
            "SALLYPORT_MODE": "tcp",
            "SALLYPORT_CERT": pair.cert.read_text(),
            "SALLYPORT_KEY": pair.key.read_text(),
        })
        old = sallyport.keyholder().pid
        os.kill(old, signal.SIGKILL)
        until(lambda: sallyport.keyholder().pid != old, 5, "another keyholder")
        assert curl(("127.0.0.1", port), pki.ca).stdout == "used"
        check_memory(sallyport, pair.clear_key_pem(), came_by_environment=True)


def by_variables(pair):
    """The places of an encrypted pair's texts, and the environment that holds them."""
    return ({"cert": "env:TLS_CERT", "key": "env:TLS_KEY", "passphrase": "env:TLS_PASS"},
            {"TLS_CERT": pair.cert.read_text(), "TLS_KEY": base64.b64encode(pair.key.read_bytes()).decode(),
             "TLS_PASS": PASSPHRASE})


def test_variables_that_the_configuration_names_are_taken_and_wiped(start, pki):
    # Goal: `env:NAME` for certificate, key and passphrase, under any name. Method: all three by environment, the key as
    # base64; handshakes, also with a second keyholder; no environment and no memory but the keyholder's has them.
    pair = pki.pair("P-256", encrypted=True)
    places, environment = by_variables(pair)
    with App(answer("used")) as app:
        config = simple_config(pair, app.address)
        config["listeners"][0]["tls"]["certificates"] = [places]
        sallyport = start(config, environment={**environment, "UNRELATED": "stays"})
        use_both_versions(address_of(config), pki.ca)
        for name, process in sallyport.family().items():
            block = process.environment()
            assert not any(word in block for word in (b"TLS_", b"BEGIN", PASSPHRASE.encode(), b"LS0t")), name
        assert b"UNRELATED=stays" in sallyport.gatekeeper().environment()
        if not SANITIZED:  # a runtime of theirs keeps a copy of the environment
            assert found_in(sallyport.gatekeeper(), {"passphrase": PASSPHRASE.encode()}) == set()
        check_memory(sallyport, pair.clear_key_pem(), came_by_environment=True)
        old = sallyport.keyholder().pid
        os.kill(old, signal.SIGKILL)
        until(lambda: sallyport.keyholder().pid != old, 5, "another keyholder")
        assert curl(address_of(config), pki.ca).stdout == "used"
        assert sallyport.log.matching(event="certificate loaded")[0]["certificate"] == "env:TLS_CERT"


def test_texts_that_are_passed_by_descriptor_are_read_once(start, pki):
    # Goal: `fd:N`, a pipe or a file, for all three texts; kept for a second keyholder. Method: pipes that end, a file.
    pair = pki.pair("P-256", encrypted=True)
    with App(answer("used")) as app, open(pair.cert, "rb") as cert, piped(pair.key.read_bytes()) as key, \
            piped(PASSPHRASE.encode() + b"\n") as passphrase:
        config = simple_config(pair, app.address)
        config["listeners"][0]["tls"]["certificates"] = [
            {"cert": f"fd:{cert.fileno()}", "key": f"fd:{key}", "passphrase": f"fd:{passphrase}"}]
        sallyport = start(config, pass_fds=[cert.fileno(), key, passphrase])
        use_both_versions(address_of(config), pki.ca)
        held = sallyport.gatekeeper().descriptors().values()
        assert str(pair.cert) not in held and not any(what.startswith("pipe:") and str(os.stat(key).st_ino) in what
                                                      for what in held)
        check_memory(sallyport, pair.clear_key_pem())
        old = sallyport.keyholder().pid
        os.kill(old, signal.SIGKILL)
        until(lambda: sallyport.keyholder().pid != old, 5, "another keyholder")
        assert curl(address_of(config), pki.ca).stdout == "used"


def docker(directory, pair):
    """/run/secrets: plain files of mode 0400 or 0444."""
    return place(directory, pair)


def systemd(directory, pair):
    """LoadCredential=: a directory that only the service's user may enter, named by $CREDENTIALS_DIRECTORY."""
    place(directory, pair)
    directory.chmod(0o500)
    return {"cert": "${CREDENTIALS_DIRECTORY}/tls.crt", "key": "${CREDENTIALS_DIRECTORY}/tls.key"}


def kubernetes(directory, pair):
    """A secret's volume: names that lead through ..data into a directory with a date."""
    place(directory / "..2026_11_22_07_00_00.1", pair)
    (directory / "..data").symlink_to("..2026_11_22_07_00_00.1")
    for name in ("tls.crt", "tls.key"):
        (directory / name).symlink_to(f"..data/{name}")
    return {"cert": str(directory / "tls.crt"), "key": str(directory / "tls.key")}


def vault_agent(directory, pair):
    """One file with both, replaced by rename."""
    both = directory / "new"
    both.write_bytes(pair.cert.read_bytes() + pair.key.read_bytes())
    give(both)
    both.rename(directory / "tls.pem")
    return {"cert": str(directory / "tls.pem")}


@pytest.mark.parametrize("way", [docker, systemd, kubernetes, vault_agent])
def test_the_directories_of_the_platforms_are_read(start, pki, way):
    # Goal: what each platform puts where, without a word of configuration more. Method: its layout; a request; the key
    # is not open to others, so nothing is warned of.
    pair = pki.pair("P-256")
    directory = Path(tempfile.mkdtemp(prefix="sallyport-secrets-"))
    os.chown(directory, SERVICE_UID, SERVICE_UID)
    try:
        places = way(directory, pair)
        with App(answer("used")) as app:
            config = simple_config(pair, app.address)
            config["listeners"][0]["tls"]["certificates"] = [places]
            sallyport = start(config, environment={"CREDENTIALS_DIRECTORY": str(directory)})
            assert curl(address_of(config), pki.ca).stdout == "used"
            sallyport.stop()
            assert not sallyport.log.matching(event="secret open to others")
    finally:
        shutil.rmtree(directory)


@pytest.mark.parametrize(("mode", "owner", "who"), [
    (0o444, (SERVICE_UID, SERVICE_UID), "everybody"), (0o440, (SERVICE_UID, 0), "its group"),
    (0o440, (0, SERVICE_UID), None), (0o400, (SERVICE_UID, SERVICE_UID), None)])
def test_a_key_that_others_may_read_is_warned_of(start, pki, installation, mode, owner, who):
    # Goal: a loose mode is seen, the group that lets us read is none. Method: mode and owner of a key; the warning in
    # the log, and in what `check` says.
    pair = pki.new_pair()
    os.chown(pair.key, *owner)
    pair.key.chmod(mode)
    with App(answer("used")) as app:
        config = simple_config(pair, app.address)
        sallyport = start(config)
        checked = subprocess.run([installation.sallyport, "check", "--config", sallyport.config_file], text=True,
                                 capture_output=True, env={"PATH": os.environ["PATH"]}, timeout=20)
        sallyport.stop()
    warned = sallyport.log.matching(event="secret open to others", level="warn")
    expected = f"{pair.key} may be read by {who} (mode {mode:04o} "
    assert [line["file"].startswith(expected) for line in warned] == ([True] if who else [])
    assert checked.returncode == 0 and (f"warning: {expected}" in checked.stdout) == bool(who)


@pytest.mark.parametrize(("places", "expected"), [
    ({"cert": "env:NOT_THERE"}, "env:NOT_THERE: the variable is not set"),
    ({"cert": "env:EMPTY"}, "env:EMPTY: the variable is not set, or empty"),
    ({"cert": "fd:97"}, "fd:97: is not open; whoever starts sallyport has to pass it"),
    ({"cert": "fd:3"}, "fd:3: is not open"),  # a number that the gatekeeper may itself have given meanwhile
    ({"cert": "env:TEXT"}, "env:TEXT: it holds no certificate"),
    ({"cert": "/nothing", "passphrase": PASSPHRASE}, "passphrase (not shown) says not where"),
])
def test_a_secret_that_is_not_there_is_named_and_none_is_shown(installation, pki, places, expected):
    # Goal: what, where, and how to mend it; without the text. Method: each mistake; exit 78.
    config = simple_config(pki.pair(), "127.0.0.1:7766")
    config["listeners"][0]["tls"]["certificates"] = [places]
    errors = Sallyport(installation, config, environment={"EMPTY": "", "TEXT": "not PEM, secret"}).wait_for_exit(78)
    assert expected in errors and "not PEM, secret" not in errors


def test_the_search_through_all_that_was_said_finds_a_secret(pki):
    # Goal: the check at the end of the session (conftest.py) can fail. Method: each secret in a line of its own.
    pki.pair("P-256", encrypted=True)
    secrets = said.secrets_of(pki)
    assert len(secrets) > 4
    assert said.told(secrets, ["a line", "another one"]) == set()
    for name, secret in secrets.items():
        assert name in said.told(secrets, ["a line", f"before{secret}after"])


def test_no_secret_is_ever_logged(start, pki):
    # Goal: logs are not secret. Method: debug level, a pair by environment, one connection; no line has key or PEM.
    pair, port = pki.pair("P-256"), free_port()
    with App(answer("used")) as app:
        sallyport = start(environment={
            "SALLYPORT_LISTEN": f"127.0.0.1:{port}",
            "SALLYPORT_TO": app.address.rsplit(":")[1],
            "SALLYPORT_MODE": "tcp",
            "SALLYPORT_CERT": pair.cert.read_text(),
            "SALLYPORT_KEY": pair.key.read_text(),
            "SALLYPORT_LOG_LEVEL": "debug",
        })
        use_both_versions(("127.0.0.1", port), pki.ca)
        sallyport.stop()
        said = sallyport.everything().encode()
        forms = secret_forms(pair.clear_key_pem())
        assert not any(value in said for value in forms.text.values()) and b"PRIVATE KEY" not in said
        assert not any(value.hex().encode() in said.lower() for value in forms.live.values())


def test_with_keys_in_worker_the_search_finds_them_there(serve, pki):
    # Goal: the choice does what it says, and the search can see a key in a worker. Method: the same search.
    pair = pki.pair("P-256")
    with App(answer("used")) as app:
        sallyport = serve(app, pair=pair, keys="in_worker")
        use_both_versions(address_of(sallyport.config), pki.ca)
        assert found_in(sallyport.worker(), secret_forms(pair.clear_key_pem()).live)
