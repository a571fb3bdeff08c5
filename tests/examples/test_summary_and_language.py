"""Key sentences, and the Lambda function."""

from functions import detect_language
from summary import key_sentences


def test_key_sentences_are_whole_and_in_the_order_of_the_text() -> None:
    text = (
        "Timers wake workflows. The workflow history keeps every event of the workflow. Short one. "
        "A decider reads the workflow history and decides.\n\nNothing here matters at all to anybody."
    )
    chosen = key_sentences(text, 2)
    assert chosen == [
        "The workflow history keeps every event of the workflow.",
        "A decider reads the workflow history and decides.",
    ]


def test_a_text_without_whole_sentences_has_no_key_sentence() -> None:
    assert key_sentences("", 3) == []
    assert key_sentences("one two three", 3) == []


def test_languages_are_told_by_their_common_words() -> None:
    assert detect_language({"text": "the cat is on the mat and it is not a dog"})["language"] == "en"
    assert detect_language({"text": "der Hund ist nicht mit dem Ball auf die Wiese"})["language"] == "de"
    assert detect_language({"text": "le chat est dans la maison et les souris sont pour lui"})["language"] == "fr"


def test_text_without_known_words_is_unknown() -> None:
    assert detect_language({"text": ""}) == {"language": "unknown", "share": 0.0}
    assert detect_language({"text": "xyzzy plugh"}) == {"language": "unknown", "share": 0.0}
