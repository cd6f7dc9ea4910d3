import pytest

from lit_al.record import Item, Record, sha256_of


@pytest.fixture
def record(tmp_path):
    """Ten texts, three labels, nobody has said anything."""
    with Record.create(tmp_path / "record.sqlite", ["bad", "good", "odd"], guidelines="Read it.") as made:
        made.add_items(Item(number, sha256_of(f"text {number}"), f"text {number}") for number in range(10))
        yield made
