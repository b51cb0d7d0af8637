"""Crosstalk from the options to the compiled circuit: who makes way, and what the report says."""

from __future__ import annotations

import math

import pytest
from qiskit import qpy
from qiskit.circuit import QuantumCircuit

from qiskit_halo import HaloOptions, MultiProgramCircuit, generate_halo_pass_manager, verify_isolation
from qiskit_halo.report import HaloReport
from tests.fragment_samples import bell
from tests.targets import make_target

LINE = make_target(4)
DISASTER = (((0, 1), (2, 3), 60.0), ((2, 3), (0, 1), 60.0))


def compiled(programs: list[QuantumCircuit], num_qubits: int = 4, **options: object) -> QuantumCircuit:
    target = make_target(num_qubits)
    batch = MultiProgramCircuit(programs, options=HaloOptions(**options))  # type: ignore[arg-type]
    isa: QuantumCircuit = generate_halo_pass_manager(1, target=target, seed_transpiler=7).run(batch.circuit)
    verify_isolation(isa, target=target, resets=batch.circuit.metadata["halo"]["options"]["resets"])
    return isa


def report_of(isa: QuantumCircuit) -> HaloReport:
    return HaloReport.from_dict(isa.metadata["halo"]["report"])


def drives_overlap(isa: QuantumCircuit) -> bool:
    starts = isa.op_start_times
    spans = [
        (start, start + 300, [isa.find_bit(q).index for q in instruction.qubits])
        for start, instruction in zip(starts, isa.data, strict=True)
        if instruction.name == "cz"
    ]
    return any(
        a < d and c < b and not set(first) & set(second)
        for i, (a, b, first) in enumerate(spans)
        for c, d, second in spans[:i]
    )


def test_without_a_table_they_run_side_by_side() -> None:
    isa = compiled([bell(), bell()])
    assert drives_overlap(isa)
    assert {program.start_s for program in report_of(isa).programs} == {0.0}


@pytest.mark.parametrize("level", [0, 1, 2, 3])
@pytest.mark.parametrize("policy", ["auto", "packed", "round_robin"])
def test_two_couplers_that_ruin_each_other_are_not_driven_together(policy: str, level: int) -> None:
    batch = MultiProgramCircuit([bell(), bell()], options=HaloOptions(crosstalk=DISASTER, policy=policy))
    isa = generate_halo_pass_manager(level, target=LINE, seed_transpiler=7).run(batch.circuit)
    assert not drives_overlap(isa)
    for program in report_of(isa).programs:
        assert program.success_alone is not None
        assert program.success_merged >= 0.9 * program.success_alone


def test_far_apart_they_need_not_wait() -> None:
    everybody = [(q, q + 1) for q in range(7)]
    table = [(a, b, 60.0) for a in everybody for b in everybody if abs(a[0] - b[0]) == 2]
    isa = compiled([bell(), bell()], 8, crosstalk=table)
    first, second = report_of(isa).programs
    assert first.start_s == second.start_s == 0.0
    assert min(abs(a - b) for a in first.qubits for b in second.qubits) > 1
    assert all(p.success_merged == pytest.approx(p.success_alone) for p in (first, second))


def test_a_price_that_floors_can_bear_is_paid_and_reported() -> None:
    table = (((0, 1), (2, 3), 3.0),)
    isa = compiled([bell(), bell()], crosstalk=table)
    assert drives_overlap(isa)
    by_qubits = {program.qubits: program.success_merged for program in report_of(isa).programs}
    alone = 0.999 * 0.99 * 0.98**2
    assert by_qubits[2, 3] == pytest.approx(alone)
    assert by_qubits[0, 1] == pytest.approx(alone * 0.97 / 0.99)


def readout_beside_life() -> list[QuantumCircuit]:
    """One that is measured again and again, and one that lives long."""
    reader = QuantumCircuit(1, 3, name="reader")
    for k in range(3):
        reader.sx(0)
        reader.measure(0, k)
    living = QuantumCircuit(1, 1, name="living")
    for _ in range(40):
        living.sx(0)
        living.barrier(0)
    living.measure(0, 0)
    return [reader, living]


@pytest.mark.parametrize("num_qubits", [2, 4])
def test_a_program_that_reads_keeps_away_from_a_live_neighbour(num_qubits: int) -> None:
    def side_by_side(isa: QuantumCircuit) -> bool:
        a, b = report_of(isa).programs
        near = abs(a.qubits[0] - b.qubits[0]) == 1
        return near and a.start_s < b.start_s + b.length_s and b.start_s < a.start_s + a.length_s

    plain = compiled(readout_beside_life(), num_qubits)
    priced = compiled(readout_beside_life(), num_qubits, readout_crosstalk=0.2)
    assert side_by_side(plain)
    assert not side_by_side(priced)
    assert all(p.success_merged >= 0.9 * p.success_alone for p in report_of(priced).programs)


def test_readout_is_in_the_report() -> None:
    isa = compiled(readout_beside_life(), 2, readout_crosstalk=0.01)
    plain = compiled(readout_beside_life(), 2)
    assert report_of(isa).makespan_s == report_of(plain).makespan_s
    for before, after in zip(report_of(plain).programs, report_of(isa).programs, strict=True):
        assert after.success_merged < before.success_merged


def saved(isa: QuantumCircuit, tmp_path: object, name: str) -> bytes:
    isa = isa.copy()
    isa.metadata = {}
    path = tmp_path / name  # type: ignore[operator]
    with path.open("wb") as file:
        qpy.dump(isa, file)
    return path.read_bytes()


def test_an_empty_table_changes_nothing(tmp_path: object) -> None:
    programs = [bell(), bell(3), bell(), bell(1)]
    plain = compiled(programs, 6)
    empty = compiled(programs, 6, crosstalk=[], readout_crosstalk=0.0)
    useless = compiled(programs, 6, crosstalk=[((0, 1), (2, 3), 1.0)])
    assert saved(plain, tmp_path, "plain") == saved(empty, tmp_path, "empty") == saved(useless, tmp_path, "useless")
    assert report_of(plain) == report_of(empty) == report_of(useless)


def test_success_never_rises_with_a_price() -> None:
    programs = [bell(), bell(3), bell(), bell()]
    couplers = [(q, q + 1) for q in range(5)]
    table = [(a, b, 4.0) for a in couplers for b in couplers if abs(a[0] - b[0]) == 2]
    plain, priced = report_of(compiled(programs, 6)), report_of(compiled(programs, 6, crosstalk=table))
    for before, after in zip(plain.programs, priced.programs, strict=True):
        # All places are alike here, up to resets of hand-overs.
        assert after.success_merged <= before.success_merged * math.exp(1e-3)
        assert after.success_merged >= 0.9 * after.success_alone
