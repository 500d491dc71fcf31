"""HAProxy as its manual advises for TLS offloading in front of one local app."""

from peers.system import System

GLOBAL = """\
global
    # One worker, as everybody has here.
    nbthread 1
    # Twice as many descriptors must fit the limit of 20,000.
    maxconn 9000
    # TLS 1.2 and 1.3, AES-128-GCM, X25519 first: the same for everybody. Session tickets are on by default.
    ssl-default-bind-options ssl-min-ver TLSv1.2
    ssl-default-bind-ciphersuites TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256
    ssl-default-bind-ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384
    ssl-default-bind-curves X25519:P-256
    # No log line anywhere: there is no `log` directive.

defaults
    timeout connect 5s
    # An idle connection must live through the whole measurement.
    timeout client 5m
    timeout server 5m
"""

TCP = """\
    mode tcp

frontend door
    # A backlog that no burst of the generator fills.
    bind 127.0.0.1:{port} ssl crt {pem} backlog 4096
    default_backend app

backend app
    # One fixed server: nothing to balance, no health checks.
    server app 127.0.0.1:{app_port}
"""

HTTP = """\
    mode http
    timeout http-keep-alive 5m
    # The app is ours and trusted: connections to it are shared freely.
    http-reuse always

frontend door
    # What is measured is offered first; and HTTP/1.1, by which the runner sees that it serves.
    bind 127.0.0.1:{port} ssl crt {pem} alpn {alpn} backlog 4096
    # What every reverse proxy is asked to add.
    option forwardfor
    default_backend app

backend app
    server app 127.0.0.1:{app_port}
"""


class Haproxy(System):
    name = "haproxy"
    modes = ("tcp", "http", "h2")
    packages = ("haproxy",)
    program = "haproxy"

    def command(self, place):
        rest = (TCP if place.mode == "tcp" else HTTP).format(
            port=place.port, app_port=place.app_port, pem=place.combined,
            alpn="h2,http/1.1" if place.mode == "h2" else "http/1.1",
        )
        # -db: in the foreground, without a master process.
        return ["haproxy", "-db", "-f", str(place.write("haproxy.cfg", GLOBAL + rest))]
