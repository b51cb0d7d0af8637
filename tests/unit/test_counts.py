"""Counts of a merged circuit in, one dictionary a program out."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from qiskit.circuit import ClassicalRegister, Clbit, QuantumCircuit, QuantumRegister
from qiskit.primitives import BitArray
from qiskit.providers.basic_provider import BasicSimulator

from qiskit_halo import MultiProgramCircuit, split_counts
from qiskit_halo.errors import HaloValueError
from qiskit_halo.results import counts as module
from tests.results import merged_data


def circuit(*sizes: int) -> QuantumCircuit:
    made = QuantumCircuit(QuantumRegister(1, "q"), *(ClassicalRegister(size, f"c{k}") for k, size in enumerate(sizes)))
    made.measure(0, 0)
    return made


@pytest.fixture
def batch() -> MultiProgramCircuit:
    """Bits 0 to 1, 2 to 4 and 5, and 6 to 8, of three programs."""
    return MultiProgramCircuit([circuit(2), circuit(3, 1), circuit(3)], shots=[1, 9, 4], names=["ann", "bo", "cy"])


class TestKeys:
    @pytest.mark.parametrize(
        "key",
        ["101 0 110 01", "101011001", " 101 0110 01", "0x159", "0X159", 0x159, np.int64(0x159)],
    )
    def test_every_way_to_write_them(self, batch: MultiProgramCircuit, key: Any) -> None:
        assert batch.split_counts({key: 7}) == [{"01": 7}, {"0 110": 7}, {"101": 7}]

    def test_all_ways_at_once(self, batch: MultiProgramCircuit) -> None:
        counts = {"101 0 110 01": 1, "101011001": 2, "0x159": 4, 0x159: 8, "000000000": 16}
        assert batch.split_counts(counts) == [{"00": 16, "01": 15}, {"0 000": 16, "0 110": 15}, {"000": 16, "101": 15}]

    def test_spaces_in_the_wrong_places_are_no_matter(self, batch: MultiProgramCircuit) -> None:
        """As Qiskit prints the keys of circuits with registers that share bits: '11 01 '."""
        assert batch.split_counts({"10 1011 001 ": 3, "101011001": 2}) == [{"01": 5}, {"0 110": 5}, {"101": 5}]

    def test_all_shots_of_the_batch_are_counted_in_ascending_order(self, batch: MultiProgramCircuit) -> None:
        counts = {"101 0 110 11": 7, "101 0 110 01": 2, "001 1 110 01": 1}
        split = batch.split_counts(counts)
        assert split == [{"01": 3, "11": 7}, {"0 110": 9, "1 110": 1}, {"001": 1, "101": 9}]
        assert [list(own) for own in split] == [sorted(own) for own in split]

    def test_no_counts(self, batch: MultiProgramCircuit) -> None:
        assert batch.split_counts({}) == [{}, {}, {}]

    def test_counts_of_0_are_kept(self, batch: MultiProgramCircuit) -> None:
        assert batch.split_counts({"101011001": 0})[0] == {"01": 0}

    @pytest.mark.parametrize("table_bits", [0, 16])
    def test_programs_of_many_bits(self, monkeypatch: pytest.MonkeyPatch, table_bits: int) -> None:
        """Both ways to count, by a table and by sorting, against a loop."""
        monkeypatch.setattr(module, "_TABLE_BITS", table_bits)
        rng = np.random.default_rng(4)
        batch = MultiProgramCircuit([circuit(7), circuit(70), circuit(1)])
        words = ["".join(map(str, rng.integers(0, 2, 78))) for _ in range(40)]
        keys = [word[:30] + words[0][30:] for word in words]
        counts = {key: int(number) for key, number in zip(keys, rng.integers(1, 9, 40), strict=True)}
        expected = [Counter(), Counter(), Counter()]
        for key, number in counts.items():
            for own, part in zip(expected, (key[71:], key[1:71], key[:1]), strict=True):
                own[part] += number
        assert batch.split_counts(counts) == expected

    def test_great_numbers_add_up_exactly(self, batch: MultiProgramCircuit) -> None:
        counts = {"101011001": 2**53, "001011001": 1}
        assert batch.split_counts(counts)[0] == {"01": 2**53 + 1}


class TestRegisters:
    def test_shared_bits_are_printed_once_as_qiskit_prints_them(self) -> None:
        bits = [Clbit() for _ in range(3)]
        shared = QuantumCircuit(1)
        shared.add_register(ClassicalRegister(bits=bits[:2], name="a"), ClassicalRegister(bits=bits[1:], name="b"))
        shared.measure(0, 0)
        batch = MultiProgramCircuit([shared, circuit(1)])
        # Bits 2 1 0 of the first program; Qiskit cuts the string by the sizes of the registers, last one first.
        assert batch.split_counts({"1 110": 3}) == [{"11 0": 3}, {"1": 3}]

    def test_loose_bits_are_left_out_unless_there_are_no_others(self) -> None:
        loose = circuit(2)
        loose.add_bits([Clbit()])
        bare = QuantumCircuit([Clbit(), Clbit()])
        bare.add_register(QuantumRegister(1))
        bare.measure(0, 0)
        batch = MultiProgramCircuit([loose, bare])
        assert batch.split_counts({"01 1 10": 5}) == [{"10": 5}, {"01": 5}]

    def test_as_the_own_circuit_alone(self) -> None:
        """Against Qiskit's own simulator."""
        programs = []
        for value, sizes in ((5, (2, 1)), (0, (1,)), (9, (1, 2, 1))):
            made = QuantumCircuit(QuantumRegister(4), *(ClassicalRegister(size) for size in sizes))
            for bit in range(made.num_clbits):
                if value >> bit & 1:
                    made.x(bit)
                made.measure(bit, bit)
            programs.append(made)
        simulator = BasicSimulator()
        alone = [simulator.run(made, shots=20).result().get_counts() for made in programs]
        batch = MultiProgramCircuit(programs)
        counts = simulator.run(batch.circuit, shots=20).result().get_counts()
        assert batch.split_counts(counts) == alone

    def test_as_splitting_the_shots_would_count(self, batch: MultiProgramCircuit, rng: np.random.Generator) -> None:
        data = merged_data(batch, rng, shots=60)
        joined = BitArray.concatenate_bits(list(data.values()))
        expected = []
        for names in (["p0_c0"], ["p1_c0", "p1_c1"], ["p2_c0"]):
            columns = [data[name].get_bitstrings() for name in reversed(names)]
            expected.append(Counter(" ".join(shot) for shot in zip(*columns, strict=True)))
        for counts in (
            joined.get_counts(),
            joined.get_int_counts(),
            {hex(k): v for k, v in joined.get_int_counts().items()},
        ):
            assert batch.split_counts(counts) == expected


class TestErrors:
    @pytest.mark.parametrize(
        ("key", "message"),
        [
            (
                "1010",
                "key '1010' of the counts has 4 bits, but the merged circuit has 9; pass the counts of this merged",
            ),
            ("10101010101", "has 11 bits, but the merged circuit has 9"),
            ("0x3ff", "key '0x3ff' of the counts needs 10 bits, but the merged circuit has 9"),
            (1024, "key 1024 of the counts needs 11 bits, but the merged circuit has 9"),
            (-1, "key -1 of the counts is neither"),
            ("", "key '' of the counts is not a bit string"),
            ("   ", "key '   ' of the counts is not a bit string"),
            ("10101010a", "key '10101010a' of the counts is not a bit string; pass the counts of the run"),
            ("１01011001", "is not a bit string"),
            ("101\n011001", "is not a bit string"),
            ("0xzz", "key '0xzz' of the counts is neither a bit string nor a hexadecimal or whole number"),
            (3.0, "key 3.0 of the counts is neither"),
            (True, "key True of the counts is neither"),
            (None, "key None of the counts is neither"),
        ],
    )
    @pytest.mark.parametrize("others", [{}, {"101011001": 3}, {"0x1": 3}])
    def test_keys(self, batch: MultiProgramCircuit, key: Any, message: str, others: dict[str, int]) -> None:
        with pytest.raises(HaloValueError) as caught:
            batch.split_counts({**others, key: 1})
        assert message in caught.value.message
        assert "\n" not in caught.value.message

    @pytest.mark.parametrize("value", [-1, 1.0, 0.5, "3", None])
    def test_values(self, batch: MultiProgramCircuit, value: Any) -> None:
        with pytest.raises(HaloValueError, match="counts must be whole numbers of at least 0, not"):
            batch.split_counts({"101011001": 1, "101011000": value})

    def test_metadata_of_no_merge(self) -> None:
        with pytest.raises(HaloValueError, match="the metadata does not describe a merged circuit"):
            split_counts({"0": 1}, {})
