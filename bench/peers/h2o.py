"""h2o, L7 only."""

from peers.system import System

CONFIG = """\
# One worker, as everybody has here.
num-threads: 1
user: nobody
max-connections: 9000
# No log line, no server header to write.
send-server-name: OFF
error-log: /dev/null
# An idle connection must live through the whole measurement.
http1-request-timeout: 300
limit-request-body: 4294967296
# Tickets, with keys made in the process: nothing shared, nothing on disk.
ssl-session-resumption:
  mode: ticket
  ticket-store: internal
listen:
  host: 127.0.0.1
  port: {port}
  ssl:
    certificate-file: {certificate}
    key-file: {key}
    minimum-version: TLSv1.2
    cipher-suite: "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"
    cipher-preference: server
hosts:
  default:
    paths:
      /:
        # Connections to the app are kept.
        proxy.reverse.url: "http://127.0.0.1:{app_port}/"
        proxy.timeout.keepalive: 300000
        proxy.timeout.io: 300000
"""


class H2o(System):
    name = "h2o"
    modes = ("http",)
    packages = ("h2o",)
    program = "h2o"
    version_flag = "--version"

    def command(self, place):
        text = CONFIG.format(
            port=place.port, app_port=place.app_port, certificate=place.certificate, key=place.key
        )
        return ["h2o", "--mode", "worker", "--conf", str(place.write("h2o.yaml", text))]
