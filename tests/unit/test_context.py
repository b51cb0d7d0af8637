from __future__ import annotations

from typing import Any

import pytest
from qiskit.circuit import QuantumCircuit
from qiskit.converters import circuit_to_dag
from qiskit.dagcircuit import DAGCircuit

from qiskit_halo.errors import HaloTranspilerError
from qiskit_halo.options import HaloOptions
from qiskit_halo.passes.context import halo_metadata, options_for, with_halo_metadata, without_reset


def dag_with(metadata: dict[str, Any] | None) -> DAGCircuit:
    dag = circuit_to_dag(QuantumCircuit(1))
    dag.metadata = metadata
    return dag


def test_metadata_is_a_copy() -> None:
    mine = {"halo": {"programs": [{"name": "ann"}]}, "note": ["x"]}
    found = halo_metadata(dag_with(mine))
    assert found == {"programs": [{"name": "ann"}]}
    found["programs"][0]["name"] = "changed"
    written = with_halo_metadata(dag_with(mine), {"report": 1})
    assert written == {"halo": {"report": 1}, "note": ["x"]}
    written["note"].append("y")
    assert mine == {"halo": {"programs": [{"name": "ann"}]}, "note": ["x"]}


def test_what_passes_have_written_is_not_copied() -> None:
    placement = {"pieces": [{"qubits": [0]}]}
    found = halo_metadata(dag_with({"halo": {"placement": placement}}))
    assert found["placement"] is placement


def test_metadata_may_hold_itself() -> None:
    mine: dict[str, Any] = {"note": []}
    mine["note"].append(mine["note"])
    written = with_halo_metadata(dag_with(mine), {})
    assert written["note"] is not mine["note"]
    assert written["note"][0] is written["note"]


@pytest.mark.parametrize("metadata", [None, {}, {"halo": "somebody else's"}, {"halo": None}])
def test_no_metadata_of_ours(metadata: dict[str, Any] | None) -> None:
    dag = dag_with(metadata)
    assert halo_metadata(dag) == {}
    assert options_for(dag, None) == HaloOptions()


def test_options_given_win_over_those_the_circuit_carries() -> None:
    dag = dag_with({"halo": {"options": {"resets": 3}}})
    assert options_for(dag, None) == HaloOptions(resets=3)
    assert options_for(dag, HaloOptions(buffer=1)) == HaloOptions(buffer=1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"resets": 0}, "resets must be a whole number of at least 1, not 0"),
        ({"reset": 2}, "unknown option 'reset'"),
    ],
)
def test_options_that_are_not_valid(options: dict[str, Any], message: str) -> None:
    with pytest.raises(HaloTranspilerError, match=rf"metadata\['halo'\]\['options'\] of the circuit: {message}"):
        options_for(dag_with({"halo": {"options": options}}), None)


def test_without_reset_nothing_is_shared_or_cleaned() -> None:
    options = HaloOptions(sharing="all", assume_clean=False, resets=3)
    assert without_reset(options) == HaloOptions(sharing="none", assume_clean=True, resets=3)
