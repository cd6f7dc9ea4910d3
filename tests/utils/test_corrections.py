import numpy as np

from lit_al.utils.corrections import holm


def test_holm_agrees_with_testing_step_by_step():
    p = np.array([0.004, 0.03, 0.012, 0.9, 0.02])
    corrected = holm(p)
    for level in (0.01, 0.03, 0.05, 0.07, 0.2):
        rejected = []
        for step, index in enumerate(np.argsort(p)):
            if p[index] * (len(p) - step) > level:
                break
            rejected.append(index)
        assert sorted(rejected) == np.flatnonzero(corrected <= level).tolist()
    assert holm([]).size == 0
