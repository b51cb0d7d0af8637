"""What splitting reads from the metadata of a merged circuit."""

from __future__ import annotations

from typing import Any

import pytest
from qiskit.circuit import ClassicalRegister, Clbit, QuantumCircuit

from qiskit_halo import MultiProgramCircuit
from qiskit_halo.errors import HaloValueError
from qiskit_halo.programs.metadata import METADATA_VERSION as WRITTEN_VERSION
from qiskit_halo.results.entries import METADATA_VERSION, UserRegister, read_entries


def merged_metadata() -> dict[str, Any]:
    bits = [Clbit() for _ in range(3)]
    circuit = QuantumCircuit(1, name="shared")
    circuit.add_register(ClassicalRegister(bits=bits[:2], name="a b"), ClassicalRegister(bits=bits[1:], name="c"))
    circuit.add_bits([Clbit()])
    circuit.measure(0, bits[0])
    plain = QuantumCircuit(1, 2)
    plain.measure(0, 0)
    return MultiProgramCircuit([circuit, plain], shots=[3, 9], names=["ann", "bo"]).circuit.metadata["halo"]


def test_reading_what_merging_wrote() -> None:
    assert METADATA_VERSION == WRITTEN_VERSION
    metadata = merged_metadata()
    ann, bo = read_entries(metadata)
    assert [(e.index, e.name, e.shots) for e in (ann, bo)] == [(0, "ann", 3), (1, "bo", 9)]
    assert dict(ann.bases) == {"p0_a_b": 2, "p0_c": 1, "p0_loose": 1}
    first, second = ann.registers
    assert (first.name, first.size, first.bits, first.base) == ("a b", 2, (("p0_a_b", 0), ("p0_a_b", 1)), "p0_a_b")
    assert (second.name, second.bits, second.base) == ("c", (("p0_a_b", 1), ("p0_c", 0)), None)
    assert bo.label == "Program 1 ('bo')"
    assert bo.raw == metadata["programs"][1]


def test_a_register_is_a_base_only_in_its_order_from_its_beginning() -> None:
    def base(*bits: tuple[str, int]) -> str | None:
        return UserRegister(name="c", size=len(bits), bits=bits).base

    assert base(("r", 0), ("r", 1)) == "r"
    assert base(("r", 1), ("r", 0)) is None
    assert base(("r", 1), ("r", 2)) is None
    assert base(("r", 0), ("s", 1)) is None
    assert base() is None


@pytest.mark.parametrize("metadata", [{}, None, 3, {"programs": []}, {"halo": {}}])
def test_metadata_of_no_merge(metadata: Any) -> None:
    with pytest.raises(
        HaloValueError, match=r"the metadata does not describe a merged circuit; pass circuit\.metadata"
    ):
        read_entries(metadata)


def test_another_version() -> None:
    with pytest.raises(HaloValueError, match="metadata version 99 is not 1; merge the programs again"):
        read_entries({"version": 99, "programs": []})


@pytest.mark.parametrize(
    "damage",
    [
        lambda halo: halo.pop("programs"),
        lambda halo: halo["programs"][0].pop("registers"),
        lambda halo: halo["programs"][0].update(registers=[3]),
        lambda halo: halo["programs"][0]["registers"][0].update(bits=[["p0_c"]]),
        lambda halo: halo["programs"][1].update(shots="many"),
    ],
)
def test_damage_is_told_in_one_line(damage: Any) -> None:
    metadata = merged_metadata()
    damage(metadata)
    with pytest.raises(HaloValueError, match="the metadata of the merged circuit is damaged") as caught:
        read_entries(metadata)
    assert "\n" not in str(caught.value)
