"""./run demo: an app on 7766 as one unprivileged user, Sallyport on 443 as another, and a request through both.

Needs root, as a developer's sudo gives it: to change users, and because Sallyport shows here what it does when it is
started as root. With --check it asserts everything, ends, and exits 0 or 1.
"""

import argparse
import re
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from support.installation import EXECUTABLES, Installation  # noqa: E402
from support.pki import SERVICE_UID, Pki  # noqa: E402
from support.procfs import CAP_NET_BIND_SERVICE, Process  # noqa: E402
from support.waiting import until  # noqa: E402

APP_UID = 65533
APP_PORT, PORT = 7766, 443


class Failure(Exception):
    """What keeps the demo from going on: one sentence for the person in front of it."""


def check_port_is_free(port):
    taken = subprocess.run(["ss", "-Hltnp", f"sport = :{port}"], capture_output=True, text=True, timeout=10).stdout
    if taken:
        holders = set(re.findall(r'\("([^"]+)",pid=(\d+)', taken))
        names = ", ".join(f"{name} (pid {pid})" for name, pid in sorted(holders)) or "a process that ss cannot see"
        raise Failure(f"port {port} is taken by {names}; end it, and try again")


def start_app():
    """As a user of its own, with no capability and no way to get one. The program comes by standard input, so that the
    user needs no right to read this checkout. A session of its own: Ctrl-C is for us alone."""
    program = Path(__file__).with_name("demo_app.py")
    lock_down = ["setpriv", f"--reuid={APP_UID}", f"--regid={APP_UID}", "--clear-groups", "--bounding-set=-all",
                 "--inh-caps=-all", "--ambient-caps=-all", "--no-new-privs"]
    with program.open() as text:
        app = subprocess.Popen([*lock_down, "/usr/bin/python3", "-I", "-"], stdin=text, cwd="/", env={},
                               start_new_session=True)
    wait_for(lambda: subprocess.run(["ss", "-Hltn", f"sport = :{APP_PORT}"], capture_output=True, timeout=10).stdout,
             "the app listens", app)
    return app


def start_sallyport(installation, pki):
    """Started as root; it becomes the unprivileged user by itself."""
    pair, log = pki.pair("P-256", ("localhost",)), installation.root / "log"
    command = [installation.sallyport, "run", "--listen", f":{PORT}", "--to", str(APP_PORT), "--mode", "tcp", "--cert",
               pair.cert, "--key", pair.key]
    with log.open("w") as output:
        proxy = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/", env={},
                                 start_new_session=True)
    try:
        wait_for(lambda: '"serving"' in log.read_text(), "Sallyport serves", proxy)
    except Failure as failure:
        raise Failure(f"{failure}; it said:\n{log.read_text()}") from None
    return proxy


def wait_for(claim, what, process):
    def holds():
        if process.poll() is not None:
            raise Failure(f"not so: {what}; the process ended with {process.returncode}")
        return claim()

    try:
        until(holds, 15, every=0.05)
    except (AssertionError, Failure) as reason:
        end(process)
        raise Failure(f"{what}: {reason}") from None


def end(process):
    """SIGTERM, and its exit code; SIGKILL if it does not listen."""
    process.send_signal(signal.SIGTERM)
    try:
        return process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def show(family):
    print(f"{'process':<12}{'pid':>8}{'uid':>7}   {'permitted':<18}{'effective':<18}{'bounding':<18}no_new_privs")
    for name, process in family.items():
        sets, status = process.capabilities(), process.status()
        texts = [capability_text(sets[kind]) for kind in ("CapPrm", "CapEff", "CapBnd")]
        print(f"{name:<12}{process.pid:>8}{status['Uid'].split()[1]:>7}   " + "".join(f"{t:<18}" for t in texts) +
              status["NoNewPrivs"])


def capability_text(bits):
    return {0: "-", CAP_NET_BIND_SERVICE: "net_bind_service"}.get(bits, f"{bits:x}")


def family_of(proxy, app):
    """Name → process, of the three and the app."""
    gatekeeper = Process(proxy.pid)
    children = {child.name(): child for child in gatekeeper.children()}
    return {"gatekeeper": gatekeeper, "keyholder": children["sallyport-keyho"], "worker": children["sallyport-worke"],
            "app": Process(app.pid)}


def request(pki):
    command = ["curl", "-sS", "--cacert", str(pki.ca), "https://localhost/"]
    print("\n$", " ".join(command))
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, env={})
    print(done.stdout or done.stderr)
    return done.stdout


def claims(installation, family, answer):
    """Every claim of the demo as (text, whether it holds)."""
    yield "the app's answer came through TLS on port 443", f"uid {APP_UID}" in answer
    gatekeeper = family["gatekeeper"].capabilities()
    yield "the gatekeeper may bind, but not at this moment: CAP_NET_BIND_SERVICE permitted, not effective", (
        gatekeeper["CapPrm"] == CAP_NET_BIND_SERVICE and gatekeeper["CapEff"] == 0)
    for name in ("keyholder", "worker", "app"):
        yield f"the {name} holds no capability in any set", not any(
            any(family[name].capabilities(status).values()) for status in family[name].thread_statuses())
    for name, process in family.items():
        uid = APP_UID if name == "app" else SERVICE_UID
        yield f"the {name} runs as uid {uid}, in every sense", process.status()["Uid"].split() == [str(uid)] * 4
        yield f"the {name} can gain no privilege", process.status()["NoNewPrivs"] == "1"
    needed = {name: libraries(installation.root / name) for name in EXECUTABLES}
    yield "the gatekeeper's executable has neither libssl nor libcrypto", not re.search(
        "libssl|libcrypto", needed["sallyport"])
    yield "the keyholder's executable has no libssl", "libssl" not in needed["sallyport-keyholder"]


def libraries(executable):
    shown = subprocess.run(["readelf", "-d", executable], check=True, capture_output=True, text=True, timeout=10)
    return " ".join(line for line in shown.stdout.splitlines() if "NEEDED" in line)


def judge(pairs):
    good = True
    for text, holds in pairs:
        print(f"{'ok  ' if holds else 'FAIL'}  {text}")
        good = good and holds
    return good


def stay(proxy):
    print("It stays until Ctrl-C.")
    proxy.wait()
    raise Failure(f"Sallyport ended by itself with {proxy.returncode}")


def demo(installation, pki, check):
    """Returns whether all is well."""
    app = start_app()
    try:
        proxy = start_sallyport(installation, pki)
        try:
            family = family_of(proxy, app)
            show(family)
            answer = request(pki)
            if not check:
                stay(proxy)
            good = judge(claims(installation, family, answer))
        finally:
            code = end(proxy)
        return judge([("Sallyport ended with 0 and left nobody", code == 0 and not any(
            process.is_alive() for name, process in family.items() if name != "app"))]) and good
    finally:
        end(app)


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--bin", required=True, help="where the three executables are")
    options.add_argument("--check", action="store_true")
    given = options.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    borrowed = ExitStack()
    try:
        check_port_is_free(PORT)
        check_port_is_free(APP_PORT)
        installation, pki = Installation(given.bin), Pki()
        borrowed.callback(installation.close)
        borrowed.callback(pki.close)
        return 0 if demo(installation, pki, given.check) else 1
    except Failure as failure:
        print(f"demo: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print()
        return 130 if given.check else 0
    finally:
        borrowed.close()


if __name__ == "__main__":
    sys.exit(main())
