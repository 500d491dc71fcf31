"""A fleet as a load balancer sees it: three hosts, each a Sallyport before its app, behind HAProxy with PROXY v2."""

import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from support.lan import Lan
from support.payload import BLOCK
from support.pki import SERVICE_UID
from support.reloading import write
from support.sallyport import Sallyport
from support.scale import scaled
from support.waiting import until

HERE = Path(__file__).resolve().parent.parent
CONNECTIONS_PER_SECOND, REQUESTS_EACH = scaled(100, 20), 5
WEB_SOCKETS = 12
SECONDS = scaled(120, 30)

BALANCER = """\
global
    maxconn 2000
    nbthread 1
    external-check
    insecure-fork-wanted
defaults
    mode tcp
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout check 5s
    retries 3
    option redispatch
    option external-check
    external-check path "{path}"
    external-check command {check}
frontend door
    bind {address}:443
    default_backend fleet
backend fleet
    balance roundrobin
"""


class Member:
    """One task: its apps (Node; uvicorn for WebSockets), which only its own host can reach, and Sallyport."""

    def __init__(self, lan, number, installation, pki, balancer):
        self.host = lan.host(f"task{number}")
        self.installation = installation
        self.directory = Path(tempfile.mkdtemp(prefix="sallyport-task-"))
        self.directory.chmod(0o755)
        self.pem = self.directory / "tls.pem"
        self.rotate(pki.pair())
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(HERE), "PYTHONDONTWRITEBYTECODE": "1"}
        with tempfile.TemporaryFile() as block:
            block.write(BLOCK)
            block.seek(0)
            self.apps = [
                self.host.start("node", HERE / "support/real_apps/node_app.js", "7766", stdin=block, env=environment,
                                stdout=subprocess.DEVNULL),
                self.host.start(sys.executable, "-m", "uvicorn", "support.real_apps.fastapi_app:app", "--host",
                                "127.0.0.1", "--port", "7767", "--log-level", "critical", stdin=subprocess.DEVNULL,
                                env=environment),
            ]
        self.config = {
            "listeners": [{
                "bind": ":443",
                "proxy_protocol": {"mode": "required", "trusted": [f"{balancer.address}/32"]},
                "tls": {"certificates": [{"cert": str(self.pem)}]},
                "routes": [{"path": "/ws", "forward": "sockets"}],
                "forward": "app",
            }],
            "upstreams": {"app": {"address": "127.0.0.1:7766"}, "sockets": {"address": "127.0.0.1:7767"}},
            "startup": {"wait_for_upstream": "30s"},
            "drain": {"delay": "4s", "timeout": "20s"},  # the balancer needs two checks to know
            "reload": {"last_call": "10s"},  # enough for an opening handshake on a busy machine
            "shards": 1,
        }
        self.sallyport = None

    def begin(self):
        self.sallyport = Sallyport(self.installation, self.config, wrapper=self.host.command()).wait_until_ready()
        until(self.is_ready, 30, f"{self.host.name} is ready", every=0.1)

    def is_ready(self):
        health = self.host.command(self.installation.sallyport, "health", "--ready", "--config", self.sallyport.config_file)
        return subprocess.run(health, stdout=subprocess.DEVNULL, timeout=10).returncode == 0

    def restart(self):
        """As an orchestrator does it: SIGTERM, the end, another one."""
        self.sallyport.stop(seconds=30)
        self.begin()

    def rotate(self, pair):
        """Of one file, at once: of two, a generation that is born meanwhile might find one old and one new."""
        fresh = self.pem.with_suffix(".new")
        fresh.write_bytes(pair.cert.read_bytes() + pair.key.read_bytes())
        os.chown(fresh, SERVICE_UID, SERVICE_UID)
        fresh.chmod(0o400)
        os.replace(fresh, self.pem)

    def close(self):
        if self.sallyport is not None:
            self.sallyport.abandon()
            print(f"--- {self.host.name}\n{self.sallyport.log.text()[-3000:]}\n{self.sallyport.errors.text()[-2000:]}")
        for app in self.apps:
            app.kill()
            app.wait(10)
        shutil.rmtree(self.directory)


class Fleet:
    """Use as a context manager."""

    def __init__(self, installation, pki, size=3):
        self._lan = Lan()
        self.members, self.balancer = [], None
        self.directory = Path(tempfile.mkdtemp(prefix="sallyport-fleet-"))
        self._installation, self.pki, self._size = installation, pki, size

    def __enter__(self):
        self._lan.__enter__()
        try:
            self.clients, self.door = self._lan.host("clients"), self._lan.host("door")
            for number in range(self._size):
                self.members.append(Member(self._lan, number, self._installation, self.pki, self.door))
            for member in self.members:
                member.begin()
            self._balance()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.balancer is not None:
            self.balancer.terminate()
            self.balancer.wait(10)
        for member in self.members:
            member.close()
        self._lan.__exit__()
        shutil.rmtree(self.directory)

    def url(self, path):
        return f"https://{self.door.address}{path}"

    def _balance(self):
        check, config = self.directory / "check", self.directory / "haproxy.cfg"
        # HAProxy names the server; whoever replaces a Sallyport writes where its configuration is.
        check.write_text("#!/bin/sh\n"
                         f'exec ip netns exec "$HAPROXY_SERVER_NAME" {self._installation.sallyport} health --ready'
                         f' --config "$(cat {self.directory}/$HAPROXY_SERVER_NAME)"\n')
        check.chmod(stat.S_IRWXU)
        self.tell_homes()
        # An external check is killed after `inter`, whatever `timeout check` says: one that is slow takes nobody down.
        servers = "".join(f"    server {m.host.name} {m.host.address}:443 send-proxy-v2 check inter 1s fall 2 rise 1\n"
                          for m in self.members)
        config.write_text(BALANCER.format(path=os.environ["PATH"], check=check, address=self.door.address) + servers)
        self.balancer = self.door.start("haproxy", "-db", "-f", config, stdin=subprocess.DEVNULL)
        until(lambda: self.curl().returncode == 0, 20, "somebody is served", every=0.2)

    def tell_homes(self):
        for member in self.members:
            (self.directory / member.host.name).write_text(str(member.sallyport.config_file))

    def curl(self):
        return subprocess.run(self.clients.command("curl", "-fsSk", "--max-time", "5", self.url("/nothing")), timeout=10,
                              capture_output=True)


class Load:
    """500 requests a second over ever new connections, and WebSockets that stay. Use as a context manager; `seconds` at
    least."""

    def __init__(self, fleet, seconds):
        self._fleet = fleet
        connections = CONNECTIONS_PER_SECOND * seconds
        self._h2load = fleet.clients.start(
            "h2load", "-r", CONNECTIONS_PER_SECOND, "--rate-period=1s", "-c", connections,
            "-n", connections * REQUESTS_EACH, "-m", REQUESTS_EACH, "-T", "30s", fleet.url("/bytes/500"),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self._web_sockets = fleet.clients.start(
            sys.executable, HERE / "support/real_clients/web_sockets.py", fleet.url("/ws").replace("https", "wss"),
            fleet.pki.ca, WEB_SOCKETS, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in (self._h2load, self._web_sockets):
            if process.poll() is None:
                process.kill()
                process.wait(10)

    def is_on(self):
        return self._h2load.poll() is None

    def asserts_no_loss(self):
        said = self._h2load.communicate(timeout=60)[0]
        total, succeeded = map(int, re.search(r"requests: (\d+) total,.* (\d+) succeeded", said).groups())
        assert total == succeeded and total > 0, said
        self._web_sockets.send_signal(signal.SIGTERM)
        talked = json.loads(self._web_sockets.communicate(timeout=30)[0])
        assert not talked["troubles"], talked
        assert talked["echoed"] > WEB_SOCKETS, talked
        return talked


@pytest.mark.seconds(scaled(150, 300))
def test_a_rolling_restart_loses_no_request(installation, pki):
    # Goal: design §8. Method: one member after the other gets SIGTERM and is replaced; readiness has fallen before it
    # stops accepting, HAProxy asks for it by `sallyport health --ready`, and WebSockets are told to come back.
    with Fleet(installation, pki) as fleet, Load(fleet, scaled(25, 60)) as load:
        for member in fleet.members:
            member.restart()
            fleet.tell_homes()
            until(lambda: fleet.curl().returncode == 0, 10, "somebody is served")
        assert load.is_on(), "the load ended before the last restart: it proves nothing"
        talked = load.asserts_no_loss()
        assert talked["told_to_go"] >= WEB_SOCKETS, talked


@pytest.mark.seconds(SECONDS + scaled(120, 240))
def test_a_rotation_and_a_reload_every_second_lose_no_request(installation, pki):
    # Goal: neither is an event for any client. Method: each second every member gets another pair and another
    # configuration, whose generation is in force when the next comes; WebSockets outlive what they began in until more
    # generations live than may.
    pairs = [pki.pair(), pki.new_pair()]
    with Fleet(installation, pki) as fleet, Load(fleet, SECONDS) as load:
        turns = 0
        while load.is_on():
            turns += 1
            for member in fleet.members:
                member.rotate(pairs[turns % 2])
                member.config["limits"] = {"http": {"max_requests_per_connection": 1000 + turns}}
                write(member.sallyport, member.config)
                member.sallyport.signal(signal.SIGHUP)
            threading.Event().wait(1)
        load.asserts_no_loss()
        assert turns >= SECONDS // 2
        for member in fleet.members:
            reloads = len(member.sallyport.log.matching(event="configuration reloaded"))
            assert reloads >= turns // 4, f"{reloads} of {turns}"
            assert not member.sallyport.log.matching(event="configuration not reloaded")
