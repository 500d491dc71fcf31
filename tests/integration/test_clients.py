"""Real clients, every key type, both TLS versions."""

import socket
import ssl

import pytest

from support.apps import App, answer
from support.pki import NEW_KEY
from support.programs import curl, gnutls_cli, s_client
from support.sallyport import address_of, simple_config
from support.tls_client import client_context

PRIORITY = {"1.2": "NORMAL:-VERS-ALL:+VERS-TLS1.2", "1.3": "NORMAL:-VERS-ALL:+VERS-TLS1.3"}


def by_curl(address, ca, version):
    done = curl(address, ca, f"--tlsv{version}", "--tls-max", version)
    return done.returncode, done.stdout, done.stderr


def by_s_client(address, ca, version):
    done = s_client(address, ca, "-tls1_" + version[-1])
    return done.returncode, done.stdout, done.stderr


def by_gnutls(address, ca, version):
    done = gnutls_cli(address, ca, f"--priority={PRIORITY[version]}")
    return done.returncode, done.stdout, done.stderr


def by_python(address, ca, version):
    context = client_context(ca, {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[version])
    with socket.create_connection(address, timeout=10) as raw:
        with context.wrap_socket(raw, server_hostname="localhost") as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return 0, b"".join(iter(lambda: connection.recv(4096), b"")).decode(), ""


CLIENTS = {"curl": by_curl, "s_client": by_s_client, "gnutls-cli": by_gnutls, "python": by_python}


@pytest.mark.parametrize("key_type", NEW_KEY)
def test_every_client_gets_its_answer_with_this_key(serve, pki, key_type):
    # Goal: each key type works with each client over TLS 1.2 and 1.3, the certificate verified. Method: an HTTP answer
    # through Sallyport for each of the eight; the log says which version it was and who asked.
    with App(answer("through the door")) as app:
        sallyport = serve(app, pair=pki.pair(key_type))
        count = 0
        for version in ("1.2", "1.3"):
            for name, ask in CLIENTS.items():
                code, output, errors = ask(address_of(sallyport.config), pki.ca, version)
                assert code == 0 and "through the door" in output, f"{name} TLS {version}: {code}\n{output}\n{errors}"
                count += 1
                line = sallyport.connections(count)[-1]
                assert (line["tls"], line["sni"]) == (f"TLSv{version}", "localhost"), name


@pytest.mark.parametrize("key_type", ["RSA", "P-256"])
def test_an_encrypted_key_with_its_passphrase_file_serves(serve, pki, key_type):
    # Goal: encrypted PEM. Method: a PKCS#8 key under AES-256 with its passphrase in a file; curl verifies.
    with App(answer("decrypted")) as app:
        sallyport = serve(app, pair=pki.pair(key_type, encrypted=True))
        assert curl(address_of(sallyport.config), pki.ca).stdout == "decrypted"


@pytest.mark.parametrize("key_type", NEW_KEY)
def test_a_key_handed_to_the_worker_serves(serve, pki, key_type):
    # Goal: `keys: in_worker` serves as well. Method: the same request, TLS 1.2 and 1.3, with the key in the worker.
    with App(answer("in the worker")) as app:
        sallyport = serve(app, pair=pki.pair(key_type), keys="in_worker")
        for version in ("1.2", "1.3"):
            assert by_curl(address_of(sallyport.config), pki.ca, version)[1] == "in the worker"


def test_tls_1_1_is_refused(serve, pki):
    # Goal: the intermediate profile starts at TLS 1.2. Method: s_client with TLS 1.1 and every cipher it has.
    with App(answer("never")) as app:
        sallyport = serve(app)
        done = s_client(address_of(sallyport.config), pki.ca, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
        assert done.returncode != 0 and "protocol version" in done.stderr
        assert sallyport.connections()[0]["stage"] == "handshake"


def test_the_modern_profile_speaks_tls_1_3_only(start, pki):
    # Goal: `profile: modern`. Method: curl with TLS 1.2 is refused, with TLS 1.3 served.
    with App(answer("modern")) as app:
        config = simple_config(pki.pair(), app.address)
        config["listeners"][0]["tls"]["profile"] = "modern"
        start(config)
        assert by_curl(address_of(config), pki.ca, "1.2")[0] == 35
        assert by_curl(address_of(config), pki.ca, "1.3")[1] == "modern"


def test_alpn_is_answered_from_the_configured_list(start, pki):
    # Goal: ALPN. Method: a client that offers two; ours wins by our order, and a stranger's protocol is refused.
    with App(answer("alpn")) as app:
        config = simple_config(pki.pair(), app.address)
        config["listeners"][0]["tls"]["alpn"] = ["h2", "http/1.1"]
        start(config)
        done = s_client(address_of(config), pki.ca, "-alpn", "http/1.1,h2")
        assert "ALPN protocol: h2" in done.stdout
        assert s_client(address_of(config), pki.ca, "-alpn", "spdy/3").returncode != 0
