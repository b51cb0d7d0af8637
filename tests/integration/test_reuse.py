"""Sharing wires inside programs, through the whole compiler: outcomes, isolation and the record of the layout."""

from __future__ import annotations

import pytest
from qiskit.circuit import AncillaRegister, ClassicalRegister, QuantumCircuit, QuantumRegister

from qiskit_halo import HaloOptions, MultiProgramCircuit, generate_halo_pass_manager, verify_isolation
from qiskit_halo.verification.equivalence import distribution_distance
from tests.targets import make_target


def parities(rounds: int = 3) -> QuantumCircuit:
    """A fresh helper for each round; the two data qubits are alive throughout."""
    circuit = QuantumCircuit(
        QuantumRegister(2, "d"), AncillaRegister(rounds, "a"), ClassicalRegister(rounds, "s"), ClassicalRegister(2, "c")
    )
    data, helpers = circuit.qregs
    circuit.ry(0.7, data[0])
    circuit.cx(*data)
    for index in range(rounds):
        circuit.cx(data, helpers[index])
        circuit.measure(helpers[index], circuit.cregs[0][index])
        circuit.barrier()
    with circuit.if_test((circuit.cregs[0][0], 1)):
        circuit.x(data[0])
    circuit.cx(*data)
    circuit.measure(data, circuit.cregs[1])
    return circuit


def ladder() -> QuantumCircuit:
    """A conjunction by helpers that are uncomputed and not measured."""
    circuit = QuantumCircuit(QuantumRegister(4, "q"), AncillaRegister(2, "anc"), ClassicalRegister(2, "answer"))
    circuit.h([0, 1, 2])
    circuit.ccx(0, 1, 4)
    circuit.ccx(2, 4, 3)
    circuit.ccx(0, 1, 4)
    circuit.ccx(1, 2, 5)
    circuit.cz(5, 3)
    circuit.ccx(1, 2, 5)
    circuit.measure([0, 3], [0, 1])
    return circuit


@pytest.mark.parametrize("level", [0, 1, 2, 3])
@pytest.mark.parametrize("sharing", ["none", "helpers", "all"])
@pytest.mark.parametrize("reuse", ["auto", "max"])
def test_outcomes_and_isolation(level: int, sharing: str, reuse: str):
    programs = [parities(), ladder(), parities()]
    target = make_target(14, [(q, q + 1) for q in range(13)] + [(0, 6), (3, 10)])
    options = HaloOptions(sharing=sharing, reuse=reuse, success_floor=0.0)
    mpc = MultiProgramCircuit(programs, options=options)
    passes = generate_halo_pass_manager(level, target=target, seed_transpiler=1)
    isa = passes.run(mpc.circuit)
    verify_isolation(isa, target=target, resets=2)
    for index, program in enumerate(programs):
        assert distribution_distance(program, isa, index) < 1e-10
    if reuse == "max":
        assert isa.layout.final_layout is None
        # Every helper but the first of a program takes over a wire.
        pieces = passes.property_set["halo_placement"].pieces
        assert {p.piece.owners[0]: len(p.fragment.reused) for p in pieces} == {0: 2, 1: 1, 2: 2}


def test_a_program_alone_that_shares_a_wire_has_no_final_layout():
    target = make_target(5)
    for reuse, is_exact in (("none", True), ("max", False)):
        passes = generate_halo_pass_manager(1, target=target, options=HaloOptions(reuse=reuse, success_floor=0.0))
        isa = passes.run(parities())
        (placed,) = passes.property_set["halo_placement"].pieces
        assert bool(placed.fragment.reused) == (not is_exact)
        starts = isa.layout.initial_index_layout()
        assert sorted(starts) == list(range(5))
        if is_exact:
            finals = isa.layout.final_index_layout()
            measured = {i.clbits[0]: isa.find_bit(i.qubits[0]).index for i in isa.data if i.name == "measure"}
            assert [measured[bit] for bit in isa.cregs[1]] == finals[:2]
        else:
            assert isa.layout.final_layout is None


def test_data_qubits_stay_exclusive():
    mpc = MultiProgramCircuit([parities(), parities()])
    target = make_target(8)
    options = HaloOptions(sharing="helpers", reuse="max", success_floor=0.0)
    passes = generate_halo_pass_manager(1, target=target, options=options)
    isa = passes.run(mpc.circuit)
    verify_isolation(isa, target=target, resets=2)
    owned = []
    for placed in passes.property_set["halo_placement"].pieces:
        fragment, body = placed.fragment, placed.body
        data = [q for q, wire in enumerate(body.wires) if wire not in placed.helpers]
        sites = {s for q in data for s in (fragment.start_sites[q], fragment.final_sites[q])}
        owned.append({placed.qubits[site] for site in sites if site is not None})
        others = [set(other.qubits) for other in passes.property_set["halo_placement"].pieces if other is not placed]
        assert all(not owned[-1] & used for used in others)
