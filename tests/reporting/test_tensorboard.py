"""The events of a run, read back as TensorBoard reads them."""

import io
import re
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import imread
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from lit_al.data import Corpus, shorten
from lit_al.loop.query import Query
from lit_al.loop.rounds import Round, Seconds
from lit_al.metrics import Confusion, Evaluation
from lit_al.reporting import figures
from lit_al.reporting.tensorboard import CHARACTERS_SHOWN, TEXTS_SHOWN, TensorBoardLog
from lit_al.strategies import Choice
from lit_al.training.history import Epoch

EPOCH = Epoch(
    fit=0, epoch=0, loss=0.5, accuracy=0.75, val_loss=0.625, val_accuracy=0.6875, samples=4, seconds=0.1
)  # every value is exact in float32
STEERING = Evaluation(0.375, Confusion(np.array([[5, 3], [1, 7]])))  # 16 rows: 1 false negative, 3 false positives
CHOICE = Choice(np.array([2, 0, 3, 1]), np.zeros(4), ("",) * 4, shares=(0.25, 0.75))
PROBABILITIES = np.array([[0.125, 0.875], [0.5, 0.5], [1, 0], [0.75, 0.25]], dtype=np.float32)
QUERY = Query(1, "ratio", CHOICE, PROBABILITIES, answers=np.array([1, 0, 1, 1]))
MACRO_F1 = float(np.float32(47 / 63))  # the mean of 10/14 and 14/18, as the file holds it
ROUND = Round(QUERY, 12, Seconds(1.5), steering=STEERING)


@pytest.fixture
def corpus():
    return Corpus(["dull", "a gem", "so so", "fine"], np.array([0, 1, 1, 1]), ("negative", "positive"))


def written(folder: Path, corpus: Corpus, *rounds: Round) -> EventAccumulator:
    """The events of a board that was told of these rounds."""
    board = TensorBoardLog(folder, corpus, "a run")
    for done in rounds:
        board.round(done)
    board.close()
    return read(folder)


def read(folder: Path) -> EventAccumulator:
    return EventAccumulator(str(folder)).Reload()


def curve(events: EventAccumulator, tag: str) -> list[tuple[int, float]]:
    return [(event.step, event.value) for event in events.Scalars(tag)]


def text(events: EventAccumulator, tag: str) -> str:
    """The last text of a tag."""
    return events.Tensors(f"{tag}/text_summary")[-1].tensor_proto.string_val[0].decode()


def rendered(markdown: str) -> str:
    """HTML, made by what TensorBoard's text page is made with."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # from a library inside TensorBoard, on its import
        from tensorboard.plugin_util import markdown_to_safe_html
    return markdown_to_safe_html(markdown)


def picked(folder: Path, *texts: str, classes: tuple[str, ...] = ("negative", "positive")) -> str:
    """The table of these texts, as HTML."""
    corpus = Corpus(texts, np.zeros(len(texts)), classes)
    n = len(texts)
    choice = Choice(np.arange(n), np.zeros(n), ("",) * n)
    probabilities = np.full((n, len(classes)), 0.5, dtype=np.float32)
    done = replace(ROUND, query=Query(1, "random", choice, probabilities, answers=np.zeros(n, np.int64)))
    return rendered(text(written(folder, corpus, done), "picked"))


def cells_of_rows(html: str) -> list[int]:
    """How many cells each row of the one table has, its heading first."""
    assert html.count("<table>") == 1
    return [len(re.findall("<t[dh]>", row)) for row in html.split("<tr>")[1:]]


# epochs


def test_epochs_of_all_fits_lie_on_one_axis(tmp_path, corpus):
    board = TensorBoardLog(tmp_path, corpus, "a run")
    for fit, epoch in ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (2, 0)):
        board.epoch(replace(EPOCH, fit=fit, epoch=epoch))
    board.close()
    assert curve(read(tmp_path), "round/fit") == [(1, 1), (2, 1), (3, 1), (4, 2), (5, 2), (6, 3)]


def test_epoch_has_loss_and_accuracy_of_training_and_validation(tmp_path, corpus):
    board = TensorBoardLog(tmp_path, corpus, "a run")
    board.epoch(EPOCH)
    board.close()
    events = read(tmp_path)
    expected = {"loss/train": 0.5, "loss/val": 0.625, "accuracy/train": 0.75, "accuracy/val": 0.6875, "round/fit": 1}
    assert {tag: curve(events, tag) for tag in events.Tags()["scalars"]} == {
        tag: [(1, value)] for tag, value in expected.items()
    }


# rounds


def test_round_has_what_steered_it_and_what_it_took(tmp_path, corpus):
    events = written(tmp_path, corpus, ROUND)
    expected = {
        "round/loss": 0.375,
        "round/accuracy": 0.75,
        "round/macro_f1": MACRO_F1,
        "round/false_negatives": 1,
        "round/false_positives": 3,
        "round/labels": 12,
        "round/seconds": 1.5,
        "share/negative": 0.25,
        "share/positive": 0.75,
        "taken/negative": 1,
        "taken/positive": 3,
        "missed/negative": 3,
        "missed/positive": 1,
    }
    assert {tag: curve(events, tag) for tag in events.Tags()["scalars"]} == {
        tag: [(1, value)] for tag, value in expected.items()
    }


def test_rounds_are_counted_by_their_number(tmp_path, corpus):
    later = [replace(ROUND, query=replace(QUERY, number=n), labels=8 + 4 * n) for n in (2, 3)]
    events = written(tmp_path, corpus, ROUND, *later)
    assert curve(events, "round/labels") == [(1, 12), (2, 16), (3, 20)]
    assert [event.step for event in events.Tensors("picked/text_summary")] == [1, 2, 3]


def test_each_of_three_classes_has_its_curves(tmp_path):
    corpus = Corpus(["a", "b", "c", "d"], np.array([0, 1, 2, 2]), ("bad", "so so", "good"))
    done = replace(
        ROUND,
        steering=Evaluation(0.5, Confusion(np.array([[4, 1, 2], [0, 5, 0], [0, 1, 6]]))),
        query=replace(
            QUERY,
            choice=replace(CHOICE, shares=(0.5, 0.25, 0.25)),
            probabilities=np.full((4, 3), 0.25, dtype=np.float32),
            answers=np.array([0, 0, 1, 2]),
        ),
    )
    events = written(tmp_path, corpus, done)
    assert [curve(events, f"missed/{name}") for name in ("bad", "so so", "good")] == [[(1, 3)], [(1, 0)], [(1, 1)]]
    assert curve(events, "taken/bad") == [(1, 2)]
    assert curve(events, "share/so so") == [(1, 0.25)]


def test_classes_whose_names_differ_in_signs_only_have_curves_each(tmp_path):
    corpus = Corpus(["a", "b", "c", "d"], np.array([0, 1, 1, 1]), ("c++", "c##"))
    tags = written(tmp_path, corpus, ROUND).Tags()["scalars"]
    assert len([tag for tag in tags if tag.startswith("taken/")]) == 2


# the final test


def test_test_is_one_point_of_each_figure(tmp_path, corpus):
    board = TensorBoardLog(tmp_path, corpus, "a run")
    board.test(STEERING)
    board.close()
    events = read(tmp_path)
    expected = {"test/loss": 0.375, "test/accuracy": 0.75, "test/macro_f1": MACRO_F1}
    expected |= {"test/false_negatives": 1, "test/false_positives": 3}
    assert {tag: curve(events, tag) for tag in events.Tags()["scalars"]} == {
        tag: [(0, value)] for tag, value in expected.items()
    }


# texts picked


def test_picked_lists_row_probabilities_and_text_in_the_order_taken(tmp_path, corpus):
    heading, rule, *rows = text(written(tmp_path, corpus, ROUND), "picked").splitlines()
    assert heading == "| row | p(negative) | p(positive) | text |"
    assert set(rule) == {"|", "-"}
    assert rows == [
        "| 2 | 0.125 | 0.875 | so so |",
        "| 0 | 0.500 | 0.500 | dull |",
        "| 3 | 1.000 | 0.000 | fine |",
        "| 1 | 0.750 | 0.250 | a gem |",
    ]


def test_picked_shows_the_first_texts_of_a_large_query(tmp_path):
    assert len(cells_of_rows(picked(tmp_path, *["more of it"] * 50))) == 1 + TEXTS_SHOWN


@pytest.mark.parametrize(
    "hostile",
    [
        "a | b || c |",
        "two\nlines\r\nand\u2028a third",
        "<b>bold, never closed",
        "<br /><br />tags of IMDB",
        "<script>alert('x')</script>",
        "<!-- a comment, never closed",
        "`code | never closed",
        "ends with a backslash \\",
        "|---|---|---|---|",
        "# not a heading",
        "1 < 2 & 3 > 2 &lt; &#124;",
        "\x00\x02\x03",
        "",
    ],
)
def test_picked_stays_one_table_whatever_the_text(tmp_path, hostile):
    html = picked(tmp_path, "before", hostile, "after")
    assert cells_of_rows(html) == [4, 4, 4, 4]
    assert "<td>after</td>" in html
    assert "<script" not in html


@pytest.mark.parametrize("hostile", ["</td></tr></table> done", "<table><tr><td>a table"])
def test_picked_stays_one_table_whatever_the_tags_of_tables(tmp_path, hostile):
    assert cells_of_rows(picked(tmp_path, "before", hostile, "after")) == [4, 4, 4, 4]


@pytest.mark.parametrize(
    "hostile", ["<img src=http://example.org/x.png>", "![](http://example.org/x.png)", "[click](http://example.org/)"]
)
def test_picked_loads_and_links_nothing(tmp_path, hostile):
    html = picked(tmp_path, hostile)
    assert "<img" not in html
    assert "<a" not in html


def test_picked_stays_one_table_whatever_the_class_names(tmp_path):
    assert cells_of_rows(picked(tmp_path, "text", classes=("good|fine", "bad"))) == [4, 4]


# texts shortened


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("short", "short"),
        ("", ""),
        ("  a\n b\t c ", "a b c"),
        ("a|b", "a|b"),
        ("a<br />b", "a b"),
        ("0123456789", "0123456789"),
        ("0123456789+", "0123456789…"),
        ("ünïcödé… and", "ünïcödé… a…"),
    ],
)
def test_shorten_gives_one_line_of_a_length(text, expected):
    assert shorten(text, 10) == expected


def test_shorten_marks_what_it_cuts_of_a_very_long_text():
    assert shorten("x" * 10_000_000) == "x" * CHARACTERS_SHOWN + "…"


def test_shorten_marks_what_it_cuts_behind_white_space():
    assert shorten("a" + " " * 100 + "b", 10) in ("a b", "a…")


# figures, heading


def test_figure_is_stored_as_drawn(tmp_path, corpus):
    figure = Figure(figsize=(2, 1), dpi=50)
    canvas = FigureCanvasAgg(figure)
    figure.subplots().plot([1, 2, 3])
    board = TensorBoardLog(tmp_path, corpus, "a run")
    board.figure("loss", figure)
    board.close()
    (image,) = read(tmp_path).Images("figures/loss")
    assert (image.step, image.width, image.height) == (0, 100, 50)
    stored = imread(io.BytesIO(image.encoded_image_string))  # (H, W, 3) float32 in 0 .. 1
    np.testing.assert_array_equal(np.round(stored * 255), np.asarray(canvas.buffer_rgba())[..., :3])


def test_run_says_what_was_run(tmp_path, corpus):
    assert text(written(tmp_path, corpus), "about") == "a run"


@pytest.mark.parametrize(("is_demo", "loud"), [(True, True), (False, False)])
def test_run_says_demo_corpus_loudly_and_only_of_one(tmp_path, corpus, is_demo, loud):
    results = {
        "data": {"source": "the source", "demo": is_demo},
        "mode": "active",
        "protocol": "keras",
        "seeds": {"seed": 0},
    }
    TensorBoardLog(tmp_path, replace(corpus, is_demo=is_demo), figures.title(results)).close()
    found = text(read(tmp_path), "about")
    assert found.startswith("**DEMO CORPUS") == loud
    assert "the source" in found
