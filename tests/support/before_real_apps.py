"""Fixtures of tests whose clients meet each of the two real apps: import both."""

import pytest

from support.real_app import RealApp


@pytest.fixture(scope="module", params=["uvicorn", "node"])
def app(request):
    with RealApp(request.param) as running:
        yield running


@pytest.fixture
def site(serve_http, app):
    return serve_http(app.address)
