"""The pipeline's activities in Python: finding the documents, key sentences, entries and the report."""

import json
import os
from pathlib import Path
from typing import Any

from pyflow_activity import ActivityFailure, activity, current
from report import Entry, near_duplicates, render
from summary import key_sentences

DOCUMENTS_MAX = 600  # names of one listing must fit SWF's 32,768 characters of a result
SNIFFED_BYTES = 8192
OPENING_CHARS = 1000


@activity(version="1.0", start_to_close=60, heartbeat=10)
def list_documents(directory: str, output: str) -> dict[str, Any]:
    """Finds the text files of a directory and empties the folder of entries for them."""
    folder = Path(directory)
    if not folder.is_dir():
        raise ActivityFailure("NoSuchDirectory", f"{folder} is not a directory.", non_retryable=True)
    names = sorted(path.name for path in folder.iterdir() if not path.name.startswith(".") and _looks_like_text(path))
    if not names:
        message = f"{folder} holds no text files. Name another directory."
        raise ActivityFailure("NoTextFiles", message, non_retryable=True)
    if len(names) > DOCUMENTS_MAX:
        message = f"{folder} holds {len(names)} text files; one run takes {DOCUMENTS_MAX}. Split the directory."
        raise ActivityFailure("TooManyDocuments", message, non_retryable=True)
    entries = Path(output) / "entries"
    entries.mkdir(parents=True, exist_ok=True)
    for old in entries.glob("*.json"):
        old.unlink()
    return {"directory": str(folder), "names": names, "entries": str(entries)}


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
    _write(Path(entries) / f"{name}.json", json.dumps({"name": name, **entry}, sort_keys=True))


@activity(version="1.0", start_to_close=120, heartbeat=10)
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
