"""Pods of the manifests in docker/kubernetes. Podman 4.3 plays neither a native sidecar nor a sysctl: `Pod` reads the same
file and starts what it says by `podman pod create`, in the order of a kubelet; `played` is `podman kube play`."""

import base64
import itertools
import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import yaml

from support.podman import SOURCE, call_inside, environment, podman, processes, wait_for_helpers

MANIFESTS = SOURCE / "docker" / "kubernetes"
NATIVE, PLAIN, NETWORK = "native-sidecar.yaml", "two-containers.yaml", "network.yaml"
FS_GROUP = 65532
_numbers = itertools.count()


def documents(name):
    return list(yaml.safe_load_all((MANIFESTS / name).read_text()))


def spec_of(deployment):
    return deployment["spec"]["template"]["spec"]


class SecretVolume:
    """A directory as the kubelet makes it of a Secret: the files are links through ..data, which is swapped as a whole."""

    def __init__(self, files, group=FS_GROUP):
        self.root = Path(tempfile.mkdtemp(prefix="sallyport-secret-"))
        self.root.chmod(0o755)
        self._group, self._count = group, 0
        self.swap(files)
        for name in files:
            (self.root / name).symlink_to(f"..data/{name}")

    def swap(self, files):
        """Another content, at once: as after an update of the Secret."""
        self._count += 1
        made = self.root / f"..2026_11_22_{self._count}"
        made.mkdir(mode=0o755)
        for name, text in files.items():
            (made / name).write_text(text)
            os.chown(made / name, 0, self._group)
            (made / name).chmod(0o440)
        (self.root / "..data_tmp").symlink_to(made.name)
        old = (self.root / "..data").resolve() if self._count > 1 else None
        (self.root / "..data_tmp").rename(self.root / "..data")
        if old:
            shutil.rmtree(old)

    def close(self):
        shutil.rmtree(self.root)


def options_of(spec, container, volumes):
    """What podman is told of a container."""
    context = container["securityContext"]
    capabilities = context["capabilities"]
    options = [f"--user={context['runAsUser']}:{context['runAsGroup']}", f"--group-add={spec['securityContext']['fsGroup']}",
               f"--memory={container['resources']['limits']['memory'].replace('Mi', 'm')}",
               *(f"--cap-drop={name}" for name in capabilities["drop"]),
               *(f"--cap-add={name}" for name in capabilities.get("add", [])),
               *(f"--env={entry['name']}={entry['value']}" for entry in container.get("env", [])),
               *(f"--volume={volumes[mount['name']]}:{mount['mountPath']}:ro" for mount in container.get("volumeMounts", []))]
    if context["readOnlyRootFilesystem"]:
        options += ["--read-only", "--read-only-tmpfs=false"]
    if not context["allowPrivilegeEscalation"]:
        options.append("--security-opt=no-new-privileges")
    return options


class Pod:
    """Running, from its start: sidecars first, then the containers. `volumes`: name → directory."""

    def __init__(self, spec, volumes):
        self.name = f"sallyport-pod-{os.getpid()}-{next(_numbers)}"
        self._before = processes()
        sysctls = [f"--sysctl={s['name']}={s['value']}" for s in spec["securityContext"].get("sysctls", [])]
        podman("pod", "create", "--name", self.name, "--network", "none", *sysctls)
        try:
            for container in spec.get("initContainers", []) + spec["containers"]:
                podman("run", "--detach", "--pod", self.name, "--name", self.container(container["name"]),
                       *options_of(spec, container, volumes), f"localhost/{container['image']}",
                       *container.get("args", []))
        except BaseException:
            self.__exit__()
            raise

    def container(self, name):
        return f"{self.name}-{name}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        podman("pod", "rm", "--force", "--time", "0", self.name)
        wait_for_helpers(self._before)

    def succeeds(self, container, *command):
        """Whether this command, started inside one of its containers, exits with 0."""
        command = ["podman", "exec", self.container(container), *command]
        return subprocess.run(command, env=environment(), capture_output=True).returncode == 0

    def call(self, function):
        """function() inside the pod's network."""
        return call_inside(f"/proc/{pid_of(self.container('app'))}/ns/net", function)


class PlayedPod(Pod):
    def __init__(self, name):
        self.name = name


def write_as_a_kubelet_does(volume, files):
    """Podman 4.3 has made these files of the Secret, but leaves their text in base64, and knows no fsGroup."""
    root = Path(podman("volume", "inspect", "--format", "{{.Mountpoint}}", volume))
    assert {file.name for file in root.iterdir()} == set(files)
    for name, text in files.items():
        (root / name).write_text(text)
        os.chown(root / name, 0, FS_GROUP)
        (root / name).chmod(0o440)


def pid_of(container):
    return int(podman("inspect", "--format", "{{.State.Pid}}", container))


@contextmanager
def played(name, secrets):
    """`podman kube play` of a manifest's very text, and of the Secret that it mounts. secrets: file name → text."""
    data = {file: base64.b64encode(text.encode()).decode() for file, text in secrets.items()}
    deployment, = documents(name)
    secret_name = spec_of(deployment)["volumes"][0]["secret"]["secretName"]
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": secret_name}, "type": "kubernetes.io/tls", "data": data}
    before = processes()
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(f"{yaml.safe_dump(secret)}---\n{(MANIFESTS / name).read_text()}")
        file.flush()
        try:
            podman("kube", "play", "--network", "none", "--start=false", file.name)
            write_as_a_kubelet_does(secret_name, secrets)
            made = podman("pod", "ps", "--format", "{{.Name}}", "--filter", f"name={deployment['metadata']['name']}-pod")
            pods = sorted(made.splitlines())  # one or, as in podman 4.3, one for each replica
            podman("pod", "start", *pods)
            yield [PlayedPod(name) for name in pods]
        finally:
            podman("kube", "down", file.name)
            podman("secret", "rm", secret_name)
            podman("volume", "rm", "--force", secret_name)
            wait_for_helpers(before)
