import re

import pytest

from lit_al.exceptions import DataError
from lit_al.exchange.checking import Asked, check_answers
from lit_al.exchange.shapes import Given
from lit_al.record import sha256_of

TEXTS = {number: sha256_of(text) for number, text in enumerate(["so so", "a\nb", "gem"])}


def row(number=0, label="pos", place=2, **more):
    return Given(f"a.csv, line {place}", number, **{"sha256": TEXTS.get(number), "label": label, **more})


def check(*rows, classes=("neg", "pos"), force=False):
    return check_answers(rows, Asked(TEXTS, classes, "me", force), "a.csv")


def refuses(message, *rows, **options):
    with pytest.raises(DataError, match=re.escape(message)) as error:
        check(*rows, **options)
    assert str(error.value).endswith("Nothing was taken")


def test_labels_skips_notes_and_open_rows_are_told_apart():
    checked = check(
        row(0, "pos", note="sure", annotator="ann"), row(1, "", action="skip"), row(2, None), row(2, "", note="later")
    )
    first, second, third = checked.replies
    assert (first.label, first.note, first.annotator) == ("pos", "sure", "ann")
    assert (second.label, second.skipped, second.annotator) == (None, True, "me")
    assert (third.answered, third.note) == (False, "later")
    assert (checked.unanswered, checked.repeated) == (2, 0)


# Row 24: labels


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("Pos", "the label is 'Pos', did you mean 'pos'?"),
        ("pos ", "the label is 'pos ', did you mean 'pos'?"),
        ("poss", "the label is 'poss', did you mean 'pos'?"),
        ("nan", "the label is 'nan', which is none; the labels are 'neg', 'pos'"),
        (" ", "the label is ' ', blanks alone"),
        (1, "the label is 1 (int), not a string; the labels are 'neg', 'pos'"),
        (True, "the label is True (bool), not a string"),
        (float("nan"), "the label is nan (float), not a string"),
        (["pos"], "the label is ['pos'], but a text has one label"),
        ("neg,pos", "the label is 'neg,pos', which is none"),
    ],
)
def test_a_label_outside_the_set_is_refused_with_what_was_meant(label, message):
    refuses(f"a.csv, line 2: {message}", row(0, label))


def test_a_number_is_no_spelling_of_a_label_of_digits():
    refuses('the label is 1 (int), not a string; write "1"', row(0, 1), classes=("0", "1"))
    assert check(row(0, "1"), classes=("0", "1")).replies[0].label == "1"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"action": "Skip", "label": ""}, "the action is 'Skip'; it is 'skip' or empty"),
        ({"action": "skip"}, "a label and a skip at once"),
        ({"note": 3}, "the note is 3 (int), not a string"),
        ({"note": "a\0"}, "a NUL character"),
        ({"note": "\ud800"}, "half a surrogate pair at character 1 of the note"),
        ({"annotator": " ann"}, "the annotator ' ann' has blanks around the name"),
        ({"round": "two"}, "the round 'two' is no whole number"),
    ],
)
def test_other_fields_are_checked_too(more, message):
    refuses(message, row(**more))


# Rows 23 and 26: which text


@pytest.mark.parametrize("number", ["17.0", "", "seven", None, True, 1.0, 2**70, "9" * 30])
def test_what_is_no_id_is_refused(number):
    refuses("is no id of a text", row(number, sha256="x"))


def test_texts_that_were_not_asked_are_refused():
    refuses("text 99 was not asked here; is the file of another run?", row("99", sha256="x"))
    refuses("the sha256 is not that of the text that was asked", row("0", sha256=sha256_of("another")))
    refuses("neither lit_al_sha256 nor text is there", row("0", sha256=None))
    assert check(row("0", sha256="", text="so so")).replies[0].item == 0


def test_edited_texts_are_refused_or_marked():
    edited = row("0", sha256=TEXTS[0], text="so  so")
    refuses(
        "the text was edited; put the original back, or take the answer all the same with lit-al import --force", edited
    )
    assert check(edited, force=True).replies[0].forced
    assert not check(row("0", sha256=TEXTS[0], text="so so"), force=True).replies[0].forced


def test_line_breaks_that_a_spreadsheet_rewrote_are_no_edit():
    assert not check(row(1, text="a\r\nb")).replies[0].forced
    refuses("the text was edited", row(1, text="a\r\nb", sha256=None))  # nothing says that they were rewritten


def test_the_same_answer_twice_counts_once_and_another_is_refused():
    again = [row(0), row(0, place=3), row(0, "neg", annotator="ann", place=4)]
    checked = check(*again)
    assert (len(checked.replies), checked.repeated) == (2, 1)
    refuses(
        "a.csv, line 5: text 0 is 'neg' here, but 'pos' at a.csv, line 2, by the same annotator",
        *again,
        row(0, "neg", place=5),
    )
    refuses("text 0 is skipped here", row(0), row(0, None, action="skip"))


def test_ten_problems_are_listed_and_the_rest_counted():
    with pytest.raises(DataError) as error:
        check(row(0), *[row(0, "Pos", place=place) for place in range(3, 17)])
    lines = str(error.value).splitlines()
    assert lines[0] == "a.csv has 14 problems, and nothing was taken from it:"
    assert lines[1] == "  line 3: the label is 'Pos', did you mean 'pos'?"
    assert len(lines) == 12
    assert lines[-1] == "  and 4 more"
