"""Compare our choice with the real uv's on generated releases: `python benchmarks/selection_against_uv.py [CASES]`.

Each case is a release of made-up variants, priorities and a machine, as in tests/test_selection_against_uv.py, with a
seed of its own, so that a case that differs can be run again alone (`--first SEED`). Where both differ, the order of
PEP 825 is computed once more by its own words, in a few lines without the library, so it is known who deviates.
The exit code is 1 if a case differs.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from variant_publish.providers.machine import Machine
from view.test_selection_against_uv import PROVIDERS, installed, ours, release, write


def by_the_words_of_the_pep(
    variants: Mapping[str, Sequence[str]], namespaces: Sequence[str], env: Mapping[str, str], *, plain: bool
) -> str | None:
    """Order the labels as PEP 825 ("Variant ordering") tells it, literally; give the best."""
    supported = Machine.detect(env).supported
    offered = {namespace: dict(PROVIDERS[namespace].static) or supported.get(namespace, {}) for namespace in namespaces}
    ranked: list[tuple[list[tuple[int, int, int]], str]] = []
    for label, lines in variants.items():
        features: dict[tuple[str, str], list[int]] = {}
        for line in lines:
            namespace, feature, value = line.split(" :: ")
            values = list(offered[namespace].get(feature, ()))
            features.setdefault((namespace, feature), []).extend([values.index(value)] if value in values else [])
        if not all(features.values()):
            continue
        triples = [
            (namespaces.index(namespace), list(offered[namespace]).index(feature), min(indices))
            for (namespace, feature), indices in features.items()
        ]
        ranked.append((sorted(triples), label))
    for one, other in itertools.combinations(ranked, 2):
        assert one[1] != other[1]  # noqa: S101  (labels are unique: the order is total)
    best = None
    for candidate in ranked:
        if best is None or beats(candidate, best):
            best = candidate
    return best[1] if best else "generic" if plain else None


def beats(one: tuple[list[tuple[int, int, int]], str], other: tuple[list[tuple[int, int, int]], str]) -> bool:
    """Compare two sorted lists: the first difference decides, a longer list beats its prefix, a tie goes by label."""
    for mine, theirs in zip(one[0], other[0], strict=False):
        if mine != theirs:
            return mine < theirs
    return len(one[0]) > len(other[0]) if len(one[0]) != len(other[0]) else one[1] < other[1]


def main() -> None:
    """Run the cases and print what differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="?", type=int, default=300)
    parser.add_argument("--first", type=int, default=0, metavar="SEED")
    options = parser.parse_args()
    start, outcome, chosen = time.perf_counter(), Counter[str](), Counter[str]()
    with tempfile.TemporaryDirectory() as name:
        for seed in range(options.first, options.first + options.cases):
            folder = Path(name, str(seed))
            variants, namespaces, env, plain = release(seed)
            write(folder / "wheels", variants, namespaces, plain=plain)
            links = ("--no-index", "--find-links", folder / "wheels")
            theirs = installed(folder / "target", *links, env=env, cache=folder / "cache")
            mine, pep = (
                ours(folder / "wheels", env),
                by_the_words_of_the_pep(variants, namespaces, env, plain=plain),
            )
            verdict = "same" if mine == theirs == pep else f"uv {theirs}, ours {mine}, PEP 825 {pep}"
            outcome["same" if verdict == "same" else "different"] += 1
            chosen["nothing" if mine is None else mine if mine in ("generic", "null") else "a label"] += 1
            if verdict != "same":
                print(f"seed {seed}: {verdict}\n  {variants}\n  {namespaces} {env}")
    print(f"{dict(outcome)}; chosen: {dict(chosen)}; {time.perf_counter() - start:.0f} s")
    sys.exit(1 if outcome["different"] else 0)


if __name__ == "__main__":
    main()
