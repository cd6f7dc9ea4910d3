import json
import threading

import pytest

from lit_al.exceptions import RunError
from lit_al.utils.folders import make_run_folder, peak_memory_mb, versions, write_results, write_text


def test_folders_count_up(tmp_path):
    assert [make_run_folder(tmp_path / "logs").name for _ in range(3)] == ["version_0", "version_1", "version_2"]


def test_folders_made_at_once_are_all_different(tmp_path):
    made = []
    threads = [threading.Thread(target=lambda: made.append(make_run_folder(tmp_path))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 16


def test_name_is_used_once(tmp_path):
    assert make_run_folder(tmp_path, "mine").name == "mine"
    with pytest.raises(RunError, match="another --name"):
        make_run_folder(tmp_path, "mine")


@pytest.mark.parametrize("name", ["a/b", "..", "", ".", "/tmp"])
def test_name_stays_inside_the_log_folder(tmp_path, name):
    with pytest.raises(RunError, match="plain folder name"):
        make_run_folder(tmp_path, name)


def test_log_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="--log-dir"):
        make_run_folder(tmp_path / "file")


def test_text_is_replaced_whole(tmp_path, monkeypatch):
    path = tmp_path / "results.json"
    write_results(tmp_path, {"a": 1})
    monkeypatch.setattr("os.fsync", lambda descriptor: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(RunError, match="No space left"):
        write_text(path, "half")
    assert json.loads(path.read_text()) == {"a": 1}


def test_numbers_that_are_not_finite_become_null(tmp_path):
    write_results(tmp_path, {"epochs": [{"loss": float("nan"), "val_loss": float("-inf"), "accuracy": 0.5}]})
    found = json.loads((tmp_path / "results.json").read_text())
    assert found == {"epochs": [{"loss": None, "val_loss": None, "accuracy": 0.5}]}


def test_versions_and_memory_are_plausible():
    assert set(versions()) >= {"python", "lit_al", "torch", "lightning"}
    assert 50 < peak_memory_mb() < 100_000
