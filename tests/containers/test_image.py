"""What is in the image: its files, its configuration, and what was linked into them."""

import json
import os
import shutil
import stat
import struct
import subprocess
from pathlib import Path

import pytest

from support.images import AGAIN, BYTES_MAX, build, options_of_this_source, size_of
from support.podman import IMAGE, NOCAPS, VERSION, podman

EXECUTABLES = ["sallyport", "sallyport-keyholder", "sallyport-worker"]
VARIANTS = pytest.mark.parametrize("image", [IMAGE, NOCAPS], ids=["default", "nocaps"])


def inspected(image):
    return json.loads(podman("image", "inspect", image))[0]


def config_of(image):
    return inspected(image)["Config"]


@VARIANTS
def test_it_holds_three_executables_of_root_and_nothing_else(files_of, image):
    # Goal: nothing in it can be used or changed by a captured process. Method: every file, its owner and its rights.
    root = files_of(image)
    files = [Path(directory) / name for directory, _, names in os.walk(root) for name in names]
    assert sorted(str(file.relative_to(root)) for file in files) == EXECUTABLES
    for file in files:
        status = file.stat()
        assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (0, 0, 0o755), file


@VARIANTS
def test_nobody_but_root_may_write_anywhere_in_it(files_of, image):
    # Goal: no writable path, even without --read-only. Method: owner and rights of every directory.
    for directory, _, _ in os.walk(files_of(image)):
        status = os.stat(directory)
        assert (status.st_uid, status.st_gid, status.st_mode & 0o022) == (0, 0, 0), directory


@pytest.mark.parametrize("name", EXECUTABLES)
def test_each_is_static_and_position_independent(files_of, name):
    # Goal: an image from scratch can run it, and its addresses are random. Method: no interpreter, no needed library.
    text = subprocess.run(["readelf", "--wide", "-hld", files_of(IMAGE) / name], check=True, text=True,
                          capture_output=True).stdout
    assert "DYN (" in text and "GNU_RELRO" in text and "BIND_NOW" in text
    assert "INTERP" not in text and "NEEDED" not in text
    assert " RW " in next(line for line in text.splitlines() if "GNU_STACK" in line)


def test_only_the_gatekeeper_s_file_has_a_capability_and_not_the_effective_bit(files_of):
    # Goal: exec works whatever is dropped. Method: vfs_cap_data: revision 2, no effective flag, CAP_NET_BIND_SERVICE.
    attributes = {name: os.listxattr(files_of(IMAGE) / name) for name in EXECUTABLES}
    assert attributes == {"sallyport": ["security.capability"], "sallyport-keyholder": [], "sallyport-worker": []}
    value = os.getxattr(files_of(IMAGE) / "sallyport", "security.capability")
    assert struct.unpack("<5I", value) == (0x02000000, 1 << 10, 0, 0, 0)


def test_the_variant_nocaps_is_the_same_without_any_attribute(files_of):
    # Goal: it can be unpacked where attributes are unknown. Method: no attribute, equal bytes.
    for name in EXECUTABLES:
        assert os.listxattr(files_of(NOCAPS) / name) == []
        assert (files_of(NOCAPS) / name).read_bytes() == (files_of(IMAGE) / name).read_bytes()


@VARIANTS
def test_it_starts_sallyport_itself_as_a_user_that_is_not_root(image):
    # Goal: no shell and no init before it, and it is told to end in the way that it knows. Method: its configuration.
    config = config_of(image)
    assert (config["User"], config["Entrypoint"], config.get("Cmd")) == ("65532:65532", ["/sallyport"], None)
    assert config["StopSignal"] in ("SIGTERM", "15")
    assert inspected(image)["Healthcheck"]["Test"] == ["CMD", "/sallyport", "health"]


@VARIANTS
def test_it_says_what_it_is(image):
    # Goal: OCI labels. Method: those of the built image, beside the sources'.
    labels = {name.removeprefix("org.opencontainers.image."): text for name, text in config_of(image)["Labels"].items()}
    assert (labels["title"], labels["version"], labels["licenses"]) == ("Sallyport", VERSION, "Apache-2.0")
    assert f"REVISION={labels['revision']}" in options_of_this_source()
    said = podman("run", "--rm", "--network", "none", image, "--version")
    assert VERSION in said and labels["revision"] in said


@VARIANTS
def test_it_is_small(image):
    # Goal: at most 20 MB, not compressed. Method: what podman counts.
    assert size_of(image) <= BYTES_MAX


def test_two_builds_give_the_same_image():
    # Goal: whoever builds this revision gets these bytes. Method: a second build (support/images.py); both digests.
    first, second = (podman("image", "inspect", "--format", "{{.Id}} {{.Digest}}", image) for image in (IMAGE, AGAIN))
    assert first == second


def test_the_build_sees_no_key_and_no_repository(source_dir, tmp_path):
    # Goal: .dockerignore. Method: an image of the whole context, of a tree with what must not get into one.
    kept = ["CMakeLists.txt", "CMakePresets.json", "docker/sbom.py", "src/a.cpp", "include/a.hpp", "tests/support/packages.sh"]
    left_out = ["tls.key", "src/server.key", "src/base/tls.pem", "include/a.crt", ".git/config", "build/a.o", ".env",
                "src/.env", "config/sallyport.yaml", "tests/a.py", "docker/compose/tls.key", "docker/compose/.env"]
    shutil.copy(source_dir / ".dockerignore", tmp_path)
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    for name in kept + left_out:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    image = build(tmp_path, "-f", tmp_path / "Dockerfile")
    root = podman("image", "mount", image)
    seen = [os.path.relpath(os.path.join(d, name), root) for d, _, names in os.walk(root) for name in names]
    podman("image", "unmount", image)
    podman("image", "rm", image)
    assert sorted(seen) == sorted(kept)
