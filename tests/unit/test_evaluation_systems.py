"""Every system of the evaluation hands back circuits in which each program is its own."""

from __future__ import annotations

import io
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from qiskit import qpy
from qiskit.circuit import AncillaRegister, ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit.library import ECRGate

import benchmarks.evaluation.systems
from benchmarks.evaluation import names
from benchmarks.evaluation.model import Batch, Job, System, SystemFailedError
from benchmarks.evaluation.systems import all_systems
from benchmarks.evaluation.systems._schedule import makespan_s, schedule, waiting_dt
from benchmarks.evaluation.systems.by_hand import ByHand
from benchmarks.evaluation.systems.fixed_grid import FixedGrid
from benchmarks.evaluation.systems.halo import QiskitHalo, largest
from benchmarks.evaluation.systems.halo_published import HaloPublished
from benchmarks.evaluation.systems.qc_parallelizer import QcParallelizer
from benchmarks.evaluation.workloads import VARIED, full
from qiskit_halo import HaloOptions
from qiskit_halo.verification.equivalence import outcome_distribution
from tests.dense_oracle import brute_force, distance
from tests.lattices import heavy_hex, square
from tests.targets import TargetBackend, make_target


def ladder() -> QuantumCircuit:
    """Four data qubits, two helpers with different lives, and a register that is read in the middle."""
    data, helpers = QuantumRegister(4, "q"), AncillaRegister(2, "helper")
    circuit = QuantumCircuit(data, helpers, ClassicalRegister(4, "c"), ClassicalRegister(1, "mid"), name="ladder")
    circuit.h(0)
    circuit.cx(0, 4)
    circuit.ry(0.7, 4)
    circuit.measure(4, circuit.cregs[1][0])
    circuit.x(1)
    circuit.cx(1, 5)
    circuit.cx(5, 2)
    circuit.barrier()
    circuit.cx(1, 5)
    circuit.cx(0, 3)
    circuit.measure(data, circuit.cregs[0])
    return circuit


def ghost() -> QuantumCircuit:
    """Clbits written out of order, a qubit of its own used twice, and one that is never measured."""
    circuit = QuantumCircuit(3, 3, name="ghost")
    circuit.ry(1.1, 0)
    circuit.cx(0, 1)
    circuit.measure(0, 2)
    circuit.reset(0)
    circuit.x(0)
    circuit.cx(0, 2)
    circuit.measure(0, 0)
    circuit.ry(0.3, 1)
    circuit.measure(1, 1)
    return circuit


def pair() -> QuantumCircuit:
    circuit = QuantumCircuit(2, name="pair")
    circuit.ry(0.4, 0)
    circuit.cx(0, 1)
    circuit.measure_all()
    return circuit


def wide() -> QuantumCircuit:
    """Nine qubits: more than a region of a heavy-hex device."""
    circuit = QuantumCircuit(9, 2, name="wide")
    circuit.ry(0.9, 0)
    for qubit in range(8):
        circuit.cx(qubit, qubit + 1)
    circuit.cx(8, 0)
    circuit.measure([8, 3], [0, 1])
    return circuit


PROGRAMS = (ladder(), pair(), ghost(), wide())
ALONE = {circuit.name: brute_force(circuit) for circuit in PROGRAMS}


def queue_of(*circuits: QuantumCircuit, shots: Sequence[int] = ()) -> list[tuple[int, Job]]:
    asked = list(shots) or [1000] * len(circuits)
    return [(10 + i, Job(f"job {i}", "test", circuit, asked[i])) for i, circuit in enumerate(circuits)]


def mixed() -> list[tuple[int, Job]]:
    ladder_, pair_, ghost_, wide_ = PROGRAMS
    return queue_of(ladder_, pair_, pair_, ghost_, wide_, ladder_, pair_)


def device(kind: str) -> TargetBackend:
    size, couplers = square(3, 7) if kind == "square" else heavy_hex(2, 11)
    keywords = {"gate": ECRGate, "directed": True} if kind == "directed" else {}
    return TargetBackend(make_target(size, couplers, **keywords))


def batches(system: System, backend: TargetBackend, queue: list[tuple[int, Job]], seed: int = 5) -> Iterator[Batch]:
    while queue:
        batch = system.next_batch(queue, backend, seed)
        yield batch
        assert batch.members
        queue = [member for member in queue if member[0] not in batch.members]


def check(batch: Batch, queue: Sequence[tuple[int, Job]], backend: TargetBackend) -> None:
    """Each member has its own outcomes in the circuit, on this device, at the times that the batch states."""
    jobs = dict(queue)
    assert len(set(batch.members)) == len(batch.members)
    assert batch.shots == min(jobs[member].shots for member in batch.members)
    registers = [
        f"p{place}_{register.name}"
        for place, member in enumerate(batch.members)
        for register in jobs[member].circuit.cregs
    ]
    assert [register.name for register in batch.circuit.cregs] == registers
    for place, member in enumerate(batch.members):
        own = jobs[member].circuit
        names = [f"p{place}_{register.name}" for register in own.cregs]
        assert distance(outcome_distribution(batch.circuit, registers=names), ALONE[own.name]) < 1e-9
    assert batch.circuit.num_qubits == backend.num_qubits
    for instruction in batch.circuit.data:
        qubits = tuple(batch.circuit.find_bit(qubit).index for qubit in instruction.qubits)
        assert instruction.name == "barrier" or backend.target.instruction_supported(instruction.name, qubits)
    assert 0 < batch.makespan_s == pytest.approx(makespan_s(batch.circuit, backend.target), rel=1e-9)
    assert batch.compile_s > 0


QUICK = HaloPublished(restarts=2, steps=50)
SYSTEMS = {**all_systems(), QUICK.name: QUICK}
GEOMETRIC = [name for name in SYSTEMS if name.startswith(("fixed grid", "HALO"))]
INSTALLED = [name for name in SYSTEMS if name != QcParallelizer.name]


@pytest.mark.parametrize(
    ("name", "kind"),
    [(name, "heavy-hex") for name in INSTALLED]
    + [(name, kind) for name in GEOMETRIC for kind in ("square", "directed")],
)
def test_every_member_keeps_its_own_outcomes(name: str, kind: str) -> None:
    backend, queue = device(kind), mixed()
    served = []
    for batch in batches(SYSTEMS[name], backend, queue):
        check(batch, queue, backend)
        served += batch.members
    assert sorted(served) == [index for index, _ in queue]


def same(first: Batch, second: Batch) -> bool:
    texts = []
    for batch in (first, second):
        file = io.BytesIO()
        qpy.dump(batch.circuit, file)
        texts.append(file.getvalue())
    return texts[0] == texts[1] and first.members == second.members and first.facts == second.facts


@pytest.mark.parametrize("name", INSTALLED)
def test_equal_seeds_give_equal_batches(name: str) -> None:
    systems = [HaloPublished(restarts=2, steps=50) if name == QUICK.name else all_systems()[name] for _ in range(2)]
    assert same(*(system.next_batch(mixed()[:4], device("heavy-hex"), 3) for system in systems))


def test_names_are_those_of_the_tables() -> None:
    assert all(name == system.name for name, system in SYSTEMS.items())
    assert {"one by one", "fixed grid, space", "fixed grid, space and time", "qiskit-halo all"} <= set(SYSTEMS)


def test_shots_are_the_least_of_the_members() -> None:
    queue = queue_of(pair(), pair(), pair(), shots=[300, 100, 200])
    assert ByHand().next_batch(queue, device("heavy-hex"), 1).shots == 100
    assert SYSTEMS["qiskit-halo all"].next_batch(queue, device("heavy-hex"), 1).shots == 100
    assert SYSTEMS["one by one"].next_batch(queue, device("heavy-hex"), 1).shots == 300


def test_by_hand_stops_at_the_first_that_does_not_fit() -> None:
    """25 qubits: 9 + 9 + 6, and then no smaller program is let past a wide one."""
    queue = queue_of(wide(), wide(), ladder(), pair(), *[pair()] * 3)
    assert ByHand().next_batch(queue, device("heavy-hex"), 1).members == (10, 11, 12)


def test_a_program_that_is_too_wide_is_told() -> None:
    small = TargetBackend(make_target(4))
    with pytest.raises(SystemFailedError, match="job 0 has 9 qubits, the device 4"):
        ByHand().next_batch(queue_of(wide()), small, 1)
    with pytest.raises(SystemFailedError, match="9 connected qubits"):
        QiskitHalo("all", HaloOptions()).next_batch(queue_of(wide()), small, 1)


@pytest.mark.parametrize("system", [*all_systems().values()][:6], ids=lambda system: system.name)
def test_control_flow_is_refused_in_a_line(system: System) -> None:
    circuit = QuantumCircuit(2, 2, name="branch")
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(1)
    circuit.measure(1, 1)
    with pytest.raises(SystemFailedError, match="has control flow"):
        system.next_batch(queue_of(circuit), device("heavy-hex"), 1)


def test_dead_couplers_in_use_are_counted() -> None:
    target = make_target(2, errors=True)
    for qubits in ((0, 1), (1, 0)):
        properties = target["cz"][qubits]
        properties.error = 1.0
        target.update_instruction_properties("cz", qubits, properties)
    batch = SYSTEMS["one by one"].next_batch(queue_of(pair()), TargetBackend(target), 1)
    assert batch.facts["dead_gates"] == 1


def test_qiskit_halo_without_sharing_takes_as_many_as_find_room() -> None:
    queue = queue_of(*[pair()] * 16)
    none = SYSTEMS["qiskit-halo none"].next_batch(queue, device("heavy-hex"), 1)
    every = SYSTEMS["qiskit-halo all"].next_batch(queue, device("heavy-hex"), 1)
    assert 8 <= len(none.members) <= 12
    assert len(every.members) == 16


@pytest.mark.parametrize("limit", range(1, 12))
@pytest.mark.parametrize("guess", [1, 4, 11])
def test_largest_finds_the_limit(limit: int, guess: int) -> None:
    tried = []

    def attempt(count: int) -> Exception | None:
        tried.append(count)
        return None if count <= limit else ValueError(count)

    assert largest(attempt, guess, 11) == limit
    assert len(tried) == len(set(tried))


def test_largest_says_why_not_even_one_works() -> None:
    with pytest.raises(KeyError):
        largest(lambda _: KeyError(), 8, 9)


class TestSchedule:
    def test_qubits_wait_where_it_costs_least(self) -> None:
        """As soon as possible, one x would wait for its partner; as late as possible, a measurement would wait."""
        target = make_target(3)
        late = QuantumCircuit(3)
        late.x(0)
        for _ in range(5):
            late.x(1)
        late.cz(0, 1)
        early = QuantumCircuit(3, 1)
        early.cz(0, 1)
        early.measure(0, 0)
        for _ in range(30):
            early.x(1)
        for circuit, expected_s in ((late, 500e-9), (early, 1500e-9)):
            scheduled, length_s = schedule(circuit, target)
            assert waiting_dt(scheduled) == 0
            assert length_s == pytest.approx(expected_s, rel=1e-9)

    def test_waiting_counts_what_is_used_again(self) -> None:
        circuit = QuantumCircuit(1, 1)
        circuit.delay(7, 0)
        circuit.x(0)
        circuit.delay(10, 0)
        circuit.barrier()
        circuit.x(0)
        circuit.delay(100, 0)
        circuit.reset(0)
        circuit.delay(100, 0)
        circuit.x(0)
        assert waiting_dt(circuit) == 10


class TestQcParallelizer:
    STUB = """
        from qiskit.circuit import ClassicalRegister, QuantumCircuit
        def rearrange(circuits, backend):
            hosts = []
            for chunk in (circuits[2:], circuits[:2]):
                host, first = QuantumCircuit(backend.num_qubits), 0
                for index, circuit in enumerate(reversed(chunk)):
                    clbits = []
                    for register in circuit.cregs:
                        own = ClassicalRegister(register.size, f"circ{index}.{register.name}")
                        host.add_register(own)
                        clbits += own
                    host.compose(circuit, range(first, first + circuit.num_qubits), clbits, inplace=True)
                    first += circuit.num_qubits
                hosts.append(host)
            return {backend: hosts}
    """

    def test_it_is_told_apart_from_a_failure(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("QC_PARALLELIZER_PYTHON", raising=False)
        with pytest.raises(SystemFailedError, match="qc-parallelizer is not installed: set QC_PARALLELIZER_PYTHON"):
            QcParallelizer().next_batch(mixed(), device("heavy-hex"), 1)
        with pytest.raises(SystemFailedError, match="qc-parallelizer did not run"):
            QcParallelizer("/no/such/python").next_batch(mixed(), device("heavy-hex"), 1)

    def test_what_its_environment_says_is_passed_on(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        (tmp_path / "qc_parallelizer.py").write_text("raise ImportError('no solver')")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        with pytest.raises(SystemFailedError, match="ended with code 1: ImportError: no solver"):
            QcParallelizer(sys.executable).next_batch(mixed(), device("heavy-hex"), 1)

    def test_hosts_come_back_with_our_registers(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """By a stand-in that only puts circuits beside each other, newest first, and the oldest in the last host."""
        (tmp_path / "qc_parallelizer.py").write_text(textwrap.dedent(self.STUB))
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        backend = TargetBackend(make_target(25))
        queue = queue_of(pair(), ladder(), ghost())
        batch = QcParallelizer(sys.executable).next_batch(queue, backend, 1)
        assert batch.members == (10, 11)
        check(batch, queue, backend)


def test_modules_are_short() -> None:
    folder = Path(benchmarks.evaluation.systems.__file__).parent
    lengths = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in folder.glob("*.py")}
    assert {name: length for name, length in lengths.items() if length > 300} == {}


def test_fixed_grid_says_what_never_runs() -> None:
    too_wide = QuantumCircuit(17, name="too wide")
    too_wide.measure_all()
    queue = queue_of(too_wide, pair())
    system, backend = FixedGrid("space"), device("heavy-hex")
    assert system.next_batch(queue, backend, 1).members == (11,)
    with pytest.raises(SystemFailedError, match="job 0 has 17 qubits, the largest area 16: it never runs"):
        system.next_batch(queue[:1], backend, 1)


def test_systems_and_queues_that_the_runs_single_out_exist() -> None:
    systems = list(all_systems())
    core = [names.ALONE, names.BY_HAND, names.GRID_SPACE, names.GRID_TIME, names.PUBLISHED, names.OURS]
    assert sorted([*core, *names.VARIANTS]) == sorted(systems)
    assert {*names.QUICK, names.TOLD} <= set(systems)
    assert set(VARIED) <= {workload.name for workload in full()}
