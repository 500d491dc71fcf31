"""The build refuses a module that uses what it must not."""

import shutil
import subprocess

import pytest


@pytest.fixture
def tree(source_dir, tmp_path):
    """A copy of what the configure step reads, as git would give it."""
    for name in ("CMakeLists.txt", "src", "include"):
        copy = shutil.copytree if (source_dir / name).is_dir() else shutil.copy
        copy(source_dir / name, tmp_path / name)
    return tmp_path


def configure(tree):
    """Configures without tests; returns (whether it worked, what it said on one line)."""
    done = subprocess.run(["cmake", "-S", tree, "-B", tree / "build", "-G", "Ninja", "-DSALLYPORT_TESTS=OFF"],
                          text=True, capture_output=True, timeout=55)
    return done.returncode == 0, " ".join((done.stdout + done.stderr).split())


def replace_once(path, old, new):
    text = path.read_text()
    assert text.count(old) == 1, f"{path} has no single {old!r}"
    path.write_text(text.replace(old, new))


def test_the_tree_as_it_is_configures(tree):
    # Goal: the other tests fail for the reason they give. Method: the untouched copy.
    assert configure(tree)[0]


def test_an_arrow_to_the_same_layer_fails(tree):
    # Goal: arrows point down only. Method: ipc (layer 1) says that it uses http (layer 1).
    replace_once(tree / "src/CMakeLists.txt", "sallyport_module(ipc        LAYER 1 USES base)",
                 "sallyport_module(ipc        LAYER 1 USES base http)")
    worked, said = configure(tree)
    assert not worked and "ipc (layer 1) may not use http (layer 1)" in said


def test_an_arrow_to_a_module_above_fails(tree):
    # Goal: nothing uses what comes after it. Method: base says that it uses net.
    replace_once(tree / "src/CMakeLists.txt", "sallyport_module(base       LAYER 0)",
                 "sallyport_module(base       LAYER 0 USES net)")
    worked, said = configure(tree)
    assert not worked and "base uses net, which is not defined before it" in said


@pytest.mark.parametrize("file", ["include/sallyport/ipc/codec.hpp", "src/ipc/codec.cpp"])
def test_an_include_of_an_unlisted_module_fails(tree, file):
    # Goal: what a module includes is what it says it uses. Method: ipc includes a header of log.
    path = tree / file
    path.write_text(path.read_text() + '#include "sallyport/log/log.hpp"\n')
    worked, said = configure(tree)
    assert not worked and f"{file} includes log, which ipc does not list in USES" in said
