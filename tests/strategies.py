"""Hypothesis strategies that all property tests share. New features of the package join here."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from hypothesis import strategies as st
from qiskit.circuit import (
    AncillaQubit,
    AncillaRegister,
    CircuitInstruction,
    ClassicalRegister,
    Clbit,
    Duration,
    Parameter,
    ParameterVector,
    QuantumCircuit,
    QuantumRegister,
    Qubit,
)
from qiskit.circuit.classical import expr, types
from qiskit.circuit.library import GlobalPhaseGate, PauliEvolutionGate, PermutationGate, QFTGate, SGate, UnitaryGate
from qiskit.quantum_info import SparsePauliOp, random_unitary

from qiskit_halo.rewire import add_variables, append_all
from qiskit_halo.segments.resources import classical_resources

ANGLES = st.sampled_from([0.3, 0.7, 1.1, 1.9, 2.6])
# Names that break a careless merge: equal ones, ones that are no identifiers, ones that look like ours.
REGISTER_NAMES = st.sampled_from(["c", "meas", "a b", "a_b", "p0_c", "size", "loose", "é", "1st", "c_1"])
CONSTRUCTS = ("if_else", "switch_case", "for_loop", "while_loop", "box", "break_loop")
"""Control flow that programs may have; a device may have less."""


@st.composite
def bare_programs(draw: st.DrawFn, *, max_qubits: int = 4) -> QuantumCircuit:
    """A circuit without operations: several registers, shared bits, loose bits, helpers."""
    circuit = QuantumCircuit(name=draw(st.sampled_from(["bell", "bell", "my program", "α"])))
    num_data = draw(st.integers(1, max_qubits - 1))
    split = draw(st.integers(0, num_data))
    for name, size in (("q", split), ("r", num_data - split)):
        if size:
            circuit.add_register(QuantumRegister(size, name))
    if draw(st.booleans()):
        circuit.add_register(AncillaRegister(1, "anc"))
    elif draw(st.booleans()):
        circuit.add_bits([draw(st.sampled_from([Qubit, AncillaQubit]))()])
    if draw(st.booleans()):  # a register over bits of others
        circuit.add_register(QuantumRegister(bits=circuit.qubits[-1:], name="shared"))
    names = draw(st.lists(REGISTER_NAMES, min_size=1, max_size=3, unique=True))
    for name in names:
        new = [Clbit() for _ in range(draw(st.integers(0, 2)))]
        old = draw(st.lists(st.sampled_from(circuit.clbits), unique=True)) if circuit.clbits else []
        if draw(st.booleans()):
            old = []
        bits = draw(st.permutations([*new, *old]))
        if bits:
            circuit.add_register(ClassicalRegister(bits=bits, name=name))
    if draw(st.booleans()) or not circuit.clbits:
        circuit.add_bits([Clbit()])
    return circuit


@st.composite
def programs(
    draw: st.DrawFn,
    *,
    max_qubits: int = 4,
    max_operations: int = 8,
    constructs: Sequence[str] = CONSTRUCTS,
    unbound: bool = False,
) -> QuantumCircuit:
    """A random program that any of our functions has to take, with at least one measurement.

    It has no control flow but ``constructs``, and unbound parameters only with ``unbound``.
    """
    circuit = draw(bare_programs(max_qubits=max_qubits))
    circuit.global_phase = draw(st.sampled_from([0.0, 0.4]))
    circuit.metadata = draw(st.sampled_from([{}, {"note": ["mine"]}]))
    if draw(st.booleans()):
        circuit.add_var(expr.Var.new("v", types.Bool()), False)
    if draw(st.booleans()):
        circuit.add_var(expr.Var.new("n", types.Uint(3)), 5)
    if draw(st.booleans()):
        circuit.add_stretch("slack")
    kinds = [*_SIMPLE, *(_NESTED[name] for name in constructs)]
    if unbound:
        kinds += [_unbound, _unbound]
    for _ in range(draw(st.integers(1, max_operations))):
        _append_operation(draw, circuit, kinds)
    circuit.measure(circuit.qubits[0], draw(st.sampled_from(circuit.clbits)))
    if draw(st.booleans()):
        circuit.reset(circuit.qubits[0])
    return circuit


@st.composite
def batches(
    draw: st.DrawFn,
    *,
    max_programs: int = 3,
    max_qubits: int = 4,
    constructs: Sequence[str] = CONSTRUCTS,
    unbound: bool = False,
) -> list[QuantumCircuit]:
    """A few random programs; the same object may appear twice."""
    one = programs(max_qubits=max_qubits, constructs=constructs, unbound=unbound)
    batch = draw(st.lists(one, min_size=1, max_size=max_programs))
    if draw(st.booleans()):
        batch.append(batch[0])
    return batch


_Inner = Callable[[], None]
"""Appends one more operation to the block that is being built."""

_Append = Callable[[st.DrawFn, QuantumCircuit, _Inner], None]


def _append_operation(draw: st.DrawFn, circuit: QuantumCircuit, kinds: Sequence[_Append], depth: int = 0) -> None:
    allowed = [kind for kind in kinds if depth < 2 or kind not in _NESTED.values()]
    draw(st.sampled_from(allowed))(draw, circuit, lambda: _append_operation(draw, circuit, kinds, depth + 1))


@st.composite
def sampler_pubs(
    draw: st.DrawFn, circuits: st.SearchStrategy[QuantumCircuit], *, max_shots: int = 300
) -> tuple[QuantumCircuit, np.ndarray, int]:
    """A pub: one of ``circuits``, sometimes with parameters and a sweep of some shape."""
    circuit = draw(circuits)
    shape = draw(st.sampled_from([(), (), (1,), (3,), (2, 2)]))
    angles = [Parameter(name) for name in draw(st.sampled_from([[], ["a"], ["t[10]", "t[2]"]]))]
    if angles:
        turned = circuit.copy_empty_like()
        for index, angle in enumerate(angles):
            turned.ry(angle, index % circuit.num_qubits)
        for instruction in circuit.data:
            turned.append(instruction)
        circuit = turned
    size = (*shape, len(angles))
    values = np.array(draw(st.lists(ANGLES, min_size=math.prod(size), max_size=math.prod(size)))).reshape(size)
    return circuit, values, draw(st.integers(1, max_shots))


@st.composite
def plain_circuits(draw: st.DrawFn, *, max_qubits: int = 3) -> QuantumCircuit:
    """Gates, measurements, resets and barriers on several registers: what every sampler takes."""
    num_qubits = draw(st.integers(1, max_qubits))
    sizes = draw(st.lists(st.integers(0, 3), min_size=1, max_size=3))
    registers = [ClassicalRegister(size, f"c{index}") for index, size in enumerate(sizes)]
    circuit = QuantumCircuit(QuantumRegister(num_qubits, "q"), *registers)
    kinds = [_gate, _gate, _two_qubit_gate, _two_qubit_gate, _reset, _barrier, _delay]
    for _ in range(draw(st.integers(1, 8))):
        draw(st.sampled_from([*kinds, _measure, _measure] if circuit.clbits else kinds))(draw, circuit, lambda: None)
    return circuit


def _qubits(draw: st.DrawFn, circuit: QuantumCircuit, count: int) -> list[Qubit]:
    return list(draw(st.permutations(circuit.qubits)))[:count]


def _clbit(draw: st.DrawFn, circuit: QuantumCircuit) -> Clbit:
    return draw(st.sampled_from(circuit.clbits))


def _variables(circuit: QuantumCircuit, kind: type[types.Type]) -> list[expr.Var]:
    return [var for var in circuit.iter_declared_vars() if isinstance(var.type, kind)]


def _gate(draw: st.DrawFn, circuit: QuantumCircuit, inner: _Inner) -> None:
    (qubit,) = _qubits(draw, circuit, 1)
    circuit.u(draw(ANGLES), draw(ANGLES), draw(ANGLES), qubit)


def _two_qubit_gate(draw: st.DrawFn, circuit: QuantumCircuit, inner: _Inner) -> None:
    pair = _qubits(draw, circuit, 2)
    if len(pair) == 2:
        getattr(circuit, draw(st.sampled_from(["cx", "swap", "ecr", "iswap"])))(*pair)


def _many_qubit_gate(draw: st.DrawFn, circuit: QuantumCircuit, inner: _Inner) -> None:
    qubits = _qubits(draw, circuit, 4)
    if len(qubits) > 1:
        circuit.mcx(qubits[:-1], qubits[-1])


def _library_gate(draw: st.DrawFn, circuit: QuantumCircuit, inner: _Inner) -> None:
    """A gate that Qiskit has to synthesise, or that hides a reset, or that acts on no qubit at all."""
    pair = _qubits(draw, circuit, 2)
    if len(pair) < 2:
        circuit.append(GlobalPhaseGate(0.3), [])
        return
    kind = draw(st.integers(0, 5))
    if kind == 0:
        circuit.append(PauliEvolutionGate(SparsePauliOp(["XI", "ZZ"], [0.7, 0.9]), time=draw(ANGLES)), pair)
    elif kind == 1:
        circuit.append(QFTGate(2), pair)
    elif kind == 2:
        circuit.append(PermutationGate([1, 0]), pair)
    elif kind == 3:
        circuit.initialize([0.6, 0, 0, 0.8j], pair)
    elif kind == 4:
        circuit.append(SGate().control(1, ctrl_state=0, annotated=True).inverse(annotated=True), pair)
    else:
        circuit.append(GlobalPhaseGate(draw(ANGLES)).control(1), pair[:1])


def _measure(draw: st.DrawFn, circuit: QuantumCircuit, inner: _Inner) -> None:
    circuit.measure(*_qubits(draw, circuit, 1), _clbit(draw, circuit))


def _reset(draw: st.DrawFn, circuit: QuantumCircuit, inner: _Inner) -> None:
    circuit.reset(*_qubits(draw, circuit, 1))


def _delay(draw: st.DrawFn, circuit: QuantumCircuit, inner: _Inner) -> None:
    (qubit,) = _qubits(draw, circuit, 1)
    stretches = list(circuit.iter_declared_stretches())
    kind = draw(st.integers(0, 3))
    if kind == 0:
        circuit.delay(0.32, qubit, unit="us")
    elif kind == 1 and stretches:
        circuit.delay(stretches[0], qubit)
    elif kind == 2 and stretches:
        circuit.delay(expr.add(stretches[0], Duration.dt(48)), qubit)
    else:
        circuit.delay(48, qubit)


def _barrier(draw: st.DrawFn, circuit: QuantumCircuit, inner: _Inner) -> None:
    circuit.barrier(*(_qubits(draw, circuit, draw(st.integers(1, 3))) if draw(st.booleans()) else ()))


def _unitary(draw: st.DrawFn, circuit: QuantumCircuit, inner: _Inner) -> None:
    qubits = _qubits(draw, circuit, draw(st.integers(1, 3)))
    gate = UnitaryGate(random_unitary(2 ** len(qubits), seed=draw(st.integers(0, 3))))
    circuit.append(gate, qubits)


def _own_gate(draw: st.DrawFn, circuit: QuantumCircuit, inner: _Inner) -> None:
    """A gate whose name other programs use for another gate, or that Qiskit knows as something else."""
    body = QuantumCircuit(1, name=draw(st.sampled_from(["oracle", "h"])), global_phase=0.2)
    body.rx(draw(ANGLES), 0)
    gate = body.to_gate()
    if draw(st.booleans()) and circuit.num_qubits > 1:
        circuit.append(gate.control(1, annotated=draw(st.booleans())), _qubits(draw, circuit, 2))
    else:
        circuit.append(gate, _qubits(draw, circuit, 1))


def _hidden_reset(draw: st.DrawFn, circuit: QuantumCircuit, inner: _Inner) -> None:
    """A composite in a composite that hides a reset and a measurement."""
    if circuit.num_qubits < 2:
        return
    body = QuantumCircuit(2, 1, name="inner")
    body.cx(0, 1)
    body.reset(1)
    body.measure(0, 0)
    outer = QuantumCircuit(2, 1, name="outer")
    outer.ry(draw(ANGLES), 0)
    outer.append(body.to_instruction(), [1, 0], [0])
    circuit.append(outer.to_instruction(), _qubits(draw, circuit, 2), [_clbit(draw, circuit)])


def _store(draw: st.DrawFn, circuit: QuantumCircuit, inner: _Inner) -> None:
    bit = _clbit(draw, circuit)
    for var in _variables(circuit, types.Bool):
        circuit.store(var, expr.lift(bit))
    for var in _variables(circuit, types.Uint):
        kind = draw(st.integers(0, 2))
        if kind == 0:
            circuit.store(var, expr.bit_xor(var, expr.cast(bit, types.Uint(3))))
        elif kind == 1:
            circuit.store(expr.index(var, draw(st.integers(0, 2))), expr.lift(bit))
        else:
            circuit.store(bit, expr.less(var, 5))


def _unbound(draw: st.DrawFn, circuit: QuantumCircuit, inner: _Inner) -> None:
    """A gate with a parameter, or elements of a vector, whose names every program uses."""
    (qubit,) = _qubits(draw, circuit, 1)
    theta, vector = _parameters(circuit)
    angle = draw(st.sampled_from([theta, vector[1], 2 * theta - vector[10], vector[2] * vector[10]]))
    getattr(circuit, draw(st.sampled_from(["rx", "rz", "p"])))(angle, qubit)


def _parameters(circuit: QuantumCircuit) -> tuple[Parameter, ParameterVector]:
    """The parameters of this circuit: every circuit has other ones, of the same names."""
    known = {parameter.name: parameter for parameter in circuit.parameters}
    theta = known.get("θ")
    vectors = [parameter.vector for parameter in circuit.parameters if hasattr(parameter, "vector")]
    return theta or Parameter("θ"), vectors[0] if vectors else ParameterVector("t", 11)


def _if(draw: st.DrawFn, circuit: QuantumCircuit, inner: _Inner) -> None:
    with circuit.if_test(_condition(draw, circuit)) as otherwise:
        inner()
        circuit.x(*_qubits(draw, circuit, 1))
        if draw(st.booleans()):
            own = circuit.add_var(f"own_{draw(st.integers(0, 99))}", expr.lift(_clbit(draw, circuit)))
            with circuit.if_test(own):
                circuit.z(*_qubits(draw, circuit, 1))
    if draw(st.booleans()):
        with otherwise:
            inner()
            circuit.z(*_qubits(draw, circuit, 1))


def _switch(draw: st.DrawFn, circuit: QuantumCircuit, inner: _Inner) -> None:
    choices = [*circuit.clbits, *circuit.cregs, *_variables(circuit, types.Uint)]
    choices += [expr.bit_not(register) for register in circuit.cregs[:1]]
    target = draw(st.sampled_from(choices))
    with circuit.switch(target) as case:
        with case(0):
            inner()
            circuit.x(*_qubits(draw, circuit, 1))
        if isinstance(target, Clbit) or draw(st.booleans()):
            with case(1):
                inner()
        with case(case.DEFAULT):
            circuit.h(*_qubits(draw, circuit, 1))


def _for(draw: st.DrawFn, circuit: QuantumCircuit, inner: _Inner) -> None:
    with circuit.for_loop(draw(st.sampled_from([range(1, 3), (2, 0), range(1)]))) as i:
        circuit.rx(0.3 * i, *_qubits(draw, circuit, 1))
        inner()


def _while(draw: st.DrawFn, circuit: QuantumCircuit, inner: _Inner) -> None:
    """A loop that ends after one round at most, so that the outcomes can be listed."""
    (qubit,) = _qubits(draw, circuit, 1)
    clbit = _clbit(draw, circuit)
    circuit.reset(qubit)
    condition = (clbit, 0) if draw(st.booleans()) else expr.logic_not(clbit)
    with circuit.while_loop(condition):
        inner()
        circuit.reset(qubit)
        circuit.x(qubit)
        circuit.measure(qubit, clbit)


def _box(draw: st.DrawFn, circuit: QuantumCircuit, inner: _Inner) -> None:
    with circuit.box():
        inner()
        circuit.x(*_qubits(draw, circuit, 1))


def _break(draw: st.DrawFn, circuit: QuantumCircuit, inner: _Inner) -> None:
    with circuit.for_loop(range(2)):
        inner()
        with circuit.if_test((_clbit(draw, circuit), draw(st.integers(0, 1)))) as otherwise:
            circuit.x(*_qubits(draw, circuit, 1))
            circuit.break_loop()
        if draw(st.booleans()):
            with otherwise:
                circuit.continue_loop()
        circuit.h(*_qubits(draw, circuit, 1))


def _condition(draw: st.DrawFn, circuit: QuantumCircuit) -> object:
    bit = _clbit(draw, circuit)
    choices: list[object] = [(bit, draw(st.integers(0, 1))), expr.logic_not(expr.lift(bit))]
    if circuit.cregs:
        register = draw(st.sampled_from(circuit.cregs))
        choices.append((register, 1))
        choices.append(expr.less(register, 1))
        choices.append(expr.index(register, 0))
    choices.extend(_variables(circuit, types.Bool))
    choices.extend(expr.greater(var, 4) for var in _variables(circuit, types.Uint))
    return draw(st.sampled_from(choices))


_SIMPLE: list[_Append] = [
    _gate,
    _gate,
    _two_qubit_gate,
    _two_qubit_gate,
    _many_qubit_gate,
    _library_gate,
    _measure,
    _measure,
    _reset,
    _delay,
    _barrier,
    _unitary,
    _own_gate,
    _hidden_reset,
    _store,
]
_NESTED: dict[str, _Append] = {
    "if_else": _if,
    "switch_case": _switch,
    "for_loop": _for,
    "while_loop": _while,
    "box": _box,
    "break_loop": _break,
}


@st.composite
def shared_circuits(
    draw: st.DrawFn, *, max_qubits: int = 4, max_programs: int = 4, max_steps: int = 24, dynamic: bool = True
) -> QuantumCircuit:
    """A physical circuit on a line of qubits in whose wires programs follow each other in any order, also in circles.

    Operations are those of :func:`tests.targets.make_target`. Between two owners of a qubit there is one reset at least.
    """
    num_qubits, num_programs = draw(st.integers(1, max_qubits)), draw(st.integers(1, max_programs))
    circuit = QuantumCircuit(
        QuantumRegister(num_qubits, "q"), *(ClassicalRegister(2, f"p{k}_c") for k in range(num_programs))
    )
    owner: list[int | None] = [None] * num_qubits
    kinds = ["sx", "sx", "cz", "cz", "measure", "measure", "measure", "reset", "delay", "barrier", "rz"]
    for _ in range(draw(st.integers(1, max_steps))):
        program, qubit = draw(st.integers(0, num_programs - 1)), draw(st.integers(0, num_qubits - 1))
        kind = draw(st.sampled_from([*kinds, "if"] if dynamic else kinds))
        qubits = [qubit, qubit + 1] if kind == "cz" and qubit + 1 < num_qubits else [qubit]
        for taken in qubits:
            if owner[taken] not in (None, program):
                for _ in range(draw(st.integers(1, 2))):
                    circuit.reset(taken)
            owner[taken] = program
        clbit = 2 * program + draw(st.integers(0, 1))
        if kind == "cz" and len(qubits) == 2:
            circuit.cz(*qubits)
        elif kind == "measure":
            circuit.measure(qubit, clbit)
        elif kind == "reset":
            circuit.reset(qubit)
        elif kind == "delay":
            circuit.delay(draw(st.sampled_from([16, 160, 2000])), qubit, "dt")
        elif kind == "barrier":
            circuit.barrier([q for q in range(num_qubits) if owner[q] == program])
        elif kind == "rz":
            circuit.rz(draw(ANGLES), qubit)
        elif kind == "if":
            with circuit.if_test((circuit.clbits[clbit], 1)):
                circuit.x(qubit)
        else:
            circuit.sx(qubit)
    for qubit, program in enumerate(owner):
        if program is not None and draw(st.booleans()):
            circuit.measure(qubit, 2 * program)
    return circuit


@st.composite
def helper_circuits(
    draw: st.DrawFn, *, max_programs: int = 3, max_rounds: int = 4, num_helpers: int = 2
) -> QuantumCircuit:
    """Programs with a data qubit each that share the first qubits as helpers, round by round: HALO's own pattern.

    For a device on which every helper is coupled to all others. Rounds of the programs are listed in any order.
    """
    num_programs = draw(st.integers(2, max_programs))
    circuit = QuantumCircuit(
        QuantumRegister(num_helpers + num_programs, "q"),
        *(ClassicalRegister(max_rounds + 1, f"p{k}_c") for k in range(num_programs)),
    )
    rounds = [draw(st.integers(1, max_rounds)) for _ in range(num_programs)]
    order = draw(st.permutations([k for k, count in enumerate(rounds) for _ in range(count)]))
    done = [0] * num_programs
    for program in order:
        helper, data = draw(st.integers(0, num_helpers - 1)), num_helpers + program
        for _ in range(draw(st.integers(0, 40))):
            circuit.sx(data)
        circuit.reset(helper)
        circuit.sx(helper)
        circuit.cz(helper, data)
        for _ in range(draw(st.integers(0, 40))):
            circuit.sx(helper)
        if draw(st.booleans()):
            circuit.cz(helper, data)
        circuit.measure(helper, program * (max_rounds + 1) + done[program])
        done[program] += 1
        if draw(st.integers(0, 3)) == 0:
            circuit.barrier(helper, data)
    for program in range(num_programs):
        circuit.measure(num_helpers + program, program * (max_rounds + 1) + max_rounds)
    return circuit


@st.composite
def relistings(draw: st.DrawFn, circuit: QuantumCircuit) -> tuple[QuantumCircuit, list[int], list[int]]:
    """The same program written otherwise: bits declared in another order, independent operations listed in another.

    Comes with the new place of each old qubit, and of each old clbit. Registers, names and metadata are not kept; the
    qubits of barriers and of nested blocks come in another order too.
    """
    qubits = draw(st.permutations(circuit.qubits))
    clbits = draw(st.permutations(circuit.clbits))
    out = QuantumCircuit(list(qubits), list(clbits), global_phase=circuit.global_phase)
    for register in circuit.cregs:  # conditions name them
        out.add_register(register)
    for variable in circuit.iter_declared_vars():
        out.add_uninitialized_var(variable)
    append_all(out, [_relisted(draw, i) for i in _shuffled(draw, circuit.data)])
    return out, [qubits.index(q) for q in circuit.qubits], [clbits.index(c) for c in circuit.clbits]


def _shuffled(draw: st.DrawFn, data: Sequence[CircuitInstruction]) -> list[CircuitInstruction]:
    """A random order that keeps that of any two operations with a common bit or variable."""
    waiting = list(data)
    out = []
    while waiting:
        blocked: dict[object, None] = {}
        free = []
        for index, instruction in enumerate(waiting):
            resources = (*instruction.qubits, *classical_resources(instruction))
            if not any(resource in blocked for resource in resources):
                free.append(index)
            blocked.update(dict.fromkeys(resources))
        out.append(waiting.pop(draw(st.sampled_from(free))))
    return out


def _relisted(draw: st.DrawFn, instruction: CircuitInstruction) -> CircuitInstruction:
    if instruction.name == "barrier":
        return instruction.replace(qubits=draw(st.permutations(instruction.qubits)))
    if not instruction.is_control_flow():
        return instruction
    order = draw(st.permutations(range(len(instruction.qubits))))
    blocks = []
    for block in instruction.operation.blocks:
        moved = QuantumCircuit([block.qubits[i] for i in order], block.clbits, *block.cregs)
        moved.global_phase = block.global_phase
        add_variables(moved, block)
        append_all(moved, [_relisted(draw, i) for i in _shuffled(draw, block.data)])
        blocks.append(moved)
    return instruction.replace(
        operation=instruction.operation.replace_blocks(blocks), qubits=[instruction.qubits[i] for i in order]
    )
