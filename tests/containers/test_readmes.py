"""What the README files of docker/ print is run, here or where it belongs."""

import subprocess

import pytest

from support.podman import SOURCE, call_inside, environment, podman, processes, wait_for_helpers
from support.pods import pid_of
from support.printed import marked, shell_blocks
from support.programs import curl
from support.waiting import until

# Name of the block → the test that runs it.
RUN = {
    "README.md": {"beside an app": "test_the_image_beside_an_app", "single": "test_the_printed_commands_build_and_run_it"},
    "kubernetes/README.md": {}, "ecs/README.md": {},
    "compose/README.md": {"sidecar": "test_the_sidecar_serves", "reverse proxy": "two_apps"},
}
# Without a name: tasks of ./run, which the container tests begin with, and what tests/build compares.
TASKS = ["./run image", "./run test privsep && build/release/bin/print_seccomp > docker/seccomp.json"]


@pytest.mark.parametrize("readme", RUN)
def test_every_block_of_shell_is_run(readme):
    # Goal: no command that nobody tried. Method: the blocks beside the tests that are named for them.
    found = shell_blocks(f"docker/{readme}")
    assert {name for name, _ in found if name} == set(RUN[readme])
    assert all(line.split("  ")[0] in TASKS for name, text in found if not name for line in text.splitlines())
    sources = "".join(path.read_text() for path in (SOURCE / "tests/containers").glob("*.py"))
    assert all(f"def {test}" in sources for test in RUN[readme].values())


def test_every_readme_is_in_the_table():
    assert {str(path.relative_to(SOURCE / "docker")) for path in (SOURCE / "docker").rglob("README.md")} == set(RUN)


def test_the_image_beside_an_app(pem_variables, pki):
    # Goal: the page's first command. Method: its very text; a request inside the network that the two share.
    before = processes()
    try:
        subprocess.run(["bash", "-euc", marked("docker/README.md", "beside an app")], check=True, cwd=SOURCE, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, env={**environment(), **pem_variables})
        namespace = f"/proc/{pid_of('sallyport')}/ns/net"

        def answer():
            return call_inside(namespace, lambda: curl(("127.0.0.1", 443), pki.ca, "--fail", path="/whoami")).stdout

        said = until(answer, 20, "an answer", every=0.1)
        assert said == '{"scheme":"https","client":"127.0.0.1"}'
    finally:
        for name in ("sallyport", "app"):
            podman("rm", "--force", "--ignore", "--time", "0", name)
        wait_for_helpers(before)
