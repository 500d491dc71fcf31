"""A browser: a page with 200 sub-resources, a WebSocket, server-sent events, an upload; over each version of HTTP."""

import json

import httpx
import pytest

from support.browser import chromium, trusting
from support.real_app import RealApp
from support.scale import scaled
from support.waiting import until


@pytest.mark.parametrize("version, options", [("http/1.1", ["--disable-http2"]), ("h2", [])])
def test_chromium_shows_a_page_and_all_that_belongs_to_it(serve_http, pki, version, options):
    # Goal: what a browser does works, over each version. Method: the page reports to its app what it saw.
    with RealApp("browser") as app:
        site = serve_http(app.address)
        with chromium(site.url, trusting(pki.pair().cert), *options):
            report = until(lambda: json.loads(httpx.get(f"http://{app.address}/reported", trust_env=False).text),
                           scaled(40, 100), "the page has reported", every=0.2)
        assert report == {
            "images": 200, "events": ["0", "1", "2", "3", "4"], "upload": 1 << 20, "page": version,
            "protocols": [version],
            "socket": {"heard": ["one", "two", "three"], "code": 4000, "clean": True},
        }
        assert not [line for line in site.exchanges(200) if line["status"] >= 400 and line["status"] != 404]
