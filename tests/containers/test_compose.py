"""docker/compose, up for real: the sidecar, and the reverse proxy before two apps."""

import json
import os

import pytest

from support.compose import Project
from support.podman import podman
from support.pods import pid_of
from support.procfs import Process
from support.programs import curl, run
from support.waiting import until

pytestmark = pytest.mark.seconds(180)  # more than the limits of what it waits for take together

HOSTS = ("policies.localhost", "data.localhost")


def answer(project, ca, *options, name="localhost", path="/whoami"):
    """As soon as there is one: apps take a moment to start."""
    def asked():
        done = curl(("127.0.0.1", project.https), ca, "--fail", *options, name=name, path=path)
        return done.stdout if done.returncode == 0 else None

    return json.loads(until(asked, 30, f"{name} answers", every=0.2))


def check_that_sallyport_is_confined(project):
    first = Process(pid_of(project.container("sallyport")))
    processes = [first, *sorted(first.children(), key=Process.start_time)]
    assert [process.name() for process in processes] == ["sallyport", "sallyport-keyho", "sallyport-worke"]
    for process in processes:
        status = process.status()
        assert (status["Uid"].split()[1], status["NoNewPrivs"], status["CapEff"]) == ("65532", "1", "0" * 16)
    inspected = json.loads(podman("inspect", project.container("sallyport")))[0]["HostConfig"]
    assert inspected["ReadonlyRootfs"] and inspected["Memory"] == 64 << 20


def test_the_sidecar_serves_an_app_that_only_it_can_reach(pki):
    # Goal: compose's sidecar. Method: podman-compose up; a request through the published port; the app's listener.
    with Project("sidecar", pki.pair()) as project:
        assert answer(project, pki.ca)["scheme"] == "https"
        check_that_sallyport_is_confined(project)
        app, sallyport = (os.readlink(f"/proc/{pid_of(project.container(name))}/ns/net") for name in ("app", "sallyport"))
        assert app == sallyport


@pytest.fixture(scope="module")
def two_apps(pki):
    with Project("reverse proxy", pki.pair(names=("localhost", *HOSTS))) as project:
        yield project


def test_the_host_name_chooses_the_app(two_apps, pki):
    # Goal: two apps behind one door. Method: what is written through one name is in that app, and not in the other.
    for name in HOSTS:
        assert answer(two_apps, pki.ca, name=name)["scheme"] == "https"
    curl(("127.0.0.1", two_apps.https), pki.ca, "-X", "PUT", "--json", '{"allow": true}', name=HOSTS[0], path="/policies/main")
    assert answer(two_apps, pki.ca, name=HOSTS[0], path="/policies/main") == {"allow": True}
    for name in (HOSTS[1], "localhost"):
        told = curl(("127.0.0.1", two_apps.https), pki.ca, "-o", "/dev/null", "-w", "%{http_code}", name=name, path="/policies/main")
        assert told.stdout == "404"
    check_that_sallyport_is_confined(two_apps)


def test_plain_http_is_sent_to_https(two_apps):
    # Goal: port 80. Method: the published port's answer.
    done = run("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code} %{redirect_url}", "-H", f"Host: {HOSTS[0]}",
               f"http://127.0.0.1:{two_apps.http}/whoami")
    assert done.stdout == f"308 https://{HOSTS[0]}/whoami"


def test_the_apps_have_no_port_outside(two_apps):
    # Goal: nobody passes by. Method: what podman publishes.
    published = {name: podman("port", two_apps.container(name)) for name in ("policies", "data", "sallyport")}
    assert published["policies"] == published["data"] == "" and published["sallyport"].count("->") == 2
