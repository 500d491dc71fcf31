"""Certificates for the tests, made by the openssl program: one CA, and a leaf for each key type and each name."""

import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

SERVICE_UID = 65532
PASSPHRASE = "correct horse battery staple"

NEW_KEY = {
    "RSA": ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    "P-256": ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "P-384": ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "Ed25519": ["genpkey", "-algorithm", "ED25519"],
}


def openssl(*arguments, stdin=None):
    done = subprocess.run(["openssl", *map(str, arguments)], input=stdin, capture_output=True, timeout=30)
    if done.returncode:
        raise RuntimeError(f"openssl {' '.join(map(str, arguments))}: {done.stderr.decode()}")
    return done.stdout


@dataclass(frozen=True)
class Pair:
    """A leaf certificate with its key, as PEM files that Sallyport's user may read."""

    cert: Path
    key: Path
    passphrase_file: Path | None = None

    def config(self):
        entry = {"cert": str(self.cert), "key": str(self.key)}
        if self.passphrase_file:
            entry["passphrase"] = f"file:{self.passphrase_file}"
        return entry

    def der(self):
        """The leaf certificate in DER."""
        return openssl("x509", "-in", self.cert, "-outform", "DER")

    def clear_key_pem(self):
        passphrase = ["-passin", f"file:{self.passphrase_file}"] if self.passphrase_file else []
        return openssl("pkey", "-in", self.key, *passphrase).decode()


class Pki:
    """Owns a directory under the system's temporary one, readable for Sallyport's user; `close` removes it."""

    def __init__(self):
        self.root = Path(tempfile.mkdtemp(prefix="sallyport-pki-"))
        self.root.chmod(0o755)
        self.ca = self.root / "ca.pem"
        self._ca_key = self.root / "ca.key"
        self._count = 0
        self._pairs = {}
        self.pairs = []  # all that were made
        openssl(*NEW_KEY["P-256"], "-out", self._ca_key)
        openssl("req", "-x509", "-new", "-key", self._ca_key, "-subj", "/CN=Sallyport test CA", "-days", "2",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-out", self.ca)

    def close(self):
        shutil.rmtree(self.root)

    def pair(self, key_type="P-256", names=("localhost",), encrypted=False):
        """The pair of this kind; made at the first call, the same one at every later call."""
        wanted = (key_type, tuple(names), encrypted)
        if wanted not in self._pairs:
            self._pairs[wanted] = self.new_pair(key_type, names, encrypted)
        return self._pairs[wanted]

    def new_pair(self, key_type="P-256", names=("localhost",), encrypted=False, days=2, starts_in=0):
        """Another pair at every call, valid for so many days, in so many days. The addresses of loopback are among its
        names."""
        self._count += 1
        stem = self.root / f"{self._count}-{key_type}"
        cert, key, request = (stem.with_suffix(end) for end in (".pem", ".key", ".csr"))
        openssl(*NEW_KEY[key_type], "-out", key)
        openssl("req", "-new", "-key", key, "-subj", f"/CN={names[0]}", "-out", request)
        extensions = stem.with_suffix(".ext")
        subject = [f"DNS:{name}" for name in names] + ["IP:127.0.0.1", "IP:::1"]
        extensions.write_text(f"subjectAltName={','.join(subject)}\nextendedKeyUsage=serverAuth\n")
        if starts_in:
            self._sign_for_later(request, extensions, cert, days, starts_in)
        else:
            openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self._ca_key, "-days", str(days),
                    "-set_serial", str(1000 + self._count), "-extfile", extensions, "-out", cert)
        passphrase_file = self._encrypt(key) if encrypted else None
        give(cert, key, *([passphrase_file] if passphrase_file else []))
        self.pairs.append(Pair(cert, key, passphrase_file))
        return self.pairs[-1]

    def _sign_for_later(self, request, extensions, cert, days, starts_in):
        """By openssl ca: x509 cannot choose the beginning before OpenSSL 3.4."""
        settings, database = cert.with_suffix(".cnf"), cert.with_suffix(".index")
        database.write_text("")
        settings.write_text("[ca]\ndefault_ca = one\n[one]\npolicy = names\nrand_serial = yes\ndefault_md = sha256\n"
                            f"database = {database}\nnew_certs_dir = {self.root}\n[names]\ncommonName = supplied\n")
        begin, end = (time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + 86400 * day))
                      for day in (starts_in, starts_in + days))
        openssl("ca", "-batch", "-notext", "-config", settings, "-cert", self.ca, "-keyfile", self._ca_key,
                "-startdate", begin, "-enddate", end, "-extfile", extensions, "-in", request, "-out", cert)

    @staticmethod
    def _encrypt(key):
        passphrase_file = key.with_suffix(".pass")
        passphrase_file.write_text(PASSPHRASE + "\n")
        text = openssl("pkcs8", "-topk8", "-in", key, "-v2", "aes-256-cbc", "-passout", f"file:{passphrase_file}")
        key.write_bytes(text)
        return passphrase_file


def give(*files):
    """Makes them readable for Sallyport's user alone, as far as we may."""
    for file in files:
        if os.geteuid() == 0:
            os.chown(file, SERVICE_UID, SERVICE_UID)
        file.chmod(0o400)
