"""One idea a file: no module of the package grows beyond what can be read in one go."""

from __future__ import annotations

from pathlib import Path

import pytest

import qiskit_halo

LIMIT = 300
# Module -> the number of lines it may have, with the reason beside it.
EXCEPTIONS: dict[str, int] = {}

ROOT = Path(qiskit_halo.__file__).parent
MODULES = sorted(str(path.relative_to(ROOT)) for path in ROOT.rglob("*.py"))


@pytest.mark.parametrize("module", MODULES)
def test_module_is_short(module: str) -> None:
    lines = len((ROOT / module).read_text(encoding="utf-8").splitlines())
    limit = EXCEPTIONS.get(module, LIMIT)
    assert lines <= limit, f"{module} has {lines} lines, more than {limit}: move one idea to a file of its own"


def test_exceptions_are_still_needed() -> None:
    for module in EXCEPTIONS:
        lines = len((ROOT / module).read_text(encoding="utf-8").splitlines())
        assert lines > LIMIT, f"{module} no longer needs its exception"
