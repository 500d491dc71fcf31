"""docker/ecs/task-definition.json: what AWS accepts, and what comes of it when its containers are started as ECS would."""

import copy
import json
import threading
import urllib.request

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from support.ecs import Event, Task, definition_in, in_order_of_start
from support.podman import VERSION
from support.procfs import Process
from support.programs import curl
from support.waiting import until

ADDRESS = ("127.0.0.1", 443)
DRAIN_SECONDS = 25


@pytest.fixture(scope="module")
def definition(source_dir):
    return definition_in(source_dir)


@pytest.fixture
def secrets(definition, pki):
    pair = pki.pair()
    sallyport = definition["containerDefinitions"][1]
    texts = {"SALLYPORT_CERT": pair.cert.read_text(), "SALLYPORT_KEY": pair.key.read_text()}
    return {secret["valueFrom"]: texts[secret["name"]] for secret in sallyport["secrets"]}


@pytest.fixture
def task(definition, secrets):
    with Task(definition, secrets) as running:
        assert running.running["sallyport"].serves(), running.running["sallyport"].errors.text()
        yield running


def request(task, ca, path, *options):
    return task.network.call(lambda: curl(ADDRESS, ca, *options, path=path))


def family(task):
    """Gatekeeper, keyholder, worker: in the order of their births."""
    first = task.running["sallyport"].first_process()
    return [first, *sorted(first.children(), key=Process.start_time)]


def faults(definition):
    model = ServiceModel(Loader().load_service_model("ecs", "service-2"))
    shape = model.operation_model("RegisterTaskDefinition").input_shape
    return ParamValidator().validate(definition, shape).generate_report()


def test_it_is_what_register_task_definition_takes(definition):
    # Goal: `aws ecs register-task-definition --cli-input-json` takes it. Method: AWS's own model of the call; and a fault.
    assert faults(definition) == ""
    wrong = copy.deepcopy(definition)
    wrong["containerDefinitions"][0]["stopTimeout"] = "30"
    wrong["containerDefinitions"][0]["readonlyRoot"] = True
    assert "stopTimeout" in faults(wrong) and "readonlyRoot" in faults(wrong)


def test_it_is_for_fargate_and_ends_in_the_right_order(definition):
    # Goal: the rules that cost others their requests. Method: the fields.
    app, sallyport = definition["containerDefinitions"]
    assert (definition["networkMode"], definition["requiresCompatibilities"]) == ("awsvpc", ["FARGATE"])
    assert sallyport["dependsOn"] == [{"containerName": app["name"], "condition": "HEALTHY"}] and "dependsOn" not in app
    assert DRAIN_SECONDS < sallyport["stopTimeout"] <= 120
    assert sallyport["healthCheck"]["command"] == ["CMD", "/sallyport", "health"]
    assert sallyport["image"].endswith(f"/sallyport:{VERSION}")
    assert [mapping["containerPort"] for mapping in sallyport["portMappings"]] == [443] and "portMappings" not in app
    for container in (app, sallyport):
        assert container["readonlyRootFilesystem"] and container["user"].split(":")[0] != "0"
        # Fargate can add none but SYS_PTRACE, so the port is bound by the sysctl.
        assert container["linuxParameters"]["capabilities"] == {"drop": ["ALL"]}
    assert sallyport["systemControls"] == [{"namespace": "net.ipv4.ip_unprivileged_port_start", "value": "443"}]


def test_the_order_of_start_is_that_of_dependencies():
    # Goal: the stand-in reads dependsOn. Method: three, named in the wrong order.
    named = [{"name": name, "dependsOn": [{"containerName": before}] if before else []} for name, before in ("cb", "ba", ("a", ""))]
    assert [container["name"] for container in in_order_of_start(named)] == ["a", "b", "c"]


def test_it_serves_and_no_secret_is_left_in_an_environment(task, secrets, pki):
    # Goal: secrets come as environment and are wiped. Method: a request; /proc/PID/environ of all three.
    assert json.loads(request(task, pki.ca, "/whoami").stdout) == {"scheme": "https", "client": "127.0.0.1"}
    assert task.events == [Event("started", "app"), Event("healthy", "app"), Event("started", "sallyport")]
    processes = family(task)
    assert [process.name() for process in processes] == ["sallyport", "sallyport-keyho", "sallyport-worke"]
    needles = [line for text in secrets.values() for line in text.splitlines() if len(line) > 20]
    for process in processes:
        environment = process.environment().decode(errors="replace")
        assert not [needle for needle in needles if needle in environment], process
    assert "SALLYPORT_TO" in processes[0].environment().decode()  # what is no secret shows that it was read


def test_the_proxy_is_stopped_first_and_drains_to_a_living_app(task, pki):
    # Goal: a request that is under way when the task is stopped is answered by the app. Method: it waits for an update,
    # which is written into the app once the proxy has been told to stop.
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(request(task, pki.ca, "/policies/main/next", "--http1.1")))
    waiting.start()
    app = task.running["app"]
    until(lambda: connections_to_the_app(task), 10, "the request has reached the app")
    stopping = threading.Thread(target=task.stop)
    stopping.start()
    task.running["sallyport"].log.wait_for(event="draining")
    assert app.process.poll() is None and not answers
    task.network.call(lambda: write_update("main"))
    waiting.join(20)
    stopping.join(40)
    assert json.loads(answers[0].stdout) == {"allow": True}, answers[0].stderr
    stopped = [Event("told to stop", "sallyport"), Event("stopped", "sallyport", 0), Event("told to stop", "app")]
    assert task.events[3:6] == stopped and task.events[6].container == "app"


def connections_to_the_app(task):
    """Established ones of the worker's, by the kernel's table of its network."""
    table = (Process(family(task)[-1].pid)._root / "net/tcp").read_text().splitlines()[1:]
    return [row for row in table if row.split()[2].endswith(f":{7766:04X}") and row.split()[3] == "01"]


def write_update(name):
    call = urllib.request.Request(f"http://127.0.0.1:7766/policies/{name}", b'{"allow": true}', method="PUT")
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(call, timeout=10).read()
