from __future__ import annotations

import pytest

from support.cpus import on
from variant_publish.providers import aarch64


@pytest.mark.parametrize(
    ("lineage", "version"),
    [
        (("neoverse_v1", "neoverse_n1", "armv8.4a", "armv8.2a", "aarch64"), "8.4a"),
        (("neoverse_v2", "armv9.0a", "armv8.5a", "aarch64"), "9.0a"),
        (("cortex_a72", "aarch64"), "8a"),
    ],
)
def test_the_arm_version_is_the_highest_in_the_lineage(
    monkeypatch: pytest.MonkeyPatch, lineage: tuple[str, ...], version: str
) -> None:
    on(monkeypatch, *lineage)
    assert aarch64.Arm().here_is() == version


@pytest.mark.parametrize(
    ("text", "version"),
    [("8.2a", "8.2a"), ("8.2", "8.2a"), ("armv8.2a", "8.2a"), ("8.0a", "8a"), ("9", "9.0a"), ("8.99a", None)],
)
def test_an_arm_version_is_one_that_is_known(text: str, version: str | None) -> None:
    assert aarch64.parse_version(text) == version


def test_a_version_supports_itself_and_what_it_includes_best_first() -> None:
    assert aarch64.Arm().supported({"aarch64_version": "8.2a"}) == {"version": ("8.2a", "8.1a", "8a")}
    assert aarch64.Arm().supported({"aarch64_version": "9.0a"})["version"][:2] == ("9.0a", "8.5a")


@pytest.mark.parametrize(("word", "value"), [("armv8.2a", "8.2a"), ("armv8_2a", "8.2a"), ("armv9a", "9.0a")])
def test_a_word_stands_for_a_version(word: str, value: str) -> None:
    assert [item.value for item in aarch64.Arm().properties_of(word)] == [value]


@pytest.mark.parametrize("word", ["arm64", "armv7", "armv8.99a"])
def test_other_words_say_nothing(word: str) -> None:
    assert aarch64.Arm().properties_of(word) == ()
