from __future__ import annotations

import re
from pathlib import Path

import pytest

from variant_publish.errors import UsageError
from variant_publish.rules import (
    abi,
    archive,
    content,
    cpu,
    dialects,
    extensions,
    gpu,
    loading,
    machines,
    matrix,
    metadata,
    registry,
    regression,
    selection,
)
from variant_publish.rules.pages import explain, pages_folder
from variant_publish.rules.rule import Rule

FAMILIES = {
    archive: "1",
    content: "12",
    metadata: "2",
    matrix: "3",
    regression: "3",
    abi: "4",
    extensions: "4",
    machines: "6",
    loading: "5",
    gpu: "5",
    cpu: "5",
    selection: "6",
    dialects: "7",
}


def test_ids_are_unique_and_in_order() -> None:
    ids = [rule.id for rule in registry.RULES]
    assert len(set(ids)) == len(ids)
    for family, digit in FAMILIES.items():
        own = [rule.id for rule in registry.RELEASE_RULES if type(rule).__module__ == family.__name__]
        assert own == sorted(own)
        assert all(re.fullmatch(rf"VP[{digit}][0-9]{{2}}", id_) for id_ in own)


@pytest.mark.parametrize("rule", registry.RULES, ids=lambda rule: rule.id)
def test_every_rule_says_what_it_proves(rule: Rule) -> None:
    text = type(rule).__doc__ or ""
    assert text.startswith(("Prove", "Tell"))
    assert "\n\n" in text, "say why it matters, too"
    assert rule.title


@pytest.mark.parametrize("rule", registry.RULES, ids=lambda rule: rule.id)
def test_every_rule_has_a_test(rule: Rule) -> None:
    family = type(rule).__module__.rpartition(".")[2]
    text = (Path(__file__).parent / f"test_{family}.py").read_text("utf-8")
    assert re.search(rf"\b{type(rule).__name__}\(\)", text)


@pytest.mark.parametrize("rule", registry.RULES, ids=lambda rule: rule.id)
def test_every_rule_has_a_page(rule: Rule) -> None:
    page = explain(rule.id)
    assert page.startswith(f"# {rule.id}: {rule.title}\n\nSeverity: {rule.severity}\n")
    heads = ["What it checks", "Why", "Example", "How to fix it", "When to ignore it", "Evidence"]
    assert re.findall("^## (.*)$", page, flags=re.MULTILINE) == heads
    assert not re.search(r"^## .*\n\n*(?=##|\Z)", page, flags=re.MULTILINE), "no section is empty"


def test_every_page_has_a_rule() -> None:
    assert {path.stem for path in pages_folder().glob("VP*.md")} == {rule.id for rule in registry.RULES}


def test_an_unknown_id_has_no_page() -> None:
    with pytest.raises(UsageError, match="'VP999' is the id of no rule"):
        explain("VP999")


def test_every_rule_class_is_registered() -> None:
    named = {
        value
        for family in FAMILIES
        for value in vars(family).values()
        if isinstance(value, type) and issubclass(value, Rule) and "id" in vars(value)
    }
    assert named == {type(rule) for rule in registry.RULES}


def test_a_rule_is_found_by_its_id() -> None:
    assert registry.rule("VP301").id == "VP301"
