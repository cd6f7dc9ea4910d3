import os
import shutil

import pytest

from lit_al.annotate.managing import ProjectOptions, listed, manage
from lit_al.cli.main import main
from lit_al.exceptions import ConfigError, InUseError, RunError
from lit_al.record import Action, NewEvent, OwnerLock, Record


@pytest.fixture
def run(tmp_path, helpers):
    """A run of twelve texts; ann has said three things, one of them twice, bob one."""
    folder = tmp_path / "logs" / "reviews"
    with helpers.fill(folder) as record:
        record.add_annotator("ann")
        record.add_annotator("bob")
        said = [(0, "ann", "negative"), (1, "ann", "negative"), (1, "ann", "positive"), (2, "ann", None)]
        for number, (item, who, label) in enumerate([*said, (0, "bob", "positive")]):
            action = Action.SKIP if label is None else Action.LABEL
            record.append(NewEvent(f"event {number}", item, who, action, label=label))
    return folder


def do(run, what="list", *names, typed="", **more):
    said = []
    manage(ProjectOptions(run, what, names, **more), said.append, lambda: typed)
    return said


def test_runs_are_listed_with_what_they_hold(run):
    for folder in (run, run.parent):
        [line] = listed(folder)
        held = "12 texts, 2 classes, 3 labels, by ann (2), bob (1), no model, not in use, last answer "
        assert line.startswith(f"{run}: {held}")
    with OwnerLock(run, "lit-al annotate"):
        [line] = listed(run)
        assert f"in use by lit-al annotate, process {os.getpid()} on " in line


def test_a_folder_without_runs_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="holds no run"):
        list(listed(tmp_path))


def test_a_damaged_run_is_listed_with_why(run):
    shutil.copytree(run, run.parent / "sound")
    os.truncate(run / "record.sqlite", 5_000)
    lines = list(listed(run.parent))
    assert len(lines) == 2
    assert "lit-al recover" in lines[0]
    assert "12 texts" in lines[1]


@pytest.mark.parametrize("typed", ["", "no", "Reviews"])
def test_nothing_is_deleted_unless_the_name_is_typed(run, typed):
    with pytest.raises(ConfigError, match="nothing was deleted"):
        do(run, "delete", typed=typed)
    assert (run / "record.sqlite").is_file()


def test_a_run_is_deleted(run):
    said = do(run, "delete", typed="reviews")
    assert "3 labels" in said[0]
    assert said[-1] == f"deleted: {run}"
    assert not run.exists()


@pytest.mark.parametrize("lock", ["owner.lock", "trainer.lock"])
def test_a_run_that_somebody_is_at_is_not_deleted(run, lock):
    with OwnerLock(run, "lit-al annotate", lock), pytest.raises(InUseError, match="in use by lit-al annotate"):
        do(run, "delete", yes=True)
    assert (run / "record.sqlite").is_file()


def test_links_are_never_followed(run, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "kept.txt").write_text("kept")
    link = run.parent / "link"
    link.symlink_to(run)
    with pytest.raises(ConfigError, match="symbolic link"):
        do(link, "delete", yes=True)
    (run / "checkpoints").symlink_to(other)
    with pytest.raises(RunError, match="symbolic link"):
        do(run, "delete", yes=True)
    assert (run / "record.sqlite").is_file()
    assert (other / "kept.txt").is_file()


def test_what_is_not_of_a_run_is_not_deleted(run):
    (run / "my thesis.docx").write_text("years of work")
    with pytest.raises(ConfigError, match=r"holds my thesis\.docx"):
        do(run, "delete", yes=True)
    with pytest.raises(ConfigError, match="is no run"):
        do(run.parent, "delete", yes=True)


def test_an_annotator_is_removed_and_the_labels_stay(run):
    with Record.open(run) as record:
        token = record.add_annotator("ann")
        [said] = do(run, "remove-annotator", "ann")  # while another process has the record open
        assert said == "ann is let in no more; their labels stay: 2 (--with-labels takes them back)"
        assert record.annotator_of(token) is None
        assert len(record.answers("ann")) == 3


def test_an_annotator_is_removed_with_all_labels_and_the_record_tells(run):
    [said] = do(run, "remove-annotator", "ann", with_labels=True)
    assert said == "ann is let in no more; labels taken back: 2"
    do(run, "remove-annotator", "ann", with_labels=True)  # again: nothing is left to do
    with Record.open(run) as record:
        assert record.answers("ann") == []
        assert record.labels() == {0: "positive"}
        assert [event.source for event in record.events()].count("project") == 4  # the label given before, too


def test_bad_words_end_in_a_sentence(run, capsys):
    for words, sentence in (
        (["remove-annotator"], "remove-annotator takes NAME"),
        (["remove-annotator", "annn"], "did you mean 'ann'?"),
        (["delete", "--with-labels"], "--with-labels is for remove-annotator"),
        (["list", "--yes"], "--yes is for delete"),
        (["burn"], "burn"),
    ):
        assert main(["project", str(run), *words]) == 2
        error = capsys.readouterr().err
        assert sentence in error
        assert error.count("\n") == 1
