"""The report as a value: entries in, near-duplicates and a page out. No file is read or written here."""

from __future__ import annotations

import json
from dataclasses import dataclass
from html import escape
from itertools import combinations
from operator import eq
from typing import Any

NEAR_DUPLICATE_FROM = 0.5  # estimated share of common five-word shingles
CHART_WIDTH, LABEL_WIDTH, BAR_HEIGHT, BAR_GAP = 860, 170, 18, 6


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """What the pipeline knows of one document. A failed one has a reason and nothing else."""

    name: str
    failed: str | None = None
    language: str = ""
    bytes: int = 0
    words: int = 0
    sentences: int = 0
    top_words: tuple[tuple[str, int], ...] = ()
    sha256: str = ""
    minhash: tuple[int, ...] = ()
    summary: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, text: str) -> Entry:
        raw: dict[str, Any] = json.loads(text)
        if raw.get("failed") is not None:
            return cls(name=raw["name"], failed=raw["failed"])
        return cls(
            name=raw["name"],
            language=raw["language"],
            bytes=raw["bytes"],
            words=raw["words"]["words"],
            sentences=raw["words"]["sentences"],
            top_words=tuple((word["word"], word["count"]) for word in raw["words"]["top_words"]),
            sha256=raw["fingerprint"]["sha256"],
            minhash=tuple(raw["fingerprint"]["minhash"]),
            summary=tuple(raw["summary"]),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Duplicate:
    """Two documents that share much of their text."""

    first: str
    second: str
    similarity: float  # 0 to 1; the share of equal places of the two MinHash signatures
    identical: bool  # the same bytes


def near_duplicates(entries: list[Entry]) -> list[Duplicate]:
    """All pairs from NEAR_DUPLICATE_FROM on, the most similar first, then by name."""
    found = []
    for first, second in combinations([entry for entry in entries if entry.minhash], 2):
        equal = sum(map(eq, first.minhash, second.minhash))
        similarity = equal / len(first.minhash)
        if similarity >= NEAR_DUPLICATE_FROM:
            identical = first.sha256 == second.sha256
            found.append(Duplicate(first=first.name, second=second.name, similarity=similarity, identical=identical))
    return sorted(found, key=lambda pair: (-pair.similarity, pair.first, pair.second))


def render(entries: list[Entry], duplicates: list[Duplicate]) -> str:
    """The page. The same entries give the same text, byte for byte."""
    good = [entry for entry in entries if entry.failed is None]
    failed = [entry for entry in entries if entry.failed is not None]
    words = sum(entry.words for entry in good)
    parts = [
        _tiles(documents=len(good), words=words, duplicates=len(duplicates), failed=len(failed)),
        _section("Sizes", _chart(good)) if good else "",
        _section("Documents", _table(good)) if good else "",
        _section("Near-duplicates", _duplicate_table(duplicates)),
        _section("Failed", _failed_table(failed)) if failed else "",
        _section("Key sentences", "".join(_summary(entry) for entry in good)) if good else "",
    ]
    return _PAGE.replace("{body}", "\n".join(part for part in parts if part))


def _tiles(**numbers: int) -> str:
    tiles = "".join(f"<div class=tile><b>{number:,}</b><span>{name}</span></div>" for name, number in numbers.items())
    return f"<div class=tiles>{tiles}</div>"


def _section(title: str, body: str) -> str:
    return f"<section><h2>{title}</h2>{body}</section>"


def _chart(entries: list[Entry]) -> str:
    """Bars of the documents' sizes, the largest first."""
    largest = max(entry.bytes for entry in entries) or 1
    room = CHART_WIDTH - LABEL_WIDTH - 90
    rows = []
    for row, entry in enumerate(sorted(entries, key=lambda entry: (-entry.bytes, entry.name))):
        top = row * (BAR_HEIGHT + BAR_GAP)
        width = max(1, round(room * entry.bytes / largest))
        middle = top + BAR_HEIGHT - 5
        rows.append(
            f'<text x="{LABEL_WIDTH - 8}" y="{middle}" text-anchor="end">{escape(_short(entry.name))}</text>'
            f'<rect x="{LABEL_WIDTH}" y="{top}" width="{width}" height="{BAR_HEIGHT}" rx="3"/>'
            f'<text x="{LABEL_WIDTH + width + 8}" y="{middle}" class="size">{entry.bytes / 1024:,.1f} KB</text>'
        )
    height = len(rows) * (BAR_HEIGHT + BAR_GAP)
    title = "<title>Size of each document</title>"
    return f'<svg viewBox="0 0 {CHART_WIDTH} {height}" role="img">{title}{"".join(rows)}</svg>'


def _table(entries: list[Entry]) -> str:
    head = "<tr><th>Document<th>Language<th class=n>Words<th class=n>Sentences<th>Most frequent words<th>SHA-256</tr>"
    rows = "".join(
        f"<tr><td>{escape(entry.name)}<td>{escape(entry.language)}<td class=n>{entry.words:,}"
        f"<td class=n>{entry.sentences:,}<td>{_top_words(entry)}<td><code>{escape(entry.sha256[:12])}</code></tr>"
        for entry in entries
    )
    return f"<table id=documents>{head}{rows}</table>"


def _top_words(entry: Entry) -> str:
    return " ".join(f"<i>{escape(word)}</i>&nbsp;{count}" for word, count in entry.top_words[:5])


def _duplicate_table(duplicates: list[Duplicate]) -> str:
    if not duplicates:
        return "<p>None: no two documents share half of their five-word shingles.</p>"
    rows = "".join(
        f"<tr><td>{escape(pair.first)}<td>{escape(pair.second)}<td class=n>{pair.similarity:.0%}"
        f"<td>{'the same file' if pair.identical else ''}</tr>"
        for pair in duplicates
    )
    return f"<table id=duplicates><tr><th>Document<th>Document<th class=n>In common<th></tr>{rows}</table>"


def _failed_table(entries: list[Entry]) -> str:
    rows = "".join(f"<tr><td>{escape(entry.name)}<td>{escape(entry.failed or '')}</tr>" for entry in entries)
    return f"<table id=failed><tr><th>Document<th>Reason</tr>{rows}</table>"


def _summary(entry: Entry) -> str:
    sentences = "".join(f"<li>{escape(sentence)}</li>" for sentence in entry.summary)
    body = f"<ul>{sentences}</ul>" if sentences else "<p>No whole sentence found.</p>"
    return f"<details><summary>{escape(entry.name)}</summary>{body}</details>"


def _short(name: str) -> str:
    return name if len(name) <= 24 else name[:23] + "…"


_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Documents</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root { --ink: #1d2733; --faint: #64748b; --line: #e2e8f0; --bar: #2f6f8f; --ground: #fff; --tile: #f5f8fa }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e5edf5; --faint: #94a3b8; --line: #2b3a4a; --bar: #5fa8c8; --ground: #111a22; --tile: #1a2630 } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground);
       max-width: 920px; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.6rem; margin: 0 0 1rem } h2 { font-size: 1.1rem; margin: 2rem 0 .6rem }
.tiles { display: flex; gap: .8rem; flex-wrap: wrap }
.tile { flex: 1; min-width: 7rem; padding: .7rem 1rem; background: var(--tile); border-radius: 8px }
.tile b { display: block; font-size: 1.5rem; font-variant-numeric: tabular-nums } .tile span { color: var(--faint) }
section { overflow-x: auto }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top }
th { color: var(--faint); font-weight: 600 } .n { text-align: right; font-variant-numeric: tabular-nums }
svg { width: 100% } rect { fill: var(--bar) } svg text { font-size: 12px; fill: var(--ink) }
svg text.size { fill: var(--faint) } i { font-style: normal; color: var(--faint) }
details { border-bottom: 1px solid var(--line); padding: .35rem 0 } summary { cursor: pointer }
</style>
<h1>Documents</h1>
{body}
</html>
"""
