"""`--oracle file`: people answer between the sittings of a run."""

import csv
import json
from html import unescape

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from lit_al.cli import main
from lit_al.record import Record

OPTIONS = [
    "--protocol=lean", "--recipe=scratch", "--labels=negative,positive", "--oracle=file", "--initial-size=20",
    "--query-size=10", "--rounds=1", "--steps=5", "--max-length=20", "--accelerator=cpu", "--name=run",
    "--strategy=margin+random:0.5",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _no_guard(monkeypatch):
    """Models of five steps answer one class, and the guard would choose every batch."""
    monkeypatch.setattr("lit_al.loop.acquisition.collapsed", lambda probabilities: None)


@pytest.fixture
def service(make_corpus, tmp_path, capsys):
    return Desk(make_corpus(120), tmp_path, capsys)


class Desk:
    """Somebody with a file of texts."""

    def __init__(self, corpus, tmp_path, capsys):
        self.truth = {text: corpus.classes[label] for text, label in zip(corpus.texts, corpus.labels, strict=True)}
        self.texts, self.path, self.run, self.capsys = corpus.texts, tmp_path, tmp_path / "run", capsys

    def begin(self, labeled=0, *more):
        """Start a run on a file where so many texts have labels; the exit code."""
        with (self.path / "texts.csv").open("w", newline="", encoding="utf-8") as file:
            rows = ((text, self.truth[text] if row < labeled else "") for row, text in enumerate(self.texts))
            csv.writer(file).writerows([("text", "label"), *rows])
        return main.main(["train", *OPTIONS, f"--data={self.path / 'texts.csv'}", f"--log-dir={self.path}", *more])

    def asked(self, number):
        with (self.run / "questions" / f"round-{number}.csv").open(newline="", encoding="utf-8-sig") as file:
            return list(csv.DictReader(file))

    def answered(self, number, most=None, **changes):
        """A file of true answers to the first questions, with changes to the first row."""
        rows = self.asked(number)
        for row in rows[:most]:
            row["label"] = self.truth[row["text"]]
        rows[0].update(changes)
        path = self.path / "answers.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        return str(path)

    def go_on(self, *more):
        return main.main(["train", "--resume", str(self.run), *more])

    def results(self):
        return json.loads((self.run / "results.json").read_text())

    def events(self):
        with Record.open(self.run) as record:
            return [*record.events()]


def test_people_answer_round_by_round_without_a_test_set(service):
    assert service.begin() == 0
    printed = service.capsys.readouterr().out.replace("\n", " ")
    assert "so there is no test figure: random controls estimate the accuracy" in printed
    assert f"--resume {service.run} --answers {service.run}/questions/round-0.csv" in printed
    assert service.results()["status"] == "waiting"
    assert "This run waits for people to answer" in (service.run / "report.html").read_text()
    assert len(service.asked(0)) == 20
    assert service.go_on("--answers", service.answered(0)) == 0
    assert "20 labels taken" in service.capsys.readouterr().out
    assert len(service.asked(1)) == 10
    assert service.go_on("--answers", service.answered(1, label="", action="skip")) == 0
    results = service.results()
    assert (results["status"], results["stop_reason"]) == ("finished", "all 1 rounds are done")
    assert results["test"] is results["rounds"][0]["test"] is results["bill"]["wrong"] is None
    assert results["labels_spent"] == {"train": 29, "skipped": 1, "validation": 0, "steering": 0, "total": 30}
    assert results["data"]["split"] == {"train": 0, "validation": 0, "test": 0, "pool": 120}
    assert results["estimate"] is None
    assert results["estimate_needs"] in (5, 6)
    assert all("test" not in shadow["sentence"] for shadow in results["shadow"])
    page = unescape((service.run / "report.html").read_text())
    assert f"Accuracy not known yet: {results['estimate_needs']} more random controls are needed." in page
    assert "29 answers" in page
    assert "not known yet" in service.capsys.readouterr().out.strip().splitlines()[-1]
    tags = EventAccumulator(str(service.run)).Reload().Tags()["scalars"]
    assert "controls/accuracy" not in tags  # so few say nothing
    assert "test/accuracy" not in tags
    assert main.main(["predict", "--checkpoint", str(service.run), "superb"]) == 0


def test_labels_of_the_file_begin_the_run(service):
    assert service.begin(labeled=8) == 0
    assert "from 20 labels (8 of the file, 12 drawn at random) to 30" in service.capsys.readouterr().out
    assert len(service.asked(0)) == 12
    assert not {row["text"] for row in service.asked(0)} & set(service.texts[:8])
    assert {event.annotator for event in service.events()} == {"file"}
    assert {event.item for event in service.events()} == set(range(8))
    assert service.go_on("--answers", service.answered(0)) == 0
    assert service.results()["rounds"][0]["labels"] == 20


def test_labels_that_suffice_are_learned_from_at_once(service):
    assert service.begin(40) == 0
    assert [entry["labels"] for entry in service.results()["rounds"]] == [40]
    assert len(service.asked(1)) == 10


def test_some_labels_may_be_set_aside_as_a_test(service):
    assert service.begin(40, "--test-size=12") == 0
    results = service.results()
    assert results["data"]["split"] == {"train": 0, "validation": 0, "test": 12, "pool": 108}
    assert results["rounds"][0]["labels"] == 28
    assert results["rounds"][0]["test"]["accuracy"] >= 0
    assert service.go_on("--answers", service.answered(1)) == 0
    assert sum(map(sum, service.results()["test"]["confusion"])) == 12


def test_partial_answers_are_kept_and_the_rest_is_counted(service):
    service.begin()
    assert service.go_on("--answers", service.answered(0, 5)) == 0
    printed = service.capsys.readouterr().out
    assert "5 labels taken" in printed
    assert "15 of 20 texts are not answered yet; nothing was trained" in printed
    assert service.go_on() == 0
    assert "15 of 20 texts" in service.capsys.readouterr().out
    assert service.results()["rounds"] == []
    assert service.go_on("--answers", service.answered(0)) == 0
    assert "15 labels taken" in service.capsys.readouterr().out
    assert len(service.results()["rounds"]) == 1


def test_dry_run_writes_nothing(service):
    service.begin()
    assert service.go_on("--answers", service.answered(0), "--dry-run") == 0
    assert "dry run, nothing was written" in service.capsys.readouterr().out
    assert service.events() == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"label": "Positive"}, "did you mean 'positive'?"),
        ({"text": "another text"}, "the text was edited"),
        ({"lit_al_id": "4000", "lit_al_sha256": "0" * 64}, "was not asked here"),
    ],
)
def test_file_with_a_mistake_is_refused_whole(service, changes, words):
    service.begin()
    assert service.go_on("--answers", service.answered(0, **changes)) == 2
    printed = service.capsys.readouterr().err
    assert words in printed
    assert "line 2" in printed
    assert service.events() == []


def test_questions_that_somebody_is_answering_are_not_written_over(service):
    service.begin()
    path = service.run / "questions" / "round-0.csv"
    path.write_text("half done")
    assert service.go_on() == 0
    assert path.read_text() == "half done"
    path.unlink()
    assert service.go_on() == 0
    assert len(service.asked(0)) == 20


def test_answers_are_the_same_run_whether_given_at_once_or_not(service, tmp_path):
    service.begin()
    for number in (0, 1):
        service.go_on("--answers", service.answered(number, 7))
        service.go_on("--answers", service.answered(number))
    first = service.results()
    service.run.rename(tmp_path / "first")
    service.begin()
    for number in (0, 1):
        service.go_on("--answers", service.answered(number))
    again = service.results()
    for key in ("rounds", "estimate", "bill", "labels_spent", "shadow"):
        assert without_seconds(first[key]) == without_seconds(again[key])
    assert (tmp_path / "first" / "picks.jsonl").read_text() == (service.run / "picks.jsonl").read_text()


def without_seconds(value):
    if isinstance(value, dict):
        return {key: without_seconds(part) for key, part in value.items() if not key.endswith("seconds")}
    return [without_seconds(part) for part in value] if isinstance(value, list) else value


def test_data_that_changed_meanwhile_is_refused(service):
    service.begin()
    answers = service.answered(0)
    path = service.path / "texts.csv"
    path.write_text(path.read_text().replace(service.texts[5], "quite another text"))
    assert service.go_on("--answers", answers) == 2
    assert "is not the data that" in service.capsys.readouterr().err
    assert len(service.events()) == 20  # the answers are kept all the same


def test_rows_that_move_between_question_and_answer_take_no_label_with_them(service):
    service.begin()
    answers = service.answered(0)
    path = service.path / "texts.csv"
    header, *rows = path.read_text().splitlines()
    path.write_text("\n".join([header, "a text that nobody had,", *rows[::-1]]))
    assert service.go_on("--answers", answers) == 0
    with Record.open(service.run) as record:
        labels = record.labels()
        assert {record.item(item).text: label for item, label in labels.items()} == {
            record.item(item).text: service.truth[record.item(item).text] for item in labels
        }
    assert len(service.asked(1)) == 10


@pytest.mark.parametrize(("copies", "texts"), [("near", 120), ("exact", 120), ("none", 121)])
def test_record_of_a_run_takes_for_copies_what_the_run_does(copies, texts, service):
    first = service.texts[0]
    service.texts, service.truth = [*service.texts, first.upper()], {**service.truth, first.upper(): "negative"}
    assert service.begin(0, f"--copies={copies}") == 0
    with Record.open(service.run) as record:
        assert record.count_items() == texts
        assert record.groups().members == ()  # of what is asked for, nothing is answered by something else


def test_questions_hold_the_users_own_columns_but_no_label(service):
    path = service.path / "tickets.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = [
            (text, service.truth[text] if row < 8 else "", f"T-{row}", "web") for row, text in enumerate(service.texts)
        ]
        csv.writer(file).writerows([("text", "label", "ticket", "channel"), *rows])
    options = [*OPTIONS, f"--data={path}", f"--log-dir={service.path}", "--id-column=ticket"]
    assert main.main(["train", *options]) == 0
    asked = service.asked(0)
    assert list(asked[0]) == [
        "ticket", "channel", "lit_al_id", "lit_al_sha256", "text", "label", "action", "note", "round",
    ]  # fmt: skip
    assert all(row["ticket"] == f"T-{service.texts.index(row['text'])}" for row in asked)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--oracle-noise=0.1"], "--oracle-noise is of simulated oracles; leave it out with --oracle file"),
        (["--oracle-skip=0.1"], "--oracle-skip is of simulated oracles"),
        (["--test-size=9"], "--test-size 9 must lie between 1 and the 8 labels that the data has"),
        (["--labels=good,bad"], "is not one of the labels; they are 'good', 'bad'"),
        (["--protocol=keras"], "--recipe has no use with --protocol keras"),
    ],
)
def test_settings_that_cannot_work_leave_no_folder(service, more, words):
    assert service.begin(8, *more) == 2
    printed = service.capsys.readouterr().err
    assert words in printed
    assert printed.count("\n") == 1
    assert not service.run.exists()
