"""Data bins that take any register name."""

from __future__ import annotations

import copy
import pickle

import pytest
from qiskit.primitives import BitArray, DataBin

from qiskit_halo.results.fields import ItemDataBin, make_data_bin

BITS = BitArray.from_samples(["0", "1", "1"])


def test_usual_names_make_a_plain_data_bin() -> None:
    data = make_data_bin({"c": BITS, "é": BITS}, ())
    assert type(data) is DataBin
    assert data.c is BITS


@pytest.mark.parametrize("name", ["size", "items", "keys", "values", "shape", "ndim", "self", "_fields", "__len__"])
def test_taken_names_are_reached_as_items(name: str) -> None:
    data = make_data_bin({"c": BITS, name: [0, 0, 0], "d": BITS}, ())
    assert isinstance(data, DataBin)
    assert data[name] == [0, 0, 0]
    assert (data.c, data["d"]) == (BITS, BITS)
    assert list(data) == list(data.keys()) == ["c", name, "d"], "in their order"
    assert [key for key, _ in data.items()] == ["c", name, "d"]
    assert len(data) == len(data.values()) == 3
    assert name in data
    assert "other" not in data
    assert (data.shape, data.ndim, data.size) == ((), 0, 1), "attributes keep their meaning"
    with pytest.raises(KeyError, match="other"):
        data["other"]


def test_names_that_are_no_identifiers() -> None:
    data = make_data_bin({"a b": BITS, "1st": BITS}, ())
    assert type(data) is DataBin
    assert data["a b"] is BITS


@pytest.mark.parametrize("clone", [copy.copy, copy.deepcopy, lambda data: pickle.loads(pickle.dumps(data))])
def test_copies(clone: object) -> None:
    data = make_data_bin({"size": BITS, "c": BITS}, ())
    again = clone(data)
    assert isinstance(again, ItemDataBin)
    assert again["size"] == BITS
    assert again.c == BITS
    assert again.shape == ()


def test_it_shows_every_field() -> None:
    assert "size" in repr(make_data_bin({"size": BITS, "c": BITS}, ()))
