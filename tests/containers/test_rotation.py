"""A Secret that is updated under a running pod."""

import re

from support.pods import NATIVE, Pod, SecretVolume, documents, spec_of
from support.programs import s_client
from support.waiting import until

CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.S)


def files_of(pair):
    return {"tls.crt": pair.cert.read_text(), "tls.key": pair.key.read_text()}


def test_a_swap_of_the_secret_s_data_reaches_the_pod(pki):
    # Goal: no restart and no signal after an update of the Secret. Method: the link ..data is swapped as a kubelet does it;
    # the certificate of the next handshakes.
    old, new = (files_of(pki.new_pair()) for _ in range(2))
    volume = SecretVolume(old)
    try:
        with Pod(spec_of(documents(NATIVE)[0]), {"tls": volume.root}) as pod:
            def served():
                said = pod.call(lambda: s_client(("127.0.0.1", 443), pki.ca)).stdout
                found = CERTIFICATE.search(said)
                return found and found[0]

            assert until(served, 20, "a handshake", every=0.2) == old["tls.crt"].strip()
            volume.swap(new)
            until(lambda: served() == new["tls.crt"].strip(), 40, "the new certificate is served", every=0.2)
    finally:
        volume.close()
