"""The benchmark's runner: how rounds become figures, verdicts, tables and charts. No proxy is started."""

import json
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))
from harness import agreement, figures, instructions, measure, rounds, scenarios, syscalls  # noqa: E402
from harness.charts import chart  # noqa: E402
from harness.proxy import Failure  # noqa: E402
from harness.tables import comparisons, table  # noqa: E402

KINDS = {"sallyport": "ours", "fast": "peer", "slow": "peer", "floor": "floor"}
META = {"date": "2026-01-01", "machine": "<a machine>", "openssl": "OpenSSL", "revision": "abc", "command": "./run bench"}


def scenario(**changes):
    values = {"name": "tcp-x", "title": "a row", "mode": "tcp", "unit": scenarios.CPU_PER_OPERATION, "load": ("churn",)}
    return scenarios.Scenario(**values | changes)


def entries(*numbers):
    return [{"failure": "it fell"} if number is None else {"value": number} for number in numbers]


def test_a_ratio_is_the_median_of_ratios_within_rounds():
    # Goal: a machine that slows down for a round changes no ratio. Method: the second round is ten times slower.
    assert figures.ratio(entries(8, 90, 8), entries(10, 100, 10)) == pytest.approx(0.8)
    assert figures.ratio(entries(8, None, 6), entries(10, 10, None)) == pytest.approx(0.8)
    assert figures.ratio(entries(None), entries(1)) is None


def test_the_best_peer_is_a_peer():
    by_system = {"sallyport": entries(1), "floor": entries(0.5), "fast": entries(2), "slow": entries(None, 9)}
    assert figures.best_peer(by_system, KINDS) == "fast"
    assert figures.best_peer({"sallyport": entries(1), "fast": entries(None)}, KINDS) is None
    lighter = [{**entry, "remark": "gives no new ticket"} for entry in by_system["fast"]]
    assert figures.best_peer({**by_system, "fast": lighter}, KINDS) == "slow"


@pytest.mark.parametrize("ours, goal, holds", [(9.5, 0.93, True), (9.6, 0.93, False), (9.5, None, None)])
def test_a_goal_holds_up_to_the_error_of_the_method(ours, goal, holds):
    goals = {} if goal is None else {"sallyport": goal}
    found = figures.rows(scenario(goals=goals), {"sallyport": entries(ours), "fast": entries(10)}, KINDS)
    assert {row.system: row.holds for row in found} == {"sallyport": holds, "fast": None}


@pytest.mark.parametrize("ours, holds", [(50, True), (51, False)])
def test_a_goal_in_milliseconds_is_absolute(ours, holds):
    start = scenario(unit=scenarios.TIME, goals={"sallyport": 50})
    (row,) = figures.rows(start, {"sallyport": entries(ours)}, KINDS)
    assert row.holds is holds


def systems(names, mode="tcp"):
    return [type("System", (), {"name": name, "modes": (mode,)}) for name in names]


def test_systems_take_turns_and_rounds_rotate(monkeypatch):
    # Goal: interleaving. Method: measuring is replaced by noting who has his turn.
    order = []

    class Noting(rounds.Runner):
        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def take_turn(self):
            order.append(self.system.name)
            self.entries.append({"value": len(order)})

    monkeypatch.setattr(rounds, "Runner", Noting)
    results = rounds.run_rounds(None, systems("abc") + systems("h", "http"), [scenario()], 2, 1, lambda *_: None)
    assert "".join(order[:9]) == "abcbcacab" and "".join(order[24:30]) == "bcacab"
    assert {name: len(found) for name, found in results["tcp-x"].items()} == dict.fromkeys("abc", 2 * rounds.TURNS)


def test_what_is_measured_alone_has_one_entry_in_each_of_its_rounds(monkeypatch):
    monkeypatch.setitem(rounds.ALONE, scenarios.TIME, lambda _site, system, _scenario: {"value": ord(system.name)})
    start = scenario(unit=scenarios.TIME, rounds=1)
    assert rounds.run_rounds(None, systems("ab"), [start], 3, 1, lambda *_: None)["tcp-x"] == {
        "a": [{"value": 97}], "b": [{"value": 98}]}


class Stage:
    """A proxy and a load that do what they are told here, with the site that would give them their place."""

    lives_on = True

    def place(self, *_):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def await_first_exchange(self):
        pass

    def lives(self):
        return self.lives_on


@pytest.mark.parametrize("lives_on, expected", [
    (True, ["value", "failure", "value"]), (False, ["value", "failure", "failure"])])
def test_a_failure_costs_one_turn_if_the_load_survives_it(monkeypatch, lives_on, expected):
    stage, outcomes = Stage(), iter([{"value": 1}, Failure("it fell"), {"value": 2}])
    stage.lives_on = lives_on

    def measured(*_):
        outcome = next(outcomes)
        if isinstance(outcome, Failure):
            raise outcome
        return outcome

    monkeypatch.setattr(rounds, "Proxy", lambda *_: stage)
    monkeypatch.setattr(rounds.measure, "opened", lambda *_: stage)
    monkeypatch.setattr(rounds.measure, "cpu", measured)
    with rounds.Runner(stage, *systems("a"), scenario(), 1) as runner:
        for _ in range(3):
            runner.take_turn()
    assert [next(iter(entry)) for entry in runner.entries] == expected


@pytest.mark.parametrize("late, wrong, good, failed", [
    (0, 0, 4, False), (2, 0, 2, False), (3, 0, 1, True), (0, 1, 3, True), (1, 1, 2, True), (0, 4, 0, True)])
def test_late_turns_are_the_machines_fault_up_to_a_half(late, wrong, good, failed):
    found = [{"failure": "late", "late": True}] * late + [{"failure": "wrong", "late": False}] * wrong
    assert figures.has_failed([*found, *entries(*range(good))]) == failed


@pytest.mark.parametrize("witness, failed", [([True] * 4, False), ([True, False, False, False], False), ([False] * 4, True), ([], True)])
def test_a_turn_in_which_the_witness_was_late_too_is_the_machines_fault(witness, failed):
    # Goal: noise is not taken for a fault, nor a fault for noise. Method: three of four are late, beside the witness.
    found = [*[{"failure": "late", "late": True}] * 3, *entries(1)]
    beside = [{"failure": "late", "late": True} if late else {"value": 1} for late in witness]
    assert figures.has_failed(found, beside) == failed


def test_a_late_turn_is_marked(monkeypatch):
    pace = scenario(load=("pace",))
    monkeypatch.setattr(measure, "_planned", lambda *_: 1)
    late = rounds._or_failure(measure.check, None, None, pace, {"errors": 0, "operations": 9, "seconds": 2})
    wrong = rounds._or_failure(measure.check, None, None, pace, {"errors": 1, "operations": 9, "seconds": 1})
    assert (late["late"], wrong["late"]) == (True, False)


def test_a_system_that_does_not_start_is_out_of_the_round(monkeypatch):
    def refuse(*_):
        raise Failure("no such thing")

    monkeypatch.setattr(rounds, "Proxy", refuse)
    with rounds.Runner(Stage(), *systems("a"), scenario(), 1) as runner:
        runner.take_turn()
    assert runner.entries == [{"failure": "no such thing"}]


def test_scenarios_are_chosen_by_pattern():
    assert all(row.by_default for row in scenarios.choose(None))
    assert [row.name for row in scenarios.choose("tcp-idle,tcp-i*")] == ["tcp-idle"]
    with pytest.raises(SystemExit, match="no scenario tcp-nothing"):
        scenarios.choose("tcp-nothing")


SAME = {"version": "TLSv1.3", "cipher": "TLS_AES_128_GCM_SHA256", "strays": 0, "certificate": "f", "curve": "X25519",
        "resumed": 0, "full": 5}


@pytest.mark.parametrize("change", [
    {"version": "TLSv1.2"}, {"cipher": "TLS_AES_256_GCM_SHA384"}, {"strays": 1}, {"certificate": "other"},
    {"curve": "P-256"}, {"resumed": 1},
])
def test_other_work_than_everybodys_is_seen(change):
    # Goal: no system wins by doing less. Method: one fact at a time differs.
    assert agreement.differences(SAME, "1.3", "f", False, 5) == []
    (difference,) = agreement.differences(SAME | change, "1.3", "f", False, 5)
    assert difference.startswith(next(iter(change)) + " is ")


def test_a_run_that_should_resume_and_does_not_is_seen():
    assert len(agreement.differences(SAME, "1.3", "f", True, 5)) == 2


def test_the_table_says_what_failed_and_what_is_missed():
    by_system = {"sallyport": entries(10, None), "fast": entries(10, 10), "floor": entries(5, 5)}
    text = table(scenario(goals={"sallyport": 0.9}), by_system, KINDS)
    assert "MISSED" in text and "sallyport: 1 of 2 do not count: it fell" in text


def test_the_chart_is_well_formed_and_says_where_it_comes_from():
    drawn = chart(scenario(goals={"sallyport": 0.9}), {"sallyport": entries(8), "fast": entries(10, 11)}, KINDS, META)
    words = " ".join(xml.fromstring(drawn).itertext())
    assert "0.80 × best peer, goal ≤ 0.9" in words and "<a machine>" in words and "./run bench" in words
    assert chart(scenario(), {"fast": entries(None)}, KINDS, META) is None


@pytest.mark.parametrize("two, verdict", [(10.5, "holds"), (10.8, "MISSED")])
def test_two_shards_are_compared_with_one(two, verdict):
    (line,) = comparisons({"tcp-x": {"sallyport": entries(10), "sallyport-two-shards": entries(two)}})
    assert verdict in line


@pytest.mark.parametrize("name, ours, verdict", [
    ("tcp-full", 10.9, "holds"), ("tcp-full", 11.1, "MISSED"), ("tcp-rate", 10.5, "MISSED")])
def test_the_confined_are_compared_with_the_unconfined(name, ours, verdict):
    (line,) = comparisons({name: {"sallyport": entries(ours), "sallyport-unconfined": entries(10)}})
    assert verdict in line


@pytest.mark.parametrize("count, good", [(1049, True), (951, True), (1051, False), (949, False)])
def test_the_gate_on_instructions_is_five_percent_either_way(capsys, count, good):
    assert instructions.compare("a: b", count, 1000, update=False) is good
    assert instructions.compare("a: b", count, 1000, update=True)
    assert ("MORE THAN 5 % OFF" in capsys.readouterr().out) is not good


def test_the_committed_gate_has_every_operation(source_dir):
    gates = json.loads((source_dir / "bench/instructions.json").read_text())
    for gate in gates.values():
        for operation in instructions.OPERATIONS:
            assert gate[f"sallyport: {operation.name}"] > 0


def test_the_counts_of_strace_are_read(tmp_path):
    (tmp_path / syscalls.OUTPUT).write_text(
        "% time     seconds  usecs/call     calls    errors syscall\n"
        "------ ----------- ----------- --------- --------- ----------------\n"
        " 60.00    0.000600           6       100         3 read\n"
        " 40.00    0.000400           4        50           epoll_wait\n"
        "------ ----------- ----------- --------- --------- ----------------\n"
        "100.00    0.001000           6       150         3 total\n")
    assert syscalls.STRACE.read(tmp_path) == {"read": 100, "epoll_wait": 50}
