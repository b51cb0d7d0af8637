from __future__ import annotations

import re
from types import SimpleNamespace

import numpy as np
import pytest
from qiskit.circuit import Gate, QuantumCircuit
from qiskit.circuit.library import ECRGate
from qiskit.providers.fake_provider import GenericBackendV2

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.errors import HaloTranspilerError
from qiskit_halo.fragments.compile import CompileSettings, FragmentCompiler
from qiskit_halo.fragments.fragment import Fragment, Shape
from qiskit_halo.fragments.routing import Routings
from qiskit_halo.fragments.single import MOST_SPARE, BodyCompiler
from qiskit_halo.fragments.variants import MAX_VARIANTS, pareto_front
from tests.targets import make_target


def compiled(circuit: QuantumCircuit, region: tuple[int, ...], **settings: object) -> Fragment:
    device = DeviceModel(make_target(6))
    return FragmentCompiler(device, CompileSettings(**{"num_variants": 1, **settings})).compile(
        circuit, region, "Program 0 ('ann')"
    )[0]


def chain(num_qubits: int) -> QuantumCircuit:
    circuit = QuantumCircuit(num_qubits, num_qubits)
    circuit.h(0)
    for qubit in range(num_qubits - 1):
        circuit.cx(qubit, qubit + 1)
    circuit.barrier()
    circuit.measure(range(num_qubits), range(num_qubits))
    return circuit


def test_a_fragment_uses_its_region_only():
    fragment = compiled(chain(3), (2, 3, 4, 5))
    assert fragment.num_sites == 3
    assert set(fragment.home) <= {2, 3, 4, 5}
    assert fragment.shapes == (Shape(sites=(0, 1, 2), edges=((0, 1), (1, 2))),)
    assert fragment.circuit.count_ops()["cz"] == 2
    assert fragment.circuit.num_clbits == 3
    assert fragment.timing.length_dt > 1000
    assert -0.2 < fragment.log_success < 0
    (barrier,) = [i for i in fragment.circuit.data if i.name == "barrier"]
    assert len(barrier.qubits) == 3  # on its own sites, not on the whole region


def test_sites_at_the_start_and_at_the_end():
    circuit = QuantumCircuit(3, 1)
    circuit.x(0)
    circuit.swap(0, 1)  # a change of names: no gate is left of it
    circuit.measure(1, 0)
    fragment = compiled(circuit, (0, 1, 2), optimization_level=2)
    assert fragment.start_sites == (0, None, None)
    assert fragment.final_sites == (None, 0, None)


def test_the_best_of_several_routings_comes_first(rng: np.random.Generator):
    couplers = [(q, q + 1) for q in range(15)] + [(0, 15), (2, 9), (5, 13)]
    device = DeviceModel(make_target(16, couplers))
    one, several = (
        FragmentCompiler(device, CompileSettings(optimization_level=1, num_variants=count)) for count in (1, 9)
    )
    better = []
    for _ in range(4):
        circuit = QuantumCircuit(8, 8)
        for _ in range(20):
            first, second = rng.choice(8, 2, replace=False).tolist()
            circuit.cx(first, second)
            circuit.ry(0.3, first)
        circuit.measure(range(8), range(8))
        plain = one.compile(circuit, range(16), "it")[0]
        best = several.compile(circuit, range(16), "it")[0]
        assert best.log_success >= plain.log_success
        better.append(best.log_success > plain.log_success and best.variant != "seed 0")
    assert any(better)


def test_what_needs_no_swap_is_routed_once():
    device = DeviceModel(make_target(6))
    (fragment,) = FragmentCompiler(device, CompileSettings(num_variants=12, reuse="none")).compile(
        chain(4), range(6), "it"
    )
    assert fragment.variant == "seed 0"


def test_forms_differ_in_what_counts():
    circuit = QuantumCircuit(6, 6)
    for first in range(6):
        for second in range(first):
            circuit.cx(first, second)
    circuit.measure(range(6), range(6))
    couplers = [(q, q + 1) for q in range(11)] + [(0, 11), (2, 8), (4, 10)]
    device = DeviceModel(make_target(12, couplers))
    forms = FragmentCompiler(device, CompileSettings(num_variants=18)).compile(circuit, range(12), "it")
    assert 1 <= len(forms) <= MAX_VARIANTS
    assert forms == pareto_front(forms)
    again = FragmentCompiler(device, CompileSettings(num_variants=18)).compile(circuit, range(12), "it")
    assert forms == again


def test_compiling_repeats():
    circuit = chain(4)
    assert compiled(circuit, (0, 1, 2, 3), seed=3) == compiled(circuit, (0, 1, 2, 3), seed=3)


@pytest.mark.parametrize("level", [0, 3])
def test_one_qubit_on_one_qubit(level: int):
    device = DeviceModel(make_target(1))
    fragment = FragmentCompiler(device, CompileSettings(optimization_level=level)).compile(chain(1), (0,), "it")[0]
    assert (fragment.home, fragment.shapes) == ((0,), (Shape(sites=(0,), edges=()),))


def test_no_qubits():
    circuit = QuantumCircuit(0, 1)
    circuit.store(circuit.add_var("v", False), circuit.clbits[0])
    fragment = compiled(circuit, (3,))
    assert (fragment.num_sites, fragment.shapes) == (0, ())
    assert fragment.circuit.count_ops() == {"store": 2}


def test_directed_gates_in_a_body_with_variables():
    # Qiskit's own pass for directions stops with a crash here.
    device = DeviceModel(make_target(3, gate=ECRGate, directed=True))
    circuit = QuantumCircuit(3, 2)
    flag = circuit.add_var("flag", False)
    circuit.cx(2, 1)
    circuit.cx(1, 0)
    circuit.measure(0, 0)
    circuit.store(flag, circuit.clbits[0])
    with circuit.if_test(flag):
        circuit.cx(1, 2)
    circuit.measure([1, 2], [0, 1])
    fragment = FragmentCompiler(device, CompileSettings()).compile(circuit, (0, 1, 2), "it")[0]
    assert fragment.circuit.count_ops()["ecr"] == 2
    assert fragment.log_success > -1


def test_a_loop_that_may_be_left_needs_no_coupler_for_that():
    circuit = QuantumCircuit(2, 1)
    circuit.measure(0, 0)
    with circuit.while_loop((0, 0)):
        circuit.x([0, 1])
        with circuit.if_test((0, 1)):
            circuit.break_loop()
    assert [len(shape.sites) for shape in compiled(circuit, (0, 1)).shapes] == [1, 1]


@pytest.mark.parametrize("construct", ["for_loop", "break_loop"])
def test_a_missing_construct_names_the_program(construct: str):
    circuit = QuantumCircuit(1, 1)
    with circuit.for_loop(range(2)):
        circuit.measure(0, 0)
        with circuit.if_test((0, 1)):
            circuit.break_loop()
    target = make_target(1)
    fewer = type(target)(num_qubits=1)
    for name in target.operation_names:
        if name != construct:
            operation = target.operation_from_name(name)
            properties = None if isinstance(operation, type) else dict(target[name])
            fewer.add_instruction(operation, properties, name=name)
    message = f"Program 1 ('bo') uses {construct}, which this device does not have; "
    with pytest.raises(HaloTranspilerError, match=re.escape(message)):
        FragmentCompiler(DeviceModel(fewer), CompileSettings()).compile(circuit, (0,), "Program 1 ('bo')")


def test_an_operation_that_cannot_be_translated_names_the_program():
    circuit = QuantumCircuit(1, 1)
    circuit.append(Gate("mystery", 1, []), [0])
    circuit.measure(0, 0)
    with pytest.raises(HaloTranspilerError) as caught:
        compiled(circuit, (0,))
    assert caught.value.message.startswith("Program 0 ('ann') cannot be compiled for this device: ")
    assert "mystery" in caught.value.message


def test_no_variants():
    with pytest.raises(HaloTranspilerError, match="num_variants must be at least 1, not 0"):
        compiled(chain(1), (0,), num_variants=0)


def ring_on(names: list[str], *, with_t: bool, level: int) -> tuple[Fragment, ...]:
    couplers = [*([q, q + 1] for q in range(6)), [3, 7]]
    backend = GenericBackendV2(8, names, coupling_map=[*couplers, *(pair[::-1] for pair in couplers)], seed=1)
    circuit = QuantumCircuit(4, 4)
    for qubit in range(4):
        if with_t:
            circuit.h(qubit)
            circuit.t(qubit)
        circuit.cx(qubit, (qubit + 1) % 4)
    circuit.measure(range(4), range(4))
    compiler = FragmentCompiler(DeviceModel(backend.target), CompileSettings(optimization_level=level, reuse="none"))
    return compiler.compile(circuit, range(8), "Program 0 ('ann')")


@pytest.mark.parametrize("level", [1, 2, 3])
def test_mirrors_that_the_device_cannot_express_are_left_out(level: int):
    # Mirrored, a ring needs one-qubit gates beyond these.
    forms = ring_on(["rz", "x", "cx"], with_t=False, level=level)
    assert forms
    assert not any(form.variant.startswith("mirrored") for form in forms)


@pytest.mark.parametrize("level", [2, 3])
def test_nothing_is_mirrored_where_angles_would_be_approximated(level: int):
    fixed = ring_on(["h", "s", "sdg", "t", "tdg", "x", "cx"], with_t=True, level=level)
    assert not any(form.variant.startswith("mirrored") for form in fixed)
    free = ring_on(["rz", "sx", "x", "cx"], with_t=True, level=level)
    assert free[0].variant.startswith("mirrored")


@pytest.mark.parametrize(
    ("chosen", "spare", "finished"),
    [
        # As good as the best estimate: no more is tried.
        ([-0.9, -1.4], [-0.1], 2),
        # The first spare one is bad as well, the second is not.
        ([-1.3, -1.4], [-1.2, -0.9, -0.1], 4),
        ([-1.3], [-1.2] * 20, 1 + MOST_SPARE),
        # What the device cannot express counts for nothing.
        ([None], [-0.9, -0.1], 2),
    ],
)
def test_spare_routings_are_for_bodies_worse_than_on_median_qubits(
    chosen: list[float | None], spare: list[float], finished: int, monkeypatch: pytest.MonkeyPatch
):
    # Each routing promises a loss of 1 and comes to its own success.
    found = [
        [SimpleNamespace(estimate=SimpleNamespace(loss=1.0), log_success=success) for success in kind]
        for kind in (chosen, spare)
    ]
    tried = []

    def finish(_self: object, routing: SimpleNamespace, *_: object) -> SimpleNamespace | None:
        tried.append(routing)
        return None if routing.log_success is None else routing

    monkeypatch.setattr(BodyCompiler, "_finished", finish)
    compiler = BodyCompiler(DeviceModel(make_target(2)), CompileSettings())
    compiler._fragments(QuantumCircuit(1), Routings(*found), None)  # type: ignore[arg-type]
    assert tried == [*found[0], *found[1]][:finished]
