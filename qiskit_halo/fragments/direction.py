"""Turn round directed gates that a device has only the other way.

Qiskit's ``GateDirection`` does this for a whole circuit, but stops with a crash where the circuit declares variables.
Here it only ever sees the two qubits of one gate; the result is put in the gate's place, in nested blocks too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from qiskit.circuit import CircuitInstruction, ControlFlowOp, ParameterExpression, QuantumCircuit, Qubit
from qiskit.transpiler import generate_preset_pass_manager

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.device.region import region_target


class Turner:
    """Replaces gates that stand the wrong way round on one device; keeps what it made.

    Args:
        device: The device.
    """

    def __init__(self, device: DeviceModel) -> None:
        self._device = device
        # On most devices no gate is there one way only.
        self._one_way = dict.fromkeys(
            name
            for name, table in device.gates.items()
            if table.error.ndim == 2 and (np.isnan(table.error) & ~np.isnan(table.error.T)).any()
        )
        self._templates: dict[tuple[str, tuple[str, ...], int, int], QuantumCircuit] = {}

    def turns_none_of(self, circuit: QuantumCircuit) -> bool:
        """Return whether no gate of ``circuit``, which has no control flow, can stand the wrong way round."""
        return self._one_way.keys().isdisjoint(circuit.count_ops())

    def turn(
        self, instructions: Sequence[CircuitInstruction], physical: dict[Qubit, int]
    ) -> tuple[list[CircuitInstruction], ParameterExpression | float]:
        """Return ``instructions`` with every gate in a direction that the device has, and the global phase this adds.

        Args:
            instructions: Operations on qubits of the device.
            physical: Physical qubit of each of their qubits.
        """
        out: list[CircuitInstruction] = []
        phase: ParameterExpression | float = 0.0
        for instruction in instructions:
            if instruction.is_control_flow():
                out.append(self._turn_blocks(instruction, physical))
            elif instruction.name in self._one_way and self._stands_wrong(instruction, physical):
                template = self._template(instruction, physical)
                phase = template.global_phase + phase
                place = dict(zip(template.qubits, instruction.qubits, strict=True))
                out += [inner.replace(qubits=[place[q] for q in inner.qubits]) for inner in template.data]
            else:
                out.append(instruction)
        return out, phase

    def _turn_blocks(self, instruction: CircuitInstruction, physical: dict[Qubit, int]) -> CircuitInstruction:
        operation: ControlFlowOp = instruction.operation
        blocks = []
        for block in operation.blocks:
            inner = {own: physical[outer] for own, outer in zip(block.qubits, instruction.qubits, strict=True)}
            data, phase = self.turn(block.data, inner)
            turned = block.copy_empty_like()
            turned.global_phase += phase
            for moved in data:
                turned.append(moved, copy=False)
            blocks.append(turned)
        return instruction.replace(operation=operation.replace_blocks(blocks))

    def _stands_wrong(self, instruction: CircuitInstruction, physical: dict[Qubit, int]) -> bool:
        table = self._device.gates[instruction.name]
        if len(instruction.qubits) != 2:
            return False
        first, second = (physical[qubit] for qubit in instruction.qubits)
        missing, other_way = table.error[first, second], table.error[second, first]
        return bool(np.isnan(missing) and not np.isnan(other_way))

    def _template(self, instruction: CircuitInstruction, physical: dict[Qubit, int]) -> QuantumCircuit:
        first, second = (physical[qubit] for qubit in instruction.qubits)
        # By text, not by repr, which for an expression of parameters is its address.
        key = (instruction.name, tuple(map(str, instruction.params)), first, second)
        if key not in self._templates:
            gate = QuantumCircuit(2)
            gate.append(instruction.operation, [0, 1])
            passes = generate_preset_pass_manager(
                1, target=region_target(self._device, (first, second)), initial_layout=[0, 1], seed_transpiler=0
            )
            self._templates[key] = passes.run(gate)
        return self._templates[key]
