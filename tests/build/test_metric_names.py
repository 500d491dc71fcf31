"""The metrics' fixed label values are those that the code can say."""

import re


def strings_between(text, begin, end):
    return set(re.findall(r'"([^"]+)"', text.split(begin)[1].split(end)[0]))


def test_every_reason_of_a_failed_handshake_has_a_slot(source_dir):
    # Goal: a new reason in tls must not end as "other". Method: all texts of handshake_failure.cpp, and of those who
    # set a reason themselves.
    names = (source_dir / "include/sallyport/metrics/names.hpp").read_text()
    known = strings_between(names, "kHandshakeFailures{", "};")
    failures = (source_dir / "src/tls/handshake_failure.cpp").read_text()
    said = set(re.findall(r'(?:client\(Fault::\w+, |Side::self, )"([^"]+)"', failures))
    assert len(said) > 30 and said <= known, said - known


def test_every_fault_has_a_slot(source_dir):
    names = (source_dir / "include/sallyport/metrics/names.hpp").read_text()
    known = strings_between(names, "kHandshakeFailures{", "};")
    result = (source_dir / "src/base/result.cpp").read_text()
    faults = set(re.findall(r'case Fault::\w+:\s+return "(\w+)"', result))
    assert len(faults) == 10 and faults <= known, faults - known
