"""The manifests in docker/kubernetes: valid, restricted, and played as pods that serve."""

import copy
import json
import subprocess

import pytest

from support import pod_security
from support.npm import KUBERNETES_MODELS, package
from support.podman import IMAGE, NOCAPS, VERSION
from support.pods import NATIVE, NETWORK, PLAIN, Pod, SecretVolume, documents, pid_of, played, spec_of
from support.programs import curl
from support.waiting import until

pytestmark = pytest.mark.seconds(180)  # more than the limits of what it waits for take together

FORMS = pytest.mark.parametrize("name", [NATIVE, PLAIN])
PORT, APP_PORT = 443, 7766


@pytest.fixture
def secret(pki):
    pair = pki.pair()
    return {"tls.crt": pair.cert.read_text(), "tls.key": pair.key.read_text()}


@pytest.fixture
def secret_volume(secret):
    made = SecretVolume(secret)
    yield made
    made.close()


def deployment(name):
    return next(document for document in documents(name) if document["kind"] == "Deployment")


def sallyport_of(spec):
    return next(c for c in pod_security.containers_of(spec) if c["name"] == "sallyport")


# The texts


def test_kubernetes_knows_every_field(source_dir):
    # Goal: no typing error, which an API server would drop in silence. Method: the schemas of Kubernetes, as an npm
    # package has them; and two faults, to see that it finds any.
    wrong = copy.deepcopy(deployment(NATIVE))
    wrong["spec"]["replicas"] = "2"
    wrong["spec"]["template"]["spec"]["securityContext"]["sysctl"] = []
    given = [*documents(NATIVE), *documents(PLAIN), *documents(NETWORK), wrong]
    script = source_dir / "tests/support/kubernetes_schema.js"
    done = subprocess.run(["node", script, package(*KUBERNETES_MODELS)], input=json.dumps(given), text=True,
                          capture_output=True, check=True)
    *faults, found = json.loads(done.stdout)
    assert faults == [[]] * (len(given) - 1)
    assert [fault.split(":")[0] for fault in found] == ["/spec/replicas", "/spec/template/spec/securityContext/sysctl"]


@FORMS
def test_every_field_is_as_the_restricted_standard_demands(name):
    # Goal: a restricted namespace admits it. Method: the standard's table.
    assert pod_security.breaches(spec_of(deployment(name))) == []


@pytest.mark.parametrize("field", pod_security.FIELDS, ids=lambda field: field.path)
def test_the_table_finds_what_the_standard_forbids(field):
    # Goal: no row of the table is blind. Method: its forbidden value, put into the manifest that is without fault.
    spec = spec_of(copy.deepcopy(deployment(NATIVE)))
    pod_security.broken(spec, field)
    assert field.path in {path for path, _ in pod_security.breaches(spec)}


def test_the_two_manifests_differ_in_what_their_comments_say():
    # Goal: no drift between the forms. Method: the sidecar's fields and the app's, side by side.
    one, other = (sallyport_of(spec_of(deployment(name))) for name in (NATIVE, PLAIN))
    assert one.pop("restartPolicy") == "Always"
    assert other["securityContext"]["capabilities"].pop("add") == ["NET_BIND_SERVICE"]
    assert one == other
    apps = [next(c for c in spec_of(deployment(name))["containers"] if c["name"] == "app") for name in (NATIVE, PLAIN)]
    assert [app.pop("lifecycle")["preStop"]["sleep"]["seconds"] for app in apps] == [10, 26]
    assert apps[0] == apps[1]


@FORMS
def test_it_is_probed_by_our_own_command(name):
    # Goal: probes that need no shell and no port. Method: the commands.
    container = sallyport_of(spec_of(deployment(name)))
    commands = {probe: container[probe]["exec"]["command"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert commands == {"startupProbe": ["/sallyport", "health"], "livenessProbe": ["/sallyport", "health"],
                        "readinessProbe": ["/sallyport", "health", "--ready"]}
    assert container["image"] == f"sallyport:{VERSION}"


def test_only_443_is_let_in():
    # Goal: the app's port never. Method: Service and NetworkPolicy beside the pod's labels and ports.
    service, policy = documents(NETWORK)
    labels = deployment(NATIVE)["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"] == policy["spec"]["podSelector"]["matchLabels"] == labels
    assert [(port["port"], port["targetPort"]) for port in service["spec"]["ports"]] == [(PORT, PORT)]
    assert policy["spec"]["policyTypes"] == ["Ingress"]
    assert policy["spec"]["ingress"] == [{"ports": [{"protocol": "TCP", "port": PORT}]}]


# The pods


def check_that_it_serves(pod, ca):
    """A request through TLS reaches the app, which only loopback does; the two are who the manifest says."""
    def answer():
        return pod.call(lambda: curl(("127.0.0.1", PORT), ca, "--fail", path="/whoami")).stdout

    assert json.loads(until(answer, 20, "an answer", every=0.1)) == {"scheme": "https", "client": "127.0.0.1"}
    for name, uid in (("sallyport", 65532), ("app", 65533)):
        pid = pid_of(pod.container(name))
        with open(f"/proc/{pid}/status") as status:
            fields = dict(line.rstrip("\n").split(":\t", 1) for line in status if ":\t" in line)
        assert (fields["Uid"].split()[0], fields["NoNewPrivs"]) == (str(uid), "1")
    listening = pod.call(lambda: subprocess.run(["ss", "-Hltn"], capture_output=True, text=True, check=True)).stdout
    assert {line.split()[3] for line in listening.splitlines()} == {f"*:{PORT}", f"127.0.0.1:{APP_PORT}"}


def test_the_native_sidecar_serves(secret_volume, pki):
    # Goal: the sysctl form. Method: podman's pod with the file's own fields, the sidecar first; no capability anywhere.
    with Pod(spec_of(deployment(NATIVE)), {"tls": secret_volume.root}) as pod:
        check_that_it_serves(pod, pki.ca)


def test_two_containers_serve(secret, pki):
    # Goal: the capability form. Method: podman kube play of the very file; every pod of it.
    with played(PLAIN, secret) as pods:
        assert pods
        for pod in pods:
            check_that_it_serves(pod, pki.ca)


@pytest.mark.parametrize("name, image", [(NATIVE, IMAGE), (PLAIN, NOCAPS)])
def test_the_forms_can_be_exchanged(secret_volume, pki, name, image):
    # Goal: either way to bind goes with either form of sidecar, and the sysctl with the variant that has no capability.
    # Method: the two fields change their places.
    spec = spec_of(copy.deepcopy(deployment(name)))
    container = sallyport_of(spec)
    container["image"] = image.removeprefix("localhost/")
    if spec["securityContext"].pop("sysctls", None):
        container["securityContext"]["capabilities"]["add"] = ["NET_BIND_SERVICE"]
    else:
        spec["securityContext"]["sysctls"] = spec_of(deployment(NATIVE))["securityContext"]["sysctls"]
        del container["securityContext"]["capabilities"]["add"]
    assert pod_security.breaches(spec) == []
    with Pod(spec, {"tls": secret_volume.root}) as pod:
        check_that_it_serves(pod, pki.ca)
