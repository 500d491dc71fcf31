"""What the container tests share: `./run test --containers` has made the image."""

import subprocess
from pathlib import Path

import pytest

from support.apps import App, answer
from support.images import DOCUMENTS
from support.podman import IMAGE, NOCAPS, Network, podman

ANSWER = "from the app in the same network"


@pytest.fixture(scope="session")
def files_of():
    """files_of(image): its file system, mounted."""
    mounted = {image: Path(podman("image", "mount", image)) for image in (IMAGE, NOCAPS, DOCUMENTS)}
    yield mounted.__getitem__
    for image in mounted:
        podman("image", "unmount", image)


@pytest.fixture(scope="session")
def networks():
    """Value of the sysctl → a network with it, and an app there."""
    made = {start: Network(start) for start in (0, 1024)}
    apps = {}
    for start, network in made.items():
        apps[start] = network.call(lambda: App(answer(ANSWER)))
        network.app = apps[start].address
    yield made
    for start, network in made.items():
        apps[start].__exit__()
        network.close()


@pytest.fixture(scope="session")
def exec_in_between(tmp_path_factory, source_dir):
    """The options that put one exec between the runtime and Sallyport."""
    program = tmp_path_factory.mktemp("between") / "exec_in_between"
    source = source_dir / "tests/support/exec_in_between.cpp"
    subprocess.run(["g++", "-static", "-O1", "-o", program, source], check=True)
    program.chmod(0o755)
    return [f"--volume={program}:/exec_in_between:ro", "--entrypoint=/exec_in_between"]


@pytest.fixture(scope="session")
def pem_variables(pki):
    """The certificate as ECS injects it."""
    pair = pki.pair()
    return {"SALLYPORT_CERT": pair.cert.read_text(), "SALLYPORT_KEY": pair.key.read_text()}
