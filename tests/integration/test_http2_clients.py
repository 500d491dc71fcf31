"""Real clients over HTTP/2, before real apps: curl, nghttp, h2load, Python's httpx, Node's http2."""

import asyncio
import json
import os
import re
import subprocess

import httpx
import pytest

from support.before_real_apps import app, site  # noqa: F401
from support.payload import chunks, content, digest_of
from support.programs import curl, run
from support.scale import scaled
from support.tls_client import client_context

MIB = 1 << 20


def test_curl_speaks_http_2_when_it_can(site, pki, tmp_path):
    # Goal: the everyday tool, as it comes. Method: a redirect, an upload with a length and one without, 30 downloads
    # at once over one connection.
    done = curl(site.address, pki.ca, "-L", "-w", "\n%{http_version}", path="/redirect")
    assert done.stdout.endswith("\n2") and json.loads(done.stdout.splitlines()[0])["scheme"] == "https", done.stderr
    (tmp_path / "file").write_bytes(content(5 * MIB))
    expected = {"sha256": digest_of(chunks(5 * MIB)), "size": 5 * MIB}
    quiet = ("curl", "-sS", "--cacert", pki.ca)
    whole = run(*quiet, "-X", "POST", "-T", tmp_path / "file", f"{site.url}/digest")
    piped = run(*quiet, "-X", "POST", "-T", "-", f"{site.url}/digest", stdin=content(5 * MIB))
    assert json.loads(whole.stdout) == expected and json.loads(piped.stdout) == expected
    urls = [word for number in range(30)
            for word in ("-o", tmp_path / str(number), f"{site.url}/stream/{number * 10_000}")]
    done = run(*quiet, "-Z", "--parallel-max", "30", "-w", "%{http_version}\n", *urls)
    assert done.stdout.split() == ["2"] * 30, done
    assert all((tmp_path / str(number)).read_bytes() == content(number * 10_000) for number in range(30))


def test_nghttp_fetches_uploads_and_sees_no_error(site, tmp_path):
    # Goal: the library's own client, which checks what it gets. Method: 20 streams, an upload, its trace read.
    done = run("nghttp", "-nv", "--no-verify-peer", "-m", "20", f"{site.url}/bytes/100000")
    assert done.returncode == 0 and done.stdout.count(":status: 200") == 20, done.stdout[-2000:]
    assert "RST_STREAM" not in done.stdout and "[ERROR]" not in done.stdout
    (tmp_path / "file").write_bytes(content(MIB))
    done = run("nghttp", "--no-verify-peer", "-d", tmp_path / "file", "-H", ":method: POST", f"{site.url}/digest")
    assert json.loads(done.stdout) == {"sha256": digest_of(chunks(MIB)), "size": MIB}


@pytest.mark.parametrize("options", [("-c", "4", "-m", "50"), ("-c", "20", "-m", "1"), ("-c", "4", "--h1")],
                         ids=" ".join)
def test_h2load_loses_no_request(site, options):
    # Goal: none fails under load. Method: as many requests as the build can stand; its summary is read.
    total = scaled(2000, 200)
    done = run("h2load", "-n", total, *options, f"{site.url}/bytes/1000")
    assert re.search(rf"{total} succeeded, 0 failed, 0 errored, 0 timeout", done.stdout), done.stdout
    assert f"{total} 2xx" in done.stdout


def test_httpx_multiplexes(site):
    # Goal: Python's client with http2=True. Method: 100 requests at once, an upload and a download beside them.
    async def talk():
        async with httpx.AsyncClient(base_url=site.url, verify=client_context(site.ca), http2=True, http1=False,
                                     trust_env=False, timeout=40) as client:
            async def digest():
                async def pieces():
                    for piece in chunks(3 * MIB):
                        yield piece
                return (await client.post("/digest", content=pieces())).json()

            answers = [client.get(f"/stream/{number * 100}") for number in range(100)]
            *got, digested, large = await asyncio.gather(*answers, digest(), client.get(f"/bytes/{3 * MIB}"))
            assert {each.http_version for each in got} == {"HTTP/2"}
            assert [len(each.content) for each in got] == [number * 100 for number in range(100)]
            assert digested == {"sha256": digest_of(chunks(3 * MIB)), "size": 3 * MIB}
            assert large.content == content(3 * MIB)

    asyncio.run(talk())


def test_nodes_http2_does_what_programs_do_with_it(site, source_dir):
    # Goal: Node's client. Method: its script.
    script = source_dir / "tests/support/real_clients/node_http2.js"
    environment = {"PATH": os.environ["PATH"], "NODE_EXTRA_CA_CERTS": str(site.ca)}
    done = subprocess.run(["node", script, site.url], env=environment, capture_output=True, timeout=50)
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout) == {"scheme": "https", "upload": True, "head": "100", "nothing": 204, "missing": 404,
                                       "parallel": True, "download": digest_of(chunks(20_000_000))}
