"""One contract for every strategy and every wrapper around every strategy."""

import numpy as np
import pytest

from lit_al.exceptions import StrategyError
from lit_al.strategies import STRATEGIES, WRAPPERS, Choice, Context, Labeled, Pool, Strategy, choose, make_strategy

BASES = [
    *STRATEGIES,
    "power",
    "entropy:0.5",
    "ratio:as-stated",
    "coreset:vectors",
    "kmeans:vectors",
    "typicality:vectors",
]
SETTINGS = {"subsample": "subsample:30", "random": "random:0.3", "diverse": "diverse:0.5"}


def spellings():
    yield from BASES
    for base in STRATEGIES:
        for wrapper in WRAPPERS:
            if wrapper != "power" or make_strategy(base).ranks:
                yield f"{base}+{SETTINGS.get(wrapper, wrapper)}"
        yield f"{base}+subsample:30+balanced+diverse:0.5+random:0.3"


every = pytest.mark.parametrize("spelling", list(spellings()))


def pick(spelling, pool, n, context):
    """As a loop does it: cut first, compute for what is left, choose."""
    strategy = make_strategy(spelling)
    rows = strategy.candidates(pool.rows, n, context.rng)
    return choose(strategy, pool.take(np.isin(pool.rows, rows)), n, context)


@every
@pytest.mark.parametrize("classes", [2, 3])
def test_choice_holds_exactly_n_distinct_rows_of_the_pool(spelling, classes, make_pool, make_context):
    pool = make_pool(classes=classes)
    choice = pick(spelling, pool, 12, make_context(classes=classes))
    assert len(choice.rows) == len(set(choice.rows.tolist())) == 12
    assert set(choice.rows.tolist()) <= set(pool.rows.tolist())
    assert choice.rows.dtype == np.int64
    assert choice.scores.dtype == np.float64
    assert choice.scores.shape == choice.controls.shape == (12,)
    assert len(choice.reasons) == 12
    assert all(choice.reasons)
    assert not choice.short


@every
def test_same_seed_gives_the_same_choice(spelling, make_pool, make_context):
    first, second = (pick(spelling, make_pool(), 12, make_context(seed=5)) for _ in range(2))
    assert first.rows.tolist() == second.rows.tolist()
    assert first.scores.tolist() == second.scores.tolist()
    assert first.reasons == second.reasons


@every
def test_ids_mean_nothing_to_the_choice(spelling, make_pool, make_context):
    pool = make_pool()
    renamed = Pool(np.random.default_rng(9).permutation(60) + 500, **pool.columns)
    first = pick(spelling, pool, 12, make_context())
    second = pick(spelling, renamed, 12, make_context())
    where = {row: place for place, row in enumerate(pool.rows.tolist())}
    assert renamed.rows[[where[row] for row in first.rows.tolist()]].tolist() == second.rows.tolist()


@every
def test_ties_are_broken_by_the_seed(spelling, make_pool, make_context):
    pool = make_pool()
    same = {
        name: np.repeat(column[:, :1], 60, axis=1)
        if name in ("draws", "committee")
        else np.repeat(column[:1], 60, axis=0)
        for name, column in pool.columns.items()
    }
    pool = Pool(pool.rows, **same)
    picks = {tuple(pick(spelling, pool, 12, make_context(seed=seed)).rows.tolist()) for seed in range(4)}
    chance = not spelling.startswith("ratio") or "random" in spelling or "subsample" in spelling
    assert len(picks) == (4 if chance else 1)  # ratio goes by the order of the pool, which a seed has drawn


@every
def test_numbers_that_are_none_are_refused(spelling, make_pool, make_context):
    strategy = make_strategy(spelling)
    for name in strategy.needs - {"classes"}:
        pool = make_pool()
        column = pool.columns[name].copy()
        (column[0] if column.ndim == 3 else column)[40] = np.nan
        spoiled = Pool(pool.rows, **{**pool.columns, name: column})
        with pytest.raises(
            StrategyError, match=f"{name} of pool row {pool.rows[40]} holds a number that is not finite"
        ):
            choose(strategy, spoiled, 12, make_context())


@every
def test_pool_without_what_is_needed_is_refused(spelling, make_pool, make_context):
    strategy = make_strategy(spelling)
    for name in strategy.needs:
        pool = make_pool()
        with pytest.raises(StrategyError, match=f"needs {name}.* of the pool"):
            choose(strategy, pool.only(set(pool.columns) - {name}, "test"), 12, make_context())


@every
@pytest.mark.parametrize("size", [1, 2, 5])
def test_small_pool_is_taken_whole(spelling, size, make_pool, make_context):
    pool = make_pool(rows=size)
    choice = pick(spelling, pool, 12, make_context())
    assert sorted(choice.rows.tolist()) == sorted(pool.rows.tolist())
    assert choice.short


@every
def test_empty_pool_and_empty_query_give_nothing(spelling, make_pool, make_context):
    empty = pick(spelling, make_pool(rows=0), 12, make_context())
    assert (len(empty.rows), empty.short) == (0, True)
    nothing = pick(spelling, make_pool(), 0, make_context())
    assert (len(nothing.rows), nothing.short) == (0, False)


@every
def test_second_query_of_the_same_object_takes_other_rows(spelling, make_pool, make_context):
    strategy, pool, context, taken = make_strategy(spelling), make_pool(), make_context(), []
    for _ in range(4):
        rows = strategy.candidates(pool.rows, 12, context.rng)
        choice = choose(strategy, pool.take(np.isin(pool.rows, rows)), 12, context)
        taken += choice.rows.tolist()
        pool = pool.take(~np.isin(pool.rows, choice.rows))
    assert len(taken) == len(set(taken)) == 48


@every
def test_candidates_are_enough_and_in_the_order_of_the_pool(spelling, make_pool):
    rows = make_pool().rows
    strategy = make_strategy(spelling)
    for n in (0, 12, 50):
        left = strategy.candidates(rows, n, np.random.default_rng(0))
        assert len(left) >= n
        assert left.tolist() == rows[np.isin(rows, left)].tolist()


@every
def test_spelling_makes_the_same_strategy(spelling):
    strategy = make_strategy(spelling)
    assert make_strategy(strategy.spelling) == strategy
    assert strategy.spelling == spelling.replace("+diverse:0.95", "+diverse") or spelling == "power"


@pytest.mark.parametrize("name", [name for name in STRATEGIES if make_strategy(name).needs_labeled == frozenset()])
def test_strategies_that_do_not_ask_for_the_labeled_rows_work_without(name, make_pool, make_context):
    context = make_context(labeled=False)
    assert len(choose(make_strategy(name), make_pool(), 5, context).rows) == 5


@pytest.mark.parametrize("name", ["random", "typicality:vectors", "kmeans:vectors", "coreset:vectors"])
def test_cold_start_needs_neither_model_nor_label(name, make_pool):
    strategy = make_strategy(name)
    pool = Pool(make_pool().rows, vectors=make_pool().vectors)
    assert len(choose(strategy, pool, 8, Context(np.random.default_rng(0))).rows) == 8


class Bad(Strategy):
    """Returns what it is told to."""

    name = "bad"

    def __init__(self, answer):
        self.answer = answer

    def select(self, pool, n, context):
        return self.answer(pool, n)


def bad(rows, scores=None, reasons=None):
    rows = np.asarray(rows)
    scores = np.zeros(len(rows)) if scores is None else np.asarray(scores)
    return Choice(rows, scores, ("why",) * len(rows) if reasons is None else reasons)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda pool, n: bad([0, 1, 2]), "not in the pool; these look like positions: return pool.rows"),
        (lambda pool, n: bad([1, 2, 999_999]), "row 1, which is not in the pool$"),
        (lambda pool, n: bad(pool.rows[[3, 3, 4]]), "twice; choose distinct rows"),
        (lambda pool, n: bad(pool.rows[:2]), "2 rows where 3 were wanted"),
        (lambda pool, n: bad(pool.rows[:4]), "4 rows where 3 were wanted"),
        (lambda pool, n: bad(pool.rows[:3].astype(float)), "return \\(k,\\) integers"),
        (lambda pool, n: bad(pool.rows[:3], [0.1, 0.2]), "3 rows with 2 scores"),
        (lambda pool, n: bad(pool.rows[:3], [0.1, np.nan, 0.2]), "scored row .* NaN"),
        (lambda pool, n: bad(pool.rows[:3], reasons=("one",)), "1 reasons"),
        (lambda pool, n: (pool.rows[:3], np.zeros(3)), "returned a tuple, which could be row ids or"),
        (lambda pool, n: pool.rows[:3], "returned a ndarray"),
    ],
)
def test_answers_that_break_the_contract_are_refused(answer, message, make_pool, make_context):
    with pytest.raises(StrategyError, match=f"bad .*{message}"):
        choose(Bad(answer), make_pool(), 3, make_context())


@pytest.mark.parametrize("column", ["labels", "true_classes", "y"])
def test_strategy_that_looks_for_hidden_labels_raises(column, make_pool, make_context):
    with pytest.raises(StrategyError, match=f"bad reads '{column}' of the pool, which nobody may know"):
        choose(Bad(lambda pool, n: getattr(pool, column)), make_pool(), 3, make_context())


@pytest.mark.parametrize("column", ["classes", "probabilities", "embeddings", "draws"])
def test_strategy_that_reads_what_it_did_not_declare_raises(column, make_pool, make_context):
    with pytest.raises(
        StrategyError, match=f"bad reads {column} of the pool but was not given it; name it in its needs"
    ):
        choose(Bad(lambda pool, n: getattr(pool, column)), make_pool(), 3, make_context())


def test_strategy_that_reads_undeclared_arrays_of_the_labeled_rows_raises(make_pool, make_context):
    class Nosy(Strategy):
        """Reads the labels of the labeled rows without saying so."""

        name = "nosy"

        def score(self, pool, context):
            return context.labeled.labels

    with pytest.raises(StrategyError, match="nosy reads labels of the labeled"):
        choose(Nosy(), make_pool(), 3, make_context())


def test_errors_reach_only_those_who_follow_them(make_pool, make_context):
    seen = []

    class Curious(Strategy):
        """Looks at the errors."""

        name = "curious"

        def score(self, pool, context):
            seen.append(context.confusion)
            return np.zeros(len(pool))

    choose(Curious(), make_pool(), 3, make_context())
    assert seen == [None]
    with pytest.raises(StrategyError, match="ratio follows the model's errors but got no confusion"):
        choose(make_strategy("ratio"), make_pool(), 3, Context(np.random.default_rng(0)))


def test_strategy_cannot_change_what_it_sees(make_pool, make_context):
    def vandal(pool, n):
        pool.rows[0] = 1

    with pytest.raises(ValueError, match="read-only"):
        choose(Bad(vandal), make_pool(), 3, make_context())
    with pytest.raises(AttributeError, match="cannot be changed"):
        make_pool().rows = np.arange(3)


@pytest.mark.parametrize("scores", [lambda n: np.zeros(n - 1), lambda n: np.zeros((n, 1)), lambda n: np.float64(0)])
def test_scores_of_another_shape_are_refused(scores, make_pool, make_context):
    class Odd(Strategy):
        """Scores not row by row."""

        name = "odd"

        def score(self, pool, context):
            return scores(len(pool))

    with pytest.raises(StrategyError, match=r"odd gave scores of shape .* for 60 rows"):
        choose(Odd(), make_pool(), 3, make_context())


def test_score_that_is_nan_is_refused_even_where_it_would_not_be_chosen(make_pool, make_context):
    class Holey(Strategy):
        """One score is missing."""

        name = "holey"

        def score(self, pool, context):
            return np.where(np.arange(len(pool)) == 30, np.nan, 1.0)

    pool = make_pool()
    with pytest.raises(StrategyError, match=f"holey scored row {pool.rows[30]} NaN"):
        choose(Holey(), pool, 3, make_context())


def test_probabilities_that_do_not_add_up_are_refused(make_pool, make_context):
    pool = make_pool()
    logits = np.array(pool.probabilities)
    logits[7] *= 3
    with pytest.raises(
        StrategyError, match=f"probabilities of pool row {pool.rows[7]} holds probabilities that do not"
    ):
        choose(make_strategy("entropy"), Pool(pool.rows, probabilities=logits), 3, make_context())


def test_labeled_rows_are_checked_too(make_pool, make_context):
    labeled = Labeled(np.arange(2), embeddings=np.array([[0.0] * 5, [np.inf] * 5], np.float32))
    with pytest.raises(StrategyError, match="embeddings of labeled row 1 holds a number that is not finite"):
        choose(make_strategy("coreset"), make_pool(), 3, Context(np.random.default_rng(0), labeled))


def test_pool_with_a_row_twice_is_refused(make_context):
    with pytest.raises(StrategyError, match="row 5 is in the pool twice"):
        choose(make_strategy("random"), Pool(np.array([5, 6, 5])), 2, make_context())


def test_negative_query_is_refused(make_pool, make_context):
    with pytest.raises(StrategyError, match="n=-1"):
        choose(make_strategy("random"), make_pool(), -1, make_context())
