"""What is in the image, and what runs of it under docker/seccomp.json, read-only, with at most 16 tasks."""

import json
import os
import shutil
import stat
import struct
import subprocess
from ctypes import CDLL
from pathlib import Path

import pytest

from containers.conftest import ANSWER
from support.podman import IMAGE, PIDS_MAX, Container, build, podman
from support.programs import curl
from support.waiting import until

SYS_LANDLOCK_CREATE_RULESET = 444
LANDLOCK_CREATE_RULESET_VERSION = 1
EXECUTABLES = ["sallyport", "sallyport-keyholder", "sallyport-worker"]


@pytest.fixture
def serving(networks, pem_variables):
    """A container that serves on 443, by the file's capability, and is configured by environment alone."""
    network = networks[1024]
    variables = {"SALLYPORT_LISTEN": ":443", "SALLYPORT_TO": network.app, **pem_variables}
    options = ["--cap-drop=ALL", "--cap-add=NET_BIND_SERVICE", "--security-opt=no-new-privileges"]
    with Container(network=network, options=options, variables=variables) as container:
        assert container.serves(), container.errors.text()
        container.network = network
        yield container


def family(container):
    first = container.first_process()
    return [first, *first.children()]


def test_it_holds_three_executables_of_root_and_nothing_else(image_files):
    # Goal: nothing in it can be used or changed by a captured process. Method: every file, its owner and its rights.
    files = [Path(directory) / name for directory, _, names in os.walk(image_files) for name in names]
    assert sorted(str(file.relative_to(image_files)) for file in files) == [f"usr/bin/{name}" for name in EXECUTABLES]
    for file in files:
        status = file.stat()
        assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (0, 0, 0o755), file


@pytest.mark.parametrize("name", EXECUTABLES)
def test_each_is_static_and_position_independent(image_files, name):
    # Goal: an image from scratch can run it, and its addresses are random. Method: no interpreter, no needed library.
    text = subprocess.run(["readelf", "--wide", "-hld", f"{image_files}/usr/bin/{name}"], check=True, text=True,
                          capture_output=True).stdout
    assert "DYN (" in text and "GNU_RELRO" in text and "BIND_NOW" in text
    assert "INTERP" not in text and "NEEDED" not in text
    assert " RW " in next(line for line in text.splitlines() if "GNU_STACK" in line)


def test_only_the_gatekeeper_s_file_has_a_capability_and_not_the_effective_bit(image_files):
    # Goal: exec works whatever is dropped. Method: vfs_cap_data: revision 2, no effective flag, CAP_NET_BIND_SERVICE.
    attributes = {name: os.listxattr(f"{image_files}/usr/bin/{name}") for name in EXECUTABLES}
    assert attributes == {"sallyport": ["security.capability"], "sallyport-keyholder": [], "sallyport-worker": []}
    value = os.getxattr(f"{image_files}/usr/bin/sallyport", "security.capability")
    assert struct.unpack("<5I", value) == (0x02000000, 1 << 10, 0, 0, 0)


def test_it_starts_sallyport_itself_as_a_user_that_is_not_root():
    # Goal: no shell and no init before it. Method: the image's configuration.
    config = json.loads(podman("image", "inspect", IMAGE))[0]["Config"]
    assert (config["User"], config["Entrypoint"], config.get("Cmd")) == ("65532:65532", ["/usr/bin/sallyport"], None)


def test_the_build_sees_no_key_and_no_repository(source_dir, tmp_path):
    # Goal: .dockerignore. Method: an image of the whole context, of a tree with what must not get into one.
    kept = ["CMakeLists.txt", "CMakePresets.json", "src/a.cpp", "include/a.hpp", "tests/support/packages.sh"]
    left_out = ["tls.key", "src/server.key", "src/base/tls.pem", "include/a.crt", ".git/config", "build/a.o", ".env",
                "src/.env", "config/sallyport.yaml", "tests/a.py"]
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


def test_it_fits_into_16_tasks_even_while_a_worker_is_replaced(serving, pki):
    # Goal: what docker/README.md says of the PID limit. Method: count threads; kill the worker, which brings another.
    def tasks():
        return [len(process.thread_statuses()) for process in family(serving)]

    assert tasks() == [2, 3, 3]
    os.kill(family(serving)[2].pid, 9)
    serving.log.wait_for(count=2, event="child started", child="worker")
    until(lambda: tasks() == [2, 3, 3], 10, "the new worker serves")
    assert serving.network.call(lambda: curl(("127.0.0.1", 443), pki.ca).stdout) == ANSWER


def test_the_container_s_profile_is_in_force_and_leaves_the_sandbox_whole(serving):
    # Goal: the committed profile allows what our own cage needs, Landlock included. Method: the count of filters, which
    # is ours and the container's; what each process says of its cage, and which Landlock the kernel has.
    abi = CDLL(None).syscall(SYS_LANDLOCK_CREATE_RULESET, None, 0, LANDLOCK_CREATE_RULESET_VERSION)
    filters = [int(process.status()["Seccomp_filters"]) for process in family(serving)]
    assert filters == [2, 3, 4]
    cages = {line["process"]: line for line in serving.log.matching(event="confined")}
    assert {cage["seccomp"] for cage in cages.values()} == {"enforce"}
    for name in ("keyholder", "worker"):
        assert cages[name]["landlock_abi"] == max(0, min(abi, 7)), cages[name]
    assert not serving.log.matching(event="system call refused")


def test_an_audit_runs_beside_it(serving):
    # Goal: `sallyport audit` in the image, as an operator asks a live container. Method: exec; no row is a failure.
    text = podman("exec", serving.name, "/usr/bin/sallyport", "audit")
    for fact in ("(podman)", "read-only", f"limit {PIDS_MAX}", "cap_net_bind_service=p", " 0 fail"):
        assert fact in text, text


def test_the_diagnosis_names_an_option_that_helps():
    # Goal: the mending line is true. Method: 443 is refused; once more with the option that the diagnosis gives.
    command = ["run", "--listen", ":443", "--to", "7766", "--self-signed=localhost"]
    with Container(*command, options=["--cap-drop=ALL"]) as container:
        assert not container.serves()
        said = container.errors.text()
    option = next(word for word in said.split() if word.startswith("net.ipv4.ip_unprivileged_port_start="))
    with Container(*command, options=["--cap-drop=ALL", "--sysctl", option]) as container:
        assert container.serves(), container.errors.text()
        assert container.log.matching(event="socket bound")[0]["path"] == "plain"
        assert container.stop() == 0
