"""How messages about a failed simulation name its programs."""

from __future__ import annotations

from qiskit.circuit import QuantumCircuit

from qiskit_halo.errors import HaloValueError
from qiskit_halo.results.entries import read_entries
from qiskit_halo.segments.find import Component


def name_of(circuit: QuantumCircuit, component: Component) -> str:
    """Return the programs of a component, as error messages name them."""
    owners = [owner for owner in component.owners if owner >= 0]
    if not owners:
        return f"Circuit {circuit.name!r}"
    try:
        entries = read_entries((circuit.metadata or {}).get("halo") or {})
        labels = {entry.index: entry.label for entry in entries}
    except HaloValueError:  # anybody may call a register p0_c
        labels = {}
    return " and ".join(labels.get(owner, f"Program {owner}") for owner in owners)


def one_line(reason: object) -> str:
    """Return a reason of Aer's on one line."""
    return " ".join(str(reason).split())
