"""`lit-al drift`: exit codes by the alarm, files that others read, and a reference that goes where its model goes."""

import json
import re

import numpy as np
import pytest

from lit_al.cli import main
from lit_al.data import load_corpus
from lit_al.drift.model_reference import FILE, Reference
from lit_al.drift.reading import encoder_of, read
from lit_al.drift.text_counts import TextCounts
from lit_al.models.checkpoint import load_frozen, save_model
from lit_al.models.text_teacher import TextTeacher


@pytest.fixture
def before(write_mails):
    return write_mails(600, seed=1, name="before.csv")


@pytest.fixture
def today(write_mails):
    return write_mails(400, seed=2, name="today.csv")


@pytest.fixture
def shifted(today):
    """Half of today's texts about something else."""
    head, *lines = today.read_text().splitlines()
    lines = [re.sub(r"^[^,]*", "refund of a broken order", line) if row % 2 else line for row, line in enumerate(lines)]
    path = today.with_name("shifted.csv")
    path.write_text("\n".join([head, *lines]) + "\n")
    return path


@pytest.fixture
def run(checkpoint, before, tmp_path, capsys):
    def drift(data, *options, model=checkpoint, reference=before):
        file = tmp_path / "drift.json"
        file.unlink(missing_ok=True)
        words = ["drift", model, "--data", data, "--json", file, *options]
        code = main.main(list(map(str, [*words, *(["--reference", reference] if reference else [])])))
        return code, json.loads(file.read_text()) if file.exists() else None, capsys.readouterr()

    return drift


def test_texts_like_those_before_raise_no_alarm(run, today):
    code, found, printed = run(today)
    assert (code, found["alarm"], found["reasons"]) == (0, False, [])
    assert "no alarm" in printed.out
    assert [one["question"] for one in found["shifts"]] == [
        "class shares", "confidence", "unknown words", "text lengths", "words"
    ]  # fmt: skip
    assert found["texts"] == {"before": 600, "now": 400}


def test_other_texts_raise_one_and_words_are_named(run, shifted):
    code, found, printed = run(shifted)
    assert (code, found["alarm"]) == (1, True)
    assert "ALARM" in printed.out
    assert found["unknown_share"]["now"] > 2 * found["unknown_share"]["before"]
    assert {one["word"] for one in found["words"]} & {"of", "a", "the"}


def test_thresholds_decide_what_an_alarm_is(run, shifted):
    assert run(shifted, "--alarm", "1e-300")[0] == 0
    code, found, _ = run(shifted, "--alarm-psi", "50")
    assert found["reasons"] == ["words have shifted"]  # which have no index
    code, found, _ = run(shifted, "--alarm", "1e-300", "--alarm-accuracy", "0.99")
    assert code == 1
    assert found["accuracy"]["doc"] < 0.99
    assert "the accuracy is guessed at" in found["reasons"][0]


def test_guess_needs_labels_and_says_that_it_is_one(run, today, before):
    _, found, printed = run(today)
    assert found["accuracy"]["before"] == pytest.approx(0.9, abs=0.05)
    assert found["accuracy"]["doc"] == pytest.approx(0.9, abs=0.05)
    assert "only labels know" in printed.out
    bare = before.with_name("bare.csv")
    bare.write_text("\n".join(line.partition(",")[0] for line in before.read_text().splitlines()) + "\n")
    assert run(today, reference=bare)[1]["accuracy"] is None


def test_texts_to_label_keep_their_columns_and_are_read_as_data(run, shifted, tmp_path):
    own = shifted.read_text().splitlines()
    numbered = tmp_path / "numbered.csv"
    numbered.write_text("\n".join(f"{row or 'ticket'},{line}" for row, line in enumerate(own)) + "\n")
    file = tmp_path / "label.csv"
    run(numbered, "--to-label", file, "--label-rows", "40")
    corpus = load_corpus(str(file), id_column="ticket", classes=("ham", "spam"))
    assert len(corpus) == 40
    assert len(set(corpus.ids)) == 40
    assert all(own[int(key)].startswith(text) for key, text in zip(corpus.ids, corpus.texts, strict=True))
    assert sorted(set(corpus.columns["drift_reason"])) == ["random", "strange", "unsure"]


def test_page_is_one_file_and_shows_what_is_hostile_as_text(run, shifted, tmp_path):
    with shifted.open("a") as file:
        file.write('"<script>alert(1)</script> zzz zzz zzz",ham\n' * 20)
    run(shifted, "--to", tmp_path / "drift.html", "--to-label", tmp_path / "next.csv")
    page = (tmp_path / "drift.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert not re.search(r"(?:src|href)=[\"']?(?!data:)", page)
    assert "A guess, not a measurement" in page
    assert "next.csv" in page


def test_reference_goes_along_with_an_exported_model_and_knows_its_temperature(
    run, checkpoint, before, today, tmp_path
):
    model = load_frozen(checkpoint)
    corpus = load_corpus(str(before))
    [(tokens, said)] = list(read(model, corpus.texts))
    folder = tmp_path / "run"
    save_model(TextTeacher(("ham", "spam"), {"words": ["cash"]}, {"words": 1}), folder / "other" / "best.ckpt")
    (folder / "checkpoints").mkdir()
    (folder / "checkpoints" / "best.ckpt").write_bytes(checkpoint.read_bytes())
    reference = Reference.of(TextCounts.of(tokens, said), encoder_of(model), model.classes, "600 texts")
    reference.knowing(said, corpus.labels).write(folder)
    plain = run(today, model=folder, reference=None)[1]
    words = ["export-model", folder, "--to", tmp_path / "out", "--data", before, "--no-onnx"]
    assert main.main(list(map(str, words))) == 0
    assert Reference.read(tmp_path / "out" / FILE).temperature != 1
    exported = run(today, model=tmp_path / "out", reference=None)[1]
    for one, other in zip(plain["shifts"], exported["shifts"], strict=True):
        assert one["p"] == pytest.approx(other["p"], abs=0.05)  # a text may lie on the edge between two bins
    assert exported["accuracy"]["doc"] == pytest.approx(plain["accuracy"]["doc"], abs=1e-3)


def test_teacher_is_watched_as_a_network_is(today, before, tmp_path, capsys):
    teacher = TextTeacher(("ham", "spam"), {"words": ["cash", "free", "lunch", "the"]}, {"words": 1})
    path = save_model(teacher, tmp_path / "teacher.ckpt")
    assert main.main(["drift", str(path), "--data", str(today), "--reference", str(before)]) == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--alarm", "2"], "must lie between 0 and 1"),
        (["--alarm-psi", "-1"], "must be 0 or more"),
        (["--alarm-accuracy", "0"], "must lie above 0"),
        (["--label-rows", "1"], "must be 2 or more"),
        (["--to-label", "next.pdf"], "says no format"),
        (["--text-column", "nonsense"], "nonsense"),
    ],
)
def test_what_cannot_work_ends_in_a_sentence_and_code_2(options, said, run, today):
    code, found, printed = run(today, *options)
    assert (code, found) == (2, None)
    assert said in printed.err
    assert printed.err.count("\n") == 1


def test_model_without_a_reference_says_where_one_comes_from(run, today):
    code, _, printed = run(today, reference=None)
    assert code == 2
    assert "give texts of before as --reference FILE" in printed.err


def test_few_texts_are_no_reference_and_few_of_today_are_noted(run, write_mails, today):
    assert run(today, reference=write_mails(50, name="few.csv"))[0] == 2
    assert "today has 30 texts" in run(write_mails(30, seed=5, name="thirty.csv"))[2].out


def test_same_files_say_the_same_twice(run, shifted):
    assert run(shifted)[1] == run(shifted)[1]
    assert np.isfinite([one["p"] for one in run(shifted)[1]["shifts"]]).all()
