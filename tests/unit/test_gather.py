"""Results that are not bits, or come with more shots than were asked for, are cut and joined as well."""

from __future__ import annotations

import numpy as np
import pytest
from qiskit.circuit import Parameter, QuantumCircuit
from qiskit.primitives import BaseSamplerV2, BitArray, DataBin, PrimitiveJob, PrimitiveResult, SamplerPubResult
from qiskit.primitives.containers.sampler_pub import SamplerPub

from qiskit_halo.errors import HaloError
from qiskit_halo.options import HaloOptions
from qiskit_halo.primitives.sampler import HaloSampler
from tests.targets import make_target


class Numbered(BaseSamplerV2):
    """Every value tells its row, its shot and its bit: as I/Q points or as bits."""

    def __init__(self, *, kerneled: bool, extra: int = 0, lose: bool = False) -> None:
        self.kerneled, self.extra, self.lose = kerneled, extra, lose
        self.made: list[SamplerPubResult] = []

    def run(self, pubs, *, shots=None):
        job = PrimitiveJob(self._run, [SamplerPub.coerce(pub, shots) for pub in pubs])
        job._submit()
        return job

    def _run(self, pubs):
        self.made = [self._one(pub) for pub in pubs]
        return PrimitiveResult(self.made)

    def _one(self, pub):
        fields = {}
        rng = np.random.default_rng(1)
        for register in pub.circuit.cregs[1:] if self.lose else pub.circuit.cregs:
            shape = (*pub.shape, pub.shots + self.extra)
            if self.kerneled:
                fields[register.name] = rng.normal(size=(*shape, register.size)) + 1j
            else:
                fields[register.name] = BitArray(rng.integers(0, 2, (*shape, 1), dtype=np.uint8), register.size)
        return SamplerPubResult(DataBin(shape=pub.shape, **fields))


def coin() -> QuantumCircuit:
    circuit = QuantumCircuit(1, 1)
    circuit.ry(Parameter("a"), 0)
    circuit.measure(0, 0)
    return circuit


def run(inner: Numbered, pubs: list, **options: object):
    made = HaloOptions(**{"success_floor": 0.0, "max_batch_programs": 4, **options})
    return HaloSampler(inner, target=make_target(4), options=made).run(pubs)


def as_array(value: object) -> np.ndarray:
    return value.array if isinstance(value, BitArray) else np.asarray(value)


@pytest.mark.parametrize("kerneled", [True, False])
@pytest.mark.parametrize("extra", [0, 5])
def test_every_shot_is_given_out_once_and_in_order(kerneled: bool, extra: int):
    inner = Numbered(kerneled=kerneled, extra=extra)
    job = run(inner, [(coin(), [[0.1], [0.2], [0.3], [0.4], [0.5], [0.6]], 20), (coin(), [0.7], 50)])
    result = job.result()
    for pub, shape in zip(result, ((6, 20, 1), (50, 1)), strict=True):
        value = as_array(pub.data.c)
        assert value.shape == shape
        assert value.dtype == (complex if kerneled else np.uint8)
    for program, shares in enumerate(job.plan.shares()):
        expected = [
            as_array(inner.made[share.batch].data[f"p{share.slot}_c"]).reshape(
                job.plan.batches[share.batch].num_rows, -1, 1
            )[share.row, : share.shots]
            for share in shares
        ]
        found = as_array(result[0].data.c)[program] if program < 6 else as_array(result[1].data.c)
        assert np.array_equal(found, np.concatenate(expected))


def test_without_parameters_rows_are_one_run():
    flip = QuantumCircuit(1, 1)
    flip.x(0)
    flip.measure(0, 0)
    inner = Numbered(kerneled=True)
    job = run(inner, [(flip, None, 30), (flip, None, 70), (flip, None, 20)], max_batch_programs=1)
    assert sum(batch.num_rows for batch in job.plan.batches) > 1
    own = np.concatenate([as_array(pub.data.c) for pub in job.result()])
    sent = np.concatenate([as_array(pub.data["p0_c"]) for pub in inner.made])
    assert len(own) == 120
    assert np.isin(own, sent).all()
    assert len(np.unique(own)) == 120


def test_a_result_of_something_else_is_refused():
    job = run(Numbered(kerneled=False, lose=True), [(coin(), [0.1], 10)])
    with pytest.raises(HaloError, match="needs register 'p0_c', which is not among"):
        job.result()
