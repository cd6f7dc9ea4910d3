"""Versions of a labeling run: listed, kept, promoted, compared, and judged by what they have not learned."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lit_al.cli import main
from lit_al.delivery.baseline import PairedComparison
from lit_al.delivery.held_out import HeldOut
from lit_al.delivery.project_versions import versions_of
from lit_al.models.checkpoint import save_model
from lit_al.models.model_registry import ModelRegistry, digest_of, production_of
from lit_al.record import Action, Item, ModelVersion, NewEvent, Record, sha256_of
from lit_al.record.audit import audits

ESTIMATE = {"accuracy": 0.9, "low": 0.7, "high": 0.97, "rows": 30}


class Project:
    """A labeling run of mails, with two models: one that tells them, and one that does not."""

    def __init__(self, folder, texts, labels):
        folder.mkdir()
        self.folder, self.texts, self.labels = folder, texts, labels
        with Record.create(folder / "record.sqlite", ["ham", "spam"], settings={"copies": "none"}) as record:
            record.add_items(Item(row, sha256_of(text), text) for row, text in enumerate(texts))

    def say(self, rows, annotator="ann", **facts):
        with Record.open(self.folder) as record:
            for row in rows:
                label = self.labels[row]
                record.append(NewEvent(f"{annotator}-{row}", row, annotator, Action.LABEL, label, **facts))

    def model(self, number, network, estimate=None, **facts):
        path = save_model(network, self.folder / "checkpoints" / f"model-{number}.ckpt")
        save_model(network, self.folder / "checkpoints" / "best.ckpt")
        with Record.open(self.folder) as record:
            seen, facts = record.last_seq(), {"fingerprint": f"{number}" * 64, "estimate": estimate, **facts}
            record.add_model(ModelVersion(number, f"checkpoints/{path.name}", digest_of(path), seen, 20, facts))


@pytest.fixture
def project(tmp_path, write_mails, learned, made):
    lines = write_mails(200, wrong=0.0).read_text().splitlines()[1:]
    texts, labels = zip(*(line.split(",") for line in lines), strict=True)
    found = Project(tmp_path / "mails", texts, labels)
    found.say(range(20), strategy="margin")
    found.model(1, made())
    found.model(2, learned(), ESTIMATE)
    return found


@pytest.fixture
def lit(capsys):
    """A command, its exit code, and what was said, on one line each."""

    def run(*words):
        code = main.main(list(map(str, words)))
        said = capsys.readouterr()
        return code, " ".join((said.out + said.err).split())

    return run


def test_list_has_number_labels_fingerprint_and_accuracy(project, lit, tmp_path):
    code, said = lit("models", project.folder, "--json", tmp_path / "found.json")
    assert code == 0
    assert "annotate 20 22222222 0.900 (0.700 to 0.970) random controls, 30" in said
    assert said.endswith("2 classes: 'ham', 'spam'")
    found = json.loads((tmp_path / "found.json").read_text())
    assert [(one["version"], one["labels"], one["production"]) for one in found["versions"]] == [
        (1, 20, False), (2, 20, False),
    ]  # fmt: skip
    assert found["versions"][0]["figures"] is None
    assert found["versions"][1]["figures"] == {**ESTIMATE, "by": "random controls"}


def test_promoted_version_outlives_the_trainers_tidying(project, lit):
    assert lit("models", project.folder, "promote", 1) == (0, f"version 1 of {project.folder} is in production")
    before = production_of(project.folder).read_bytes()
    (project.folder / "checkpoints" / "model-1.ckpt").unlink()
    assert production_of(project.folder).read_bytes() == before
    marks = [(one.there, one.kept, one.in_production) for one in versions_of(project.folder)]
    assert marks == [(True, True, True), (True, False, False)]
    code, said = lit("predict", project.folder, "win cash")
    assert code == 0
    assert "model: version 1 of mails, in production" in said
    assert "model: version 2 of mails, the newest" in lit("predict", f"{project.folder}@newest", "win cash")[1]


def test_rollback_is_said_and_kept_in_the_history(project, lit, tmp_path):
    for number in (1, 2):
        lit("models", project.folder, "promote", number)
    code, said = lit("models", project.folder, "rollback")
    assert (code, said) == (0, f"version 1 of {project.folder} is in production again, instead of version 2")
    assert lit("models", project.folder, "rollback")[0] == 2
    lit("models", project.folder, "--json", tmp_path / "found.json")
    history = json.loads((tmp_path / "found.json").read_text())["history"]
    assert [(one["version"], one["how"]) for one in history] == [(1, "promote"), (2, "promote"), (1, "rollback")]


def test_a_version_that_is_gone_or_damaged_is_refused(project, lit):
    (project.folder / "checkpoints" / "model-1.ckpt").unlink()
    assert lit("models", project.folder, "promote", 1) == (
        2,
        f"error: the weights of version 1 of {project.folder} are not there any more: of the models that are trained "
        "while people label, the newest alone stay; keep one in time with lit-al models RUN keep N",
    )
    save_model_bytes = (project.folder / "checkpoints" / "best.ckpt").read_bytes()[:-9]
    (project.folder / "checkpoints" / "model-2.ckpt").write_bytes(save_model_bytes)
    code, said = lit("models", project.folder, "keep", 2)
    assert (code, "is damaged, and is not kept" in said) == (2, True)
    assert ModelRegistry(project.folder).kept() == {}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["promote"], "promote takes one version, as in lit-al models"),
        (["compare", "1"], "compare takes two versions"),
        (["list", "1"], "list takes nothing"),
        (["promote", "two"], "'two' is no number of a version"),
        (["promote", "7"], "has no version 7; it has 1, 2"),
        (["promote", "1", "--data", "x.csv"], "--data is for compare"),
        (["rollback"], "no version of"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(project, lit, words, said):
    code, found = lit("models", project.folder, *words)
    assert (code, found.count("error: "), said in found) == (2, 1, True)


def test_models_from_elsewhere_are_added_to_a_folder(project, lit, tmp_path):
    store = tmp_path / "store"
    assert lit("models", store, "add", f"{project.folder}@2")[0] == 0
    assert lit("models", store, "add", project.folder / "checkpoints" / "model-1.ckpt")[0] == 0
    assert lit("models", store, "add", project.folder / "nothing.ckpt")[0] == 2
    first, second = versions_of(store)
    assert (first.number, first.facts["fingerprint"], first.facts["seen"]) == (1, "2" * 64, None)
    assert (second.facts["by"], second.facts["fingerprint"]) == ("annotate", "1" * 64)
    lit("models", store, "promote", 1)
    assert production_of(store).read_bytes() == (project.folder / "checkpoints" / "model-2.ckpt").read_bytes()


# --- Compare ----------------------------------------------------------------------------------------------------------


def test_a_version_against_itself_differs_nowhere(project, lit, write_mails, tmp_path):
    held = write_mails(300, seed=5)
    code, said = lit("models", project.folder, "compare", 2, 2, "--data", held, "--json", tmp_path / "found.json")
    found = json.loads((tmp_path / "found.json").read_text())
    assert (code, found["p"], found["gain"], found["differing"]) == (0, 1.0, 0.0, [])
    assert "McNemar's exact p = 1: no difference" in said


def test_compare_is_symmetric_and_knows_no_order_of_rows(project, lit, write_mails, tmp_path):
    held = write_mails(300, seed=5)
    head, *rows = held.read_text().splitlines()
    np.random.default_rng(0).shuffle(rows)
    mixed = tmp_path / "mixed.csv"
    mixed.write_text("\n".join([head, *rows]) + "\n")
    found = []
    for one, other, data in ((1, 2, held), (2, 1, held), (1, 2, mixed)):
        lit("models", project.folder, "compare", one, other, "--data", data, "--json", tmp_path / "found.json")
        found.append(json.loads((tmp_path / "found.json").read_text()))
    there, back, again = found
    assert there["p"] == back["p"] < 0.05
    assert (there["gained"], there["lost"]) == (back["lost"], back["gained"])
    assert (there["gain"], there["low"], there["high"]) == pytest.approx((-back["gain"], -back["high"], -back["low"]))
    texts = [sorted(one["text"] for one in which.pop("differing")) for which in (there, again)]
    assert texts[0] == texts[1]
    assert {**there, "data": ""} == {**again, "data": ""}


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=40))
def test_paired_comparison_is_antisymmetric(rows):
    truth, one, other = np.array(rows).T
    held = HeldOut([str(row) for row in range(len(rows))], truth, "somewhere", ())
    there = PairedComparison.of(held, "abc", np.eye(3)[one], "abc", np.eye(3)[other])
    back = PairedComparison.of(held, "abc", np.eye(3)[other], "abc", np.eye(3)[one])
    assert (there.p, there.gain, there.both, there.neither) == (back.p, -back.gain, back.both, back.neither)
    assert there.gain_interval == pytest.approx(tuple(-end for end in reversed(back.gain_interval)))
    assert {each.text for each in there.differing} == {each.text for each in back.differing}


def test_without_texts_that_neither_has_learned_it_says_what_is_missing(project, lit):
    code, said = lit("models", project.folder, "compare", 1, 2)
    assert code == 2
    assert "0 labels of" in said
    assert "give --data, or draw an audit: lit-al gate" in said
    project.say(range(20, 60), strategy="margin")  # chosen, not drawn: not of texts as all are
    assert lit("models", project.folder, "compare", 1, 2)[0] == 2


def test_random_labels_since_compare_versions(project, lit, tmp_path):
    project.say(range(20, 50), strategy="margin", control=True, predicted="ham", model_version=2)
    code, _ = lit("models", project.folder, "compare", 1, 2, "--json", tmp_path / "found.json")
    found = json.loads((tmp_path / "found.json").read_text())
    assert (code, found["rows"], found["both_right"] + found["gained"]) == (0, 30, 30)
    with Record.open(project.folder) as record:
        newest = record.last_seq()
    project.model(3, load(project, 2))
    assert lit("models", project.folder, "compare", 1, 3)[0] == 2  # which has seen event {newest}
    assert versions_of(project.folder)[-1].facts["seen"] == newest


def load(project, number):
    from lit_al.models.checkpoint import load_model

    return load_model(project.folder / "checkpoints" / f"model-{number}.ckpt")


# --- The gate ---------------------------------------------------------------------------------------------------------


def test_gate_by_controls_goes_by_the_estimate_of_the_version(project, lit, tmp_path):
    file = tmp_path / "gate.json"
    assert lit("gate", project.folder, "--require", "accuracy>=0.69", "--json", file)[0] == 0
    [ruling] = json.loads(file.read_text())["criteria"]
    assert [ruling[name] for name in ("value", "low", "high", "rows")] == [0.9, 0.7, 0.97, 30]
    assert lit("gate", project.folder, "--require", "accuracy>=0.71")[0] == 1
    assert lit("gate", project.folder, "--require", "accuracy>=0.71", "--point")[0] == 0
    code, said = lit("gate", f"{project.folder}@1", "--require", "accuracy>=0.5")
    assert code == 2
    assert "version 1 of" in said
    assert "draw an audit with lit-al gate" in said


def test_gate_of_a_class_goes_by_what_models_called_random_controls(project, lit, tmp_path):
    file = tmp_path / "gate.json"
    assert lit("gate", project.folder, "--require", "recall[spam]>=0.1")[0] == 2  # no control yet
    project.say(range(20, 60), strategy="margin", control=True, predicted="ham", model_version=2)
    project.say(range(60, 90), strategy="margin", predicted="spam", model_version=2)  # no controls
    code, said = lit("gate", project.folder, "--require", "recall[spam]>=0.1, recall[ham]>=0.5", "--json", file)
    spam, ham = json.loads(file.read_text())["criteria"]
    assert (code, spam["value"], ham["value"]) == (1, 0.0, 1.0)
    assert spam["rows"] + ham["rows"] == 40
    assert "those of the models of their time" in said


@pytest.mark.parametrize("require", ["loss<=1", "latency_p50<=1s", "gain>=0"])
def test_gate_by_controls_refuses_what_they_cannot_say(project, lit, require):
    code, said = lit("gate", project.folder, "--require", require)
    assert (code, "--audit" in said and "--data" in said) == (2, True)


def test_an_audit_judges_when_all_of_it_is_answered(project, lit, tmp_path):
    file = tmp_path / "gate.json"
    ask = ("gate", project.folder, "--audit", 30, "--require", "accuracy>=0.8", "--json", file)
    assert lit(*ask)[0] == 2
    [audit] = audits(project.folder)
    project.say(audit.items[:29])
    code, said = lit(*ask)
    assert code == 2
    assert "1 of the 30 texts of the audit have no answer yet" in said
    assert not file.exists()
    project.say(audit.items[29:])
    assert lit(*ask)[0] == 0
    found = json.loads(file.read_text())
    assert (found["rows"], found["criteria"][0]["value"]) == (30, 1.0)
    assert "look 2 at audit 1" in lit("gate", f"{project.folder}@1", "--require", "accuracy>=0.8")[1]
    assert "look 2 at audit 1" in lit("gate", f"{project.folder}@1", "--require", "accuracy>=0.8")[1]
    code, said = lit("models", project.folder, "compare", 1, 2)
    assert code == 0
    assert "30 labeled texts of mails: audit 1, drawn at random from 180" in said


def test_a_closed_audit_judges_no_model_that_may_have_learned_it(project, lit, learned):
    lit("gate", project.folder, "--audit", 30)
    project.say(audits(project.folder)[0].items)
    project.model(3, learned(), audits_closed=0)
    assert lit("gate", project.folder, "--close-audit") == (
        0,
        "audit 1 is closed; models learn its 30 texts from now on",
    )
    project.model(4, learned(), audits_closed=1)
    assert "audit 1" in lit("gate", f"{project.folder}@3", "--require", "accuracy>=0.5")[1]
    assert lit("gate", f"{project.folder}@4", "--require", "accuracy>=0.5")[0] == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "required: --require"),
        (["--audit", "30", "--data", "x.csv"], "give one of the two"),
        (["--close-audit", "--require", "accuracy>=0.5"], "give it alone"),
        (["--audit", "3"], "must be 10 or more"),
        (["--close-audit"], "no audit of"),
    ],
)
def test_gate_refuses_what_does_not_go_together(project, lit, words, said):
    code, found = lit("gate", project.folder, *words)
    assert (code, said in found) == (2, True)


def test_gate_without_labels_to_judge_by_is_one_sentence(checkpoint, lit):
    code, said = lit("gate", checkpoint, "--require", "accuracy>=0.5")
    assert code == 2
    assert "no run in which people label" in said
    assert "give --data" in said


def test_a_class_that_is_renamed_is_the_same_class(project, lit, tmp_path):
    lit("gate", project.folder, "--audit", 30)
    project.say(audits(project.folder)[0].items)
    assert lit("project", project.folder, "rename-label", "spam", "junk")[0] == 0
    file = tmp_path / "found.json"
    lit("gate", project.folder, "--require", "accuracy>=0.8", "--json", file)
    assert json.loads(file.read_text())["criteria"][0]["value"] == 1.0
    lit("models", project.folder, "compare", 2, 2, "--json", file)
    assert json.loads(file.read_text())["both_right"] == 30
