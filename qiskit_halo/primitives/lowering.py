"""Write one component as a circuit that Aer can run, with the noise of the places it came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qiskit.circuit import (
    CircuitInstruction,
    Clbit,
    ControlFlowOp,
    Operation,
    QuantumCircuit,
    Qubit,
    Store,
)
from qiskit.circuit.library import IGate, Reset, UnitaryGate

from qiskit_halo.errors import HaloValueError
from qiskit_halo.primitives.aer_gates import is_known_to_aer, matrix_of
from qiskit_halo.primitives.classical import ClassicalResources, ClassicalScope
from qiskit_halo.primitives.plan import ComponentPlan, Step
from qiskit_halo.units import SECONDS_PER

if TYPE_CHECKING:
    from qiskit_halo.primitives.noise import DeviceNoise


@dataclass(frozen=True, slots=True, kw_only=True)
class LoweredComponent:
    """A component as Aer runs it.

    Args:
        circuit: Its circuit, on ``plan.num_slots`` qubits, or a few more that do nothing.
        clbits: Indices, in the whole circuit, of the first classical bits of ``circuit``, in order; any further
            bits hold variables.
        labels: Labels of the errors that the circuit names.
    """

    circuit: QuantumCircuit
    clbits: tuple[int, ...]
    labels: tuple[str, ...]


def lower_component(
    circuit: QuantumCircuit, plan: ComponentPlan, clbits: Sequence[int], noise: DeviceNoise | None
) -> LoweredComponent:
    """Return the component of ``plan`` as a circuit of its own.

    Names of classical registers and variables are resolved to bits, blocks of control flow are rewritten on the very
    bits of the new circuit, and gates that Aer does not know are replaced by their definitions. With ``noise``,
    every gate gets the label of its error, delays and resets become labelled identities, and lives begin in the state
    that their resets leave. Without it, delays are dropped.

    Args:
        circuit: The whole circuit, with all parameters bound.
        plan: How to simulate the component.
        clbits: Indices of the classical bits of the component, ascending.
        noise: Errors of the device, or ``None`` for none.

    Raises:
        HaloValueError: Aer cannot run an instruction, or the device does not have it.
    """
    return _Writer(circuit, plan, clbits, noise).write()


class _Writer:
    """Builder of one circuit; lives for one call of :func:`lower_component`."""

    def __init__(
        self, circuit: QuantumCircuit, plan: ComponentPlan, clbits: Sequence[int], noise: DeviceNoise | None
    ) -> None:
        self.source, self.plan, self.noise = circuit, plan, noise
        self.clbits = tuple(clbits)
        bits = {circuit.clbits[index]: Clbit() for index in clbits}
        self.resources = ClassicalResources(bits.values())
        self.scope = ClassicalScope(self.resources, bits)
        self.labels: dict[str, None] = {}
        self.out = QuantumCircuit()
        self.used: list[bool] = []
        self.wire_of: dict[Qubit, int] = {}

    def write(self) -> LoweredComponent:
        # All blocks of a circuit share its bits and registers, but which registers conditions name, and which
        # variables need bits, is known only once everything was read: then it is written again, with all of them.
        size = -1
        while size != self.resources.size:
            size = self.resources.size
            self._write_all()
        if not any(instruction.operation.name == "measure" for instruction in self.out.data):
            # Aer returns no memory at all for a circuit that writes its bits by other means only.
            self.out.add_bits([Qubit(), Clbit()])
            self.out.measure(self.out.num_qubits - 1, self.out.num_clbits - 1)
        if _has_overwritten_bit(self.out):
            # If only measurements are left, Aer adds up the readout errors of all that write the same bit.
            self.out.id(self.out.qubits)
        return LoweredComponent(circuit=self.out, clbits=self.clbits, labels=tuple(self.labels))

    def _write_all(self) -> None:
        # Control flow needs a qubit to stand on, also in a component that has none.
        self.out = self._empty([Qubit() for _ in range(max(1, self.plan.num_slots))])
        self.used = [False] * self.plan.num_slots
        for step in self.plan.steps:
            for life in step.first:
                self._begin(life)
            qubits = [self.out.qubits[self.plan.lives[life].slot] for life in step.lives]
            self.wire_of = {qubit: self.plan.lives[life].wire for qubit, life in zip(qubits, step.lives, strict=True)}
            if step.position is None:
                for _ in range(step.rounds):
                    self._reset(self.out, qubits)
            else:
                instruction = self.source.data[step.position]
                if not self._write_last_measurement(instruction, step, qubits):
                    self._write(self.out, instruction, qubits, self.scope)

    def _empty(self, qubits: Sequence[Qubit]) -> QuantumCircuit:
        return QuantumCircuit(list(qubits), self.resources.bits, *self.resources.registers)

    def _begin(self, index: int) -> None:
        life = self.plan.lives[index]
        qubit = self.out.qubits[life.slot]
        if self.used[life.slot]:
            self.out.append(Reset(), [qubit], copy=False)
        self.used[life.slot] = True
        if self.noise is not None:
            self._put(self.out, self.noise.handover(life.wire, life.rounds, reused=life.reused), [qubit])

    def _write_last_measurement(self, instruction: CircuitInstruction, step: Step, qubits: list[Qubit]) -> bool:
        """Write a measurement that ends its life, with its error before it; say whether it was one."""
        if self.noise is None or instruction.operation.name != "measure" or not step.last:
            return False
        if self.plan.lives[step.lives[0]].slot in self.plan.exclusive:
            return False
        self._put(self.out, self.noise.readout(self.wire_of[qubits[0]]), qubits)
        self.out.measure(qubits[0], self.scope.clbit(instruction.clbits[0]))
        return True

    def _write(
        self, out: QuantumCircuit, instruction: CircuitInstruction, qubits: list[Qubit], scope: ClassicalScope
    ) -> None:
        """Append one instruction of the source, or of a block or definition in it, to ``out``."""
        operation = instruction.operation
        name = operation.name
        if name == "barrier":
            return
        if isinstance(operation, ControlFlowOp):
            self._write_control_flow(out, operation, qubits, instruction.clbits, scope)
        elif name in ("break_loop", "continue_loop"):
            # Its width must be that of the block it leaves.
            out.append(operation.__class__(out.num_qubits, out.num_clbits), out.qubits, out.clbits)
        elif isinstance(operation, Store):
            store = Store(scope.expression(operation.lvalue), scope.expression(operation.rvalue))
            if self._is_complete(out):
                out.append(store, [], [])
        elif name == "reset":
            self._reset(out, qubits)
        elif name == "delay":
            self._delay(out, operation, qubits)
        elif name == "measure":
            out.measure(qubits[0], scope.clbit(instruction.clbits[0]))
        elif self.noise is not None:
            self._noisy_gate(out, operation, qubits)
        elif is_known_to_aer(operation):
            out.append(operation, qubits, [], copy=False)
        else:
            self._write_definition(out, operation, qubits, instruction.clbits, scope)

    def _put(self, out: QuantumCircuit, label: str | None, qubits: Sequence[Qubit]) -> None:
        if label is not None:
            self.labels[label] = None
            out.append(IGate(label=label), qubits, copy=False)

    def _reset(self, out: QuantumCircuit, qubits: Sequence[Qubit]) -> None:
        if self.noise is None:
            out.append(Reset(), qubits, copy=False)
        else:
            self._put(out, self.noise.reset(self.wire_of[qubits[0]]), qubits)

    def _delay(self, out: QuantumCircuit, operation: Operation, qubits: Sequence[Qubit]) -> None:
        if self.noise is not None:
            duration_s = _delay_seconds(operation, self.noise.dt_s)
            self._put(out, self.noise.delay(self.wire_of[qubits[0]], duration_s), qubits)

    def _noisy_gate(self, out: QuantumCircuit, operation: Operation, qubits: Sequence[Qubit]) -> None:
        assert self.noise is not None
        label = self.noise.gate(operation.name, tuple(self.wire_of[qubit] for qubit in qubits))
        if not is_known_to_aer(operation):
            operation = UnitaryGate(matrix_of(operation), label=label)
        elif label is not None:
            operation = operation.to_mutable()
            operation.label = label
        if label is not None:
            self.labels[label] = None
        out.append(operation, qubits, [], copy=False)

    def _is_complete(self, out: QuantumCircuit) -> bool:
        """Whether ``out`` has every bit and register; if not, the circuit will be written again."""
        return self.resources.size == len(out.clbits) + len(out.cregs)

    def _write_definition(
        self,
        out: QuantumCircuit,
        operation: Operation,
        qubits: Sequence[Qubit],
        clbits: Iterable[Clbit],
        scope: ClassicalScope,
    ) -> None:
        definition = getattr(operation, "definition", None)
        if definition is not None:
            self._write_body(out, definition, qubits, clbits, scope)
            return
        out.append(UnitaryGate(matrix_of(operation)), qubits, [], copy=False)

    def _write_body(
        self,
        out: QuantumCircuit,
        body: QuantumCircuit,
        qubits: Sequence[Qubit],
        clbits: Iterable[Clbit],
        scope: ClassicalScope,
    ) -> None:
        """Append every instruction of a block or definition whose bits are those of its instruction, in order."""
        inner = scope.enter(body, [scope.clbit(bit) for bit in clbits])
        new_of = dict(zip(body.qubits, qubits, strict=True))
        for instruction in body.data:
            self._write(out, instruction, [new_of[qubit] for qubit in instruction.qubits], inner)

    def _write_control_flow(
        self,
        out: QuantumCircuit,
        operation: ControlFlowOp,
        qubits: Sequence[Qubit],
        clbits: Sequence[Clbit],
        scope: ClassicalScope,
    ) -> None:
        name = operation.name
        if name == "box":
            self._write_body(out, operation.blocks[0], qubits, clbits, scope)
            return
        if name not in ("if_else", "switch_case", "for_loop", "while_loop"):
            raise HaloValueError(f"control flow {name!r} cannot be simulated locally; unroll it first")
        # Aer runs a block without qubits whatever its condition says.
        held = qubits or out.qubits[:1]
        head = {key: scope.condition(value) for key, value in _head(operation).items()}
        blocks = []
        for body in operation.blocks:
            block = self._empty(held)
            self._write_body(block, body, qubits, clbits, scope)
            blocks.append(block)
        if self._is_complete(out):
            out.append(_rebuild(operation, head, blocks), held, out.clbits)


def _has_overwritten_bit(circuit: QuantumCircuit) -> bool:
    written = [instruction.clbits[0] for instruction in circuit.data if instruction.name == "measure"]
    return len(set(written)) < len(written)


def _head(operation: ControlFlowOp) -> Mapping[str, Any]:
    return {key: getattr(operation, key) for key in ("condition", "target") if hasattr(operation, key)}


def _rebuild(operation: ControlFlowOp, head: Mapping[str, Any], blocks: Sequence[QuantumCircuit]) -> ControlFlowOp:
    if operation.name == "switch_case":
        labels = [labels for labels, _ in operation.cases_specifier()]
        return operation.__class__(head["target"], list(zip(labels, blocks, strict=True)))
    if operation.name == "if_else":
        return operation.__class__(head["condition"], *blocks)
    if operation.name == "while_loop":
        return operation.__class__(head["condition"], blocks[0])
    indices, parameter, _ = operation.params
    return operation.__class__(indices, parameter, blocks[0])


def _delay_seconds(operation: Operation, dt_s: float | None) -> float:
    duration, unit = operation.duration, operation.unit
    if unit == "expr":
        # A stretch is as long as the scheduler makes it; before scheduling, at least nothing.
        return 0.0
    if unit == "dt":
        if dt_s is None:
            raise HaloValueError(
                "a delay is in dt, but the device states no dt; give its length in seconds or simulate with noise=False"
            )
        return float(duration) * dt_s
    return float(duration) * SECONDS_PER[unit]
