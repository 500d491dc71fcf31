"""Caddy, L7 only: Debian's build has no L4 module."""

from peers.system import System

CONFIG = """\
{{
    # Only the one listener: no admin endpoint, no certificate management.
    admin off
    auto_https off
    log {{
        output discard
    }}
    servers {{
        # HTTP/1.1 is what is measured; h2 and h3 are not offered.
        protocols h1
    }}
}}
https://bench.test:{port} {{
    bind 127.0.0.1
    # The same for everybody. Go chooses the cipher; the generator offers one only. Tickets are on by default.
    tls {certificate} {key} {{
        protocols tls1.2 tls1.3
        curves x25519 secp256r1
        alpn http/1.1
    }}
    reverse_proxy 127.0.0.1:{app_port} {{
        transport http {{
            # Connections to the app are kept, as many as the generator keeps busy.
            keepalive 5m
            keepalive_idle_conns 256
            keepalive_idle_conns_per_host 256
            # The app's bytes pass as they are.
            compression off
            versions 1.1
        }}
    }}
}}
"""


class Caddy(System):
    name = "caddy"
    modes = ("http",)
    packages = ("caddy",)
    program = "caddy"
    version_flag = "version"
    # One worker, as everybody has here.
    environment = {"GOMAXPROCS": "1"}

    def command(self, place):
        text = CONFIG.format(
            port=place.port, app_port=place.app_port, certificate=place.certificate, key=place.key
        )
        return ["caddy", "run", "--adapter", "caddyfile", "--config", str(place.write("Caddyfile", text))]
