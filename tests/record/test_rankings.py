import math

import pytest

from lit_al.exceptions import StoreError
from lit_al.record import ModelVersion, NewGeneration, Ranked


def test_a_ranking_comes_back_as_it_was(record):
    ranked = [Ranked(3, 0.5, "close", {"bad": 0.5, "good": 0.5}, control=True), Ranked(1, 0.25)]
    number = record.publish(NewGeneration(2, "margin", labels_seen=9), ranked)
    assert record.ranked(number) == ranked
    assert record.ranked_item(number, 1) == ranked[1]
    assert record.ranked_item(number, 9) is None
    newest = record.newest_generation()
    assert (newest.id, newest.model_version, newest.strategy, newest.labels_seen, newest.n) == (
        number,
        2,
        "margin",
        9,
        2,
    )


def test_a_score_without_end_is_stored_as_none(record):
    number = record.publish(NewGeneration(None, "coreset"), [Ranked(3, math.inf)])
    assert math.isnan(record.ranked(number)[0].score)


def test_a_ranking_with_a_strange_text_leaves_the_old_one_in_force(record):
    record.publish(NewGeneration(None, "random"), [Ranked(3, 0.0)])
    with pytest.raises(StoreError):
        record.publish(NewGeneration(None, "random"), [Ranked(4, 0.0), Ranked(99, 0.0)])
    assert [one.item for one in record.ranked(record.newest_generation().id)] == [3]
    assert len(record.generations()) == 1


def test_models_come_back_newest_last(record):
    for version in (1, 2):
        record.add_model(ModelVersion(version, f"checkpoints/model-{version}.ckpt", "ff", 10, 9, {"advice": "go on"}))
    assert [model.version for model in record.models()] == [1, 2]
    assert record.newest_model().facts == {"advice": "go on"}


def test_a_round_begun_again_must_ask_for_the_same(record):
    record.begin_round(0, [3, 1], "random")
    record.begin_round(0, [3, 1], "random")
    with pytest.raises(StoreError, match=r"round 0 .* asked for other texts"):
        record.begin_round(0, [3, 2], "random")


def test_a_round_keeps_its_order_and_its_end(record):
    record.begin_round(0, [3, 1], "random", {"why": "first"})
    assert not record.rounds()[0].ended
    record.end_round(0, {"state": "state/round-0.pt"})
    [done] = record.rounds()
    assert (done.rows, done.ended) == ((3, 1), True)
    assert done.facts == {"why": "first", "state": "state/round-0.pt"}


def test_a_round_that_never_began_cannot_end(record):
    with pytest.raises(StoreError, match="has not begun"):
        record.end_round(1, {})


def test_small_facts_are_the_last_ones(record):
    assert record.state("trainer") is None
    for state in ("training", "ready"):
        record.set_state("trainer", {"state": state})
    assert record.state("trainer") == {"state": "ready"}
