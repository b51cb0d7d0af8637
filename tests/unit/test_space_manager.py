from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest
from qiskit.circuit import AncillaRegister, ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit.classical import expr
from qiskit.transpiler import InstructionProperties

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.errors import HaloTranspilerError, HaloWarning
from qiskit_halo.fragments import body, measure
from qiskit_halo.fragments.compile import CompileSettings
from qiskit_halo.multiprogram import MultiProgramCircuit
from qiskit_halo.options import HaloOptions
from qiskit_halo.placement import space_manager
from qiskit_halo.placement.filling import PlacedItem
from qiskit_halo.placement.items import PackingItem
from qiskit_halo.placement.packing import pack
from qiskit_halo.placement.placement import Placement
from qiskit_halo.placement.space_manager import SpaceManager
from qiskit_halo.plugins.generate import generate_halo_pass_manager
from tests.fragment_samples import bell
from tests.targets import TargetBackend, global_target, make_target


def place(programs: list[QuantumCircuit], num_qubits: int, **options: object) -> Placement:
    mpc = MultiProgramCircuit(programs)
    halo = HaloOptions(**options)
    device = DeviceModel(make_target(num_qubits), reset_model=halo.reset_model)
    settings = CompileSettings(optimization_level=1, num_variants=1)
    return SpaceManager(device, halo, settings).place(mpc.circuit, mpc.circuit.metadata["halo"])


def qubits_by_program(placement: Placement) -> dict[int, list[tuple[int, ...]]]:
    found: dict[int, list[tuple[int, ...]]] = {}
    for placed in placement.pieces:
        found.setdefault(placed.piece.owners[0], []).append(tuple(sorted(placed.qubits)))
    return dict(sorted(found.items()))


def test_programs_side_by_side() -> None:
    placement = place([bell(), bell()], 4)
    assert qubits_by_program(placement) == {0: [(0, 1)], 1: [(2, 3)]}
    assert [placed.start_dt for placed in placement.pieces] == [0, 0]


def test_equal_programs_are_compiled_once() -> None:
    first, second = place([bell(), bell(name="other")], 4).pieces
    assert first.fragment is second.fragment


def test_pieces_come_in_the_order_in_which_they_take_their_qubits() -> None:
    placement = place([bell(1), bell(3)], 3)
    assert [placed.piece.owners for placed in placement.pieces] == [(1,), (0,)]


def test_sharing_none_gives_each_program_its_own_qubits() -> None:
    assert qubits_by_program(place([bell(), bell()], 4, sharing="none")) == {0: [(0, 1)], 1: [(2, 3)]}
    with pytest.raises(
        HaloTranspilerError,
        match=r"Program 1 \('other'\) finds no free qubits on this device of 3 with sharing='none'; share more",
    ):
        place([bell(), bell(name="other")], 3, sharing="none")


def helped() -> QuantumCircuit:
    circuit = QuantumCircuit(QuantumRegister(1, "d"), AncillaRegister(1, "a"), ClassicalRegister(2, "c"))
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    return circuit


def test_sharing_helpers_shares_nothing_else() -> None:
    placement = place([helped(), helped()], 3, sharing="helpers")
    used = [dict(zip(placed.piece.wires, placed.qubits, strict=True)) for placed in placement.pieces]
    data = [qubits[wire] for qubits in used for wire in qubits if wire < 2]
    assert [placed.helpers for placed in placement.pieces] == [(2,), (3,)]
    assert len(set(data)) == 2
    assert used[0][2] == used[1][3]
    with pytest.raises(HaloTranspilerError, match="finds no free qubits on this device of 2 with sharing='helpers'"):
        place([helped(), helped()], 2, sharing="helpers")


def test_a_data_qubit_keeps_the_sites_where_it_starts_and_where_it_ends() -> None:
    circuit = QuantumCircuit(3, 3)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.cx(1, 2)
    circuit.cx(0, 2)
    circuit.measure(range(3), range(3))
    placement = place([circuit], 4, sharing="helpers")
    (piece,) = placement.pieces
    moved = [s != f for s, f in zip(piece.fragment.start_sites, piece.fragment.final_sites, strict=True)]
    assert any(moved)
    again = QuantumCircuit(1, 1)
    again.h(0)
    again.measure(0, 0)
    both = place([circuit, again], 4, sharing="helpers")
    data = [wire for wire in both.pieces[0].piece.wires if wire not in both.pieces[0].helpers]
    held = {
        both.pieces[0].qubits[site]
        for wire in data
        for sites in (both.pieces[0].fragment.start_sites, both.pieces[0].fragment.final_sites)
        if (site := sites[wire]) is not None
    }
    assert not held & set(both.pieces[1].qubits)


def test_a_program_that_is_too_wide() -> None:
    with pytest.raises(
        HaloTranspilerError,
        match=r"Program 0 \('bell'\) needs 5 connected qubits, but the largest connected part .* has 3 of its 3",
    ):
        place([bell(5)], 3)


def test_excluded_qubits_leave_too_small_a_part() -> None:
    device = DeviceModel(make_target(3), exclude_qubits=(1,))
    manager = SpaceManager(device, HaloOptions(), CompileSettings(num_variants=1))
    with pytest.raises(HaloTranspilerError, match="the largest connected part of the device that works has 1 of its 3"):
        manager.place(bell(), None)


def test_who_cannot_keep_the_floor_is_named() -> None:
    with pytest.warns(HaloWarning, match=r"Program 1 \('other'\): no free place keeps 1 of the best predicted"):
        place([bell(1), bell(1, name="other")], 1, success_floor=1.0)


def test_who_cannot_pay_for_resets_that_flip_takes_nothing_over() -> None:
    programs = [bell(1), bell(1, name="other")]
    assert [len(p.qubits) for p in place(programs, 1, success_floor=0.99).pieces] == [1, 1]
    with pytest.warns(HaloWarning, match="no free place keeps 0.99"):
        place(programs, 1, success_floor=0.99, reset_model="flips")
    # With a second qubit nobody follows anybody.
    apart = place(programs, 2, success_floor=0.99, reset_model="flips")
    assert {placed.qubits for placed in apart.pieces} == {(0,), (1,)}


def test_a_program_in_pieces_keeps_its_floor_as_a_whole() -> None:
    parts = QuantumCircuit(2, 2)
    parts.sx(0)
    parts.measure([0, 1], [0, 1])
    placement = place([parts, bell(1)], 2, resets=1, success_floor=0.97)
    success: dict[int, float] = {}
    for placed in placement.pieces:
        owner = placed.piece.owners[0]
        success[owner] = success.get(owner, 0.0) + placed.log_success - placed.log_best
    assert all(math.exp(log_ratio) >= 0.97 for log_ratio in success.values())


def test_an_item_weighs_what_its_whole_program_is_worth(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[PackingItem] = []

    def watched(items: Sequence[PackingItem], *others: Any) -> list[PlacedItem | None]:
        seen.extend(items)
        return pack(items, *others)

    monkeypatch.setattr(space_manager, "pack", watched)
    pairs = QuantumCircuit(4, 4)
    for a, b in ((0, 1), (2, 3)):
        pairs.cz(a, b)
        pairs.measure([a, b], [a, b])
    place([pairs, bell(1)], 6)
    best: dict[tuple[int, ...], float] = {}
    for item in seen:
        best[item.owners] = best.get(item.owners, 0.0) + item.log_best
    assert len(seen) == 3
    for item in seen:
        assert item.weight == pytest.approx(math.exp(best[item.owners]))
        assert item.log_best < 0


def test_a_weak_program_takes_a_place_that_a_strong_one_must_not() -> None:
    def deep(repetitions: int) -> QuantumCircuit:
        circuit = QuantumCircuit(1, 1)
        for _ in range(repetitions):
            circuit.measure(0, 0)
        return circuit

    target = make_target(2)
    target.update_instruction_properties("measure", (1,), InstructionProperties(duration=1e-6, error=0.023))
    qubits = {}
    for repetitions, weak_success in ((200, 0.1), (200, 0.0), (50, 0.1)):
        programs = MultiProgramCircuit([deep(repetitions)] * 2).circuit
        options = HaloOptions(weak_success=weak_success, rep_delay_s=0.0, cache=False)
        manager = SpaceManager(DeviceModel(target), options, CompileSettings(num_variants=1))
        found = manager.place(programs, programs.metadata["halo"])
        qubits[repetitions, weak_success] = sorted(piece.qubits for piece in found.pieces)
    # 0.98 ** 200 is 0.018, of which 0.54 is left on the worse qubit; 0.98 ** 50 is 0.36, of which 0.86 is left.
    assert qubits == {(200, 0.1): [(0,), (1,)], (200, 0.0): [(0,), (0,)], (50, 0.1): [(0,), (0,)]}


def test_circuits_without_operations() -> None:
    device = DeviceModel(make_target(2))
    manager = SpaceManager(device, HaloOptions(), CompileSettings(num_variants=1))
    barriers = QuantumCircuit(2)
    barriers.barrier()
    for circuit in (QuantumCircuit(), QuantumCircuit(3, 3), barriers):
        assert manager.place(circuit, None) == Placement(pieces=())


def test_a_program_whose_gates_cancel() -> None:
    circuit = QuantumCircuit(2, 1)
    circuit.cx(0, 1)
    circuit.cx(0, 1)
    circuit.measure(0, 0)
    ((qubits,),) = qubits_by_program(place([circuit], 2)).values()
    assert len(qubits) == 1


def test_with_a_buffer_operations_without_an_owner_go_their_own_way() -> None:
    circuit = bell(1)
    spare = QuantumCircuit(2, 1)
    spare.compose(circuit, [0], [0], inplace=True)
    spare.h(1)
    spare.barrier()
    assert [placed.piece.owners for placed in place([spare], 3).pieces] == [(0,)]
    assert [placed.piece.owners for placed in place([spare], 3, buffer=1).pieces] == [(0,), ()]


def test_a_program_that_compiles_to_a_dead_operation() -> None:
    # Circuits with variables are compiled as if gates went both ways, which a dead direction does not.
    target = make_target(2, [(0, 1)])
    target.update_instruction_properties("cz", (0, 1), InstructionProperties(duration=3e-7, error=1.0))
    circuit = bell()
    flag = circuit.add_var("flag", expr.lift(False))
    with circuit.if_test(flag):
        circuit.x(0)
    for first in (0, 1):
        circuit.cz(first, 1 - first)
        circuit.sx([0, 1])
    circuit.measure([0, 1], [0, 1])
    manager = SpaceManager(DeviceModel(target), HaloOptions(), CompileSettings(num_variants=1))
    with pytest.raises(HaloTranspilerError, match=r"compiles to an operation that never works on qubits \[0, 1\]"):
        manager.place(circuit, None)


@pytest.mark.parametrize("cached", [False, True])
def test_nothing_is_kept_without_a_cache(cached: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[str] = []
    monkeypatch.setattr(body.MEMORY, "put", lambda *_: kept.append("body"))
    monkeypatch.setattr(measure.MEMORY, "put", lambda *_: kept.append("times"))
    passes = generate_halo_pass_manager(
        1, TargetBackend(make_target(4)), options=HaloOptions(cache=cached), seed_transpiler=0
    )
    passes.run(MultiProgramCircuit([bell(), bell(name="other")]).circuit)
    assert dict.fromkeys(kept) == (dict.fromkeys(["body", "times"]) if cached else {})


def test_a_device_on_which_all_qubits_are_coupled_and_alike() -> None:
    programs = [bell(3), bell(2)]
    merged = MultiProgramCircuit(programs).circuit
    manager = SpaceManager(DeviceModel(global_target(5)), HaloOptions(), CompileSettings(optimization_level=2))
    placed = manager.place(merged, merged.metadata["halo"])
    assert sorted(qubit for piece in placed.pieces for qubit in piece.qubits) == [0, 1, 2, 3, 4]
