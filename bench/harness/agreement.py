"""Whether everybody really did the same work: version, cipher, curve, certificate and resumption of every run."""

CIPHERS = {"1.2": "ECDHE-ECDSA-AES128-GCM-SHA256", "1.3": "TLS_AES_128_GCM_SHA256"}


def differences(tls, version, fingerprint, resumes, operations):
    """What a report's `tls` part shows that it should not, as sentences; empty: all is as it must be. h2load tells of no
    certificate."""
    expected = {"version": f"TLSv{version}", "cipher": CIPHERS[version], "strays": 0, "certificate": fingerprint}
    # A session resumed in TLS 1.2 has no key exchange, so no curve either.
    if not (resumes and version == "1.2"):
        expected["curve"] = "X25519"
    if resumes:
        expected |= {"resumed": operations, "full": 0}
    else:
        expected |= {"resumed": 0}
    if "certificate" not in tls:
        del expected["certificate"]
    return [f"{key} is {tls[key]}, not {value}" for key, value in expected.items() if tls[key] != value]


def remarks(tls, version, resumes, operations):
    """Less work than everybody else's, though each operation is what it should be: {"remark": …}, which keeps a peer from
    being the best one; or nothing."""
    # RFC 8446, appendix C.4: a client should use a ticket only once, so each resumption should bring another.
    if resumes and version == "1.3" and tls["tickets"] < operations:
        text = f"gives {tls['tickets']} new tickets in {operations} resumptions: most clients resume every other time"
        return {"remark": text}
    return {}
