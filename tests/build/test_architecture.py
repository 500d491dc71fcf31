"""src/ARCHITECTURE.md tells the truth about files and functions."""

import re

import pytest


@pytest.fixture(scope="module")
def named(source_dir):
    """Every `path/file.cpp:function` of the document, as (path, function)."""
    text = (source_dir / "src" / "ARCHITECTURE.md").read_text()
    return re.findall(r"`([\w/.-]+\.(?:cpp|hpp)):([\w:~]+)`", text)


def test_every_function_it_names_exists_where_it_says(source_dir, named):
    # Goal: the way of a connection can be followed. Method: each named file has the named function, or a definition of
    # its last part, followed by its parameters.
    assert len(named) >= 8
    for path, function in named:
        file = next((p for p in (source_dir / "src" / path, source_dir / path, source_dir / "include" / path)
                     if p.exists()), None)
        assert file, f"{path} does not exist"
        assert re.search(rf"\b{re.escape(function)}\(", file.read_text()), f"{path} has no {function}"


def test_it_tells_the_life_of_a_connection(source_dir):
    # Goal: the section that a newcomer looks for. Method: its heading and numbered steps.
    text = (source_dir / "src" / "ARCHITECTURE.md").read_text()
    section = re.search(r"^#+ Life of a connection$(.*?)(?=^#|\Z)", text, re.S | re.M)
    assert section and len(re.findall(r"^\d+\. ", section.group(1), re.M)) >= 6
