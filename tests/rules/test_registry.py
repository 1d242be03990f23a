from __future__ import annotations

import re
from pathlib import Path

import pytest

from variant_publish.rules import abi, archive, matrix, metadata, registry, selection
from variant_publish.rules.rule import Rule

FAMILIES = {archive: "1", metadata: "2", matrix: "3", abi: "4", selection: "6"}


def test_ids_are_unique_and_in_order() -> None:
    ids = [rule.id for rule in registry.RULES]
    assert len(set(ids)) == len(ids)
    for family, digit in FAMILIES.items():
        own = [rule.id for rule in registry.RELEASE_RULES if type(rule).__module__ == family.__name__]
        assert own == sorted(own)
        assert all(re.fullmatch(rf"VP{digit}[0-9]{{2}}", id_) for id_ in own)


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
