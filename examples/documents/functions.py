"""The Lambda function of the pipeline: deployed as `detect_language` on AWS, run by `pyflow dev` here."""

import re
from typing import Any

# The commonest short words of each language: enough to tell running text apart.
COMMON_WORDS = {
    code: frozenset(words.split())
    for code, words in {
        "en": "the of and to in a is that for it as by this you with or be are not on",
        "de": "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als",
        "fr": "de la le et les des en un du une que est pour qui dans par plus pas au sur",
        "es": "de la que el en y a los se del las un por con no una su para es al",
        "it": "di e il la che in un per è una sono mi con si ho lo ma ti le non",
        "nl": "de en van ik te dat die in een hij het niet zijn is was op aan met als voor",
    }.items()
}


def detect_language(event: dict[str, Any], context: object = None) -> dict[str, Any]:
    """`event`: {"text"}. Gives {"language": ISO 639-1 code or "unknown", "share": share of common words, 0 to 1}."""
    words = re.findall(r"\w+", event["text"].lower())
    if not words:
        return {"language": "unknown", "share": 0.0}
    shares = {code: sum(word in common for word in words) / len(words) for code, common in COMMON_WORDS.items()}
    language = max(shares, key=lambda code: (shares[code], code))
    if shares[language] == 0:
        return {"language": "unknown", "share": 0.0}
    return {"language": language, "share": round(shares[language], 3)}
