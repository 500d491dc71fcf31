#include "remedies.hpp"

#include <string_view>

namespace sallyport::gatekeeper {

namespace {

using sys::Runtime;

// @LOWEST@, @PORT@ and @FILE@ are filled in.

constexpr std::string_view kEcs =
    R"(ECS task definition, in this container's definition (Fargate: platform 1.4.0 or later):
  "systemControls": [{ "namespace": "net.ipv4.ip_unprivileged_port_start", "value": "@LOWEST@" }]
It counts for every container of the task, and is not possible with networkMode host. Fargate cannot add
NET_BIND_SERVICE, so after "drop": ["ALL"] this is the only way there. Without that drop, a line in the Dockerfile's last
stage serves as well, with initProcessEnabled false:
  RUN setcap cap_net_bind_service=p @FILE@
)";

constexpr std::string_view kKubernetes = R"(pod spec (a safe sysctl since Kubernetes 1.22; not with hostNetwork):
  spec:
    securityContext:
      sysctls:
        - name: net.ipv4.ip_unprivileged_port_start
          value: "@LOWEST@"
or by capability, where sallyport itself is the image's ENTRYPOINT (no shell, no init before it); in the Dockerfile's
last stage and in the pod spec:
  RUN setcap cap_net_bind_service=p @FILE@
  containers:
    - name: sallyport
      securityContext:
        capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] }
)";

constexpr std::string_view kDocker = R"(docker run (with --network host or container:… that network's own value counts):
  docker run --sysctl net.ipv4.ip_unprivileged_port_start=@LOWEST@ …
compose.yaml:
  services:
    sallyport:
      sysctls:
        net.ipv4.ip_unprivileged_port_start: @LOWEST@
or by capability, where sallyport itself is the image's ENTRYPOINT (no shell, no tini before it); in the Dockerfile's
last stage and on the command line:
  RUN setcap cap_net_bind_service=p @FILE@
  docker run --cap-drop ALL --cap-add NET_BIND_SERVICE …
)";

constexpr std::string_view kPodman = R"(podman run (with --network host that network's own value counts):
  podman run --sysctl net.ipv4.ip_unprivileged_port_start=@LOWEST@ …
or by capability, where sallyport itself is the image's ENTRYPOINT (no shell, no init before it); in the Dockerfile's
last stage and on the command line:
  RUN setcap cap_net_bind_service=p @FILE@
  podman run --cap-drop ALL --cap-add NET_BIND_SERVICE …
)";

constexpr std::string_view kSystemd = R"(systemd service unit:
  [Service]
  AmbientCapabilities=CAP_NET_BIND_SERVICE
  CapabilityBoundingSet=CAP_NET_BIND_SERVICE
or a socket unit, and `bind: systemd:https` in the configuration:
  [Socket]
  ListenStream=@PORT@
  FileDescriptorName=https
)";

constexpr std::string_view kPlain = R"(on this machine, one of:
  setcap cap_net_bind_service=p @FILE@
  sysctl -w net.ipv4.ip_unprivileged_port_start=@LOWEST@
)";

void fill_in(std::string& text, std::string_view placeholder, const std::string& value)
{
    for (std::size_t at = 0; (at = text.find(placeholder, at)) != std::string::npos; at += value.size())
        text.replace(at, placeholder.size(), value);
}

std::string lines_for(Runtime runtime)
{
    switch (runtime) {
    case Runtime::ecs:
        return std::string{kEcs};
    case Runtime::kubernetes:
        return std::string{kKubernetes};
    case Runtime::docker:
        return std::string{kDocker};
    case Runtime::podman:
        return std::string{kPodman};
    case Runtime::systemd:
        return std::string{kSystemd};
    case Runtime::plain:
        break;
    }
    // Nothing was recognised: whichever it is, its lines are there.
    return std::string{kPlain}.append(kSystemd).append(kDocker);
}

} // namespace

std::string remedies(Runtime runtime, const Need& need)
{
    std::string text = lines_for(runtime);
    fill_in(text, "@LOWEST@", std::to_string(need.lowest_port));
    fill_in(text, "@PORT@", std::to_string(need.port));
    fill_in(text, "@FILE@", need.executable);
    return text;
}

} // namespace sallyport::gatekeeper
