from __future__ import annotations

import pytest
from qiskit.circuit import QuantumCircuit
from qiskit.converters import circuit_to_dag

from qiskit_halo.errors import HaloTranspilerError
from qiskit_halo.passes.check_initial_layout import CheckInitialLayout


@pytest.mark.parametrize("folded", [True, False, None])
def test_only_folded_circuits_refuse_a_layout(folded: bool | None) -> None:
    dag = circuit_to_dag(QuantumCircuit(1))
    dag.metadata = {} if folded is None else {"halo": {"folded": folded}}
    if not folded:
        CheckInitialLayout().run(dag)
        return
    with pytest.raises(HaloTranspilerError, match="initial_layout cannot be used with a folded circuit"):
        CheckInitialLayout().run(dag)
