from __future__ import annotations

import pytest

from support.cpus import on
from variant_publish.providers import x86_64


@pytest.mark.parametrize(
    ("lineage", "level"),
    [
        (("zen4", "x86_64_v3", "x86_64_v4", "x86_64_v2", "x86_64"), "x86-64-v4"),
        (("haswell", "x86_64_v3", "x86_64_v2", "x86_64"), "x86-64-v3"),
        (("x86_64",), "x86-64"),
        (("k8", "x86_64"), "x86-64"),
    ],
)
def test_the_level_is_the_highest_in_the_lineage(
    monkeypatch: pytest.MonkeyPatch, lineage: tuple[str, ...], level: str
) -> None:
    on(monkeypatch, *lineage)
    assert x86_64.X86().here_is() == level


@pytest.mark.parametrize("text", ["v2", "x86-64-v2", "x86_64_v2", "X86-64-V2"])
def test_a_level_may_be_written_in_several_ways(text: str) -> None:
    assert x86_64.parse_level(text) == "x86-64-v2"


@pytest.mark.parametrize("text", ["v5", "generic", "", "2", "x86-64-v0"])
def test_what_is_no_level_is_none(text: str) -> None:
    assert x86_64.parse_level(text) is None


def test_a_cpu_that_cannot_be_read_is_the_lowest(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError("no cpuinfo")

    monkeypatch.setattr("archspec.cpu.host", fail)
    assert x86_64.X86().here_is() == "x86-64"


def test_a_level_supports_itself_and_the_lower_ones_best_first() -> None:
    assert x86_64.X86().supported({"x86_64_version": "x86-64-v3"}) == {"level": ("v3", "v2", "v1")}
    assert x86_64.X86().supported({"x86_64_version": "x86-64"}) == {"level": ("v1",)}
    assert x86_64.X86().supported({"x86_64_version": "none"}) == {}


@pytest.mark.parametrize(("word", "value"), [("x86_64_v3", "v3"), ("v4", "v4"), ("x86-64-v2", "v2")])
def test_a_word_stands_for_a_level(word: str, value: str) -> None:
    assert [item.value for item in x86_64.X86().properties_of(word)] == [value]


@pytest.mark.parametrize("word", ["v5", "v", "x86_64", "v30"])
def test_other_words_say_nothing(word: str) -> None:
    assert x86_64.X86().properties_of(word) == ()
