"""The gate: values are those of scipy and of `metrics`, verdicts go by the worse end, exit codes by the verdicts."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import f1_score, log_loss, precision_score, recall_score

from lit_al.cli import main
from lit_al.data import load_corpus
from lit_al.delivery.baseline import PairedComparison
from lit_al.delivery.held_out import HeldOut
from lit_al.models.checkpoint import load_frozen, save_model
from lit_al.models.prediction import probabilities
from lit_al.models.text_teacher import TextTeacher


@pytest.fixture
def run_gate(checkpoint, write_mails, tmp_path, capsys):
    held = write_mails()

    def run(require, *options, data=held):
        file = tmp_path / "gate.json"
        file.unlink(missing_ok=True)
        words = ["gate", checkpoint, "--data", data, "--require", require, "--json", file, *options]
        code = main.main(list(map(str, words)))
        return code, json.loads(file.read_text()) if file.exists() else None, capsys.readouterr()

    return run


def test_values_are_those_of_scikit_learn_and_shares_have_wilsons_interval(run_gate, checkpoint, tmp_path):
    asked = "accuracy>=0, recall[spam]>=0, precision[ham]>=0, f1[spam]>=0, macro-f1>=0, loss<=9"
    code, found, _ = run_gate(asked)
    corpus = load_corpus(str(tmp_path / "held.csv"))
    said = np.concatenate(list(probabilities(load_frozen(checkpoint), corpus.texts)))
    true, predicted = corpus.labels, said.argmax(axis=1)
    wanted = [
        (true == predicted).mean(), recall_score(true, predicted), precision_score(true, predicted, pos_label=0),
        f1_score(true, predicted), f1_score(true, predicted, average="macro"),
        log_loss(true, said / said.astype(np.float64).sum(axis=1, keepdims=True)),
    ]  # fmt: skip
    assert code == 0
    assert [one["value"] for one in found["criteria"]] == pytest.approx(wanted, rel=1e-4)
    assert all(one["low"] <= one["value"] <= one["high"] for one in found["criteria"])
    for one in found["criteria"][:3]:
        right = round(one["value"] * one["rows"])
        ends = stats.binomtest(right, one["rows"]).proportion_ci(method="wilson")
        assert (one["low"], one["high"]) == pytest.approx((ends.low, ends.high))


def test_teacher_is_judged_as_a_network_is(run_gate, tmp_path):
    teacher = save_model(TextTeacher(("ham", "spam"), {"words": ["cash"]}, {"words": 1}), tmp_path / "teacher.ckpt")
    [one] = run_gate("accuracy>=0", "--baseline", teacher)[1]["criteria"]
    assert 0 <= one["value"] <= 1
    assert main.main(["gate", str(teacher), "--data", str(tmp_path / "held.csv"), "--require", "latency_p99<=1h"]) == 2
    assert main.main(["gate", str(teacher), "--data", str(tmp_path / "held.csv"), "--require", "accuracy>=0"]) == 0


def test_worse_end_decides_unless_the_value_is_to(run_gate):
    [one] = run_gate("accuracy>=0.5")[1]["criteria"]
    between = f"accuracy>={(one['low'] + one['value']) / 2}"
    code, found, printed = run_gate(between)
    assert (code, found["passed"], found["criteria"][0]["holds"]) == (1, False, False)
    assert "the gate is shut" in printed.out
    assert "by the values alone accuracy would hold" in printed.out
    code, found, printed = run_gate(between, "--point")
    assert (code, found["passed"], found["by"]) == (0, True, "value")
    assert "the gate is open" in printed.out


def test_upper_end_decides_where_less_is_better(run_gate):
    [one] = run_gate("loss<=9")[1]["criteria"]
    between = f"loss<={(one['high'] + one['value']) / 2}"
    assert run_gate(between)[0] == 1
    assert run_gate(between, "--point")[0] == 0
    assert run_gate(f"loss<={one['high']}1")[0] == 0


def test_one_criterion_that_fails_shuts_the_gate(run_gate):
    code, found, printed = run_gate("accuracy>=0.5, recall[spam]>=0.999")
    assert code == 1
    assert [one["holds"] for one in found["criteria"]] == [True, False]
    assert "recall[spam]>=0.999 does not hold" in printed.out


def test_same_gate_says_the_same_twice_whatever_the_order_of_the_texts(run_gate, tmp_path):
    asked = "accuracy>=0.5, macro-f1>=0.5, f1[ham]>=0.5, recall[ham]>=0.5"
    one = run_gate(asked)[1]["criteria"]
    assert run_gate(asked)[1]["criteria"] == one
    head, *lines = (tmp_path / "held.csv").read_text().splitlines()
    (tmp_path / "back.csv").write_text("\n".join([head, *lines[::-1]]) + "\n")
    assert run_gate(asked, data=tmp_path / "back.csv")[1]["criteria"] == one


def test_latency_is_that_of_one_text_at_a_time(run_gate):
    code, found, printed = run_gate("latency_p50<=10s, latency_p99<=0.0001ms")
    half, most = found["criteria"]
    assert code == 1
    assert 0 < half["low"] <= half["value"] <= most["value"] <= most["high"]
    assert half["rows"] == 500
    assert " ms" in printed.out


@pytest.mark.parametrize(
    ("require", "said"),
    [
        ("recall>=0.9", "did you mean recall[spam]?"),
        ("gain>=0", "name it with --baseline"),
        ("accurcy>=0.9", "did you mean 'accuracy'?"),
    ],
)
def test_bad_criteria_end_in_a_sentence_and_code_2(run_gate, require, said):
    code, found, printed = run_gate(require)
    assert (code, found) == (2, None)
    assert said in printed.err


def test_class_that_no_text_has_cannot_be_judged(run_gate, tmp_path):
    (tmp_path / "one.csv").write_text("text,label\nlunch the,ham\nmeeting a,ham\n")
    code, _, printed = run_gate("recall[spam]>=0.9", data=tmp_path / "one.csv")
    assert code == 2
    assert "no text of file one.csv has the label 'spam'" in printed.err
    assert run_gate("recall[ham]>=0.1", data=tmp_path / "one.csv")[0] == 0


def test_baseline_is_compared_text_by_text(run_gate, made, tmp_path):
    other = save_model(made(("spam", "ham")), tmp_path / "old.ckpt")  # it knows nothing, and has its classes turned
    code, found, printed = run_gate("accuracy>=0.5, gain>=0.1", "--baseline", other)
    compared = found["baseline"]
    assert code == 0
    assert compared["both_right"] + compared["gained"] == round(0.0001 + found["criteria"][0]["value"] * 400)
    assert compared["gain"] == found["criteria"][1]["value"] > 0.1
    assert compared["p"] < 1e-6
    assert compared["differing"][0]["before"] in ("ham", "spam")
    assert "a difference beyond chance" in printed.out
    code, found, printed = run_gate("gain>=0", "--baseline", tmp_path / "model.ckpt")
    assert (code, found["baseline"]["p"]) == (1, 1.0)
    assert "McNemar's exact p = 1" in printed.out


def test_gate_reads_what_export_model_writes(checkpoint, write_mails, tmp_path):
    held = write_mails()
    assert main.main(["export-model", str(checkpoint), "--to", str(tmp_path / "out"), "--no-onnx"]) == 0
    assert main.main(["gate", str(tmp_path / "out"), "--data", str(held), "--require", "accuracy>=0.7"]) == 0


@given(st.integers(0, 2**32 - 1), st.integers(1, 60))
def test_mcnemar_is_the_sign_test_of_the_texts_that_one_alone_calls_right(seed, rows):
    rng = np.random.default_rng(seed)
    held = HeldOut([f"text {n}" for n in range(rows)], rng.integers(0, 3, rows), "made", ())
    now, before = rng.dirichlet([1] * 3, (2, rows))
    found = PairedComparison.of(held, "abc", now, "abc", before)
    right, was = now.argmax(1) == held.labels, before.argmax(1) == held.labels
    assert (found.gained, found.lost) == ((right & ~was).sum(), (was & ~right).sum())
    assert found.rows == rows
    low, high = found.gain_interval
    assert low <= found.gain <= high
    assert len(found.differing) == (now.argmax(1) != before.argmax(1)).sum()
    one_sided = stats.binom.cdf(min(found.gained, found.lost), found.gained + found.lost, 0.5)
    assert found.p == pytest.approx(min(1.0, 2 * one_sided))
    turned = PairedComparison.of(held, "abc", before, "abc", now)
    assert (turned.gain, turned.p) == (-found.gain, found.p)
