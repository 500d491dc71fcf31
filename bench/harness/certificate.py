"""The one certificate that everybody presents: ECDSA P-256, self-signed."""

import hashlib
import ssl
import subprocess


class Certificate:
    """Three files in a directory that every system's user may read: it is thrown away after the run."""

    def __init__(self, directory):
        self.certificate = directory / "cert.pem"
        self.key = directory / "key.pem"
        self.combined = directory / "combined.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
             "-keyout", self.key, "-out", self.certificate, "-days", "30", "-subj", "/CN=bench.test",
             "-addext", "subjectAltName=DNS:bench.test"],
            check=True, capture_output=True,
        )
        self.combined.write_text(self.certificate.read_text() + self.key.read_text())
        for path in (self.certificate, self.key, self.combined):
            path.chmod(0o644)

    def fingerprint(self):
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(self.certificate.read_text())).hexdigest()
