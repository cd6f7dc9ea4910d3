import numpy as np
import pytest

from lit_al.exceptions import StrategyError
from lit_al.oracles import SimulatedOracle


def test_ask_answers_in_order():
    oracle = SimulatedOracle(np.array([1, 0, -1, 1]))
    assert oracle.ask(np.array([3, 1])).tolist() == [1, 0]
    assert oracle.can_answer(np.array([0, 2])).tolist() == [True, False]


def test_ask_without_a_label_on_record_is_refused():
    with pytest.raises(StrategyError, match="row 2"):
        SimulatedOracle(np.array([1, 0, -1])).ask(np.array([0, 2]))
