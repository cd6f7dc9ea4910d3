"""Criteria as people write them: read back as they are meant, or refused with what was meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lit_al.criteria import MEASURES, OF_A_CLASS, SHARES, TIMES, Criterion, read_criteria
from lit_al.exceptions import ConfigError

CLASS = st.text("ab ,;'%>=.ü-0", min_size=1, max_size=8).map(str.strip).filter(bool)


@st.composite
def criteria(draw):
    measure = draw(st.sampled_from(MEASURES))
    of = draw(CLASS) if measure in OF_A_CLASS else ""
    top = 1 if measure in SHARES else 900
    return Criterion(measure, of, draw(st.sampled_from([">=", "<="])), draw(st.integers(0, 1_000)) / 1_000 * top)


@given(st.lists(criteria(), min_size=1, max_size=5))
def test_what_is_spelled_is_read(asked):
    found = read_criteria(", ".join(map(str, asked)))
    assert [(one.measure, one.of, one.way) for one in found] == [(one.measure, one.of, one.way) for one in asked]
    assert [one.bound for one in found] == pytest.approx([one.bound for one in asked], rel=1e-5)


@pytest.mark.parametrize(
    ("text", "bound"),
    [("accuracy>=90%", 0.9), (" ACCURACY >= .9 ,", 0.9), ("latency_p99<=0.02s", 20), ("latency_p50 <= 20 ms", 20),
     ("gain>=-1%", -0.01), ("loss<=1.5", 1.5)],
)  # fmt: skip
def test_numbers_have_units(text, bound):
    assert read_criteria(text)[0].bound == pytest.approx(bound)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no criterion"),
        (" , ", "no criterion"),
        ("accuracy", "lacks >= or <= and a number, as in accuracy>=0.9"),
        ("accuracy>0.9", "write >= or <="),
        ("accuracy=0.9", "write >= or <="),
        ("accuracy>=", "write it as"),
        ("accuracy>=0.9.1", "0.9.1 is no number"),
        ("acuracy>=0.9", "no measure 'acuracy'; did you mean 'accuracy'?"),
        ("recal[spam]>=0.9", "no measure 'recal'; did you mean 'recall'?"),
        ("accuracy[spam]>=0.9", "accuracy is of all classes; leave [spam] away, or ask for recall[spam]"),
        ("accuracy>=90", "is a share; did you mean 0.9?"),
        ("recall[spam]>=-0.1", "is a share; It lies"),
        ("latency_p99<=20", "a latency has a unit; write 20ms"),
        ("accuracy>=20ms", "accuracy is no time"),
        ("recall[spam>=0.9", "a bracket is open"),
        ("accuracy>=0.9; loss<=1", "write it as"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_was(text, said):
    with pytest.raises(ConfigError) as error:
        read_criteria(text)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("recall>=0.95", "names no class; did you mean recall[spam]?"),
        ("recall[Spam]>=0.95", "no class 'Spam'; did you mean 'spam'? they are ham, spam"),
        ("f1[x]>=0.95", "no class 'x'; they are ham, spam"),
    ],
)
def test_classes_are_those_of_the_model(text, said):
    with pytest.raises(ConfigError) as error:
        read_criteria(text)[0].check_class(("ham", "spam"))
    assert said in str(error.value)


def test_every_time_has_its_percentile():
    assert [int(name.rpartition("p")[2]) for name in TIMES] == [50, 99]
