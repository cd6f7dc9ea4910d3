from lit_al.reporting.console import conclusion, flaws


def part(accuracy, total, error=0.005):
    return {"test": {"accuracy": accuracy, "standard_error": error}, "labels_spent": {"total": total}}


def test_flaws_name_what_the_settings_leak():
    keras = {"steer_on": "test", "pool_classes": "true", "ratio_direction": "as-coded"}
    honest = {"steer_on": "val", "pool_classes": "predicted", "ratio_direction": "as-stated"}
    assert len(flaws(keras)) == 3
    assert flaws(honest) == []
    assert flaws({**honest, "steer_on": "test"}) == ["steers by the test set, so that its test figure is optimistic"]


def test_conclusion_weighs_the_gap_against_the_noise():
    assert "0.0084 below full, within the noise" in conclusion(part(0.8508, 45_000), part(0.8424, 39_997))
    assert "0.0500 below full, more than the noise" in conclusion(part(0.87, 45_000), part(0.82, 39_997))
    assert "above full" in conclusion(part(0.80, 45_000), part(0.81, 39_997))
    assert "5,003 fewer labels in all" in conclusion(part(0.85, 45_000), part(0.84, 39_997))
    assert "2 more labels" in conclusion(part(0.85, 45_000), part(0.84, 45_002))
    assert "no fewer labels" in conclusion(part(0.85, 45_000), part(0.84, 45_000))
