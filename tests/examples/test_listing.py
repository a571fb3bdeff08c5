"""The pages of a directory's listing: any number of files, names of any kind."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from activities import PAGE_NAMES_MAX, list_documents
from pyflow_activity import ActivityFailure

SWF_RESULT_CHARS_MAX = 32_768


def pages(directory: Path, output: Path) -> list[dict[str, Any]]:
    """All pages, asked for as the workflow does."""
    found: list[dict[str, Any]] = []
    while not found or found[-1]["more"]:
        after = found[-1]["names"][-1] if found else ""
        found.append(list_documents(str(directory), str(output), after))
    return found


def failures(output: Path) -> dict[str, str]:
    entries = [json.loads(path.read_text("utf-8")) for path in (output / "entries").glob("*.json")]
    return {entry["name"]: entry["failed"] for entry in entries}


def fill(directory: Path, names: list[str]) -> None:
    for name in names:
        (directory / name).write_text("A sentence.", "utf-8")


def test_all_files_of_a_large_directory_are_named_once_and_in_order(tmp_path: Path) -> None:
    names = [f"{number:05}.txt" for number in range(2 * PAGE_NAMES_MAX + 1)]
    fill(tmp_path, names)
    found = pages(tmp_path, tmp_path / "output")
    assert [len(page["names"]) for page in found] == [PAGE_NAMES_MAX, PAGE_NAMES_MAX, 1]
    assert [name for page in found for name in page["names"]] == names


def test_pages_of_the_longest_names_fit_a_result_of_swf(tmp_path: Path) -> None:
    names = [f"{number:03}{'ü' * 126}" for number in range(200)]  # 255 bytes each, the most a file system takes
    fill(tmp_path, names)
    found = pages(tmp_path, tmp_path / "output")
    assert len(found) > 1
    assert all(len(json.dumps(page)) <= SWF_RESULT_CHARS_MAX for page in found)
    assert [name for page in found for name in page["names"]] == names


def test_only_the_first_page_empties_the_folder_of_entries(tmp_path: Path) -> None:
    fill(tmp_path, ["a", "b"])
    old = tmp_path / "output/entries/old.json"
    old.parent.mkdir(parents=True)
    old.write_text("{}")
    list_documents(str(tmp_path), str(tmp_path / "output"), "a")
    assert old.exists()
    list_documents(str(tmp_path), str(tmp_path / "output"))
    assert not old.exists()


def test_a_name_that_is_no_text_becomes_a_failed_entry_and_the_others_go_on(tmp_path: Path) -> None:
    documents = tmp_path / "documents"
    documents.mkdir()
    fill(documents, ["good.txt"])
    Path(os.fsdecode(bytes(documents) + b"/b\xffd.txt")).write_text("A sentence.")
    (page,) = pages(documents, tmp_path / "output")
    assert page["names"] == ["good.txt"]
    assert failures(tmp_path / "output") == {
        "b\\xffd.txt": "NameNotUtf8: the file's name is not UTF-8, so no workflow can pass it on. Rename the file."
    }


@pytest.mark.parametrize(("made", "type_"), [(True, "NoTextFiles"), (False, "NoSuchDirectory")])
def test_nothing_to_list_is_a_failure_that_no_retry_can_mend(tmp_path: Path, made: bool, type_: str) -> None:
    directory = tmp_path / "documents"
    if made:
        directory.mkdir()
        (directory / "binary").write_bytes(b"\0")
    with pytest.raises(ActivityFailure) as caught:
        list_documents(str(directory), str(tmp_path / "output"))
    assert caught.value.type == type_
    assert caught.value.non_retryable
