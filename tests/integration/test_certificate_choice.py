"""Which certificate a client sees: by server name, then by what it can verify."""

import ssl

import pytest

from support.apps import App, answer
from support.pki import Pair
from support.programs import s_client
from support.sallyport import Sallyport, address_of, simple_config
from support.tls_client import TlsClient, client_context


@pytest.fixture
def many_names(serve, pki):
    """A Sallyport with a default pair, an exact and a wildcard one. Yields (address, name → pair)."""
    pairs = {
        "default": pki.pair("P-256", ("localhost",)),
        "exact": pki.pair("P-384", ("www.example.test",)),
        "wildcard": pki.pair("RSA", ("*.example.test",)),
    }
    with App(answer("seen")) as app:
        yield address_of(serve(app, pair=list(pairs.values())).config), pairs


@pytest.mark.parametrize(
    "name, expected",
    [
        ("www.example.test", "exact"),
        ("WWW.Example.TEST", "exact"),
        ("api.example.test", "wildcard"),
        ("example.test", "default"),
        ("a.b.example.test", "default"),
        ("unknown.test", "default"),
        ("localhost", "default"),
        (None, "default"),
    ],
)
def test_the_certificate_follows_the_server_name(many_names, pki, name, expected):
    # Goal: exact before wildcard before default; a wildcard covers one label. Method: handshake with the name, compare
    # the leaf in DER.
    address, pairs = many_names
    context = client_context(pki.ca)
    context.check_hostname = False
    with TlsClient(address, context, name=name) as client:
        client.handshake()
        assert client.tls.getpeercert(binary_form=True) == pairs[expected].der()


@pytest.mark.parametrize(
    "options, signature",
    [
        (["-tls1_3", "-sigalgs", "RSA-PSS+SHA256"], "RSA-PSS"),
        (["-tls1_3", "-sigalgs", "ECDSA+SHA256"], "ECDSA"),
        (["-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"], "RSA"),
        (["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"], "ECDSA"),
        (["-tls1_3"], "ECDSA"),
    ],
)
def test_rsa_and_ecdsa_stand_side_by_side_for_one_name(serve, pki, options, signature):
    # Goal: old clients get RSA, the others ECDSA, under one name. Method: s_client limited to one kind of signature.
    with App(answer("seen")) as app:
        address = address_of(serve(app, pair=[pki.pair("P-256"), pki.pair("RSA")]).config)
        done = s_client(address, pki.ca, *options)
        assert "seen" in done.stdout, done.stdout + done.stderr
        line = next(row for row in done.stdout.splitlines() if row.startswith("Peer signature type"))
        assert line.split(": ")[1].startswith(signature)


def test_a_pair_that_does_not_match_is_refused_at_start(installation, pki):
    # Goal: a wrong pair never serves. Method: the key of another certificate; exit 78, both files named, no key text.
    wrong = Pair(pki.pair("P-256").cert, pki.pair("P-384").key)
    said = Sallyport(installation, simple_config(wrong, "127.0.0.1:7766")).wait_for_exit(78)
    assert str(wrong.cert) in said or str(wrong.key) in said
    assert "PRIVATE KEY" not in said


def test_python_verifies_name_and_chain(serve, pki):
    # Goal: what a client verifies is really there. Method: a wrong name must fail with Python's own check.
    with App(answer("seen")) as app:
        address = address_of(serve(app).config)
        with TlsClient(address, client_context(pki.ca), name="elsewhere.test") as client:
            with pytest.raises(ssl.SSLCertVerificationError):
                client.handshake()
