from __future__ import annotations

import ast
import inspect
import re
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from support.each import for_each
from variant_publish.check.engine import registry
from variant_publish.check.engine.binaries import BinaryRule
from variant_publish.check.engine.rule import ReleaseRule, Rule, WheelRule
from variant_publish.check.engine.rule_pages import explain, not_built, pages_folder
from variant_publish.config.configuration import Config
from variant_publish.errors import UsageError

EVERY_RULE = for_each(registry.RULES)
SAID_ELSEWHERE = (
    "VP101", "VP102", "VP107", "VP302", "VP401", "VP402", "VP411", "VP507", "VP602", "VP604", "VP701", "VP703", "VP707",
)  # fmt: skip
"""Rules whose words are put together, or come from a reader of files or indexes."""

HEADS = ["What it checks", "Why", "Example", "How to fix it", "When to ignore it", "Evidence"]


def code_of(rule: Rule) -> str:
    """Give the source of a rule and of what its family shares, without the bases of all families."""
    shared = (BinaryRule, WheelRule, ReleaseRule)
    own = [base for base in type(rule).__mro__ if issubclass(base, Rule) and base not in (*shared, *Rule.__mro__)]
    return "".join(map(inspect.getsource, own))


def test_ids_are_unique_and_in_order() -> None:
    ids = [rule.id for rule in registry.RULES]
    assert ids == sorted(set(ids))
    assert all(re.fullmatch(r"VP[1-9][0-9]{2}", id_) for id_ in ids)


def test_every_module_with_rules_is_a_family() -> None:
    package = Path(inspect.getfile(registry)).parents[1] / "rules"
    text = {path.stem: path.read_text("utf-8") for path in package.glob("*.py")}
    with_rules = {stem for stem, code in text.items() if re.search(r'^    id = "VP', code, flags=re.MULTILINE)}
    assert with_rules == {family.__name__.rpartition(".")[2] for family in registry.FAMILIES}
    assert len(registry.RULES) == sum(code.count('    id = "VP') for code in text.values())


@EVERY_RULE
def test_every_rule_says_what_it_proves(rule: Rule) -> None:
    text = type(rule).__doc__ or ""
    assert text.startswith(("Prove", "Report"))
    assert "\n\n" in text, "say why it matters, too"
    assert rule.title
    assert "\n" not in rule.title


@EVERY_RULE
def test_every_rule_has_a_test_module_with_its_cases(rule: Rule) -> None:
    text = (Path(__file__).parents[1] / "rules" / f"test_{rule.id.lower()}.py").read_text("utf-8")
    assert re.search(rf"\b{type(rule).__name__}\(", text)
    blocks = text.split("\n\n\n")
    tests = "".join(block for block in blocks if re.search("^def test_", block, flags=re.MULTILINE))
    shown = {verdict for verdict in ("pass", "skip", "unknown") if f'"{verdict}"' in tests}
    if '"fail"' in tests or "failures(" in tests:
        shown.add("fail")
    if "held_against_most(" in tests:
        shown |= {"pass", "fail", "skip"}
    code = code_of(rule)
    can_skip = isinstance(rule, BinaryRule) or "Outcome.skipped" in code or "def not_for" in code
    wanted = {"pass", "fail"} | ({"skip"} if can_skip else set())
    wanted |= {"unknown"} if "Outcome.unknown" in code else set()
    assert wanted <= shown


@EVERY_RULE
def test_every_rule_has_a_page(rule: Rule) -> None:
    page = explain(rule.id)
    assert page.startswith(f"# {rule.id}: {rule.title}\n\nSeverity: {rule.severity}\n")
    assert re.findall("^## (.*)$", page, flags=re.MULTILINE) == HEADS
    assert not re.search(r"^## .*\n\n*(?=##|\Z)", page, flags=re.MULTILINE), "no section is empty"


@cache
def printable(module: ModuleType) -> list[str]:
    """Give a pattern for each text with something to fill in that the code of a module can print."""
    found = []
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.JoinedStr):
            parts = [re.escape(str(part.value)) if isinstance(part, ast.Constant) else ".+" for part in node.values]
            found += ["".join(map(str, parts))]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found += [re.escape(node.value)]
    return [pattern for pattern in found if len(pattern.replace(".+", "")) > len("RECORD ")]


def can_print(rule: Rule, finding: str) -> bool:
    """Return whether the code around a rule can print a finding."""
    modules = dict.fromkeys(inspect.getmodule(base) for base in type(rule).__mro__ if issubclass(base, Rule))
    return any(re.search(rf"(?:^|: ){text}$", finding) for module in modules if module for text in printable(module))


@EVERY_RULE
def test_every_page_shows_what_fails_and_how_to_mend_it(rule: Rule) -> None:
    sections = dict(re.findall(r"^## (.*)\n\n((?:(?!## ).*\n)*)", explain(rule.id), flags=re.MULTILINE))
    said, _, shown = sections["Example"].partition("```text\n")
    assert said.strip().endswith((":", "```")), "say which wheel or configuration it is"
    finding = shown.partition("\n")[0]
    if rule.id not in SAID_ELSEWHERE:
        assert can_print(rule, finding), finding
    assert re.search(r"^```(?:sh|toml|c|python)\n", sections["How to fix it"], flags=re.MULTILINE)


@EVERY_RULE
def test_the_configuration_of_every_page_is_one(rule: Rule) -> None:
    for block in re.findall(r"^```toml\n(.*?)^```", explain(rule.id), flags=re.MULTILINE | re.DOTALL):
        if "tool.variant-publish" in block:
            Config.parse(block)


def test_every_other_page_says_why_the_rule_is_not_built() -> None:
    pages = {path.stem for path in pages_folder().glob("VP*.md")}
    others = not_built()
    assert pages == {rule.id for rule in registry.RULES} | others.keys()
    assert others
    for id_, title in others.items():
        page = explain(id_)
        assert page.startswith(f"# {id_}: {title}\n\nNot built\n")
        assert re.findall("^## (.*)$", page, flags=re.MULTILINE) == ["What it would check", "Why it is not built"]
        assert not re.search(r"^## .*\n\n*(?=##|\Z)", page, flags=re.MULTILINE), "no section is empty"


def test_an_unknown_id_has_no_page() -> None:
    with pytest.raises(UsageError, match="'VP999' is the id of no rule"):
        explain("VP999")


def test_a_rule_is_found_by_its_id() -> None:
    assert registry.rule("VP301").id == "VP301"
