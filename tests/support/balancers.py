"""HAProxy and nginx, as neighbours: one before us or behind us, from a configuration that the test writes."""

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from support.ports import free_port
from support.waiting import until


class Neighbour:
    """A program that listens on `port` once it is there. Use as a context manager."""

    def __init__(self, config):
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.directory = Path(tempfile.mkdtemp(prefix="sallyport-neighbour-"))
        self.config = self.directory / "config"
        self.config.write_text(self.frame(config.replace("{port}", str(self.port))))
        self.said = self.directory / "said"
        with open(self.said, "wb") as said:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                                            env={"PATH": os.environ["PATH"] + ":/usr/sbin"})
        try:
            until(self._listens, 20, f"{self.command()[0]} listens: {self.said.read_text()}")
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.process.terminate()
        self.process.wait(20)
        print(f"--- {self.command()[0]}\n{self.said.read_text()[-3000:]}")
        shutil.rmtree(self.directory)

    def _listens(self):
        assert self.process.poll() is None, f"it ended: {self.said.read_text()}"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


class Haproxy(Neighbour):
    def command(self):
        return ["haproxy", "-db", "-f", str(self.config)]

    @staticmethod
    def frame(config):
        return f"""\
global
    maxconn 200
    nbthread 1
    log stderr format raw local0 info
defaults
    log global
    timeout connect 10s
    timeout client 20s
    timeout server 20s
{config}"""

    @staticmethod
    def version():
        text = subprocess.run(["haproxy", "-v"], capture_output=True, text=True, check=True, timeout=10,
                              env={"PATH": "/usr/sbin:/usr/bin"}).stdout
        return tuple(map(int, text.split()[2].split("-")[0].split(".")[:2]))


class Nginx(Neighbour):
    """In one process, so that it needs no user to become."""

    def command(self):
        return ["nginx", "-p", str(self.directory), "-e", "stderr", "-c", str(self.config)]

    def frame(self, config):
        module = Path("/usr/lib/nginx/modules/ngx_stream_module.so")
        load = f"load_module {module};" if module.exists() else ""  # else it is built in
        temporary = "\n".join(f"    {kind}_temp_path {self.directory}/{kind};"
                              for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        return f"""\
{load}
daemon off;
master_process off;
pid {self.directory}/pid;
events {{ }}
{config.replace("http {", "http {" + chr(10) + "    access_log off;" + chr(10) + temporary)}"""

    @staticmethod
    def version():
        text = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True, timeout=10,
                              env={"PATH": "/usr/sbin:/usr/bin"}).stderr
        return tuple(map(int, text.split("nginx/")[1].split()[0].split(".")))
