"""Bodies of every size arrive whole from each version of HTTP to each: curl before Node, which echoes them."""

import hashlib
import subprocess
import threading

import pytest

from support.payload import chunks, digest_of
from support.real_app import RealApp
from support.scale import SANITIZED, scaled

KIB, MIB = 1 << 10, 1 << 20
LARGE = scaled(1 << 30, 32 * MIB)
SIZES = [1, 16 * KIB - 1, 16 * KIB, 64 * KIB + 1, MIB, 32 * MIB, LARGE]
GROWTH_MAX = 30 * MIB if not SANITIZED else 512 * MIB


@pytest.fixture(scope="module", params=["http1", "h2c"])
def app(request):
    with RealApp("echo", *([] if request.param == "http1" else ["h2c"])) as running:
        running.url = running.address if request.param == "http1" else f"h2c://{running.address}"
        yield running


def echoed(url, pki, version, size):
    """The digest of what came back for `size` bytes, sent in pieces of random size without a length."""
    command = ["curl", "-sS", "--fail-with-body", version, "--cacert", pki.ca, "-X", "POST", "-T", "-", "-H", "Expect:",
               "--max-time", "200", url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as curl:
        def send():
            with curl.stdin as body:
                for piece in chunks(size, seed=size, largest=MIB):
                    body.write(piece)

        sending = threading.Thread(target=send)
        sending.start()
        digest = hashlib.sha256()
        while part := curl.stdout.read(MIB):
            digest.update(part)
        sending.join(10)
    assert curl.returncode == 0, size
    return digest.hexdigest()


@pytest.mark.seconds(240)
@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_bodies_of_1_byte_to_1_gibibyte_arrive_whole_in_both_directions(serve_http, app, pki, version):
    # Goal: h1 and h2, to h1 and h2c: not a byte lost, added or changed, and a few megabytes for the largest. Method:
    # the client sends and the app returns pieces of random size, both at once.
    site = serve_http(app.url)
    worker = site.sallyport.worker()
    for size in SIZES:
        before = worker.resident_bytes()
        assert echoed(site.url, pki, version, size) == digest_of(chunks(size, seed=size, largest=MIB)), size
        assert worker.resident_bytes() - before < GROWTH_MAX, size
