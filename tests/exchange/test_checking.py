import re

import pytest

from lit_al.exceptions import DataError
from lit_al.exchange.checking import Asked, check_answers
from lit_al.exchange.shapes import Given
from lit_al.record import sha256_of

TEXTS = {number: sha256_of(text) for number, text in enumerate(["so so", "a\nb", "gem"])}


def row(number=0, label="pos", place=2, **more):
    return Given(f"a.csv, line {place}", number, **{"sha256": TEXTS.get(number), "label": label, **more})


def check(*rows, classes=("neg", "pos"), **more):
    return check_answers(rows, Asked(TEXTS, classes, "me", **more), "a.csv")


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


@pytest.mark.parametrize("number", ["17.0", "seven", True, 1.0, 2**70, "9" * 30])
def test_what_is_no_id_is_refused(number):
    refuses("is no id of a text", row(number, sha256="x"))


@pytest.mark.parametrize("number", ["17.0", "", "seven", None, True, 2**70, 2, 99])
def test_what_a_row_holds_decides_whatever_number_stands_there(number):
    assert check(row(number, sha256=TEXTS[0])).replies[0].item == 0
    assert check(row(number, sha256=None, text="so so")).replies[0].item == 0


def test_copies_are_told_apart_by_numbers_ids_or_their_order():
    copies = {0: "x", 4: "x", 7: "x", 8: "y"}
    asked = Asked(copies, ("neg", "pos"), "me", {"K4": 4, "K8": 8})

    def items(*rows):
        return [reply.item for reply in check_answers(rows, asked, "a.csv").replies]

    def one(number=None, **more):
        return Given("a.csv, line 2", number, "x", label="pos", **more)

    assert items(one(7), one(4), one(0)) == [7, 4, 0]
    assert items(one(), one(), one()) == [0, 4, 7]
    assert items(one(annotator="ann"), one(annotator="bob")) == [0, 0]
    assert items(one(90), one(80)) == [4, 0]  # of another run: in the order of their numbers
    assert items(one(key="K4"), one()) == [4, 0]
    assert items(one(key="K8")) == [0]  # what a row holds decides, unless ids were named


def test_ids_decide_where_they_were_named():
    named = {"keys": {"A": 0, "B": 2}, "id_column": "order"}
    assert [
        reply.item for reply in check(row(None, sha256=None, key="B"), row(1, key="A", sha256=""), **named).replies
    ] == [
        2,
        0,
    ]
    refuses("no text of the run has the id 'C'", row(0, key="C"), **named)
    refuses("no id", row(0, key=""), **named)
    refuses("the text was edited", row(0, key="B", sha256="", text="so so"), **named)
    refuses("the sha256 is not that of the text", row(0, key="B"), **named)


def test_rows_that_say_nothing_may_be_of_texts_that_were_not_asked():
    checked = check(row(0), row(99, "", sha256="x"), row(None, None, sha256=None, text="unheard of"))
    assert (len(checked.replies), checked.unanswered) == (1, 2)
    refuses("this text was not asked here", row(None, sha256=None, text="unheard of"))


def test_texts_that_were_not_asked_are_refused():
    refuses("text 99 was not asked here; is the file of another run?", row("99", sha256="x"))
    refuses("the sha256 is not that of the text that was asked", row("0", sha256=sha256_of("another")))
    refuses("neither lit_al_sha256 nor text is there", row("0", sha256=None))
    assert check(row("0", sha256="", text="so so")).replies[0].item == 0


def test_edited_texts_are_refused():
    refuses(
        "the text was edited; put the original back, or leave the row out", row("0", sha256=TEXTS[0], text="so  so")
    )
    refuses("the text was edited; put the original back", row("0", sha256=None, text="so  so"))
    assert check(row("0", sha256=TEXTS[0], text="so so")).replies[0].item == 0


def test_line_breaks_that_a_spreadsheet_rewrote_are_no_edit():
    assert check(row(1, text="a\r\nb")).replies[0].item == 1
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
