"""What every pass of ours reads from the circuit it is given: metadata and options."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

from qiskit.dagcircuit import DAGCircuit

from qiskit_halo.errors import HaloTranspilerError, HaloValueError
from qiskit_halo.options import HaloOptions

NO_FIRST_RESET = "the device has no reset, so assume_clean=False cannot be kept: qubits are trusted to start in |0>"


_WRITTEN = ("placement", "report")
"""What passes of ours have written: the larger part by far."""


def halo_metadata(dag: DAGCircuit) -> dict[str, Any]:
    """Return a copy of the circuit's ``metadata["halo"]``, empty if it has none.

    A copy, because ``dag.metadata`` is the user's own dictionary: a deep one, but for what passes have written there, which goes
    on as it is, as all metadata does in Qiskit's own passes. An entry of that name that is not ours is left out.
    """
    return {key: value if key in _WRITTEN else _copied(value) for key, value in _own_entry(dag).items()}


def with_halo_metadata(dag: DAGCircuit, halo: dict[str, Any]) -> dict[str, Any]:
    """Return a deep copy of the circuit's metadata with ``halo`` in place of its own entry."""
    others = {key: value for key, value in (dag.metadata or {}).items() if key != "halo"}
    return {**_copied(others), "halo": halo}


def _copied(value: Any) -> Any:
    """Return a deep copy; most of metadata is plain, for which Python's own way takes ten times as long."""
    try:
        return _copied_plainly(value)
    except RecursionError:
        # Something holds itself; Python's own way sees that.
        return copy.deepcopy(value)


def _copied_plainly(value: Any) -> Any:
    if value is None or type(value) in (str, int, float, bool):
        return value
    if type(value) is dict:
        return {key: _copied_plainly(item) for key, item in value.items()}
    return [_copied_plainly(item) for item in value] if type(value) is list else copy.deepcopy(value)


def _own_entry(dag: DAGCircuit) -> dict[str, Any]:
    halo = (dag.metadata or {}).get("halo")
    return halo if isinstance(halo, dict) else {}


def options_for(dag: DAGCircuit, given: HaloOptions | None) -> HaloOptions:
    """Return the options given to the pass, else those the circuit carries, else the defaults.

    Raises:
        HaloTranspilerError: The circuit carries options that are not valid.
    """
    if given is not None:
        return given
    try:
        return HaloOptions.from_dict(_own_entry(dag).get("options") or {})
    except HaloValueError as error:
        raise HaloTranspilerError(f"metadata['halo']['options'] of the circuit: {error.message}") from error


def without_reset(options: HaloOptions) -> HaloOptions:
    """Return ``options`` for a device that has no reset: no qubit can pass on, none can be cleaned before its first use."""
    return dataclasses.replace(options, sharing="none", assume_clean=True)
