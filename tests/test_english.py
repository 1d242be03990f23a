"""Texts are written as pip's and uv's maintainers write them: short, plain, active; these phrases are not."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PHRASES = {
    r"\bdear\b": "expensive, slow",
    r"\bcried\b": "reported",
    r"\bshall\b": "must, should, or the plain verb",
    r"\bknows? (no|nothing|of)\b": "has no",
    r'"""(Give|Hold|Tell|Know|Wish|Hand)s?\b': "Return, Check, Raise",
    r"""hint=(\s*\(?\s*)[f]?["']give\b""": "use, add, pass",
    r"\bgives? back\b": "returns",
    r"\btells? (of|apart)\b": "describes, distinguishes",
    r"\bmends? (it|that|them|pages|what)\b": "correct, repair, rewrite",
    r"\banew\b": "again",
    r"\bkin\b": "similar tools",
    r"(?<!: )\b1 (wheels|variants|files|errors|warnings|notes|projects|releases|pages|uploads|stages|jobs|findings|cells)\b": "1 wheel",
    r"\b(held|hold|holds) (\w+ ){0,3}against\b": "compare with",
    r"\bspeaks? for\b": "imply",
    r"\bwithout saying so\b": "silently",
    r"\bmeanwhile went away\b": "was removed",
    r"\bnot worth a thought\b": "not worth it",
    r"\bto be had\b": "available",
    r"\bthe whole truth\b": "everything",
}
DIRTY: set[str] = set()
"""Rooms of src/ that still have some of them; the set only gets smaller."""


def texts() -> list[Path]:
    found = [
        ROOT / "README.md",
        *ROOT.glob("src/**/*.py"),
        *ROOT.glob("templates/**/*.*"),
        *ROOT.glob("changelog.d/*.md"),
    ]
    found += [path for pattern in ("*.md", "**/*.md", "_ext/*.py") for path in ROOT.glob(f"docs/{pattern}")]
    return sorted({path for path in found if "_build" not in path.parts})


def phrases_in(text: str) -> list[str]:
    return [
        f"line {text.count(chr(10), 0, match.start()) + 1}: {match[0]!r}: write {better!r}"
        for phrase, better in PHRASES.items()
        for match in re.finditer(phrase, text, re.IGNORECASE if phrase[:1] != '"' else 0)
    ]


def test_no_text_has_a_phrase_that_nobody_says() -> None:
    for path in texts():
        parts = path.relative_to(ROOT).parts
        if not (parts[0] == "src" and parts[2] in DIRTY):
            assert phrases_in(path.read_text("utf-8")) == [], path
