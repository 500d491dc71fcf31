#include "sallyport/audit/mend.hpp"

#include <array>
#include <string_view>

namespace sallyport::audit {

namespace {

/// In the order of sys::Runtime.
using Lines = std::array<std::string_view, 6>;

constexpr Lines kBoundingSet{
    R"("linuxParameters": { "capabilities": { "drop": ["ALL"] } }, with the systemControls of a low port)",
    R"(securityContext: { capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] } })",
    "docker run --cap-drop ALL --cap-add NET_BIND_SERVICE …",
    "podman run --cap-drop ALL --cap-add NET_BIND_SERVICE …",
    "CapabilityBoundingSet=CAP_NET_BIND_SERVICE",
    "setpriv --bounding-set=-all,+net_bind_service sallyport run … (as root)"};

constexpr std::string_view kOwnFilter = "sandbox: { level: enforce } in the configuration, the default";
constexpr Lines kSeccomp{kOwnFilter, kOwnFilter, kOwnFilter, kOwnFilter, kOwnFilter, kOwnFilter};

constexpr Lines kUser{R"("user": "65532:65532")",
                      "securityContext: { runAsNonRoot: true, runAsUser: 65532, runAsGroup: 65532 }",
                      "docker run --user 65532:65532 …, or USER 65532:65532 in the Dockerfile",
                      "podman run --user 65532:65532 …, or USER 65532:65532 in the Dockerfile",
                      "DynamicUser=yes, with AmbientCapabilities=CAP_NET_BIND_SERVICE",
                      "setpriv --reuid=65532 --regid=65532 --clear-groups sallyport run …"};

constexpr Lines kRootFilesystem{R"("readonlyRootFilesystem": true)",
                                "securityContext: { readOnlyRootFilesystem: true }",
                                "docker run --read-only …",
                                "podman run --read-only --read-only-tmpfs=false …",
                                "ProtectSystem=strict",
                                "systemd-run -p ProtectSystem=strict sallyport run …"};

constexpr Lines kVolumes{
    R"("mountPoints": [{ …, "readOnly": true }])", "volumeMounts: [{ …, readOnly: true }]",
    "docker run --volume SOURCE:TARGET:ro …",      "podman run --volume SOURCE:TARGET:ro …",
    "ReadOnlyPaths=/ with PrivateTmp=yes",         "systemd-run -p ReadOnlyPaths=/ sallyport run …"};

constexpr Lines kSharedMemory{
    R"("tmpfs": [{ "containerPath": "/dev/shm", "size": 1, "mountOptions": ["ro"] }] in linuxParameters)",
    "an emptyDir at mountPath: /dev/shm, readOnly: true",
    "docker run --ipc none …",
    "podman run --ipc none …",
    "TemporaryFileSystem=/dev/shm:ro",
    "systemd-run -p TemporaryFileSystem=/dev/shm:ro sallyport run …"};

// On the first two the limit is that of a whole task or pod, set for all of a machine's: only one that is too low is to
// be mended.
constexpr Lines kTasks{
    "the agent's ECS_TASK_PIDS_LIMIT counts the whole task: let it leave this container so many",
    "the kubelet's podPidsLimit counts the whole pod, for each pod of the node: let it leave this container so many",
    "docker run --pids-limit 64 …",
    "podman run --pids-limit 64 …",
    "TasksMax=64",
    "systemd-run -p TasksMax=64 sallyport run …"};

constexpr Lines kMemory{R"("memory": 512, in this container's definition)",
                        "resources: { limits: { memory: 512Mi } }",
                        "docker run --memory 512m …",
                        "podman run --memory 512m …",
                        "MemoryMax=512M",
                        "systemd-run -p MemoryMax=512M sallyport run …"};

constexpr Lines kDescriptors{R"("ulimits": [{ "name": "nofile", "softLimit": 65536, "hardLimit": 65536 }])",
                             "the container runtime's LimitNOFILE=65536; a pod has no key for it",
                             "docker run --ulimit nofile=65536:65536 …",
                             "podman run --ulimit nofile=65536:65536 …",
                             "LimitNOFILE=65536",
                             "ulimit -n 65536, as root"};

constexpr Lines kEnvironment{
    R"(take it out of this container's "environment" and "secrets": Sallyport needs SALLYPORT_CERT and SALLYPORT_KEY)",
    "take it out of this container's env and envFrom: give it to the app's container alone",
    "docker run without this --env: give it to the app's container alone",
    "podman run without this --env: give it to the app's container alone",
    "UnsetEnvironment=NAME",
    "env --unset=NAME sallyport run …"};

constexpr Lines kBypass{"let the app listen on 127.0.0.1: the task's address leads to every port of every container",
                        "let the app listen on 127.0.0.1: the pod's address leads to every port of every container",
                        "let the app listen on 127.0.0.1: both containers share the network namespace",
                        "let the app listen on 127.0.0.1: both containers share the network namespace",
                        "let the app listen on 127.0.0.1, or on a Unix socket (address: unix:/run/app.sock)",
                        "let the app listen on 127.0.0.1, or on a Unix socket (address: unix:/run/app.sock)"};

const Lines& lines_of(Guard guard)
{
    // In the order of Guard.
    static constexpr std::array kAll{&kBoundingSet, &kSeccomp,      &kUser,  &kRootFilesystem,
                                     &kVolumes,     &kSharedMemory, &kTasks, &kMemory,
                                     &kDescriptors, &kEnvironment,  &kBypass};
    return *kAll.at(static_cast<std::size_t>(guard));
}

} // namespace

std::string mend(Guard guard, sys::Runtime runtime)
{
    return std::string{lines_of(guard).at(static_cast<std::size_t>(runtime))};
}

} // namespace sallyport::audit
