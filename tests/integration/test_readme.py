"""Every command that a README prints is run: here as it stands, or by the test or the step of CI that is named here."""

import os
import re
import signal
import subprocess
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.apps import App, answer
from support.installation import let_others_reach
from support.pki import SERVICE_UID
from support.podman import Network
from support.procfs import Process
from support.programs import curl
from support.printed import SOURCE, block_of, blocks, commands, marks, readmes
from support.sallyport import Log
from support.waiting import until

SAID = "from the app on 7766"


class Place:
    """A directory and a network as the READMEs assume them: an app on 7766, port 443 free, the executables in PATH, a
    pair, and the configuration that README.md prints. Use as a context manager."""

    def __init__(self, installation, pki, directory, app=True):
        self.pki, self.directory = pki, directory
        self.path = f"{installation.root}:/usr/sbin:/usr/bin:/sbin:/bin"
        self.pair = pki.pair()
        let_others_reach(directory)
        for name, source in (("tls.crt", self.pair.cert), ("tls.key", self.pair.key)):
            (directory / name).write_bytes(source.read_bytes())
            os.chown(directory / name, SERVICE_UID, SERVICE_UID)
        (directory / "sallyport.yaml").write_text(block_of("README.md", "yaml", "listeners:\n  - bind: \":443\"\n    tls:\n"))
        self._closing = ExitStack()
        self.network = Network(1024)
        self._closing.callback(self.network.close)
        if app:
            self._closing.enter_context(self.network.call(lambda: App(answer(SAID), port=7766)))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._closing.close()

    def shell(self, command):
        """The words that run it, with the pair in /run/secrets too, as containers have it."""
        mount = "mkdir -p /run/secrets && mount --bind . /run/secrets && exec bash -c \"$1\""
        return ["unshare", "--mount", "bash", "-c", mount, "bash", command]

    def run(self, command, codes=(0,)):
        done = self.network.call(lambda: subprocess.run(
            self.shell(command), capture_output=True, text=True, timeout=40, cwd=self.directory, env={"PATH": self.path}))
        assert done.returncode in codes, f"{command}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    @contextmanager
    def serving(self, command, code=0, **variables):
        """It serves on 443 while this lasts; then SIGTERM ends it."""
        process = self.network.call(lambda: subprocess.Popen(
            self.shell(command), stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.directory,
            env={"PATH": self.path, **variables}))
        log, errors = Log(process.stdout), Log(process.stderr)
        try:
            until(lambda: '"serving"' in log.text() or process.poll() is not None, 30, "it serves")
            assert process.poll() is None, f"{command}: exit {process.returncode}\n{errors.text()}"
            yield process, log
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == code, errors.text()
        finally:
            for child in [*Process(process.pid).children(), Process(process.pid)] if process.poll() is None else []:
                os.kill(child.pid, signal.SIGKILL)
            process.wait(10)
            log.join()
            errors.join()

    def answer(self):
        return self.network.call(lambda: curl(("127.0.0.1", 443), self.pki.ca)).stdout


@pytest.fixture
def place(installation, pki, tmp_path):
    with Place(installation, pki, tmp_path) as made:
        yield made


# How a command is run. Each is called with the command and a place.


def in_ci(step):
    """By CI, as this step: the same command, or the same with another end."""

    def check(_command, _place):
        assert f"step {step}\n" in (SOURCE / ".ci/run").read_text()

    return check


def by_test(name):
    """By a test: file::function."""

    def check(_command, _place):
        file, function = name.split("::")
        assert re.search(rf"^def {function}\(", (SOURCE / "tests" / file).read_text(), re.M), name

    return check


def serves(command, place):
    with place.serving(command):
        assert place.answer() == SAID


def with_the_pem_texts(assignments, place):
    names = re.findall(r"^(\w+)=", assignments, re.M)
    assert names == ["SALLYPORT_TO", "SALLYPORT_CERT", "SALLYPORT_KEY"]
    texts = {"SALLYPORT_TO": "7766", "SALLYPORT_CERT": place.pair.cert.read_text(), "SALLYPORT_KEY": place.pair.key.read_text()}
    with place.serving("sallyport", **texts):
        assert place.answer() == SAID


def audits(command, place):
    assert "NET_BIND_SERVICE" in place.run(command, codes=(0, 1))


def audits_the_running(command, place):
    with place.serving("sallyport run --config sallyport.yaml") as (process, _):
        report = place.run(command.replace("812", str(process.pid)), codes=(0, 1))
        for name in ("gatekeeper", "keyholder", "worker"):
            assert name in report


def write_logs(place):
    """sallyport.log, and sallyport.log.1 from before it."""
    with place.serving("sallyport run --config sallyport.yaml") as (_, log):
        pass
    lines = [f"{line}\n" for line in log.lines]
    (place.directory / "sallyport.log.1").write_text("".join(lines[:5]))
    (place.directory / "sallyport.log").write_text("".join(lines[5:]))
    return lines


def verifies(command, place):
    lines = write_logs(place)
    (place.directory / "sallyport.log").write_text("".join(lines))
    assert "gatekeeper" in place.run(command)


def verifies_what_was_rotated(command, place):
    # It sees both files, in order: a line that is taken out of the first one is missed.
    write_logs(place)
    assert "gatekeeper" in place.run(command)
    older = place.directory / "sallyport.log.1"
    lines = [line for line in older.read_text().splitlines(True)]
    [first, *_] = [n for n, line in enumerate(lines) if '"stream":"audit"' in line][1:]
    older.write_text("".join(lines[:first] + lines[first + 1:]))
    place.run(command, codes=(1,))


def is_well(command, place):
    with place.serving("sallyport run --to 7766 --cert tls.crt --key tls.key"):
        assert place.run(command) in ("healthy\n", "ready\n")


def says(*words):
    def check(command, place):
        said = place.run(command)
        assert all(word in said for word in words), said

    return check


HOW = {
    "./run demo": in_ci("./run demo --check"),
    "./run test": in_ci("./run test"),
    "sallyport audit": audits,
    "sallyport audit --pid 812": audits_the_running,
    "sallyport audit --verify-log sallyport.log": verifies,
    "cat sallyport.log.1 sallyport.log | sallyport audit --verify-log -": verifies_what_was_rotated,
    "sallyport check --config sallyport.yaml": says("the configuration is good"),
    "sallyport run --config sallyport.yaml": serves,
    "sallyport run --listen :443 --to 7766 --cert tls.crt --key tls.key": serves,
    'SALLYPORT_TO=7766\nSALLYPORT_CERT="-----BEGIN CERTIFICATE-----…"\nSALLYPORT_KEY="-----BEGIN PRIVATE KEY-----…"':
        with_the_pem_texts,
    "sallyport run --to 7766 --cert tls.crt --key tls.key -- uvicorn app:app --port 7766":
        by_test("integration/test_readme.py::test_the_app_in_the_same_container"),
    "sallyport health": is_well,
    "sallyport health --ready": is_well,
    "sallyport dev --to 7766": by_test("integration/test_dev.py::test_each_name_has_its_certificate_and_its_app"),
    "sallyport dev --to 7766 --to api.localhost=7000 --name app.localhost": by_test("integration/test_dev.py::test_each_name_has_its_certificate_and_its_app"),
    "sallyport dev --to 7766 -- uvicorn app:app --port 7766": by_test("integration/test_dev.py::test_it_starts_the_app_too"),
    "sallyport dev --trust": by_test("integration/test_dev.py::test_a_browser_opens_it_without_a_warning_once_it_is_trusted"),
    # docker/README.md
    "./run image": in_ci("./run test --containers"),
    "./run test privsep && build/release/bin/print_seccomp > docker/seccomp.json":
        by_test("build/test_seccomp_json.py::test_the_committed_profile_is_the_one_that_is_printed"),
    # config/systemd/README.md
    **{command: by_test("containers/test_systemd.py::test_it_serves_reloads_and_ends_as_the_readme_says")
       for command in commands("config/systemd/README.md")},
    # bench/README.md
    "./run bench": in_ci("./run bench --quick"),
    "./run bench --quick": in_ci("./run bench --quick"),
    "./run bench --systems nginx,floor,sallyport --scenarios 'tcp-full,tcp-idle' --rounds 5":
        in_ci("./run bench --systems nginx,floor,sallyport --scenarios 'tcp-full,tcp-idle' --rounds 5"),
    "./run bench --from-json build/bench/bench.json": in_ci("./run bench --from-json build/bench/bench.json"),
    "./run bench --syscalls": in_ci("./run bench --syscalls"),
    "./run bench --instructions": in_ci("./run bench --instructions --systems sallyport"),
    "./run bench --images": in_ci("./run bench --images"),
}


@dataclass(frozen=True)
class Printed:
    readme: str
    command: str

    def __str__(self):
        return re.sub(r"[^\w.:/-]+", " ", f"{self.readme}: {self.command}")[:90]


PRINTED = [Printed(name, command) for name in readmes() for command in commands(name)]


@pytest.mark.parametrize("printed", PRINTED, ids=str)
def test_a_printed_command_does_what_its_readme_says(printed, place):
    # Goal: no README has a command that nobody has tried. Method: the table above; what is not in it fails.
    assert printed.command in HOW, f"{printed.readme} prints a command that nothing here runs: {printed.command}"
    HOW[printed.command](printed.command, place)


def test_the_table_names_no_command_that_has_gone():
    assert set(HOW) == {printed.command for printed in PRINTED}


@pytest.mark.parametrize("mark", sorted({mark for name in readmes() for mark in marks(name)}))
def test_a_marked_block_is_run_by_a_container_test(mark):
    # Goal: <!-- run: mark --> is no way around the table. Method: a test that asks for the block by this very mark.
    asking = [path.name for path in (SOURCE / "tests/containers").glob("test_*.py") if f'"{mark}"' in path.read_text()]
    assert asking, f"no test of tests/containers asks for the block {mark!r}"


def test_every_block_is_told_what_it_is():
    # Goal: no command hides in a block that is not looked at. Method: each block's language.
    languages = {(name, language) for name in readmes() for language, _ in blocks(name)}
    assert {language for _, language in languages} <= {"sh", "yaml", "json"}, languages
    assert {"README.md", "docker/README.md", "bench/README.md"} <= {printed.readme for printed in PRINTED}


def test_the_app_in_the_same_container(installation, pki, tmp_path):
    # Goal: README.md's command with a real app. Method: it as it stands; uvicorn with FastAPI; SIGTERM is the app's 143.
    (tmp_path / "app.py").write_text("from fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.get('/')\ndef say():\n"
                                     f"    return '{SAID}'\n")
    [command] = [each for each in commands("README.md") if each.startswith("sallyport run") and "uvicorn" in each]
    with Place(installation, pki, tmp_path, app=False) as place, place.serving(command):
        assert SAID in place.answer()


@pytest.mark.parametrize("text", [text for language, text in blocks("README.md") if language == "yaml"],
                         ids=lambda text: text.splitlines()[1].strip()[:40])
def test_a_printed_configuration_is_good(place, text):
    # Goal: what README.md shows as a file works as one. Method: `check`; a part gets the rest from the smallest one.
    if "listeners:" not in text:
        text = "listeners: [{bind: ':443', tls: {self_signed: [localhost]}, forward: app}]\n" + text
    if "upstreams:" not in text:
        text += "upstreams: {app: {address: 7766}}\n"
    (place.directory / "sallyport.yaml").write_text(text)
    assert "the configuration is good" in place.run("sallyport check --config sallyport.yaml")
