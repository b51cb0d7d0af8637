from __future__ import annotations

import dataclasses
import struct

import pytest
from qiskit.circuit import CircuitError, Instruction, Parameter, QuantumCircuit
from qiskit.qpy import QpyError

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.fragment import Fragment
from qiskit_halo.fragments.key import structure_key
from qiskit_halo.fragments.serialize import (
    circuits_from_bytes,
    circuits_to_bytes,
    comes_back,
    fragments_from_bytes,
    fragments_to_bytes,
    schema,
)
from tests.fragment_samples import bell, make_fragment
from tests.targets import make_target

DEVICE = DeviceModel(make_target(4))


def dynamic() -> QuantumCircuit:
    circuit = QuantumCircuit(3, 2, global_phase=0.25)
    flag, gap = circuit.add_var("v0", False), circuit.add_stretch("v1")
    circuit.rz(2 * Parameter("_halo_x0") + 0.1, 0)
    circuit.delay(gap, 1)
    circuit.measure(0, 0)
    circuit.store(flag, circuit.clbits[0])
    with circuit.if_test(flag):
        circuit.x(1)
    circuit.reset(0)
    circuit.delay(7, 0)
    circuit.measure(1, 1)
    return circuit


def samples() -> list[Fragment]:
    plain = make_fragment(bell(3), (0, 1, 2), DEVICE)
    return [
        dataclasses.replace(plain, reused=((2, 0),), start_sites=(0, 1, None), variant="reuse 1, seed 3"),
        dataclasses.replace(plain, log_success=-float("inf")),
        dataclasses.replace(plain, log_success=-0.1 - 1e-17),
        make_fragment(dynamic(), (1, 2, 3), DEVICE),
        make_fragment(QuantumCircuit(0), (), DEVICE),
    ]


SAMPLES = samples()


def test_fragments_come_back_to_the_last_bit():
    found = fragments_from_bytes(fragments_to_bytes(SAMPLES))
    assert found == tuple(SAMPLES)
    for fragment, copy in zip(SAMPLES, found, strict=True):
        assert structure_key(copy.circuit) == structure_key(fragment.circuit)
        for name in ("timing", "workload", "shapes", "reused", "start_sites"):
            assert repr(getattr(copy, name)) == repr(getattr(fragment, name))  # tuples, not lists
    assert fragments_to_bytes(found) == fragments_to_bytes(SAMPLES)


@pytest.mark.parametrize("duration", [(7, "ns"), (0.5, "us")])
def test_what_qpy_would_change_is_refused(duration: tuple[float, str]):
    circuit = QuantumCircuit(1)
    circuit.delay(duration[0], 0, duration[1])
    try:
        (delay,) = circuits_from_bytes(circuits_to_bytes([circuit]))[0].data
        is_kept = (delay.operation.duration, delay.operation.unit) == duration
    except CircuitError:  # half a dt
        is_kept = False
    assert comes_back(circuit) == is_kept
    if not is_kept:
        with pytest.raises(ValueError, match="QPY would not give a circuit back as it is"):
            fragments_to_bytes([dataclasses.replace(SAMPLES[0], circuit=circuit)])


def test_what_qpy_cannot_write_does_not_come_back():
    circuit = QuantumCircuit(1)
    circuit.append(Instruction("own", 1, 0, [object()]), [0])
    assert not comes_back(circuit)
    assert comes_back(dynamic())


def test_no_fragments():
    assert fragments_from_bytes(fragments_to_bytes([])) == ()


def test_circuits_come_back():
    circuits = [dynamic(), bell()]
    assert circuits_from_bytes(circuits_to_bytes(circuits)) == circuits


@pytest.mark.parametrize("damage", [lambda data: data[:-10], lambda data: data[:4], lambda data: b"x" * len(data)])
def test_damage_raises(damage):
    with pytest.raises((QpyError, ValueError, struct.error, UnicodeDecodeError)):
        fragments_from_bytes(damage(fragments_to_bytes(SAMPLES)))


def test_the_schema_names_every_field():
    for name in ("home", "reused", "start_dt", "gaps", "edges"):
        assert f"{name}:" in schema()
