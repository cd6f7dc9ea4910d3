import numpy as np
import pytest

from lit_al.exceptions import ConfigError, StrategyError
from lit_al.oracles import Bill, ImperfectOracle, Price, SimulatedOracle, make_noise, uniform_noise
from lit_al.oracles.noise import chance, draw

LABELS = np.random.default_rng(0).integers(0, 3, 30_000)
ROWS = np.arange(LABELS.size)
KEYS = ROWS.astype(np.uint64)


def oracle(rate=0.2, skip=0.1, **settings):
    return ImperfectOracle(LABELS, uniform_noise(3, rate), skip, **settings)


def test_an_oracle_without_noise_is_the_simulated_one():
    perfect = oracle(rate=0, skip=0)
    assert (perfect.ask(ROWS) == SimulatedOracle(LABELS).ask(ROWS)).all()
    assert perfect.bill == Bill(asked=30_000, cost=30_000.0)


def test_answers_depend_on_row_and_seed_not_on_the_order_of_asking():
    whole = oracle().ask(ROWS)
    order = np.random.default_rng(1).permutation(ROWS)
    other = oracle()
    batches = np.concatenate([other.ask(batch) for batch in np.array_split(order, 7)])
    assert (batches == whole[order]).all()
    assert (other.ask(order[:9]) == whole[order[:9]]).all()


def test_another_seed_errs_on_other_rows():
    one, two = (oracle(skip=0, seed=seed).ask(ROWS) != LABELS for seed in (0, 1))
    assert abs(np.mean(one & two) - 0.04) < 0.005


def test_rates_are_those_asked_for():
    answers = oracle(rate=0.3, skip=0.25).ask(ROWS)
    given = answers >= 0
    assert abs(np.mean(~given) - 0.25) < 0.01
    assert abs(np.mean(answers[given] != LABELS[given]) - 0.3) < 0.01


def test_skips_are_independent_of_errors():
    errs = oracle(rate=0.3, skip=0).ask(ROWS) != LABELS
    skips = oracle(rate=0, skip=0.3).ask(ROWS) < 0
    assert abs(np.corrcoef(errs, skips)[0, 1]) < 0.02


def test_confusion_table_decides_what_is_taken_for_what():
    table = np.array([[0.7, 0.3, 0.0], [0.0, 1.0, 0.0], [0.1, 0.1, 0.8]])
    answers = ImperfectOracle(LABELS, table).ask(ROWS)
    found = np.array([[np.mean(answers[row == LABELS] == column) for column in range(3)] for row in range(3)])
    assert np.abs(found - table).max() < 0.015
    assert (found[table == 0] == 0).all()


def test_unknown_label_is_refused_and_nothing_is_charged():
    asked = ImperfectOracle(np.array([0, 1, -1]), uniform_noise(2, 0.1))
    assert asked.can_answer(np.array([0, 2])).tolist() == [True, False]
    with pytest.raises(StrategyError, match="row 2"):
        asked.ask(np.array([0, 2]))
    assert asked.bill == Bill()


def test_bill_charges_labels_given_and_tokens_read():
    tokens = np.arange(LABELS.size)
    asked = oracle(skip=0.5, price=Price(per_label=2, per_token=0.01, tokens=tokens))
    rows = np.array([10, 20, 30, 40, 50, 60])
    skipped = int((asked.ask(rows) < 0).sum())
    assert 0 < skipped < 6
    assert asked.bill.labels == 6 - skipped
    assert asked.bill.tokens == 210
    assert asked.bill.cost == pytest.approx(2 * (6 - skipped) + 2.1)


def test_bill_counts_wrong_answers_and_adds_up_over_batches():
    asked = oracle()
    answers = np.concatenate([asked.ask(batch) for batch in np.array_split(ROWS[:500], 5)])
    given = answers >= 0
    assert asked.bill.asked == 500
    assert asked.bill.wrong == (answers[given] != LABELS[:500][given]).sum()
    assert asked.bill.cost == given.sum()


def test_no_question_costs_nothing():
    asked = oracle()
    assert asked.ask(np.empty(0, np.int64)).shape == (0,)
    assert asked.bill == Bill()


def test_chance_is_uniform_over_rows_and_streams():
    for seed, stream in ((0, 1), (0, 2), (12_345, 1), (-3, 1)):
        counts = np.histogram(chance(seed, KEYS, stream), bins=30, range=(0, 1))[0]
        assert ((counts - 1_000) ** 2 / 1_000).sum() < 60  # chi-square of 29 degrees of freedom, p = .0006
    assert abs(np.corrcoef(chance(0, KEYS, 1)[1:], chance(0, KEYS, 1)[:-1])[0, 1]) < 0.02


def test_draw_never_falls_on_a_class_without_a_share():
    shares = np.array([[0.1] * 7 + [0.3, 0.0], [0.0, 1.0] + [0.0] * 7])  # the first adds up to just below 1
    assert draw(shares, np.array([np.nextafter(1, 0), 0.0])).tolist() == [7, 1]


def test_noise_is_read_from_a_rate_or_a_file(tmp_path):
    path = tmp_path / "noise.csv"
    path.write_text("0.9,0.1\n0.3,0.7\n")
    assert make_noise(str(path), 2).tolist() == [[0.9, 0.1], [0.3, 0.7]]
    assert make_noise("0.1", 2).tolist() == [[0.9, 0.1], [0.1, 0.9]]


@pytest.mark.parametrize(
    ("content", "words"),
    [("0.9,0.2\n0.3,0.7", "add up to 1"), ("1,0,0\n0,1,0", "2 lines of 2"), ("a,b\nc,d", "neither a rate")],
)
def test_a_file_that_holds_no_table_is_refused(tmp_path, content, words):
    path = tmp_path / "noise.csv"
    path.write_text(content)
    with pytest.raises(ConfigError, match=words):
        make_noise(str(path), 2)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: oracle(skip=1.5), "skip=1.5"),
        (lambda: oracle(rate=-0.1), "rate -0.1"),
        (lambda: make_noise("nowhere.csv", 2), "nowhere.csv"),
        (lambda: ImperfectOracle(LABELS, uniform_noise(2, 0.1)), "a label is 2"),
        (lambda: ImperfectOracle(LABELS, np.ones((3, 2))), "square"),
        (lambda: ImperfectOracle(LABELS, np.array([[1.5, -0.5], [0, 1]])), "row 0"),
        (lambda: Price(per_label=-1), "negative"),
        (lambda: Price(per_token=1), "needs tokens"),
    ],
)
def test_settings_that_cannot_be_are_refused(make, words):
    with pytest.raises(ConfigError, match=words):
        make()
