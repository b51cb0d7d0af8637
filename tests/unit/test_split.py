"""One merged result in, one result a program out."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from qiskit.circuit import ClassicalRegister, Clbit, QuantumCircuit, QuantumRegister
from qiskit.primitives import BitArray, DataBin, PrimitiveResult, PubResult, SamplerPubResult

from qiskit_halo import MultiProgramCircuit, split_result
from qiskit_halo.errors import HaloValueError
from tests.results import merged_data, merged_metadata


def circuit(*registers: ClassicalRegister, name: str = "mine", **keywords: Any) -> QuantumCircuit:
    """A circuit with these registers that measures something."""
    made = QuantumCircuit(QuantumRegister(1, "q"), *registers, name=name, **keywords)
    made.measure(0, made.clbits[0])
    return made


def shared() -> QuantumCircuit:
    """Two registers that share a bit, in turned order, and a loose bit."""
    bits = [Clbit() for _ in range(11)]
    made = QuantumCircuit(1, name="shared")
    made.add_register(ClassicalRegister(bits=bits[:10], name="c"))
    made.add_register(ClassicalRegister(bits=[bits[9], bits[2], bits[10]], name="turned"))
    made.add_bits([Clbit()])
    made.measure(0, bits[0])
    return made


@pytest.fixture
def batch() -> MultiProgramCircuit:
    programs = [
        circuit(ClassicalRegister(3, "a"), ClassicalRegister(9, "b")),
        shared(),
        circuit(ClassicalRegister(1, "a")),
    ]
    return MultiProgramCircuit(programs, shots=[20, 50, 5], names=["ann", "bo", "cy"])


@pytest.fixture
def data(batch: MultiProgramCircuit, rng: np.random.Generator) -> DataBin:
    return merged_data(batch, rng, shots=50)


class TestWhatItTakes:
    def test_result_pub_result_or_data(self, batch: MultiProgramCircuit, data: DataBin) -> None:
        pub = SamplerPubResult(data, metadata={"circuit_metadata": {}})
        for given in (data, pub, PubResult(data), PrimitiveResult([pub])):
            split = batch.split(given)
            assert [type(own) for own in split] == [SamplerPubResult] * 3
            assert split[2].data.a == BitArray(data["p2_a"].array[:5], 1)

    def test_several_pubs(self, batch: MultiProgramCircuit, data: DataBin) -> None:
        for number in (0, 2):
            result = PrimitiveResult([SamplerPubResult(data)] * number)
            with pytest.raises(HaloValueError, match=f"the result holds {number} pubs, and one merged circuit is one"):
                batch.split(result)

    def test_anything_else(self, batch: MultiProgramCircuit) -> None:
        with pytest.raises(HaloValueError, match=r"split takes a SamplerPubResult, a DataBin or a .*, not dict"):
            batch.split({"0": 3})

    def test_the_function_needs_the_metadata_of_a_merge(self, data: DataBin) -> None:
        with pytest.raises(HaloValueError, match="the metadata does not describe a merged circuit"):
            split_result(data, {})


class TestFields:
    def test_names_sizes_and_order_are_the_users(self, batch: MultiProgramCircuit, data: DataBin) -> None:
        split = batch.split(data)
        assert [[(n, b.num_bits) for n, b in own.data.items()] for own in split] == [
            [("a", 3), ("b", 9)],
            [("c", 10), ("turned", 3)],
            [("a", 1)],
        ]

    def test_the_first_shots_of_each_in_their_order(self, batch: MultiProgramCircuit, data: DataBin) -> None:
        ann, bo, cy = batch.split(data)
        assert ann.data.b.get_bitstrings() == data["p0_b"].get_bitstrings()[:20]
        assert bo.data.c.get_bitstrings() == data["p1_c"].get_bitstrings()
        assert cy.data.a.get_bitstrings() == data["p2_a"].get_bitstrings()[:5]

    def test_packed_bits_are_passed_through(self, batch: MultiProgramCircuit, data: DataBin) -> None:
        ann, bo, _ = batch.split(data)
        assert np.shares_memory(ann.data.a.array, data["p0_a"].array)
        assert np.shares_memory(ann.data.b.array, data["p0_b"].array)
        assert not any(np.shares_memory(bo.data.turned.array, data[name].array) for name in data)

    def test_registers_that_share_bits_are_put_together(self, batch: MultiProgramCircuit, data: DataBin) -> None:
        turned = batch.split(data)[1].data.turned
        c, rest = data["p1_c"].to_bool_array(order="little"), data["p1_turned"].to_bool_array(order="little")
        expected = np.stack([c[:, 9], c[:, 2], rest[:, 0]], axis=-1)
        assert np.array_equal(turned.to_bool_array(order="little"), expected)

    def test_loose_bits_are_left_out(self, batch: MultiProgramCircuit, data: DataBin) -> None:
        assert "p1_loose" in data
        assert list(batch.split(data)[1].data) == ["c", "turned"]
        bare = QuantumCircuit(1)
        bare.add_bits([Clbit()])
        bare.measure(0, 0)
        only = MultiProgramCircuit([bare], shots=3)
        assert len(only.split(merged_data(only, np.random.default_rng(1), shots=3))[0].data) == 0

    @pytest.mark.parametrize("shape", [(2,), (2, 3)])
    def test_the_shape_of_the_pub_is_kept(self, batch: MultiProgramCircuit, shape: tuple[int, ...]) -> None:
        data = merged_data(batch, np.random.default_rng(2), shots=50, shape=shape)
        ann, bo, _ = batch.split(data)
        assert ann.data.shape == ann.data.b.shape == bo.data.turned.shape == shape
        assert np.array_equal(ann.data.b.array, data["p0_b"].array[..., :20, :])
        alone = batch.split(DataBin(**{name: bits[(1,) * len(shape)] for name, bits in data.items()}))
        assert np.array_equal(alone[1].data.turned.array, bo.data.turned.array[(1,) * len(shape)])

    def test_names_that_no_identifier_has_and_names_that_are_taken(self) -> None:
        names = ["a b", "1st", "size", "items", "é", "p0_c"]
        batch = MultiProgramCircuit([circuit(*(ClassicalRegister(1, name) for name in names))], shots=4)
        data = merged_data(batch, np.random.default_rng(3), shots=4)
        (own,) = batch.split(data)
        assert list(own.data) == names
        merged = batch.circuit.metadata["halo"]["programs"][0]["merged_registers"]
        for name, (base, _) in zip(names, merged, strict=True):
            assert own.data[name] == data[base]

    def test_registers_of_size_0(self) -> None:
        batch = MultiProgramCircuit([circuit(ClassicalRegister(1, "c"), ClassicalRegister(0, "none"))], shots=4)
        (own,) = batch.split(merged_data(batch, np.random.default_rng(3), shots=4))
        assert (own.data.none.num_bits, own.data.none.num_shots) == (0, 4)

    def test_more_fields_than_needed_do_no_harm(self, batch: MultiProgramCircuit, data: DataBin) -> None:
        more = DataBin(**dict(data.items()), extra=np.zeros(3))
        assert [list(own.data) for own in batch.split(more)] == [list(own.data) for own in batch.split(data)]


class TestMetadata:
    def test_everybody_sees_their_own_alone(self) -> None:
        programs = [circuit(ClassicalRegister(1, "c"), name=n, metadata={"secret": n}) for n in ("ann", "bo")]
        batch = MultiProgramCircuit(programs, shots=[3, 4])
        own_metadata = {**batch.circuit.metadata, "queue": "late"}
        result = SamplerPubResult(
            merged_data(batch, np.random.default_rng(1), shots=4),
            metadata={"shots": 4, "circuit_metadata": own_metadata, "calibration": [1]},
        )
        ann, bo = batch.split(result)
        assert (ann.metadata["shots"], bo.metadata["shots"]) == (3, 4)
        assert ann.metadata["circuit_metadata"] == {"queue": "late", "secret": "ann"}
        assert ann.metadata["halo"]["programs"] == [merged_metadata(batch)["programs"][0]]
        assert "bo" not in str(ann.metadata)
        assert "ann" not in str(bo.metadata)

    def test_nothing_is_shared_that_somebody_could_change(self, batch: MultiProgramCircuit, data: DataBin) -> None:
        before = copy.deepcopy(merged_metadata(batch))
        first = batch.split(data)[0]
        first.metadata["halo"]["programs"][0]["registers"].clear()
        assert batch.split(data)[0].metadata["halo"]["programs"] == [before["programs"][0]]


class TestOtherFields:
    """Kerneled and averaged measurements, as other samplers return them."""

    def kerneled(self, batch: MultiProgramCircuit, *, width: bool, shape: tuple[int, ...] = ()) -> DataBin:
        halo = merged_metadata(batch)
        sizes = {name: size for entry in halo["programs"] for name, size in entry["merged_registers"]}
        total = sum(sizes.values())
        values = np.arange(np.prod(shape, dtype=int) * 50 * total).reshape(*shape, 50, total) * 1j
        fields, offset = {}, 0
        for name, size in sizes.items():
            fields[name] = values if width else values[..., offset : offset + size]
            offset += size
        return DataBin(**fields, shape=shape)

    @pytest.mark.parametrize("width", [True, False])
    @pytest.mark.parametrize("shape", [(), (2,)])
    def test_they_are_cut_along_the_shots(
        self, batch: MultiProgramCircuit, width: bool, shape: tuple[int, ...]
    ) -> None:
        data = self.kerneled(batch, width=width, shape=shape)
        whole = self.kerneled(batch, width=True, shape=shape)["p0_a"]
        ann, bo, cy = batch.split(data)
        assert np.array_equal(ann.data.a, whole[..., :20, 0:3])
        assert np.array_equal(ann.data.b, whole[..., :20, 3:12])
        assert np.array_equal(cy.data.a, whole[..., :5, -1:])
        # c at 12 to 21, turned at 22, loose at 23
        assert np.array_equal(bo.data.turned, whole[..., [21, 14, 22]])

    def test_without_an_axis_of_bits_they_are_cut_all_the_same(self) -> None:
        batch = MultiProgramCircuit([circuit(ClassicalRegister(2, "c"))], shots=3)
        (own,) = batch.split(DataBin(p0_c=np.arange(8)))
        assert own.data.c.tolist() == [0, 1, 2]

    def test_averages_cannot_be_split(self, batch: MultiProgramCircuit) -> None:
        fields = dict.fromkeys(["p0_a", "p0_b", "p1_c", "p1_turned", "p1_loose", "p2_a"], np.float64(0.5))
        with pytest.raises(HaloValueError, match=r"Program 0 \('ann'\): field 'p0_a' .* averaged over the batch"):
            batch.split(DataBin(**fields))

    def test_shared_bits_need_a_value_each(self, batch: MultiProgramCircuit, data: DataBin) -> None:
        fields = {**dict(data.items()), "p1_turned": np.zeros(50)}
        with pytest.raises(HaloValueError, match=r"Program 1 \('bo'\): register 'turned' shares bits with another"):
            batch.split(DataBin(**fields))

    def test_wrong_number_of_bits(self, batch: MultiProgramCircuit, data: DataBin) -> None:
        fields = {**dict(data.items()), "p0_a": np.zeros((50, 4))}
        with pytest.raises(HaloValueError, match=r"Program 0 \('ann'\) has 3 bits in register 'p0_a', .* has 4"):
            batch.split(DataBin(**fields))


class TestResultsOfSomethingElse:
    def test_a_register_is_missing(self, batch: MultiProgramCircuit, data: DataBin) -> None:
        fields = {name: bits for name, bits in data.items() if name != "p2_a"}
        with pytest.raises(
            HaloValueError,
            match=r"Program 2 \('cy'\) needs register 'p2_a', which is not among the 5 fields of the result; split the",
        ):
            batch.split(DataBin(**fields))

    def test_a_register_has_another_size(self, batch: MultiProgramCircuit, data: DataBin) -> None:
        fields = {**dict(data.items()), "p0_b": data["p0_a"]}
        with pytest.raises(HaloValueError, match=r"Program 0 \('ann'\) has 9 bits in register 'p0_b', .* result has 3"):
            batch.split(DataBin(**fields))

    def test_there_are_too_few_shots(self, batch: MultiProgramCircuit) -> None:
        data = merged_data(batch, np.random.default_rng(1), shots=49)
        with pytest.raises(
            HaloValueError,
            match=r"Program 1 \('bo'\) asked for 50 shots, but register 'p1_c' of the result has 49; run the merged",
        ):
            batch.split(data)


def test_splitting_is_fast_whatever_the_shots() -> None:
    """No decoding: 23 registers of 100 000 shots take what 23 of 10 take. Counted in touched bytes, not seconds."""
    batch = MultiProgramCircuit([circuit(ClassicalRegister(5, "c"))] * 23, shots=100_000)
    data = merged_data(batch, np.random.default_rng(1), shots=100_000)
    for own, name in zip(batch.split(data), data, strict=True):
        assert np.shares_memory(own.data.c.array, data[name].array)
