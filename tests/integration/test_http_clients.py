"""Real clients over HTTP/1.1 and TLS, before a real app: curl, Python's httpx and urllib, Node's fetch."""

import json
import os
import subprocess
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from support.before_real_apps import app, site  # noqa: F401
from support.payload import chunks, content, digest_of
from support.programs import curl
from support.tls_client import client_context

MIB = 1 << 20


def test_curl_follows_a_redirect_and_keeps_its_connection(site, pki):
    # Goal: the everyday tool. Method: -L over the app's absolute redirect, a second URL after it, one connection.
    done = curl(site.address, pki.ca, "--http1.1", "-v", "-L", "-o", "-", "-w", "%{http_version} %{num_connects}\n",
                path="/redirect")
    assert done.returncode == 0 and '"https"' in done.stdout and done.stdout.endswith("1.1 1\n"), done.stderr
    assert "Re-using existing connection" in done.stderr


def test_curl_uploads_and_downloads(site, pki, tmp_path):
    # Goal: forms and files. Method: -d, -T with a length, -T in chunks, and a download resumed by nobody.
    (tmp_path / "file").write_bytes(content(3 * MIB))
    expected = {"sha256": digest_of(chunks(3 * MIB)), "size": 3 * MIB}
    small = curl(site.address, pki.ca, "--http1.1", "-d", "a=b", path="/digest")
    assert json.loads(small.stdout)["size"] == 3
    for options in (["-H", "Expect:"], ["-H", "Transfer-Encoding: chunked"]):
        done = curl(site.address, pki.ca, "--http1.1", "-X", "POST", "-T", tmp_path / "file", *options, path="/digest")
        assert json.loads(done.stdout) == expected, done.stderr
    done = curl(site.address, pki.ca, "--http1.1", "-o", tmp_path / "got", "-w", "%{size_download}",
                path=f"/stream/{5 * MIB}")
    assert done.stdout == str(5 * MIB) and (tmp_path / "got").read_bytes() == content(5 * MIB)


def test_curl_over_http_1_0_gets_a_whole_body_and_the_end(site, pki):
    # Goal: old clients. Method: a body whose length the app does not tell; nothing of chunks is to be seen.
    done = curl(site.address, pki.ca, "--http1.0", "-i", path="/stream/1000")
    head, _, body = done.stdout.encode("utf-8", "surrogateescape").partition(b"\r\n\r\n")
    assert done.returncode == 0 and b"transfer-encoding" not in head.lower(), done.stdout
    size = curl(site.address, pki.ca, "--http1.0", "-o", "/dev/null", "-w", "%{size_download}", path="/stream/1000000")
    assert (size.returncode, size.stdout) == (0, "1000000")


def test_httpx_uses_its_pool(site):
    # Goal: Python's usual client. Method: 100 requests by 8 threads over one client; streams both ways; cookies kept.
    with httpx.Client(base_url=site.url, verify=client_context(site.ca), trust_env=False, timeout=30) as client:
        with ThreadPoolExecutor(8) as threads:
            sizes = list(threads.map(lambda number: len(client.get(f"/bytes/{number * 100}").content), range(100)))
        assert sizes == [number * 100 for number in range(100)]
        posted = client.post("/digest", content=chunks(3 * MIB)).json()
        assert posted == {"sha256": digest_of(chunks(3 * MIB)), "size": 3 * MIB}
        with client.stream("GET", f"/stream/{3 * MIB}") as response:
            assert digest_of(response.iter_bytes()) == digest_of(chunks(3 * MIB))
        client.get("/cookies")
        assert client.get("/cookies").json() == {"a": "1", "b": "2"}
        assert client.get("/redirect", follow_redirects=True).json()["url"] == f"{site.url}/seen"


def test_httpx_that_leaves_a_download_leaves_the_others_alone(site):
    # Goal: an abandoned response costs its own connection only. Method: ten of 64 MiB left after their first bytes.
    with httpx.Client(base_url=site.url, verify=client_context(site.ca), trust_env=False, timeout=30) as client:
        for _ in range(10):
            with client.stream("GET", f"/bytes/{64 * MIB}") as response:
                assert next(response.iter_bytes())
        assert client.get("/bytes/10").content == content(10)
    assert len(site.exchanges(10, reason="client_left")) == 10


def test_urllib_closes_each_time(site):
    # Goal: clients without keep-alive: `Connection: close`. Method: Python's standard library.
    context = client_context(site.ca)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    for number in range(5):
        with opener.open(f"{site.url}/stream/{number}", timeout=20) as response:
            assert response.read() == content(number) and response.headers["Connection"] == "close"
    with pytest.raises(urllib.error.HTTPError) as missing:
        opener.open(f"{site.url}/none", timeout=20)
    missing.value.close()
    assert missing.value.code == 404


def test_a_client_that_offers_no_alpn_is_served(site):
    # Goal: programs that know nothing of ALPN. Method: Python's ssl without it.
    with site.client(alpn=None) as client:
        assert client.tls.selected_alpn_protocol() is None and client.get("/bytes/3").body == content(3)


def test_node_fetch_does_what_programs_do_with_it(site, app, source_dir):
    # Goal: Node's client. Method: its script of redirects, uploads of both kinds, 50 requests at once, an aborted
    # stream.
    script = source_dir / "tests/support/real_clients/node_fetch.js"
    environment = {"PATH": os.environ["PATH"], "NODE_EXTRA_CA_CERTS": str(site.ca)}
    done = subprocess.run(["node", script, site.url], env=environment, capture_output=True, timeout=50)
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout) == {
        "seen": "https", "redirected": f"{site.url}/seen", "missing": 404, "head": "100", "nothing": 204,
        "upload": True, "streamedUpload": True, "parallel": True, "event": "id: 0\ndata: event 0\n\n",
        "download": digest_of(chunks(5_000_000)),
    }


def test_tls_1_2_and_1_3_carry_the_same(site, pki):
    # Goal: both versions. Method: curl held to each.
    for version in ("1.2", "1.3"):
        done = curl(site.address, pki.ca, "--http1.1", f"--tlsv{version}", "--tls-max", version, path="/seen")
        assert json.loads(done.stdout)["scheme"] == "https", done.stderr
