"""The pipeline's activities in Python: finding the documents, key sentences, entries and the report."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from pyflow_activity import ActivityFailure, activity, current
from report import Entry, near_duplicates, render
from summary import key_sentences

PAGE_NAMES_MAX = 500
PAGE_CHARS_MAX = 20_000  # as JSON; the whole result must fit SWF's 32,768 characters
SNIFFED_BYTES = 8192
OPENING_CHARS = 1000


@activity(version="1.0", start_to_close=60, heartbeat=10)
def list_documents(directory: str, output: str, after: str = "") -> dict[str, Any]:
    """Finds the text files of a directory, a page of names at a time; the first page empties the folder of entries.

    `after`: the last name of the page before. "more" tells whether another page follows.
    """
    folder = Path(directory)
    if not folder.is_dir():
        raise ActivityFailure("NoSuchDirectory", f"{folder} is not a directory.", non_retryable=True)
    names = sorted(path.name for path in folder.iterdir() if not path.name.startswith(".") and _looks_like_text(path))
    if not names:
        message = f"{folder} holds no text files. Name another directory."
        raise ActivityFailure("NoTextFiles", message, non_retryable=True)
    entries = Path(output) / "entries"
    if not after:
        entries.mkdir(parents=True, exist_ok=True)
        for old in entries.glob("*.json"):
            old.unlink()
    speakable = [name for name in names if _is_unicode(name)]
    for name in names:
        if not _is_unicode(name):
            failed = "NameNotUtf8: the file's name is not UTF-8, so no workflow can pass it on. Rename the file."
            store_entry(str(entries), os.fsencode(name).decode("utf-8", "backslashreplace"), {"failed": failed})
    left = [name for name in speakable if name > after]
    page = _first_page(left)
    return {"directory": str(folder), "names": page, "more": len(page) < len(left), "entries": str(entries)}


@activity(version="1.0", start_to_close=60, heartbeat=10)
def summarise(path: str, sentences: int = 3) -> dict[str, Any]:
    """Gives the key sentences of a text, its size and its opening."""
    raw = Path(path).read_bytes()
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        message = f"{path} is not UTF-8: byte {error.start} cannot be read."
        raise ActivityFailure("NotUtf8", message, non_retryable=True) from error
    current().progress({"read": len(raw)})
    return {"sentences": key_sentences(text, sentences), "opening": text[:OPENING_CHARS], "bytes": len(raw)}


@activity(version="1.0", start_to_close=60, heartbeat=10)
def store_entry(entries: str, name: str, entry: dict[str, Any]) -> None:
    """Writes what is known of one document where the report will look for it. Writing it twice does no harm."""
    # A name may be as long as a file's name can be, which leaves no room for an ending: its hash always fits.
    file = hashlib.sha256(name.encode()).hexdigest()
    _write(Path(entries) / f"{file}.json", json.dumps({"name": name, **entry}, sort_keys=True))


@activity(version="1.0", start_to_close=900, heartbeat=10)  # every two documents are compared
def render_report(entries: str, output: str) -> dict[str, Any]:
    """Writes report.html from all entries. Gives {"report", "documents", "failed", "duplicates"}."""
    read = [Entry.from_json(path.read_text("utf-8")) for path in Path(entries).glob("*.json")]
    read.sort(key=lambda entry: entry.name)
    current().progress({"entries": len(read)})
    duplicates = near_duplicates(read)
    target = Path(output) / "report.html"
    _write(target, render(read, duplicates))
    failed = sum(entry.failed is not None for entry in read)
    return {"report": str(target), "documents": len(read), "failed": failed, "duplicates": len(duplicates)}


def _is_unicode(name: str) -> bool:
    """Whether a name from the file system, where it is bytes, is a text that JSON can hold."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _first_page(names: list[str]) -> list[str]:
    """As many of the names as one result may hold."""
    chars = 0
    for position, name in enumerate(names[:PAGE_NAMES_MAX]):
        chars += len(json.dumps(name)) + 2
        if chars > PAGE_CHARS_MAX:
            return names[:position]
    return names[:PAGE_NAMES_MAX]


def _looks_like_text(path: Path) -> bool:
    """Regular and without a zero byte at its start; whether it is UTF-8 shows when it is read."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return b"\0" not in file.read(SNIFFED_BYTES)


def _write(target: Path, text: str) -> None:
    """Whole or not at all: a worker may be killed at any moment."""
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    partial.write_text(text, "utf-8")
    partial.replace(target)
