"""Small devices with round numbers: 1 ns ticks, sx 40, two-qubit gate 300, measure 1000, reset 800."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from qiskit.circuit import (
    BoxOp,
    BreakLoopOp,
    ContinueLoopOp,
    Delay,
    ForLoopOp,
    Gate,
    IfElseOp,
    Measure,
    Parameter,
    Reset,
    SwitchCaseOp,
    WhileLoopOp,
)
from qiskit.circuit.library import CZGate, RZGate, SXGate, UGate, XGate
from qiskit.providers import BackendV2, Options
from qiskit.transpiler import InstructionProperties, QubitProperties, Target

CONTROL_FLOW = {
    "if_else": IfElseOp,
    "for_loop": ForLoopOp,
    "while_loop": WhileLoopOp,
    "switch_case": SwitchCaseOp,
    "box": BoxOp,
    "break_loop": BreakLoopOp,
    "continue_loop": ContinueLoopOp,
}


def make_target(
    num_qubits: int,
    couplers: Sequence[tuple[int, int]] | None = None,
    *,
    gate: Callable[[], Gate] = CZGate,
    directed: bool = False,
    errors: bool = True,
    durations: bool = True,
    dt: float | None = 1e-9,
    control_flow: bool = True,
    **keywords: object,
) -> Target:
    """A target on ``couplers``, a line by default; errors: 1e-3, 1e-2 for two qubits, 2e-2 for readout."""

    def cost(error: float | None, duration_ns: float) -> InstructionProperties:
        return InstructionProperties(
            duration=duration_ns * 1e-9 if durations else None, error=error if errors else None
        )

    target = Target(num_qubits=num_qubits, dt=dt, **keywords)
    for operation, error, duration_ns in (
        (RZGate(Parameter("t")), 0.0, 0),
        (SXGate(), 1e-3, 40),
        (XGate(), 1e-3, 40),
        (Measure(), 2e-2, 1000),
        (Reset(), None, 800),
    ):
        target.add_instruction(operation, {(q,): cost(error, duration_ns) for q in range(num_qubits)})
    target.add_instruction(Delay(Parameter("d")), {(q,): None for q in range(num_qubits)})
    pairs = [(q, q + 1) for q in range(num_qubits - 1)] if couplers is None else list(couplers)
    if not directed:
        pairs += [pair[::-1] for pair in pairs]
    if pairs:
        target.add_instruction(gate(), {pair: cost(1e-2, 300) for pair in pairs})
    for name, construct in CONTROL_FLOW.items() if control_flow else ():
        target.add_instruction(construct, name=name)
    return target


def global_target(num_qubits: int) -> Target:
    """An ideal target: every operation stated once, for all qubits."""
    target = Target(num_qubits=num_qubits)
    angles = [Parameter(name) for name in "abc"]
    for operation in (CZGate(), UGate(*angles), Measure(), Reset(), Delay(Parameter("d"))):
        target.add_instruction(operation)
    target.add_instruction(IfElseOp, name="if_else")
    return target


class TargetBackend(BackendV2):
    """A backend that is its target and cannot run anything."""

    def __init__(self, target: Target) -> None:
        super().__init__(name="target")
        self._target = target

    @property
    def target(self) -> Target:
        return self._target

    @property
    def max_circuits(self) -> None:
        return None

    @classmethod
    def _default_options(cls) -> Options:
        return Options()

    def run(self, run_input: object, **options: object) -> None:
        raise NotImplementedError


def noisy_backend(num_qubits: int = 4) -> TargetBackend:
    """A line whose qubits all differ: T2 below T1, between T1 and 2 T1, at 2 T1 and above it."""
    times = [(100e-6, 60e-6), (80e-6, 120e-6), (50e-6, 100e-6), (40e-6, 200e-6)]
    properties = [QubitProperties(t1=times[q % 4][0], t2=times[q % 4][1]) for q in range(num_qubits)]
    return TargetBackend(make_target(num_qubits, qubit_properties=properties))
