import copy
import pickle

import numpy as np
import pytest

from lit_al.exceptions import StrategyError
from lit_al.strategies import Labeled, Pool


def test_take_keeps_every_column_beside_its_row(make_pool):
    pool = make_pool()
    part = pool.take(np.array([4, 2]))
    assert part.rows.tolist() == pool.rows[[4, 2]].tolist()
    assert part.draws.tolist() == pool.draws[:, [4, 2]].tolist()
    assert part.embeddings.tolist() == pool.embeddings[[4, 2]].tolist()
    assert set(part.columns) == set(pool.columns)


def test_take_understands_masks(make_pool):
    pool = make_pool()
    assert pool.take(pool.classes == 1).classes.tolist() == [1] * int((pool.classes == 1).sum())


def test_columns_of_another_length_are_refused():
    with pytest.raises(StrategyError, match="embeddings has 3 rows beside 2 row ids"):
        Pool(np.arange(2), embeddings=np.zeros((3, 4)))
    with pytest.raises(StrategyError, match="draws has 3 rows beside 2 row ids"):
        Pool(np.arange(2), draws=np.zeros((2, 3, 4)))


def test_pool_survives_copying_and_pickling(make_pool):
    pool = make_pool()
    for twin in (copy.deepcopy(pool), pickle.loads(pickle.dumps(pool))):
        assert twin.rows.tolist() == pool.rows.tolist()
        assert set(twin.columns) == set(pool.columns)


def test_nothing_labeled_has_no_rows():
    assert len(Labeled.none()) == 0
    with pytest.raises(StrategyError, match="reads labels of the labeled but was not given it"):
        _ = Labeled.none().labels
