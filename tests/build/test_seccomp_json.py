"""docker/seccomp.json is what the table of profiles generates."""

import subprocess


def test_the_committed_profile_is_the_one_that_is_printed(built, source_dir):
    # Goal: one table. Method: the text itself.
    printed = subprocess.run([built / "print_seccomp"], check=True, capture_output=True, text=True, timeout=10).stdout
    assert (source_dir / "docker" / "seccomp.json").read_text() == printed, "print_seccomp > docker/seccomp.json"
