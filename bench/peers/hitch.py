"""hitch, the TLS terminator of the Varnish people."""

from peers.system import System

CONFIG = """\
frontend = {{
    host = "127.0.0.1"
    port = "{port}"
}}
backend = "[127.0.0.1]:{app_port}"
pem-file = "{pem}"
# One worker, as everybody has here, beside the master that hitch always has.
workers = 1
daemon = off
# A backlog that no burst of the generator fills.
backlog = 4096
# No log line.
log-level = 0
syslog = off
# The same for everybody: TLS 1.2 and 1.3, X25519 first. Tickets are OpenSSL's default, which hitch leaves on.
tls-protos = TLSv1.2 TLSv1.3
ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"
ciphersuites = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
prefer-server-ciphers = on
ecdh-curve = "X25519:P-256"
# No stapling: nobody else does it here.
ocsp-dir = ""
user = "nobody"
group = "nogroup"
"""


class Hitch(System):
    name = "hitch"
    packages = ("hitch",)
    program = "hitch"
    version_flag = "--version"

    def command(self, place):
        text = CONFIG.format(port=place.port, app_port=place.app_port, pem=place.combined)
        return ["hitch", f"--config={place.write('hitch.conf', text)}"]
