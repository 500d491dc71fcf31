"""Where may it bind? Each combination of user, capabilities, no_new_privs, sysctl, way of starting and port, in real
containers: it serves, or it exits with 77 and the right reason. It never fails to execute."""

import pytest

from containers.conftest import ANSWER
from support.bind_matrix import (DROPPED, PLACES, ROOT, ROWS, SERVES, VOID, predicted, table_in, table_line, tables,
                                 tables_in)
from support.podman import Container
from support.programs import curl

OPTIONS = {"default": [], "drop ALL": ["--cap-drop=ALL"],
           "drop ALL, add NET_BIND_SERVICE": ["--cap-drop=ALL", "--cap-add=NET_BIND_SERVICE"]}
REASONS = {DROPPED: "CAP_NET_BIND_SERVICE was dropped from the bounding set", VOID: "but no_new_privs voids that",
           ROOT: "started as root, but cannot become user 65532"}


@pytest.fixture(scope="module")
def readme(source_dir):
    return (source_dir / "docker" / "README.md").read_text()


@pytest.fixture
def observed(networks, pki, pem_variables, exec_in_between):
    """observed(row, place): what came of it, in the words of the tables."""

    def observe(row, place):
        network = networks[place.port_start]
        options = [f"--user={row.uid}:{row.uid}", *OPTIONS[row.capabilities]]
        if row.no_new_privs:
            options.append("--security-opt=no-new-privileges")
        if row.exec_between:
            options += exec_in_between
        with Container("run", "--listen", f":{place.port}", "--to", network.app, "--mode", "tcp", network=network, options=options,
                       runtime=row.runtime, variables=pem_variables) as container:
            if container.serves():
                assert network.call(lambda: curl(("127.0.0.1", place.port), pki.ca).stdout) == ANSWER
                assert container.stop() == 0, container.errors.text()
                return SERVES
            code, said = container.wait_for_exit(), container.errors.text()
            assert code == 77, said
            return next((words for words, reason in REASONS.items() if reason in said), said)

    return observe


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_it_serves_or_says_why(observed, readme, row):
    # Goal: the rules hold, and docker/README.md shows what was seen. Method: a request through TLS, or the diagnosis.
    seen = [observed(row, place) for place in PLACES]
    assert seen == [predicted(row, place) for place in PLACES]
    assert table_line(row, seen) in table_in(readme, row.runtime)


def test_the_readme_has_these_cells_and_no_others(readme):
    # Goal: no row is left over. Method: the tables between the markers, as they are generated.
    assert tables_in(readme) == tables(), "python3 tests/support/bind_matrix.py docker/README.md"


def test_the_matrix_has_every_outcome():
    # Goal: rules that predict the same everywhere would prove nothing. Method: the set of predictions.
    assert {predicted(row, place) for row in ROWS for place in PLACES} == {SERVES, DROPPED, VOID, ROOT}
