"""A headless Chromium."""

import base64
import contextlib
import hashlib
import os
import signal
import subprocess
import tempfile

from support.pki import openssl
from support.procfs import Process
from support.waiting import until


def trusting(cert):
    """The option with which it trusts this certificate's key besides its own authorities."""
    key = openssl("pkey", "-pubin", "-outform", "DER", stdin=openssl("x509", "-in", cert, "-pubkey", "-noout"))
    return "--ignore-certificate-errors-spki-list=" + base64.b64encode(hashlib.sha256(key).digest()).decode()


@contextlib.contextmanager
def chromium(url, *options, home=None):
    """One that shows this page. What it keeps is gone afterwards, unless it has a home."""
    with (tempfile.TemporaryDirectory(prefix="sallyport-chromium-", ignore_cleanup_errors=True) as own,
          tempfile.TemporaryFile() as errors):
        process = subprocess.Popen(
            ["chromium-headless-shell", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server",
             "--disable-background-networking", "--disable-component-update", f"--user-data-dir={own}",
             "--remote-debugging-port=0", *options, url],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors,
            env={"PATH": "/usr/bin:/bin", "HOME": str(home or own)})
        try:
            yield process
        finally:
            end_family(Process(process.pid))
            process.wait(10)
            errors.seek(0)
            print(f"--- chromium\n{errors.read().decode(errors='replace')[-3000:]}")


def end_family(process):
    """It and all below it, which a polite signal to it alone would leave for a while."""
    family = [process, *descendants(process)]
    for each in family:
        with contextlib.suppress(ProcessLookupError):
            os.kill(each.pid, signal.SIGKILL)
    until(lambda: not any(each.is_alive() for each in family), 10, "the browser's processes have ended")


def descendants(process):
    return [each for child in process.children() for each in (child, *descendants(child))]
