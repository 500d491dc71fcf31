"""stunnel, one thread a connection: it has no other model in Debian's build."""

from peers.system import System

CONFIG = """\
; In the foreground, without a pid file and without a log line.
foreground = yes
pid =
debug = emerg
syslog = no
; Small writes leave at once, as everybody else has it.
socket = l:TCP_NODELAY=1
socket = r:TCP_NODELAY=1

[door]
accept = 127.0.0.1:{port}
connect = 127.0.0.1:{app_port}
cert = {certificate}
key = {key}
; The same for everybody: TLS 1.2 and 1.3, X25519 first, tickets.
sslVersionMin = TLSv1.2
ciphers = ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384
ciphersuites = TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256
curves = X25519:P-256
options = CIPHER_SERVER_PREFERENCE
; stunnel switches tickets off by default.
options = -NO_TICKET
; An idle connection must live through the whole measurement.
TIMEOUTidle = 300
"""


class Stunnel(System):
    name = "stunnel"
    packages = ("stunnel4",)
    program = "stunnel4"
    version_flag = "-version"

    def command(self, place):
        text = CONFIG.format(
            port=place.port, app_port=place.app_port, certificate=place.certificate, key=place.key
        )
        return ["stunnel4", str(place.write("stunnel.conf", text))]
