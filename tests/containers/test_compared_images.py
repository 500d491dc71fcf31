"""./run bench --images: the peers' images serve, confined as ours is, and are measured in the same way."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))
import images  # noqa: E402

TITLES = ["sallyport", *(f"{peer}, {form}" for peer in images.FILES for form in ("bare", "on Debian"))]


@pytest.fixture(scope="module")
def made():
    return images.images()


@pytest.fixture(scope="module")
def site():
    with images.Site() as opened:
        yield opened


def test_each_is_there_twice_and_ours_once(made):
    assert [image.title for image in made] == TITLES
    sizes = {image.title: image.size() for image in made}
    assert all(sizes[f"{peer}, bare"] < sizes[f"{peer}, on Debian"] for peer in images.FILES)


@pytest.mark.parametrize("title", TITLES)
def test_each_serves_and_is_measured(made, site, title):
    # Goal: a row of the table is a proxy that works. Method: one start; its handshake is verified, its app's answer read.
    [image] = [image for image in made if image.title == title]
    seconds, kib = images.measure(site, image)
    assert 0.01 < seconds < images.PATIENCE
    assert 500 < kib < 200_000
