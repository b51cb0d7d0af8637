"""Whether a target has every operation of a circuit, and how far its qubits are apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from qiskit import QuantumCircuit
from qiskit.circuit import Qubit
from qiskit.transpiler import Target

#: Operations that need no support of the device, or are no operation on it.
_EXEMPT = frozenset({"barrier", "delay", "store", "break_loop", "continue_loop", "global_phase"})


def unsupported_operations(circuit: QuantumCircuit, target: Target) -> Iterator[tuple[int, str, tuple[int, ...], str]]:
    """Yield position, name, qubits and reason of every operation that the target cannot run, inside blocks too.

    An operation whose error is 1 or more counts: its coupler or qubit is dead.
    """
    seen: dict[tuple[str, tuple[int, ...]], str | None] = {}
    qubits = {bit: index for index, bit in enumerate(circuit.qubits)}
    yield from _walk(circuit, qubits, target, seen, None)


def _walk(
    circuit: QuantumCircuit,
    qubits: Mapping[Qubit, int],
    target: Target,
    seen: dict[tuple[str, tuple[int, ...]], str | None],
    position: int | None,
) -> Iterator[tuple[int, str, tuple[int, ...], str]]:
    # Most operations are like others before them.
    fine: dict[tuple[str, tuple[Qubit, ...]], None] = {}
    for index, instruction in enumerate(circuit.data):
        name = instruction.name
        if name in _EXEMPT or ((name, instruction.qubits) in fine and not instruction.is_control_flow()):
            continue
        place = index if position is None else position
        wires = tuple([qubits[bit] for bit in instruction.qubits])
        key = (name, () if instruction.is_control_flow() else wires)
        if key not in seen:
            seen[key] = _problem(target, *key)
        problem = seen[key]
        if problem is not None:
            yield place, name, wires, problem
        if instruction.is_control_flow():
            for block in instruction.operation.blocks:
                inner = dict(zip(block.qubits, wires, strict=True))
                yield from _walk(block, inner, target, seen, place)
        elif problem is None:
            fine[name, instruction.qubits] = None


def _problem(target: Target, name: str, qubits: tuple[int, ...]) -> str | None:
    if name not in target.operation_names:
        return "the target has no such operation"
    properties = target[name]
    if not qubits or None in properties:
        return None
    if qubits not in properties:
        return "the target does not have it there"
    known = properties[qubits]
    if known is not None and known.error is not None and known.error >= 1:
        return f"its error there is {known.error:g}, so it is dead"
    return None


def qubits_within(target: Target, hops: int, wires: Sequence[int]) -> dict[int, list[int]]:
    """Return, for each of ``wires``, the other qubits at most ``hops`` couplers away, ascending.

    Couplers that are dead count too: they conduct crosstalk as well as any.
    """
    coupling = target.build_coupling_map()
    if coupling is None:  # every qubit is coupled to every other
        return {wire: [other for other in range(target.num_qubits or 0) if other != wire] for wire in wires}
    neighbours: dict[int, dict[int, None]] = {}
    for first, second in coupling.get_edges():
        neighbours.setdefault(first, {})[second] = None
        neighbours.setdefault(second, {})[first] = None
    result = {}
    for wire in wires:
        reached = {wire: None}
        front = [wire]
        for _ in range(hops):
            front = list(dict.fromkeys(n for f in front for n in neighbours.get(f, ()) if n not in reached))
            reached.update(dict.fromkeys(front))
        result[wire] = sorted(other for other in reached if other != wire)
    return result
