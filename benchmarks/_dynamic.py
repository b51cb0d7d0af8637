"""Random dynamic circuits: measurements, resets and control flow in the middle, from a seed."""

from __future__ import annotations

import random
from collections.abc import Collection

from qiskit import AncillaRegister, ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Clbit, Qubit
from qiskit.circuit.classical import expr, types


def random_dynamic(
    seed: int, constructs: Collection[str], *, max_qubits: int = 5, operations: int = 14
) -> QuantumCircuit:
    """Return a random circuit that ends with measurements and whose control flow is among ``constructs``."""
    rng = random.Random(seed)
    data, helpers = rng.randint(1, max_qubits - 1), rng.randint(0, 1)
    registers = [QuantumRegister(data, "q")] + ([AncillaRegister(1, "anc")] if helpers else [])
    circuit = QuantumCircuit(
        *registers, ClassicalRegister(data, "c"), ClassicalRegister(2, "mid"), name=f"dynamic_{seed}"
    )
    if rng.random() < 0.5:
        circuit.add_var(expr.Var.new("flag", types.Bool()), False)
    for _ in range(operations):
        _append(rng, circuit, constructs, depth=0)
    circuit.measure(circuit.qubits[:data], circuit.clbits[:data])
    return circuit


def _append(rng: random.Random, circuit: QuantumCircuit, constructs: Collection[str], depth: int) -> None:
    qubits = rng.sample(circuit.qubits, len(circuit.qubits))
    kinds = ["u", "u", "two", "two", "three", "measure", "reset", "barrier", "delay", "swap", "store"]
    if depth < 2:
        kinds += [name for name in ("if_else", "switch_case", "for_loop", "while_loop") if name in constructs] * 2
    kind = rng.choice(kinds)
    bit = rng.choice(circuit.clbits[-2:])
    if kind == "u":
        circuit.u(rng.uniform(0, 3), rng.uniform(0, 3), rng.uniform(0, 3), qubits[0])
    elif kind == "two" and len(qubits) > 1:
        getattr(circuit, rng.choice(["cx", "cz", "ch", "ecr", "iswap"]))(*qubits[:2])
    elif kind == "three" and len(qubits) > 2:
        getattr(circuit, rng.choice(["ccx", "cswap", "rccx"]))(*qubits[:3])
    elif kind == "swap" and len(qubits) > 1:
        circuit.swap(*qubits[:2])
    elif kind == "measure":
        circuit.measure(qubits[0], bit)
    elif kind == "reset":
        circuit.reset(qubits[0])
    elif kind == "barrier":
        circuit.barrier(*qubits[: rng.randint(1, len(qubits))])
    elif kind == "delay":
        circuit.delay(160, qubits[0])
    elif kind == "store":
        for var in circuit.iter_declared_vars():
            circuit.store(var, expr.logic_not(bit))
    elif kind in constructs:
        _append_control_flow(rng, circuit, constructs, depth + 1, kind, qubits[0], bit)


def _append_control_flow(
    rng: random.Random,
    circuit: QuantumCircuit,
    constructs: Collection[str],
    depth: int,
    kind: str,
    qubit: Qubit,
    bit: Clbit,
) -> None:
    def inside() -> None:
        circuit.x(qubit)
        for _ in range(rng.randint(1, 2)):
            _append(rng, circuit, constructs, depth)

    if kind == "if_else":
        conditions = [(bit, rng.randint(0, 1)), expr.less(circuit.cregs[1], 2), *circuit.iter_declared_vars()]
        with circuit.if_test(rng.choice(conditions)) as otherwise:
            inside()
        if rng.random() < 0.5:
            with otherwise:
                inside()
    elif kind == "switch_case":
        with circuit.switch(circuit.cregs[1]) as case:
            with case(0, 3):
                inside()
            with case(case.DEFAULT):
                inside()
    elif kind == "for_loop":
        with circuit.for_loop(range(1, 3)) as angle:
            circuit.ry(0.4 * angle, qubit)
            inside()
    else:
        # Ends after one round at most, so that the outcomes can be listed.
        circuit.reset(qubit)
        with circuit.while_loop((bit, 0)):
            inside()
            circuit.reset(qubit)
            circuit.x(qubit)
            circuit.measure(qubit, bit)
