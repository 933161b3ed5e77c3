"""The table of operators.py, its references computed by a process that knows Paddle's CPU kernels alone."""

import numpy as np
import pytest

from paddle_aten.tests import operators, references

NAMES = [case.name for case in operators.cases()]


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    return np.load(references.folder(tmp_path_factory.mktemp("references")) / "operators.npz")


@pytest.fixture(scope="module")
def table():
    return {case.name: case for case in operators.cases()}


@pytest.mark.parametrize("name", NAMES)
def test_equals_paddles_cpu_kernels(name, stored, table):
    assert operators.compare(table[name], stored) < table[name].tolerance


@pytest.mark.parametrize("name", [case.name for case in operators.cases() if case.arrays])
def test_float32_is_close(name, stored, table):
    assert operators.compare_float32(table[name], stored) < 1e-4


def test_the_table_has_second_derivatives_and_no_name_twice():
    table = operators.cases()
    assert len(set(NAMES)) == len(table) > 150
    assert sum(case.order > 1 for case in table) >= 50


def test_a_wrong_result_is_seen():
    a = [np.ones(3), np.array([1, 2])]
    assert operators.error(a, a) == 0
    assert operators.error([np.ones(3) + 1e-6, a[1]], a) > 1e-7
    assert operators.error([a[0], a[1] + 1], a) == np.inf
    assert operators.error(a[:1], a) == np.inf
    assert operators.error([a[0].astype("float32"), a[1]], a) == np.inf
