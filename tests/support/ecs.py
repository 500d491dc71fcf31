"""A task of ECS on Fargate, by podman: reads a task definition and starts what it says as ECS would: one network that all
containers share, the order of dependsOn, its reverse at the end, secrets as environment, Docker's capability sets."""

import json
import subprocess
from dataclasses import dataclass

from support.podman import Container, Network
from support.waiting import until

DEFINITION = "docker/ecs/task-definition.json"


@dataclass(frozen=True)
class Event:
    what: str
    container: str
    code: int | None = None


def in_order_of_start(containers):
    """After whom they depend on. ECS stops them in the reverse order."""
    started, waiting = [], list(containers)
    while waiting:
        names = {container["name"] for container in started}
        ready = [c for c in waiting if {d["containerName"] for d in c.get("dependsOn", [])} <= names]
        assert ready, f"containers that wait for each other: {[c['name'] for c in waiting]}"
        started.append(ready[0])
        waiting.remove(ready[0])
    return started


def options_of(container):
    options = [f"--user={container['user']}"]
    if container["readonlyRootFilesystem"]:
        options += ["--read-only", "--read-only-tmpfs=false"]
    capabilities = container["linuxParameters"]["capabilities"]
    options += [f"--cap-drop={name}" for name in capabilities.get("drop", [])]
    return options + [f"--cap-add={name}" for name in capabilities.get("add", [])]


def image_of(container):
    """The same name in the local store."""
    return "localhost/" + container["image"].rsplit("/", 1)[1]


class Task:
    """Use as a context manager: inside, all of it runs. secrets: valueFrom → text. `events` tells what came when."""

    def __init__(self, definition, secrets):
        self.containers = in_order_of_start(definition["containerDefinitions"])
        self.running, self.events, self._secrets = {}, [], secrets
        controls = {c["namespace"]: c["value"] for container in self.containers for c in container.get("systemControls", [])}
        assert set(controls) <= {"net.ipv4.ip_unprivileged_port_start"}  # of the whole task, whoever has it
        self.network = Network(controls.get("net.ipv4.ip_unprivileged_port_start", 1024), "task")

    def __enter__(self):
        try:
            for container in self.containers:
                for dependency in container.get("dependsOn", []):
                    self._wait_for(dependency)
                self._start(container)
            return self
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        for running in reversed(self.running.values()):
            running.__exit__()
        self.network.close()

    def _start(self, container):
        variables = {entry["name"]: entry["value"] for entry in container.get("environment", [])}
        variables |= {entry["name"]: self._secrets[entry["valueFrom"]] for entry in container.get("secrets", [])}
        running = Container(image=image_of(container), network=self.network, confined=(), options=options_of(container),
                            runtime="docker", variables=variables)
        self.running[container["name"]] = running
        self.events.append(Event("started", container["name"]))

    def _wait_for(self, dependency):
        name = dependency["containerName"]
        if dependency["condition"] == "HEALTHY":
            check = next(c["healthCheck"] for c in self.containers if c["name"] == name)
            limit = check["startPeriod"] + check["interval"] * check["retries"]
            until(lambda: self.is_healthy(name), limit, f"{name} is healthy", every=0.2)
            self.events.append(Event("healthy", name))

    def is_healthy(self, name):
        check = next(c["healthCheck"] for c in self.containers if c["name"] == name)
        kind, *command = check["command"]
        assert kind == "CMD", "an image without a shell"
        return self.running[name].succeeds(*command)

    def stop(self):
        """As StopTask does: one after the other, each by SIGTERM, and SIGKILL when its stopTimeout is over."""
        for container in reversed(self.containers):
            name, running = container["name"], self.running[container["name"]]
            self.events.append(Event("told to stop", name))
            running.process.terminate()
            try:
                running.process.wait(container["stopTimeout"])
            except subprocess.TimeoutExpired:
                running.__exit__()
            self.events.append(Event("stopped", name, running.wait_for_exit()))


def definition_in(source_dir):
    return json.loads((source_dir / DEFINITION).read_text())
