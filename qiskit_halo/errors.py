"""The errors and warnings of this package.

.. code-block:: text

    QiskitError
      HaloError                     everything this package raises
        HaloValueError              bad input (also a ValueError)
        HaloTranspilerError         raised inside passes (also a TranspilerError)
          IsolationError            a finished circuit that mixes programs
    UserWarning
      HaloWarning                   results stay right, but not as asked
"""

from __future__ import annotations

from qiskit.exceptions import QiskitError
from qiskit.transpiler.exceptions import TranspilerError


class HaloError(QiskitError):
    """Root of every error that this package raises."""


class HaloValueError(HaloError, ValueError):
    """Input that cannot be used: the message says which program and what to do."""


class HaloTranspilerError(HaloError, TranspilerError):
    """A pass cannot do its work on this circuit and target."""


class IsolationError(HaloTranspilerError):
    """Two programs of a finished circuit are not isolated from each other."""


class HaloWarning(UserWarning):
    """Results stay right, but something is not as asked."""
