# shellcheck shell=bash
# Which Debian packages each task needs, and how they get here.

# Prints the release of Debian ("12"), or nothing elsewhere.
debian_release() { (. /etc/os-release && echo "${VERSION_ID:-}"); }

# Debian 12's default Boost (1.74) is too old; 1.81 stands beside it.
boost_package() { if [[ $(debian_release) == 12 ]]; then echo libboost1.81-dev; else echo libboost-dev; fi; }

# Clang 19 is in both releases; Debian 12's default (14) cannot read std::expected.
packages_for() {
    case $1 in
        build) echo g++ cmake ninja-build ccache pkg-config git "$(boost_package)" libssl-dev libyaml-cpp-dev libspdlog-dev \
            libfmt-dev libcli11-dev libc-ares-dev libcap-dev libmd-dev libseccomp-dev libnghttp2-dev ;;
        demo) echo python3 openssl curl iproute2 util-linux binutils ;;
        test) echo catch2 python3 python3-pytest python3-pytest-xdist python3-yaml python3-jsonschema python3-h11 python3-dnslib nodejs gnutls-bin curl \
            openssl iproute2 iptables util-linux libcap2-bin binutils strace systemd procps authbind \
            python3-fastapi uvicorn python3-websockets python3-httpx python3-h2 python3-grpcio python3-hypercorn nghttp2-client \
            chromium-headless-shell haproxy nginx libnginx-mod-stream prometheus \
            libnss3-tools ca-certificates ;; # apps, clients, neighbours; promtool; stores of authorities
        image_build) echo podman runc conmon netavark aardvark-dns iptables uidmap debootstrap python3 git ;;
        containers) echo python3-pytest python3-pytest-xdist python3-yaml python3-jsonschema python3-websockets python3-botocore \
            python3-dotenv catatonit curl openssl iproute2 binutils strace g++ ;;
        npm) echo nodejs npm ;;
        image) echo libcap2-bin libzstd-dev zlib1g-dev python3 ;; # in the image that builds it; libcrypto.a needs the middle two
        bench) echo python3 openssl nghttp2-client util-linux ;; # the peers: bench/harness/packages.py
        lint) echo clang-19 clang-format-19 clang-tidy-19 shellcheck python3 ;;
        fuzz) echo catch2 clang-19 libclang-rt-19-dev ;;
    esac
}

is_installed() { [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

as_root() {
    if ((EUID == 0)); then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        echo "run: '$*' needs root, and there is no sudo here" >&2
        return 77
    fi
}

# Starts no service of what it installs: invoke-rc.d asks the policy, and 101 forbids.
# shellcheck disable=SC2016
install_only='
    policy=/usr/sbin/policy-rc.d
    [[ -e $policy ]] || { trap "rm -f $policy" EXIT && printf "#!/bin/sh\nexit 101\n" >"$policy" && chmod 755 "$policy"; }
    DEBIAN_FRONTEND=noninteractive apt-get -qy --no-install-recommends install "$@"'

# npm comes with nodejs where that is not Debian's.
need_npm() { command -v npm >/dev/null || need npm; }

# need <task>…: installs what these tasks miss, and says what that is.
need() {
    local missing=() package
    for package in $(for task in "$@"; do packages_for "$task"; done); do
        is_installed "$package" || missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    echo "run: installing by apt: ${missing[*]}"
    as_root apt-get -q update
    as_root bash -c "$install_only" bash "${missing[@]}"
}
