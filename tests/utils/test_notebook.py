import re
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lit_al.loop.query import Query
from lit_al.loop.rounds import Round, Seconds
from lit_al.loop.state import Judgment, LoopState
from lit_al.metrics import Confusion, Evaluation
from lit_al.strategies import Choice, make_strategy
from lit_al.utils.notebook import html_table


class Tables(HTMLParser):
    """What a browser would see: the tags, and the cells' words."""

    def __init__(self, shown):
        super().__init__()
        self.tags, self.cells, self.open = set(), [], False
        self.feed(shown)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.open = tag in ("td", "th")
        if self.open:
            self.cells.append("")

    def handle_endtag(self, tag):
        self.open = False

    def handle_data(self, data):
        if self.open:
            self.cells[-1] += data


@given(st.lists(st.tuples(st.text(), st.text()), max_size=5), st.text())
def test_whatever_cells_hold_they_are_text(rows, caption):
    shown = Tables(html_table(caption, ("a", "b"), rows))
    assert shown.tags <= {"table", "caption", "tr", "th", "td"}
    assert len(shown.cells) == 2 + 2 * len(rows)


def test_long_tables_say_how_long_they_are():
    shown = html_table("numbers", ["n"], [[n] for n in range(1_000)], most=3)
    assert "numbers (the first 3 of 1,000)" in shown
    assert Tables(shown).cells == ["n", "0", "1", "2"]


@pytest.fixture
def query():
    choice = Choice(np.array([7, 3]), np.array([0.5, 0.25]), ("entropy 0.5 nats", "<random control>"))
    return Query(1, "entropy", choice, np.array([[0.9, 0.1], [0.2, 0.8]]))


def test_query_has_a_line_for_each_text(query):
    cells = Tables(query.answered(np.array([0, -1]))._repr_html_()).cells
    assert cells[6:12] == ["7", "0", "0.900", "0", "0.500", "entropy 0.5 nats"]
    assert cells[12:] == ["3", "1", "0.800", "-1", "0.250", "<random control>"]
    assert Tables(query._repr_html_()).cells[9] == ""  # not answered yet
    first = Query(0, "random", Choice(np.array([4]), np.zeros(1), ("drawn at random",)))
    assert Tables(first._repr_html_()).cells[6:] == ["4", "", "", "", "0.000", "drawn at random"]


def test_round_says_what_it_cost_and_how_good_the_model_is(query):
    test = Evaluation(0.1, Confusion(np.array([[9, 1], [0, 10]])))
    shown = Round(query.answered(np.array([0, -1])), 120, Seconds(2.5, score=0.5), asked=130, test=test)._repr_html_()
    cells = Tables(shown).cells
    found = dict(zip(cells[: len(cells) // 2], cells[len(cells) // 2 :], strict=True))
    assert (found["labels"], found["asked"], found["skipped"], found["seconds"]) == ("120", "130", "1", "3.000")
    assert (found["accuracy on the test set"], found["accuracy, estimated"]) == ("0.950", "")
    assert re.search("Round 1: entropy", shown)


def test_run_has_a_line_for_each_batch():
    run = LoopState(3, make_strategy("margin+random:0.2"), np.arange(50), np.arange(50, 60), np.zeros(10, np.int64))
    run.asked = 12
    run.judgments = [Judgment(0, 60, 2, 1, 8, 5), Judgment(1, 50, 3, 3, 7, 6)]
    shown = run._repr_html_()
    assert "Run of seed 3 by margin+random:0.2: 10 labels, 12 asked, 50 texts in the pool" in shown
    assert Tables(shown).cells[6:] == ["1", "60", "2", "1", "8", "5", "2", "50", "3", "3", "7", "6"]
