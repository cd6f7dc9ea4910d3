"""`TextClassifier` in scikit-learn's manners: its own checks, pipelines, searches, and what is ours beside."""

import inspect
import io
import pickle
from functools import partial

import numpy as np
import pandas as pd
import pytest
from datasets import Dataset
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import check_estimator, parametrize_with_checks
from sklearn.utils.validation import validate_data

from lit_al import TextClassifier
from lit_al.cli.main import main
from lit_al.exceptions import CheckpointError, ConfigError, InputError, LitALError
from lit_al.models.checkpoint import load_model
from lit_al.models.prediction import classify

SCRATCH = {"recipe": "scratch", "steps": 30, "vocabulary_size": 200, "max_length": 12, "accelerator": "cpu"}
LEAN = {"study_steps": 3, "vocabulary_size": 200, "max_length": 12, "accelerator": "cpu"}


def named(corpus, rows=slice(None)):
    return [corpus.classes[label] for label in corpus.labels[rows]]


@pytest.fixture(scope="module", params=[2, 3])
def corpus(request, make_corpus):
    return make_corpus(240, ("negative", "neutral", "positive")[: request.param])


@pytest.fixture(scope="module")
def lean(corpus):
    """Fitted on 60 labels and 120 texts without."""
    return TextClassifier(**LEAN).fit(corpus.texts[:60], named(corpus, slice(60)), unlabeled=corpus.texts[60:180])


# --- scikit-learn's checks --------------------------------------------------------------------------------------------


class OfNumbers(TextClassifier):
    """The same for tables of numbers, a text of each row, so that scikit-learn's checks have something to give it."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.string, tags.input_tags.one_d_array = True, False, False
        return tags

    def fit(self, X, y):
        return super().fit(spelled(validate_data(self, X)), y)

    def predict_proba(self, X):
        if not hasattr(self, "model_"):
            return super().predict_proba(["nothing"])
        return super().predict_proba(spelled(validate_data(self, X, reset=False)))


def spelled(table):
    """Each row as words: the number of a column and where about its value lies."""
    return [" ".join(f"c{column}v{round(value)}" for column, value in enumerate(row)) for row in table.tolist()]


NOT_OURS = {
    "check_classifiers_classes": "the whole number -1 means no label, as in sklearn.semi_supervised",
    "check_supervised_y_2d": "a table of labels is refused, not taken for a column of them",
    "check_class_weight_classifiers": "class_weight is the teacher's, balanced or none; no class has one of its own",
}


@parametrize_with_checks([OfNumbers(**SCRATCH | {"steps": 5})])
def test_scikit_learn_checks(estimator, check):
    reason = NOT_OURS.get(check.func.__name__)
    if reason:
        with pytest.raises((AssertionError, ValueError)):
            check(estimator)
        pytest.xfail(reason)
    check(estimator)


@pytest.mark.filterwarnings("ignore:Can't test estimator")
def test_checks_of_the_classifier_itself_are_few_because_it_takes_texts():
    done = check_estimator(TextClassifier())
    assert {one["status"] for one in done} == {"passed"}


# --- As part of something ---------------------------------------------------------------------------------------------


def test_clone_has_the_settings_and_nothing_learned(lean):
    copy = clone(lean.set_params(verbose=True))
    assert copy.get_params() == lean.get_params()
    assert copy.get_params()["verbose"]
    lean.set_params(verbose=False)
    with pytest.raises(NotFittedError):
        copy.predict(["a film"])


def test_every_setting_of_the_constructor_is_kept_as_given():
    names = set(inspect.signature(TextClassifier.__init__).parameters) - {"self"}
    given = {name: object() for name in names}
    assert all(getattr(TextClassifier(**given), name) is value for name, value in given.items())


def test_stands_in_pipeline_search_and_cross_validation(make_corpus):
    corpus = make_corpus(120)
    texts, labels = np.array(corpus.texts, object), np.array(named(corpus))
    lowered = make_pipeline(FunctionTransformer(partial(map_all, str.lower)), TextClassifier(**SCRATCH))
    search = GridSearchCV(lowered, {"textclassifier__steps": [1, 60]}, cv=2, error_score="raise").fit(texts, labels)
    assert search.best_params_ == {"textclassifier__steps": 60}
    assert search.score(texts, labels) > 0.9
    scores = cross_val_score(TextClassifier(**LEAN), texts, labels, cv=2, params={"unlabeled": corpus.texts[:50]})
    assert scores.shape == (2,)
    assert np.isfinite(scores).all()


def map_all(function, texts):
    return [function(text) for text in texts]


def test_pickle_keeps_all(lean, corpus):
    again = pickle.loads(pickle.dumps(lean))
    assert np.array_equal(again.predict_proba(corpus.texts[180:]), lean.predict_proba(corpus.texts[180:]))
    assert np.array_equal(again.query(9).rows, lean.query(9).rows)


# --- Texts and labels -------------------------------------------------------------------------------------------------

ROWS = [
    list,
    tuple,
    iter,
    np.array,
    pd.Series,
    lambda values: np.array(values, object),
    lambda values: pd.Series(values, index=range(5, 5 + len(values))),
    lambda values: Dataset.from_dict({"column": values})["column"],
]


@pytest.mark.parametrize("row_of", ROWS)
def test_texts_and_labels_come_in_any_row(row_of, make_corpus):
    corpus = make_corpus(40)
    plain = TextClassifier(**SCRATCH).fit(corpus.texts, named(corpus))
    found = TextClassifier(**SCRATCH).fit(row_of(list(corpus.texts)), row_of(named(corpus)))
    assert np.array_equal(found.predict_proba(row_of(list(corpus.texts))), plain.predict_proba(corpus.texts))


LABELS = [
    (["no", "yes"], ["no", "yes"]),
    (np.array([7, 3]), [3, 7]),
    ([True, False], [False, True]),
    (np.array([2.0, 0.0]), [0.0, 2.0]),
    ([np.int64(1), np.int64(0)], [0, 1]),
]


@pytest.mark.parametrize(("pair", "classes"), LABELS)
def test_labels_keep_their_type_in_predictions_and_through_a_file(pair, classes, make_corpus, tmp_path):
    corpus = make_corpus(40)
    labels = np.array([pair[label] for label in corpus.labels])
    fitted = TextClassifier(**SCRATCH).fit(corpus.texts, labels)
    assert fitted.classes_.tolist() == classes
    assert fitted.classes_.dtype.kind == labels.dtype.kind
    assert fitted.score(corpus.texts, labels) > 0.9
    loaded = TextClassifier.load(fitted.save(tmp_path / "model.ckpt"))
    assert loaded.classes_.dtype.kind == labels.dtype.kind
    assert np.array_equal(loaded.predict(corpus.texts), fitted.predict(corpus.texts))
    assert np.array_equal(loaded.predict_proba(corpus.texts), fitted.predict_proba(corpus.texts))


@pytest.mark.parametrize("missing", [None, float("nan"), "", -1, pd.NA])
def test_missing_label_is_as_good_as_an_unlabeled_text(missing, make_corpus):
    corpus = make_corpus(60)
    number = {"negative": 4, "positive": 9}
    words = named(corpus) if isinstance(missing, str) else [number[label] for label in named(corpus)]
    whole = TextClassifier(**LEAN).fit(corpus.texts[:20], words[:20], unlabeled=corpus.texts[20:])
    partial_ = TextClassifier(**LEAN).fit(corpus.texts, words[:20] + [missing] * 40)
    assert np.array_equal(partial_.predict_proba(corpus.texts), whole.predict_proba(corpus.texts))
    assert np.array_equal(partial_.query(7).rows, whole.query(7).rows + 20)


def test_two_texts_are_enough():
    fitted = TextClassifier(**LEAN).fit(["a fine film", "a dull mess"], ["yes", "no"])
    assert fitted.predict_proba(["a film", ""]).shape == (2, 2)
    assert any("2 texts teach little" in note for note in fitted.notes_)


GOOD = ["a fine film", "dull", "a gem"]
REFUSED = [
    ([], [], "X holds no text"),
    ("a fine film", ["yes"], "X is 'a fine film' .str., not a row of texts"),
    (pd.DataFrame({"text": GOOD}), [1, 0, 1], "X is a DataFrame.*take a column"),
    (np.array(GOOD)[:, None], [1, 0, 1], "should be a 1d array or list of texts"),
    ({"text": GOOD}, [1, 0, 1], "X is a dict"),
    (Dataset.from_dict({"text": GOOD}), [1, 0, 1], "X is a Dataset"),
    (["a", None, "b"], [1, 0, 1], r"X\[1\]: the text is missing"),
    (["a", 3.5, "b"], [1, 0, 1], r"X\[1\]: the text is 3.5 .float., not a string"),
    (["a", float("nan"), "b"], [1, 0, 1], r"X\[1\]: the text is nan"),
    (GOOD, None, "target y is None"),
    (GOOD, "yes", "y is 'yes'"),
    (GOOD, [1, 0], "3 texts need as many labels, got 2"),
    (GOOD, [1, 1, 1], "all labels are of one class, 1, but a classifier needs two"),
    (GOOD, [1, None, None], "all labels are of one class, 1"),
    (GOOD, [None] * 3, "no text has a label"),
    (GOOD, [1, -1, 1], "-1 means no label: call the classes 0 and 1"),
    (GOOD, [1, "no", 1], r"y\[1\] is 'no', a word, but y\[0\] is 1, a number"),
    (GOOD, [True, 0, 1], r"y\[1\] is 0, a number, but y\[0\] is True, a truth value"),
    (GOOD, [0.5, 1, 0], r"y\[0\] is 0.5, a number on a scale"),
    (["a"] * 1_001, range(1_001), "y has 1,001 different labels, more than 1,000; give classes"),
    (GOOD, [["a", "b"], ["a"], ["b"]], r"y\[0\] is \['a', 'b'\] .list.; give each text one class"),
]


@pytest.mark.parametrize(("texts", "labels", "words"), REFUSED)
def test_what_nothing_can_be_learned_from_is_refused_in_a_sentence(texts, labels, words):
    with pytest.raises(InputError, match=words) as refused:
        TextClassifier(**LEAN).fit(texts, labels)
    assert isinstance(refused.value, ValueError)
    assert "\n" not in str(refused.value)


def test_texts_without_a_word_are_refused():
    with pytest.raises(LitALError, match="no word at all"):
        TextClassifier(**LEAN).fit(["", " "], [0, 1])


def test_missing_labels_and_further_texts_together_are_refused():
    with pytest.raises(InputError, match=r"1 labels are missing and unlabeled= gives further texts"):
        TextClassifier(**LEAN).fit(GOOD, [0, 1, None], unlabeled=["a", "b"])


def test_settings_that_cannot_work_are_refused():
    with pytest.raises(ConfigError, match="recipe 'leen' is not one of"):
        TextClassifier(recipe="leen").fit(GOOD, [0, 1, 0])
    with pytest.raises(ConfigError, match="must be 1 or more"):
        TextClassifier(steps=0).fit(GOOD, [0, 1, 0])


# --- One and the same model -------------------------------------------------------------------------------------------


@settings(max_examples=4)
@given(order=st.permutations(range(90)), cut=st.integers(10, 40))
def test_order_of_texts_changes_nothing(corpus, order, cut):
    """Nor does the order of the further texts, nor copies with other labels among the labeled ones."""
    texts, labels = [*corpus.texts[:cut], *corpus.texts[:3]], [*named(corpus, slice(cut)), *named(corpus, slice(1, 4))]
    others, new = list(corpus.texts[cut:90]), corpus.texts[90:]
    turned, rest = [place for place in order if place < len(texts)], [place for place in order if place < len(others)]
    one = TextClassifier(**LEAN).fit(texts, labels, unlabeled=others)
    two = TextClassifier(**LEAN).fit(
        [texts[place] for place in turned],
        [labels[place] for place in turned],
        unlabeled=[others[place] for place in rest],
    )
    assert np.abs(one.predict_proba(new) - two.predict_proba(new)).max() < 1e-6
    assert one.query(8).texts == two.query(8).texts
    assert one.query(8).rows.tolist() == [rest[place] for place in two.query(8).rows]


def test_random_state_decides_the_model(corpus):
    texts, labels, new = corpus.texts[:60], named(corpus, slice(60)), corpus.texts[60:]

    def found(random_state):
        return TextClassifier(**LEAN, random_state=random_state).fit(texts, labels).predict_proba(new)

    assert np.array_equal(found(1), found(1))
    assert not np.array_equal(found(1), found(2))
    assert np.array_equal(found(np.random.RandomState(3)), found(np.random.RandomState(3)))
    assert not np.array_equal(found(None), found(None))


def test_a_fit_leaves_the_chance_of_others_as_it_was(corpus):
    """NumPy's; and what was learned before has no part in a second fit."""
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    classifier = TextClassifier(**LEAN).fit(corpus.texts[:30], named(corpus, slice(30)))
    fresh = TextClassifier(**LEAN).fit(corpus.texts[:60], named(corpus, slice(60)))
    again = classifier.fit(corpus.texts[:60], named(corpus, slice(60)))
    assert np.array_equal(again.predict_proba(corpus.texts), fresh.predict_proba(corpus.texts))
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002


# --- Predict, ask, keep -----------------------------------------------------------------------------------------------


def test_learns_what_there_is_to_learn(make_corpus):
    corpus = make_corpus(400)
    fitted = TextClassifier(**LEAN | {"study_steps": 200}).fit(
        corpus.texts[:40], named(corpus, slice(40)), unlabeled=corpus.texts[40:300]
    )
    assert fitted.score(corpus.texts[300:], named(corpus, slice(300, None))) > 0.9


def test_probabilities_are_those_of_the_checkpoint(lean, corpus, tmp_path):
    path, new = lean.save(tmp_path / "model.ckpt"), corpus.texts[180:]
    told = list(classify(load_model(path), new))
    assert [one.label for one in told] == lean.predict(new).tolist()
    assert np.allclose([list(one.probabilities.values()) for one in told], lean.predict_proba(new), atol=1e-6)
    assert np.allclose(lean.predict_proba(new).sum(axis=1), 1, atol=1e-6)


def test_model_is_that_of_lit_al_fit(make_corpus, tmp_path):
    corpus = make_corpus(60)
    labels = named(corpus, slice(40)) + [""] * 20
    pd.DataFrame({"text": corpus.texts, "label": labels}).to_csv(tmp_path / "texts.csv", index=False)
    asked = ["--recipe", "scratch", "--folds", "0", "--accelerator", "cpu", "--to", str(tmp_path / "fitted")]
    assert main(["fit", str(tmp_path / "texts.csv"), *asked]) == 0
    theirs = TextClassifier.load(tmp_path / "fitted" / "checkpoints" / "best.ckpt")
    ours = TextClassifier(recipe="scratch", accelerator="cpu").fit(corpus.texts, labels)
    assert np.array_equal(theirs.predict_proba(corpus.texts), ours.predict_proba(corpus.texts))


def test_query_asks_for_texts_without_label_each_once(corpus):
    texts, labels = list(corpus.texts[:30]), named(corpus, slice(30))
    others = [*texts[:5], "", " ", *corpus.texts[30:60], *corpus.texts[30:40]]
    fitted = TextClassifier(**LEAN).fit(texts, labels, unlabeled=others)
    query = fitted.query(1_000)
    assert [others[place] for place in query.rows] == list(query.texts)
    assert sorted(query.texts) == sorted(corpus.texts[30:60])
    assert query.probabilities.shape == (30, len(corpus.classes))
    assert len(query.scores) == len(query.choice.reasons) == 30
    assert 1 <= query.choice.controls.sum() <= 6
    again = TextClassifier(**LEAN).fit(texts, labels, unlabeled=others).query(10)
    assert np.array_equal(again.rows, fitted.query(10).rows)


@pytest.mark.parametrize("strategy", ["random", "entropy", "committee-kl", "badge", "kmeans", "typicality:vectors"])
def test_query_by_any_strategy(strategy, lean, corpus):
    rows = lean.query(5, strategy=strategy).rows
    assert len(set(rows.tolist())) == 5
    assert set(rows.tolist()) <= set(range(120))


def test_query_among_other_texts(lean, corpus, tmp_path):
    new = [*corpus.texts[180:230], "", corpus.texts[180]]
    query = lean.query(100, texts=new)
    assert sorted(query.rows.tolist()) == list(range(50))
    loaded = TextClassifier.load(lean.save(tmp_path / "model.ckpt"))
    assert np.array_equal(loaded.query(100, texts=new).rows, query.rows)
    assert len(lean.query(3, texts=new, strategy="entropy").rows) == 3
    with pytest.raises(ConfigError, match="needs committee of the texts, which only the texts of a fit have"):
        lean.query(3, texts=new, strategy="committee-kl")
    with pytest.raises(ConfigError, match="coreset needs a look at the labeled texts, which only"):
        lean.query(3, texts=new, strategy="coreset")
    with pytest.raises(ConfigError, match="a classifier that was loaded has no unlabeled texts"):
        loaded.query(3)


def test_query_that_cannot_be_is_refused(lean, make_corpus):
    corpus = make_corpus(20)
    fitted = TextClassifier(**LEAN).fit(corpus.texts, named(corpus))
    with pytest.raises(ConfigError, match="no text is left to label"):
        fitted.query(3)
    with pytest.raises(ConfigError, match="n=0 texts to label must be 1 or more"):
        lean.query(0)
    with pytest.raises(ConfigError, match="strategy 'margim' is unknown"):
        lean.query(3, strategy="margim")
    with pytest.raises(ConfigError, match="all texts= are empty"):
        lean.query(3, texts=["", " "])


def test_before_a_fit_there_is_nothing_to_tell(tmp_path):
    empty = TextClassifier()
    for act in (
        empty.predict,
        empty.predict_proba,
        lambda texts: empty.query(1, texts),
        lambda _: empty.save(tmp_path),
    ):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            act(["a film"])


def test_file_that_is_no_model_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="cannot be read"):
        TextClassifier.load(tmp_path / "absent.ckpt")


def test_nothing_is_said_unless_it_is_wanted(make_corpus, capfd, monkeypatch):
    corpus = make_corpus(30)
    TextClassifier(**LEAN).fit(corpus.texts, named(corpus)).predict(corpus.texts)
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", "")
    terminal = Console(file=io.StringIO(), force_terminal=True)
    monkeypatch.setattr("lit_al.experiment.text_classifier.Console", lambda: terminal)
    TextClassifier(**LEAN, verbose=True).fit(corpus.texts, named(corpus))
    assert "training" in terminal.file.getvalue()


def test_notebook_shows_texts_as_text(lean):
    fitted = TextClassifier(**LEAN).fit(
        ["<b>fine</b> film", "dull mess"], ["y", "n"], unlabeled=["<b>so</b> so", "a gem"]
    )
    shown = fitted.query(2)._repr_html_()
    assert "&lt;b&gt;so&lt;/b&gt; so" in shown
    assert "<b>" not in shown
    assert "2 texts to label next" in shown
