from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest
from qiskit.circuit import AncillaRegister, ClassicalRegister, QuantumCircuit, QuantumRegister

from benchmarks.evaluation import runner
from benchmarks.evaluation.cells import Settings, run_cell
from benchmarks.evaluation.measures.time_model import CLOCKS
from benchmarks.evaluation.model import Job
from benchmarks.evaluation.names import ALONE, OURS
from benchmarks.evaluation.report import write_report
from benchmarks.evaluation.runner import run
from benchmarks.evaluation.store import Store
from benchmarks.evaluation.workloads import RUNS, Workload, above_floor
from qiskit_halo.fragments import body, measure
from qiskit_halo.fragments.cache import DIRECTORY_VARIABLE, MEMORY
from tests.evaluation_systems import Alone, Failing, Merged, all_systems, systems_of_which_one_dies
from tests.targets import noisy_backend

pytest.importorskip("qiskit_aer")

SETTINGS = Settings(seed=0, sample=4, source="generators", device="line")
QUEUE = Workload("saturated", "small", count=6)
ARRIVALS = Workload("poisson", "small", duration_s=10)
GROWING = Workload("scaling", "small")


@pytest.fixture(scope="module")
def backend():
    return noisy_backend(8)


def program(name: str, flip: bool) -> QuantumCircuit:
    circuit = QuantumCircuit(
        QuantumRegister(2, "q"), AncillaRegister(1, "helper"), ClassicalRegister(2, "c"), name=name
    )
    if flip:
        circuit.x(0)
    circuit.cx(0, 2)
    circuit.cx(2, 1)
    circuit.cx(0, 2)
    circuit.measure([0, 1], [0, 1])
    return circuit


def queue(count: int, gap_s: float = 0.0) -> list[Job]:
    programs = [program("flip", True), program("still", False)]
    return [Job(f"{i}", "small", programs[i % 2], 1000, i * gap_s) for i in range(count)]


@pytest.fixture(scope="module")
def cells(backend):
    systems = (Alone(), Merged(4), Failing())
    return {system.name: run_cell(system, QUEUE, queue(6), backend, SETTINGS) for system in systems}


def test_a_cell_is_json_and_says_what_it_rests_on(cells) -> None:
    for record in cells.values():
        assert json.loads(json.dumps(record)) == record
        assert record["settings"] == asdict(SETTINGS)
        assert record["workload"] == "saturated-small-6"
        assert len(record["jobs"]) == 6


def test_every_job_of_a_queue_is_served_and_measured(cells) -> None:
    alone, merged = cells[ALONE], cells[OURS]
    assert [batch["members"] for batch in alone["batches"]] == [[index] for index in range(6)]
    assert [batch["members"] for batch in merged["batches"]] == [[0, 1, 2, 3], [4, 5]]
    for record in (alone, merged):
        assert (record["failure"], record["finished"]) == ("", 6)
        for batch in record["batches"]:
            assert batch["makespan_s"] == pytest.approx(batch["stated_makespan_s"])
            assert not batch["violation"]
            assert len(batch["success"]) == len(batch["members"])
    assert [one["job"] for one in alone["sample"]] == [one["job"] for one in merged["sample"]]
    for one in (*alone["sample"], *merged["sample"]):
        assert one["floor"] < one["fidelity"] <= one["ceiling"] == 1
        assert one["floor"] < one["fidelity_flips"] <= 1
        assert one["shots"] == 512
    for one in alone["sample"]:  # no resets
        assert (one["fidelity_flips"], one["predicted_flips"]) == (one["fidelity"], one["predicted"])


def test_noisy_simulation_is_about_what_is_predicted(cells) -> None:
    for one in cells[ALONE]["sample"]:
        assert one["fidelity"] == pytest.approx(one["predicted"], abs=0.1)


def test_a_cell_is_the_same_when_it_is_made_again(cells, backend) -> None:
    again = run_cell(Alone(), QUEUE, queue(6), backend, SETTINGS)
    known = {**cells[ALONE], "batches": [{**batch, "compile_s": 0} for batch in cells[ALONE]["batches"]]}
    assert {**again, "batches": [{**batch, "compile_s": 0} for batch in again["batches"]]} == known


def test_a_failed_system_keeps_its_cell(cells) -> None:
    record = cells["failing"]
    assert record["failure"] == "SystemFailedError: no progress: 3 helpers asked for, 0 free"
    assert record["finished"] == len(record["batches"]) == 2


def test_arrivals_at_every_clock(backend) -> None:
    record = run_cell(Merged(4), ARRIVALS, queue(4, gap_s=1.0), backend, SETTINGS)
    assert [(own["rep_delay_s"], own["overhead_s"]) for own in record["arrivals"]] == [
        (clock.rep_delay_s, clock.overhead_s) for clock in CLOCKS
    ]
    by_clock = {(own["rep_delay_s"], own["overhead_s"]): own for own in record["arrivals"]}
    idle, loaded = by_clock[250e-6, 0.0], by_clock[250e-6, 10.0]
    assert (idle["batches"], loaded["batches"]) == (4, 2)  # the first runs alone, the others have come when it ends
    assert idle["turnaround_mean_s"] < 0.3
    assert loaded["turnaround_mean_s"] == pytest.approx((10.25 + 3 * 20.5 - 1 - 2 - 3) / 4, abs=0.1)


def test_growing_queues(backend) -> None:
    record = run_cell(Merged(4), GROWING, queue(128), backend, SETTINGS)
    assert {point["waiting"]: point["members"] for point in record["points"]} == {
        size: min(4, size) for size in (1, 2, 4, 8, 16, 32, 64, 128)
    }
    assert sum(point["waiting"] == 1 for point in record["points"]) == 8


@pytest.fixture
def on_a_line(monkeypatch, backend) -> None:
    monkeypatch.setattr(runner, "backend_of", lambda name: backend)
    monkeypatch.setattr(runner, "_jobs", lambda workload, *rest: queue(128 if workload.kind == "scaling" else 6))


@pytest.mark.usefixtures("on_a_line")
def test_a_run_goes_on_where_it_was(tmp_path, capsys) -> None:
    names = [ALONE, OURS, "failing"]
    run([(QUEUE, name) for name in names[:2]], all_systems, SETTINGS, folder=tmp_path)
    assert "0 cells are there, 2 to make" in capsys.readouterr().out
    first = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")}
    run([(QUEUE, name) for name in names], all_systems, SETTINGS, folder=tmp_path)
    out = capsys.readouterr().out
    assert "2 cells are there, 1 to make" in out
    assert "no progress: 3 helpers asked for" in out
    assert all(path.stat().st_mtime_ns == moment for path, moment in first.items())
    other = Settings(seed=1, sample=4, source="generators", device="line")
    run([(QUEUE, name) for name in names[:1]], all_systems, other, folder=tmp_path)
    assert "0 cells are there, 1 to make" in capsys.readouterr().out
    assert not list(tmp_path.rglob("*.partial"))


@pytest.mark.usefixtures("on_a_line")
def test_report_of_a_run(tmp_path) -> None:
    pytest.importorskip("matplotlib")
    names = [ALONE, OURS, "failing"]
    run([(QUEUE, name) for name in names], all_systems, SETTINGS, folder=tmp_path)
    bars = write_report(tmp_path, [QUEUE, ARRIVALS], names, 8)
    text = (tmp_path / "tables.md").read_text()
    assert "* **failing failed** after 2 programs: SystemFailedError: no progress: 3 helpers asked for, 0 free" in text
    assert "| failing | 2/6 | 2 |" in text
    assert "## poisson-small-10s\n\nNot run." in text
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert len(summary["bars"]) == len(bars)
    assert [row["system"] for row in summary["queues"]["saturated-small-6"]] == names
    pictures = [f"{name}{suffix}.png" for name in ("trade_off", "prediction") for suffix in ("", "_flips")]
    assert all((tmp_path / name).stat().st_size > 0 for name in pictures)
    assert list((tmp_path / "simulations").glob("*.json"))
    throughput = next(bar for bar in bars if bar.what == f"throughput over {ALONE}")
    record = Store(tmp_path).read(QUEUE.name, OURS)
    assert record is not None
    assert throughput.figure > 2
    assert not throughput.met


def test_a_cell_begins_with_nothing_compiled(monkeypatch) -> None:
    monkeypatch.delenv(DIRECTORY_VARIABLE, raising=False)
    memories = (MEMORY, body.MEMORY, measure.MEMORY)
    for memory in memories:
        memory.put("key", ())
    with runner.nothing_compiled():
        assert [memory.get("key") for memory in memories] == [None] * 3
        assert not list(Path(os.environ[DIRECTORY_VARIABLE]).iterdir())
    assert DIRECTORY_VARIABLE not in os.environ


def test_medium_programs_below_the_floor_are_left_out(backend) -> None:
    good = program("good", True)
    hopeless = QuantumCircuit(8, 1, name="hopeless")  # one bit, so a floor of a half
    for _ in range(100):
        hopeless.ccx(0, 4, 7)
        hopeless.ccx(7, 2, 5)
    hopeless.measure(5, 0)
    kept = above_floor([("a", good), ("a", hopeless)], backend, 0)
    assert [circuit.name for _, circuit in kept] == ["good"]


def test_runs_have_distinct_names() -> None:
    for make in RUNS.values():
        names = [workload.name for workload in make()]
        assert len(set(names)) == len(names)


@pytest.mark.usefixtures("on_a_line")
def test_a_system_whose_process_dies_is_in_the_tables_and_spares_the_others(tmp_path, monkeypatch) -> None:
    def side_by_side(tasks, processes):
        """One process at a time, and a death is a return."""
        for place, task in enumerate(tasks):
            if task[2] == "dying":
                return list(tasks[place + 1 :]), [task]
            runner.make_cell(*task)
        return [], []

    monkeypatch.setattr(runner, "_side_by_side", side_by_side)
    queues, names = [QUEUE, ARRIVALS, GROWING], ["dying", "failing"]
    run(
        [(queue, name) for queue in queues for name in names],
        systems_of_which_one_dies,
        SETTINGS,
        folder=tmp_path,
        processes=2,
    )
    for workload in queues:
        dead, other = (Store(tmp_path).read(workload.name, name) for name in names)
        assert dead is not None
        assert dead["failure"] == "its process died without a word"
        assert other is not None
        assert ("no progress" in other["failure"]) == (workload is not GROWING)  # there it is asked for no third job
    write_report(tmp_path, queues, names, 8)
    text = (tmp_path / "tables.md").read_text()
    assert "* **dying failed** after 0 programs: its process died without a word" in text
    assert "| dying | failed | failed | failed |" in text


def test_a_death_is_told_from_the_cells_not_begun(tmp_path) -> None:
    pytest.importorskip("qiskit_ibm_runtime")
    settings = Settings(seed=0, sample=0, source="generators", device="FakeTorino")
    queue_of_one = Workload("saturated", "qecsmall", count=1)
    tasks = [(queue_of_one, systems_of_which_one_dies, name, settings, tmp_path, None) for name in ("dying", "failing")]
    left, suspects = runner._side_by_side(tasks, 1)
    assert (left, suspects) == (tasks[1:], tasks[:1])
