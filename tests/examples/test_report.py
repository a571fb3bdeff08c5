"""The report as a value."""

import json

from report import Duplicate, Entry, near_duplicates, render


def entry(name: str, minhash: tuple[int, ...], sha256: str = "", **more: object) -> Entry:
    return Entry(name=name, minhash=minhash, sha256=sha256 or name, **more)


def test_pairs_are_found_from_half_on_and_the_most_similar_come_first() -> None:
    entries = [
        entry("a", (1, 2, 3, 4)),
        entry("b", (1, 2, 3, 9)),
        entry("c", (1, 2, 8, 9)),
        entry("d", (7, 7, 7, 7)),
    ]
    assert [(pair.first, pair.second, pair.similarity) for pair in near_duplicates(entries)] == [
        ("a", "b", 0.75),
        ("b", "c", 0.75),
        ("a", "c", 0.5),
    ]


def test_the_same_bytes_are_called_identical() -> None:
    (pair,) = near_duplicates([entry("a", (1, 2), sha256="x"), entry("b", (1, 2), sha256="x")])
    assert pair == Duplicate(first="a", second="b", similarity=1.0, identical=True)


def test_failed_documents_take_no_part_in_the_comparison_and_are_listed_with_their_reason() -> None:
    bad = Entry.from_json(json.dumps({"name": "bad.txt", "failed": "NotUtf8: byte 3 <cannot> be read"}))
    page = render([bad, entry("a", (1,)), entry("b", (2,))], [])
    assert near_duplicates([bad, bad]) == []
    assert "bad.txt<td>NotUtf8: byte 3 &lt;cannot&gt; be read" in page


def test_a_page_without_a_single_good_document_still_renders() -> None:
    page = render([Entry(name="only", failed="gone")], [])
    assert "<svg" not in page
    assert "gone" in page


def test_names_cannot_break_the_page() -> None:
    page = render([entry("<script>alert(1)</script>", (1,), summary=("a < b",))], [])
    assert "<script>" not in page
    assert "a &lt; b" in page


def test_the_same_entries_give_the_same_page() -> None:
    entries = [entry("a", (1,), bytes=10), entry("b", (2,), bytes=2000)]
    assert render(entries, near_duplicates(entries)) == render(list(entries), near_duplicates(entries))
