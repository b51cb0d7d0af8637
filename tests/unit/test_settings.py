from __future__ import annotations

import re

import pytest

from qiskit_halo.errors import HaloTranspilerError
from qiskit_halo.fragments.settings import CompileSettings


def test_settings_come_back():
    settings = CompileSettings(
        optimization_level=3, seed=7, num_variants=5, reuse="max", resets=3, extra={"a": [1.5, None], "b": {"c": "d"}}
    )
    text = settings.to_json()
    assert text is not None
    assert CompileSettings.from_json(text) == settings
    assert text == CompileSettings.from_json(text).to_json()


@pytest.mark.parametrize("value", [object(), (1, 2), {1: 2}, [object()]])
def test_what_is_no_plain_value_has_no_text(value: object):
    assert CompileSettings(extra={"own": value}).to_json() is None


def test_trials_by_level():
    trials = [CompileSettings(optimization_level=level).trials for level in range(4)]
    assert trials == sorted(trials)
    assert (trials[0], CompileSettings(num_variants=5).trials) == (1, 5)


def test_no_variants():
    with pytest.raises(HaloTranspilerError, match=re.escape("num_variants must be at least 1, not 0")):
        CompileSettings(num_variants=0)
