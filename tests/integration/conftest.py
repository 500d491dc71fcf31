"""Fixtures of the tests of `mode: http`."""

import pytest

from support.http_peers import HttpClient
from support.sallyport import address_of, http_config


class Site:
    """A ready Sallyport in `mode: http` before one app."""

    def __init__(self, sallyport, config, ca):
        self.sallyport, self.config, self.ca = sallyport, config, ca
        self.address = address_of(config)
        self.app = config["upstreams"]["app"]["address"]
        self.url = "https://localhost:%d" % self.address[1]

    def client(self, **options):
        return HttpClient(self.address, self.ca, **options)

    def exchanges(self, count=1, **fields):
        """The log's lines of exchanges that have ended; waits until there are so many."""
        self.sallyport.log.wait_for(count=count, event="exchange ended", **fields)
        return self.sallyport.log.matching(event="exchange ended", **fields)


@pytest.fixture
def serve_http(start, pki):
    """serve_http(address of an app, **changes): a Site before it, with a P-256 certificate for localhost."""

    def serve_one(address, **changes):
        config = http_config(pki.pair(), address, **changes)
        return Site(start(config), config, pki.ca)

    return serve_one
