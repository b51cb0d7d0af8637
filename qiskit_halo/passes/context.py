"""What every pass of ours reads from the circuit it is given: metadata and options."""

from __future__ import annotations

import copy
from typing import Any

from qiskit.dagcircuit import DAGCircuit

from qiskit_halo.errors import HaloTranspilerError, HaloValueError
from qiskit_halo.options import HaloOptions


def halo_metadata(dag: DAGCircuit) -> dict[str, Any]:
    """Return a deep copy of the circuit's ``metadata["halo"]``, empty if it has none.

    A copy, because ``dag.metadata`` is the user's own dictionary.
    """
    return copy.deepcopy((dag.metadata or {}).get("halo", {}))


def with_halo_metadata(dag: DAGCircuit, halo: dict[str, Any]) -> dict[str, Any]:
    """Return the circuit's metadata with ``halo`` in place of its own entry."""
    return {**(dag.metadata or {}), "halo": halo}


def options_for(dag: DAGCircuit, given: HaloOptions | None) -> HaloOptions:
    """Return the options given to the pass, else those the circuit carries, else the defaults.

    Raises:
        HaloTranspilerError: The circuit carries options that are not valid.
    """
    if given is not None:
        return given
    try:
        return HaloOptions.from_dict(halo_metadata(dag).get("options", {}))
    except HaloValueError as error:
        raise HaloTranspilerError(f"metadata['halo']['options'] of the circuit: {error.message}") from error
