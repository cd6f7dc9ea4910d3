import io

import pytest

from lit_al.reporting import figures


def results(classes=("negative", "positive"), demo=False, mode="active"):
    errors = {name: {"false_negatives": 5 + i, "false_positives": 7 - i} for i, name in enumerate(classes)}
    entry = {"errors": errors, "shares": dict.fromkeys(classes, 1 / len(classes)), "taken": dict.fromkeys(classes, 10)}
    epoch = {"loss": 0.6, "val_loss": 0.5, "accuracy": 0.7, "val_accuracy": 0.8, "samples": 1_000}
    return {
        "mode": mode,
        "protocol": "keras",
        "steer_on": "test",
        "seeds": {"seed": 3},
        "data": {"source": "demo (seed 0)" if demo else "imdb", "demo": demo, "classes": list(classes)},
        "epochs": [{**epoch, "fit": fit} for fit in (0, 0, 1)],
        "rounds": [{**entry, "round": 1}, {**entry, "round": 2}],
    }


def words(figure):
    figure.savefig(io.BytesIO(), format="png")
    texts = [figure.get_suptitle()]
    for axes in figure.axes:
        texts += [text.get_text() for text in axes.texts]
        texts += [axes.get_xlabel(), axes.get_ylabel(), axes.get_title()]
        texts += [label.get_text() for label in axes.get_xticklabels()]
        texts += [text.get_text() for text in axes.get_legend().get_texts()] if axes.get_legend() else []
    return " | ".join(texts)


@pytest.mark.parametrize("classes", [("negative", "positive"), ("a", "b", "c"), tuple("abcdefghijkl")])
def test_every_figure_is_drawn_and_titled(classes):
    drawn = figures.figures(results(classes))
    assert set(drawn) == {"loss", "accuracy", "rounds"}
    for figure in drawn.values():
        assert "imdb · active, keras protocol, seed 3" in words(figure)


def test_demo_corpus_is_named_loudly():
    for figure in figures.figures(results(demo=True)).values():
        assert words(figure).startswith("DEMO CORPUS (generated text)")


def test_rounds_are_bounded_by_their_labels():
    figure = figures.loss_figure(results())
    assert words(figure).count("1,000 labels") == 2
    assert [line.get_xdata()[0] for line in figure.axes[0].lines if len(set(line.get_xdata())) == 1][:1] == [0.5]


def test_rounds_figure_shows_errors_and_shares():
    shown = words(figures.rounds_figure(results()))
    assert "positive (FN)" in shown
    assert "negative (FP)" in shown
    assert "50% / 50%" in shown


def test_nothing_is_drawn_of_nothing():
    assert figures.figures({**results(), "epochs": [], "rounds": []}) == {}


def test_comparison_shows_both_with_their_noise():
    def part(labels, accuracy):
        errors = {"false_negatives": 300, "false_positives": 400}
        test = {"accuracy": accuracy, "low": accuracy - 0.01, "high": accuracy + 0.01, "loss": 0.3412, **errors}
        return {"test": test, "labels_spent": {"train": labels}, "wall_seconds": 99.6}

    found = {**results(mode="compare"), "full": part(40_000, 0.858), "active": part(29_997, 0.85)}
    shown = words(figures.figures(found)["compare"])
    assert "40,000 labels" in shown
    assert "0.8500" in shown
    assert "95 % interval" in shown
    assert "loss 0.3412" in shown
    assert "100 s" in shown
    assert "false positives" in shown


def test_names_of_any_script_are_drawn_without_a_word_of_missing_fonts(recwarn):
    from matplotlib.figure import Figure

    figure = Figure()
    figure.subplots().set_title("好评 ยอดเยี่ยม ممتاز 😀")
    assert figures.save(figure, "png").startswith(b"\x89PNG")
    assert not list(recwarn)
