"""Private keys are in the keyholder and nowhere else."""

import os
import signal

import pytest

from support.apps import App, answer
from support.keyparts import found_in, secret_forms
from support.pki import NEW_KEY
from support.ports import free_port
from support.programs import curl, s_client
from support.sallyport import address_of
from support.scale import SANITIZED
from support.waiting import until

MARKER = {"PEM header": b"-----BEGIN PRIVATE KEY-----"}


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
            "SALLYPORT_CERT": pair.cert.read_text(),
            "SALLYPORT_KEY": pair.key.read_text(),
        })
        old = sallyport.keyholder().pid
        os.kill(old, signal.SIGKILL)
        until(lambda: sallyport.keyholder().pid != old, 5, "another keyholder")
        assert curl(("127.0.0.1", port), pki.ca).stdout == "used"
        check_memory(sallyport, pair.clear_key_pem(), came_by_environment=True)


def test_no_secret_is_ever_logged(start, pki):
    # Goal: logs are not secret. Method: debug level, a pair by environment, one connection; no line has key or PEM.
    pair, port = pki.pair("P-256"), free_port()
    with App(answer("used")) as app:
        sallyport = start(environment={
            "SALLYPORT_LISTEN": f"127.0.0.1:{port}",
            "SALLYPORT_TO": app.address.rsplit(":")[1],
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
