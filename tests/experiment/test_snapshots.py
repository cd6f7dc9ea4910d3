import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from lit_al.exceptions import CheckpointError, FitError
from lit_al.experiment.snapshots import Snapshots
from lit_al.models import checkpoint
from lit_al.models.checkpoint import loaded, save
from lit_al.record import Item, Record, sha256_of
from lit_al.utils.packing import packed, unpacked


@dataclass(frozen=True)
class Inner:
    share: float
    rows: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Outer:
    name: str
    flags: npt.NDArray[np.bool_]
    inner: Inner | None
    shares: tuple[float, ...] = ()
    more: list[str] = field(default_factory=list)


@pytest.fixture
def states(tmp_path):
    told = []
    with Record.create(tmp_path / "record.sqlite", ["no", "yes"]) as record:
        record.add_items([Item(0, sha256_of("a"))])
        for number in range(4):
            record.begin_round(number, [0], "random")
        yield Snapshots(tmp_path, record, told.append), told


def test_packed_is_read_without_executing_and_unpacked_is_the_same(tmp_path):
    inner = Inner(np.float64(0.1), np.array([3, 1]))
    given = Outer("so", np.array([True, False]), inner, (np.float32(0.5), float("inf")), ["x"])
    save(lambda path: torch.save(packed(given), path), tmp_path / "state.pt")
    found = unpacked(Outer, loaded((tmp_path / "state.pt").read_bytes(), tmp_path))
    assert (found.name, found.shares, found.more) == ("so", (0.5, float("inf")), ["x"])
    assert (found.flags.tolist(), found.inner.rows.tolist(), found.inner.share) == ([True, False], [3, 1], 0.1)
    assert unpacked(Outer, packed(Outer("none", np.array([True]), None))).inner is None


def test_newest_state_and_the_one_before_it_are_kept(states, tmp_path):
    made, told = states
    for number in range(4):
        made.keep(number, {"model": {"w": torch.tensor([float(number)])}})
    assert sorted(path.name for path in (tmp_path / "state").iterdir()) == ["round-2.pt", "round-3.pt"]
    taken = []
    assert made.restore(taken.append) == 3
    assert taken[0]["model"]["w"].tolist() == [3.0]
    assert told == []


def test_state_that_nobody_vouches_for_is_passed_over(states, tmp_path):
    made, told = states
    made.keep(0, {"model": {}})
    made.keep(1, {"model": {}})
    torch.save({"model": {}, "other": 1}, tmp_path / "state" / "round-1.pt")
    assert made.restore(lambda state: None) == 0
    assert "round-1.pt is damaged, its sha256 is not that on record" in told[0]


def test_weights_that_are_no_numbers_are_not_saved(states, tmp_path):
    made, _ = states
    with pytest.raises(FitError, match="not finite numbers, so nothing was saved; lower --learning-rate"):
        made.keep(0, {"loop": {"model": {"w": torch.tensor([1.0, torch.nan])}}})
    assert list((tmp_path / "state").iterdir()) == []
    assert made.restore(lambda state: None) is None
    made.keep(0, {"model": {"w": torch.ones(1)}, "scores": torch.tensor([torch.inf])})


def test_write_that_fails_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = tmp_path / "state.pt"
    first = save(lambda place: torch.save({"a": 1}, place), path)
    before = path.read_bytes()

    def full(place):
        place.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(CheckpointError, match=r"cannot be written to .*: No space left on device; free the disk"):
        save(full, path)
    with pytest.raises(CheckpointError, match="damaged"):
        save(lambda place: place.write_bytes(b"half"), path)  # does not read back
    assert [found.name for found in tmp_path.iterdir()] == ["state.pt"]
    assert path.read_bytes() == before
    assert save(lambda place: torch.save({"a": 1}, place), path) == first


def test_temporary_file_is_beside_its_place_and_synced_before_it_is_renamed(tmp_path, monkeypatch):
    steps = []
    monkeypatch.setattr(
        os, "fsync", lambda descriptor: steps.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
    )
    monkeypatch.setattr(checkpoint, "crash_point", lambda name: steps.append(name))
    save(lambda place: torch.save({}, place), tmp_path / "state.pt")
    place, temporary, folder = steps
    assert temporary.startswith(f"{tmp_path}/.state.")
    assert (place, folder) == ("before_replace", str(tmp_path))


def test_folder_that_may_not_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CheckpointError, match="cannot be written"):
        save(lambda place: torch.save({}, place), tmp_path / "file" / "state.pt")
