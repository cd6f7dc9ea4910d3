"""What an audit does to the trainer: its texts come first, and no model learns their labels until it is closed."""

from lit_al.annotate.heartbeat import Pulse
from lit_al.annotate.trainer import Trainer
from lit_al.annotate.training_set import Snapshot, changed_since
from lit_al.models.model_registry import ModelRegistry
from lit_al.record.audit import close, draw


def turn(run):
    trainer = Trainer(run.folder, run.record, Pulse(run.record))
    trainer.turn(run.record.last_seq())
    return trainer


def test_no_model_learns_an_open_audit_and_the_next_one_does(make_run):
    run = make_run()
    run.answer(10)
    turn(run)
    audit = draw(run.record, 12)
    for item in audit.items:
        run.say(item, run.truth(item))
    assert changed_since(run.record, run.record.newest_model().labels_seen) == 0
    turn(run)
    assert [(one.version, one.labels) for one in run.record.models()] == [(1, 10)]
    others = [item for item in run.ids if item not in audit.items and item not in
              {answer.item for answer in run.record.answers()}]  # fmt: skip
    for item in others[:5]:
        run.say(item, run.truth(item))
    turn(run)
    assert [(one.version, one.labels, one.facts["audits_closed"]) for one in run.record.models()][-1] == (2, 15, 0)
    close(run.record)
    for item in others[5:10]:
        run.say(item, run.truth(item))
    turn(run)
    assert [(one.version, one.labels, one.facts["audits_closed"]) for one in run.record.models()][-1] == (3, 32, 1)


def test_a_new_ranking_asks_what_is_left_of_the_audit_first(make_run):
    run = make_run()
    run.answer(10)
    turn(run)
    audit = draw(run.record, 12)
    run.say(audit.items[0], "negative")
    others = [item for item in run.ids if item not in audit.items]
    said = {answer.item for answer in run.record.answers()}
    for item in [item for item in others if item not in said][:5]:
        run.say(item, run.truth(item))
    turn(run)
    ranking = run.record.newest_generation()
    assert ranking.model_version == 2
    ranked = run.record.ranked(ranking.id)
    assert [one.item for one in ranked[:11]] == list(audit.items[1:])
    assert not {one.item for one in ranked[11:]} & set(audit.items)
    assert all(one.predicted is None for one in ranked[:11])


def test_a_cold_start_asks_the_audit_first(make_run):
    run = make_run()
    audit = draw(run.record, 10)
    turn(run)
    ranked = run.record.ranked(run.record.newest_generation().id)
    assert [one.item for one in ranked[:10]] == list(audit.items)
    assert sorted(one.item for one in ranked) == sorted(run.ids)


def test_texts_of_an_audit_wait_for_all_their_annotators(make_run):
    run = make_run(overlap=2)
    audit = draw(run.record, 10)
    run.say(audit.items[0], "negative")
    items = [item.id for item in run.record.items()]
    snapshot = Snapshot.of(run.record, items)
    assert [items[row] for row in snapshot.audited] == list(audit.items)
    run.say(audit.items[0], "negative", annotator="bob")
    assert [items[row] for row in Snapshot.of(run.record, items).audited] == list(audit.items[1:])
    assert Snapshot.of(run.record, items).waiting == ()


def test_a_fit_that_takes_the_number_meanwhile_keeps_it(make_run, monkeypatch):
    run = make_run()
    run.answer(10)
    trainer = Trainer(run.folder, run.record, Pulse(run.record))
    whole = trainer._make

    def make(snapshot, number):
        assert ModelRegistry(run.folder).register(b"a fit", {}) == number == 1
        return whole(snapshot, number)

    monkeypatch.setattr(trainer, "_make", make)
    trainer.turn(run.record.last_seq())
    assert run.state["state"] == "ready"
    [model] = run.record.models()
    assert (model.version, model.path) == (2, "checkpoints/model-2.ckpt")
    assert run.record.newest_generation().model_version == 2
    assert (run.folder / "models" / "1.ckpt").read_bytes() == b"a fit"
    assert ModelRegistry(run.folder).numbers() == [1, 2]
