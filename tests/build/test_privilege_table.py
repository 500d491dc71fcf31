"""README.md says of each process what the table of profiles says."""

import re

import pytest

POWERS = ("binds_ports", "reads_files", "holds_private_keys", "reads_network", "starts_processes")


@pytest.fixture(scope="module")
def rows(source_dir):
    """Every row of a table in README.md whose first cell names a process: [name, cell, …]."""
    lines = (source_dir / "README.md").read_text().splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    names = ("gatekeeper", "keyholder", "worker")
    return [[name, *row[1:]] for row in cells for name in names if re.match(rf"(\*\*)?{name}\b", row[0])]


def test_each_power_is_where_the_table_has_it(profiles, rows):
    # Goal: the privilege table cannot go stale. Method: a cell is "no", or "none", exactly where the profile says so.
    powers = [row for row in rows if len(row) == 1 + len(POWERS)]
    assert len(powers) == len(profiles)
    for name, *cells in powers:
        said = [cell.strip("*") not in ("no", "none") for cell in cells]
        assert said == [profiles[name][power] for power in POWERS], name


def test_the_cages_are_as_large_as_it_says(profiles, rows):
    # Goal: the same for the sandbox. Method: the numbers of calls; "none" exactly where nothing is reached.
    cages = [row for row in rows if len(row) == 4]
    assert len(cages) == len(profiles)
    for name, calls, files, ports in cages:
        row = profiles[name]
        numbers = [len(row["calls"])]
        if (serving := sum(call["serving"] for call in row["calls"])) < len(row["calls"]):
            numbers.append(serving)
        assert [int(number) for number in re.findall(r"\d+", calls)] == numbers, name
        assert (" and no other" in calls) == row["permits"]
        for text, reach in ((files, row["files"]), (ports, row["tcp_ports"])):
            assert ("those of its user" in text) == (reach == "unlimited")
            assert (text == "none") == (reach == "nothing")


def test_only_the_gatekeeper_is_without_an_allow_list(profiles):
    # Goal: a change of that is a decision. Method: the rows.
    assert {name: row["permits"] for name, row in profiles.items()} == {
        "gatekeeper": False, "keyholder": True, "worker": True}
