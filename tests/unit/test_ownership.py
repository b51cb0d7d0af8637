from __future__ import annotations

import pytest

from qiskit_halo.ownership import owned_name, owner_of_name, program_label


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("p0_c", 0),
        ("p12_a_b", 12),
        ("p3_", 3),
        ("p01_c", None),
        ("p_c", None),
        ("p1c", None),
        ("xp1_c", None),
        ("P1_c", None),
    ],
)
def test_owner_is_read_from_the_name(name: str, owner: int | None):
    assert owner_of_name(name) == owner


def test_a_name_comes_back():
    assert owner_of_name(owned_name(7, "p2_c")) == 7


@pytest.mark.parametrize(
    ("owners", "label"),
    [
        ((), "An unmeasured part of the circuit"),
        ((1,), "Program 1 ('bo')"),
        ((5,), "Program 5"),
        ((0, 1), "Programs 0 ('ann') and 1 ('bo')"),
        ((-1,), "Program without a number"),
        ((-1, 0), "Programs 0 ('ann') and without a number"),
    ],
)
def test_label_names_the_programs(owners: tuple[int, ...], label: str):
    assert program_label(owners, {"programs": [{"name": "ann"}, {"name": "bo"}]}) == label


def test_label_without_metadata():
    assert program_label((2,), None) == "Program 2"
