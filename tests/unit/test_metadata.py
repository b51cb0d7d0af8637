"""The JSON that a merged circuit carries."""

from __future__ import annotations

import json

import pytest
from qiskit.circuit import AncillaRegister, ClassicalRegister, Clbit, QuantumCircuit, QuantumRegister

from qiskit_halo.errors import HaloValueError
from qiskit_halo.multiprogram import MultiProgramCircuit
from qiskit_halo.options import HaloOptions
from qiskit_halo.programs.metadata import read_metadata, read_options


def example() -> QuantumCircuit:
    circuit = QuantumCircuit(QuantumRegister(2, "q"), AncillaRegister(1, "h"), ClassicalRegister(2, "c"), name="mine")
    circuit.add_register(ClassicalRegister(bits=[circuit.clbits[1], Clbit()], name="a b"))
    circuit.add_bits([Clbit()])
    circuit.metadata = {"tuple": (1, 2)}
    with circuit.if_test((circuit.cregs[1], 1)):
        circuit.x(0)
    circuit.measure(0, 3)
    return circuit


def test_the_whole_of_it():
    mpc = MultiProgramCircuit([example()], shots=7, names=["ann"], options=HaloOptions(resets=3))
    assert mpc.circuit.metadata == {
        "halo": {
            "version": 1,
            "options": HaloOptions(resets=3).to_dict(),
            "shots": 7,
            "folded": False,
            "programs": [
                {
                    "index": 0,
                    "name": "ann",
                    "circuit_name": "mine",
                    "shots": 7,
                    "metadata": {"tuple": (1, 2)},
                    "num_qubits": 3,
                    "helpers": [2],
                    "registers": [
                        {"name": "c", "size": 2, "bits": [["p0_c", 0], ["p0_c", 1]]},
                        {"name": "a b", "size": 2, "bits": [["p0_c", 1], ["p0_a_b", 0]]},
                    ],
                    "merged_registers": [["p0_c", 2], ["p0_a_b", 1], ["p0_loose", 1]],
                    "aliases": ["p0_a_b_alias"],
                }
            ],
        }
    }
    json.dumps(mpc.circuit.metadata)


def test_options_are_written_only_if_given():
    mpc = MultiProgramCircuit([example()])
    assert "options" not in mpc.circuit.metadata["halo"]
    assert read_options(mpc.circuit) is None
    mpc = MultiProgramCircuit([example()], options=HaloOptions(buffer=1))
    assert read_options(mpc.circuit) == HaloOptions(buffer=1)
    assert read_options(json.loads(json.dumps(mpc.circuit.metadata))) == HaloOptions(buffer=1)


@pytest.mark.parametrize("metadata", [None, {}, {"other": 1}])
def test_a_circuit_that_is_not_merged(metadata):
    assert read_metadata(metadata) is None
    assert read_options(metadata) is None
    assert read_metadata(QuantumCircuit(1)) is None


def test_an_unknown_version():
    with pytest.raises(HaloValueError, match="metadata version 2 is not 1; merge the programs again"):
        read_metadata({"halo": {"version": 2, "programs": []}})


@pytest.mark.parametrize("halo", ["text", {}, {"version": 1, "programs": None}])
def test_damaged_metadata(halo):
    with pytest.raises(HaloValueError, match="damaged: it lists no programs"):
        read_metadata({"halo": halo})


@pytest.mark.parametrize("value", [object(), {1}, 1j, QuantumCircuit(1)])
def test_metadata_that_is_not_json(value):
    circuit = example()
    circuit.metadata = {"deep": [value]}
    with pytest.raises(HaloValueError, match=r"Program 0 \('ann'\) has metadata that is not JSON"):
        MultiProgramCircuit([circuit], names=["ann"])


def test_metadata_that_holds_itself():
    circuit = example()
    loop: dict[str, object] = {}
    loop["again"] = loop
    circuit.metadata = loop
    with pytest.raises(HaloValueError, match="has metadata that is not JSON"):
        MultiProgramCircuit([circuit])


def test_metadata_of_a_merged_circuit_is_the_users_own_when_merged_again():
    inner = MultiProgramCircuit([example()], names=["ann"])
    outer = MultiProgramCircuit([inner.circuit, inner.circuit], names=["x", "y"])
    entry = outer.circuit.metadata["halo"]["programs"][1]
    assert entry["metadata"] == inner.circuit.metadata
    assert [name for name, _ in entry["merged_registers"]] == ["p1_p0_c", "p1_p0_a_b", "p1_p0_loose"]
