"""`/sallyport health` in its places: the image's health check, the pod's probes, the ECS task's."""

import pytest

from support.ecs import Task, definition_in
from support.podman import Container, podman
from support.pods import NATIVE, Pod, SecretVolume, documents, spec_of
from support.waiting import until


@pytest.fixture
def pem(pki):
    pair = pki.pair()
    return {"tls.crt": pair.cert.read_text(), "tls.key": pair.key.read_text()}


def test_the_image_s_health_check_is_good_while_it_serves(networks, pem_variables):
    # Goal: HEALTHCHECK of the image as built, under the tightest flags, configured by environment. Method: podman runs it.
    network = networks[0]
    variables = {"SALLYPORT_LISTEN": ":443", "SALLYPORT_TO": network.app, **pem_variables}
    options = ["--user=65532", "--memory=64m", "--security-opt=no-new-privileges", "--cap-drop=ALL"]
    with Container(network=network, options=options, variables=variables) as container:
        assert container.serves(), container.errors.text()
        until(lambda: container.succeeds("/sallyport", "health", "--ready"), 10, "it is ready", every=0.2)
        assert podman("healthcheck", "run", container.name) == ""
        container.log.wait_for(event="serving")
        assert container.stop() == 0


def test_a_pod_s_probes_are_good(pem):
    # Goal: the manifest's own commands find the endpoint and are answered. Method: executed as a kubelet does.
    spec = spec_of(documents(NATIVE)[0])
    sidecar, = spec["initContainers"]
    commands = {kind: sidecar[f"{kind}Probe"]["exec"]["command"] for kind in ("startup", "liveness", "readiness")}
    volume = SecretVolume(pem)
    try:
        with Pod(spec, {"tls": volume.root}) as pod:
            for kind in ("startup", "readiness", "liveness"):
                until(lambda kind=kind: pod.succeeds("sallyport", *commands[kind]), 20, f"the {kind} probe", every=0.2)
    finally:
        volume.close()


def test_the_task_s_health_check_is_good(source_dir, pem):
    # Goal: the command in the task definition. Method: executed as ECS does.
    definition = definition_in(source_dir)
    names = {"SALLYPORT_CERT": "tls.crt", "SALLYPORT_KEY": "tls.key"}
    secrets = {secret["valueFrom"]: pem[names[secret["name"]]] for secret in definition["containerDefinitions"][1]["secrets"]}
    with Task(definition, secrets) as task:
        until(lambda: task.is_healthy("sallyport"), 20, "the proxy is healthy", every=0.2)
