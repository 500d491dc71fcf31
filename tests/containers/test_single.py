"""docker/README.md's worked example end to end: the app of docker/example behind Sallyport, in a container beside it and
in the same one (docker/single)."""

import asyncio
import json
import signal
import subprocess
from contextlib import ExitStack

import pytest
import websockets

from support.images import DEMO_APP
from support.podman import (CONFINED, IMAGE, SECCOMP, SOURCE, Container, Network, build, call_inside, environment, podman,
                            processes, wait_for_helpers)
from support.pods import pid_of
from support.ports import refuses
from support.programs import curl
from support.printed import marked
from support.tls_client import client_context
from support.waiting import until

SINGLE = "localhost/sallyport-single:test"
# The app has threads of its own, and starts programs; the profile is for Sallyport alone.
UNDER_DEFAULT_PROFILE = ("--read-only", "--read-only-tmpfs=false", "--pids-limit=64")
UNDER_OURS = (*UNDER_DEFAULT_PROFILE, "--security-opt", f"seccomp={SECCOMP}")
LEAST = ["--cap-drop=ALL", "--cap-add=NET_BIND_SERVICE", "--security-opt=no-new-privileges"]


class Site:
    """What a client of the example does, from inside its network. Use as a context manager: the containers end with it."""

    def __init__(self, network, pki):
        self.network, self.ca = network, pki.ca
        self.containers = ExitStack()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.containers.close()

    def run(self, *command, **options):
        return self.containers.enter_context(Container(*command, network=self.network, **options))

    def ask(self, path, *options):
        return self.network.call(lambda: curl(("127.0.0.1", 443), self.ca, *options, path=path)).stdout

    def listens(self, port):
        return self.network.call(lambda: not refuses(("127.0.0.1", port)))

    def put(self, name, value):
        self.ask(f"/policies/{name}", "-X", "PUT", "-H", "Content-Type: application/json", "-d", json.dumps(value))

    def follows(self):
        """What a follower is told at first, and when a policy is written meanwhile."""
        return self.network.call(lambda: asyncio.run(self._follow()))

    async def _follow(self):
        context = client_context(self.ca)
        async with websockets.connect("wss://localhost/ws", ssl=context, host="127.0.0.1", port=443) as socket:
            first = json.loads(await socket.recv())
            await asyncio.to_thread(self.put, "a", {"allow": True})
            return first, json.loads(await socket.recv())


@pytest.fixture
def site(pki):
    network = Network(1024)
    with Site(network, pki) as made:
        yield made
    network.close()


@pytest.fixture(scope="module")
def single():
    build(SOURCE / "docker" / "single", "-t", SINGLE, "--build-arg", f"SALLYPORT={IMAGE}", "--build-arg", f"APP={DEMO_APP}")
    return SINGLE


def check_the_example(site):
    assert json.loads(site.ask("/healthcheck")) == {"status": "ok"}
    assert json.loads(site.ask("/whoami")) == {"scheme": "https", "client": "127.0.0.1"}
    assert site.follows() == ({"scheme": "wss", "policies": []}, {"policy": "a", "is": {"allow": True}})
    assert json.loads(site.ask("/policies/a", "--http1.1")) == {"allow": True}


def test_the_example_in_a_container_beside_it(site, pem_variables):
    # Goal: the sidecar, for an app as its author wrote it. Method: both confined; API, forwarding headers and WebSocket.
    site.run(image=DEMO_APP, confined=UNDER_DEFAULT_PROFILE, options=["--cap-drop=ALL", "--security-opt=no-new-privileges"])
    until(lambda: site.listens(7766), 30, "the app listens")
    proxy = site.run(options=LEAST, variables={"SALLYPORT_TO": "7766", **pem_variables}, confined=CONFINED)
    assert proxy.serves(), proxy.errors.text()
    check_the_example(site)
    assert proxy.stop() == 0


@pytest.mark.parametrize("confined", [UNDER_DEFAULT_PROFILE, UNDER_OURS], ids=["default profile", "seccomp.json"])
def test_the_example_in_one_container(site, single, pem_variables, confined):
    # Goal: docker/single, under either profile. Method: the app listens before anybody is served; the same requests; the
    # app's processes have no capability; SIGTERM drains first, and the exit code is uvicorn's own.
    container = site.run(image=single, options=LEAST, variables=pem_variables, confined=confined)
    assert container.serves(), container.errors.text()
    assert container.log.matching(event="app listens")
    check_the_example(site)
    gatekeeper = container.first_process()
    starter = next(process for process in gatekeeper.children() if process.name() == "sallyport-start")
    [app] = starter.children()
    assert {name: app.capabilities()[name] for name in ("CapPrm", "CapEff", "CapAmb")} == {"CapPrm": 0, "CapEff": 0, "CapAmb": 0}
    assert b"PRIVATE KEY" not in app.environment()
    assert container.stop() == 128 + signal.SIGTERM, container.errors.text()  # uvicorn ends by the signal that it was told to
    events = [json.loads(line)["event"] for line in container.log.lines if line.startswith("{")]
    assert events.index("drained") < events.index("app told to end")


def test_the_app_s_own_command_may_follow_the_image(site, single, pem_variables):
    # Goal: any command in place of the CMD. Method: one that fails has the container end with its exit code.
    container = site.run("python3", "-c", "raise SystemExit(3)", image=single, options=LEAST, variables=pem_variables,
                         confined=UNDER_DEFAULT_PROFILE)
    assert not container.serves()
    assert container.wait_for_exit() == 3


def test_the_printed_commands_build_and_run_it(pem_variables, pki):
    # Goal: docker/README.md. Method: its very text; the network that podman gives it.
    before = processes()
    try:
        subprocess.run(["bash", "-euc", marked("docker/README.md", "single")], check=True, cwd=SOURCE, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, env={**environment(), **pem_variables})
        namespace = f"/proc/{pid_of('app-with-tls')}/ns/net"
        asked = lambda: call_inside(namespace, lambda: curl(("127.0.0.1", 443), pki.ca, path="/healthcheck")).stdout
        assert until(asked, 30, "an answer", every=0.1) == '{"status":"ok"}'
    finally:
        podman("rm", "--force", "--ignore", "--time", "0", "app-with-tls")
        wait_for_helpers(before)
