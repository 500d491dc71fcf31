"""The restricted Pod Security Standard (kubernetes.io/docs/concepts/security/pod-security-standards), field by field, with
what it has of the baseline: which fields of a pod, which values they may have, and one that they may not."""

from dataclasses import dataclass
from typing import Any

UNSET = None
SAFE_SYSCTLS = {
    "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"}
VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
SELINUX_TYPES = {UNSET, "", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
CONFINED = {"RuntimeDefault", "Localhost"}
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
CONTAINERS = ("containers", "initContainers", "ephemeralContainers")


@dataclass(frozen=True)
class Field:
    """`path`: of the pod's spec, or of each container (it begins with *). [] is each of a list."""

    path: str
    allowed: Any  # a set, or a function of the value
    forbidden: Any  # a value that is not

    def allows(self, value):
        return self.allowed(value) if callable(self.allowed) else value in self.allowed


NEVER, NO_NAME = {UNSET, False}, {UNSET, ""}
FIELDS = [
    Field("securityContext.windowsOptions.hostProcess", NEVER, True),
    Field("*securityContext.windowsOptions.hostProcess", NEVER, True),
    Field("hostNetwork", NEVER, True), Field("hostPID", NEVER, True), Field("hostIPC", NEVER, True),
    Field("*securityContext.privileged", NEVER, True),
    Field("volumes[]", lambda one: one is UNSET or set(one) - {"name"} <= VOLUMES, {"name": "x", "hostPath": {"path": "/"}}),
    Field("*ports[].hostPort", {UNSET, 0}, 443),
    *(Field(f"*{probe}.{way}.host", NO_NAME, "10.0.0.1") for probe in PROBES for way in ("httpGet", "tcpSocket")),
    *(Field(f"*lifecycle.{hook}.{way}.host", NO_NAME, "10.0.0.1") for hook in ("postStart", "preStop")
      for way in ("httpGet", "tcpSocket")),
    *(Field(f"{level}securityContext.appArmorProfile.type", CONFINED | {UNSET}, "Unconfined") for level in ("", "*")),
    *(Field(f"{level}securityContext.seLinuxOptions.type", SELINUX_TYPES, "spc_t") for level in ("", "*")),
    *(Field(f"{level}securityContext.seLinuxOptions.{name}", NO_NAME, "x") for level in ("", "*") for name in ("user", "role")),
    Field("*securityContext.procMount", {UNSET, "Default"}, "Unmasked"),
    Field("securityContext.sysctls[].name", SAFE_SYSCTLS | {UNSET}, "net.core.somaxconn"),
    Field("*securityContext.allowPrivilegeEscalation", {False}, True),
    Field("securityContext.runAsNonRoot", {True}, False), Field("*securityContext.runAsNonRoot", {UNSET, True}, False),
    Field("securityContext.runAsUser", lambda uid: uid != 0, 0), Field("*securityContext.runAsUser", lambda uid: uid != 0, 0),
    Field("securityContext.seccompProfile.type", CONFINED, "Unconfined"),
    Field("*securityContext.seccompProfile.type", CONFINED | {UNSET}, "Unconfined"),
    Field("*securityContext.capabilities.drop", lambda names: "ALL" in (names or []), ["NET_RAW"]),
    Field("*securityContext.capabilities.add[]", {UNSET, "NET_BIND_SERVICE"}, "NET_ADMIN"),
]


def breaches(spec):
    """(path, value) of each field of a pod's spec that has a value which the standard does not allow."""
    return [(field.path, value) for field in FIELDS for value in values(spec, field.path) if not field.allows(value)]


def values(spec, path):
    """What stands there; UNSET once for each place where nothing does."""
    if not path.startswith("*"):
        return _below(spec, path.split("."))
    return [value for container in containers_of(spec) for value in _below(container, path[1:].split("."))]


def containers_of(spec):
    return [container for kind in CONTAINERS for container in spec.get(kind) or []]


def _below(place, steps):
    if not steps:
        return [place]
    inner = (place or {}).get(steps[0].removesuffix("[]"))
    each = (inner or [UNSET]) if steps[0].endswith("[]") else [inner]
    return [value for one in each for value in (_below(one, steps[1:]) if one is not UNSET or steps[1:] else [UNSET])]


def broken(spec, field):
    """Writes the forbidden value into a pod's spec: into its first container, where the field is one of a container."""
    *steps, last = field.path.removeprefix("*").split(".")
    place = containers_of(spec)[0] if field.path.startswith("*") else spec
    for step in steps:
        name = step.removesuffix("[]")
        place = place.setdefault(name, [{}] if step.endswith("[]") else {})
        place = place[0] if step.endswith("[]") else place
    place[last.removesuffix("[]")] = [field.forbidden] if last.endswith("[]") else field.forbidden
