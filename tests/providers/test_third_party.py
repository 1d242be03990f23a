"""A toy accelerator, whose provider is in a distribution of its own: every verb knows it as it knows NVIDIA's."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.binaries import elf
from support.checks import PLAIN, failures, verdicts
from support.cli import run
from support.entry_points import distribution
from support.wheels import make_wheel
from variant_publish.check.rules.gpu import ClaimedArchitectures
from variant_publish.check.rules.machines import EveryVariantChosen
from variant_publish.providers import catalog

ABACUS = '''
"""Abaci: how many rods one has."""

import re

from variant_publish.binary.evidence import Evidence
from variant_publish.formats.variants_json import Provider
from variant_publish.providers.base import NONE, Variable, VariantProvider, choice_of

ROLES = ("7", "13", "23")

class Abacus(VariantProvider):
    namespace = "abacus"
    title = "abacus"
    features = ("rods",)
    metadata = Provider(requires=("abacus-provider",))
    drivers = ("libabacus",)
    code_feature = "rods"
    variables = (
        Variable("abacus", ("rods",), choice_of(lambda: ROLES), lambda: ROLES, "none, 7, 13 or 23", order=int,
                 requires=("toy-abacus",), function="toy_abacus:rods"),
    )

    def properties_of(self, word):
        match = re.fullmatch(r"abacus([0-9]+)", word)
        return (self.property("rods", match[1]),) if match else ()

    def detect(self, environ):
        return {"abacus": environ["ABACUS_RODS"]} if "ABACUS_RODS" in environ else {}

    def supported(self, values):
        rods = values.get("abacus", NONE)
        return {} if rods == NONE else {"rods": tuple(one for one in reversed(ROLES) if int(one) <= int(rods))}

    def told_apart(self, variable, wanted):
        return (NONE, *ROLES)

    patterns = (rb"BEADS:([0-9]+);",)

    def evidence(self, data, image, found):
        return Evidence("abacus", tuple(rods.decode() for _, (rods,) in found[self.patterns[0]]))

    def sentence(self, feature, value):
        return f"an abacus of {value} rods or more"
'''


@pytest.fixture(autouse=True)
def installed(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("site")
    catalog.providers.cache_clear()
    distribution(folder, monkeypatch, "toy_abacus", ABACUS, {"abacus": "toy_abacus:Abacus"})
    yield
    catalog.providers.cache_clear()
    sys.modules.pop("toy_abacus", None)


@pytest.mark.parametrize("dialect", ["plus", "pep825"])
def test_from_retag_to_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dialect: str) -> None:
    monkeypatch.chdir(tmp_path)
    make_wheel(tmp_path / "dist", "foo-1.0-py3-none-any.whl", files={"foo/a.so": elf(extra=b"BEADS:13;")})
    option = ("--tag", "abacus13") if dialect == "plus" else ("--label", "abacus13")
    assert run("retag", "dist", *option, "-o", "wheels").code == 0
    make_wheel(tmp_path / "wheels", "foo-1.0-py3-none-any.whl")
    done = run("upload", "wheels", "--extra-index", "file:index", "--repository-url", "file:pypi")
    assert done.code == 0, done.stderr
    for rods, chosen in ((None, "generic"), ("7", "generic"), ("13", "abacus13"), ("23", "abacus13")):
        monkeypatch.delenv("ABACUS_RODS", raising=False)
        if rods is not None:
            monkeypatch.setenv("ABACUS_RODS", rods)
        found = json.loads(run("select", "foo", "--index", "index", "--format", "json").stdout)
        assert [one["variant"] for one in found["candidates"] if one["chosen"]] == [chosen]
    assert json.loads(run("host", "--format", "json").stdout)["properties"]["abacus"] == {"rods": ["23", "13", "7"]}
    page = (tmp_path / "index/foo/index.html").read_text("utf-8")
    assert "an abacus of 13 rods or more" in page


def test_what_is_claimed_is_checked(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN.replace(".whl", "+abacus13.whl"), files={"foo/a.so": elf(extra=b"BEADS:7;")})
    assert failures(ClaimedArchitectures(), tmp_path) == ["it claims 13, its binaries have 7"]


def test_machines_are_simulated(tmp_path: Path) -> None:
    for word in ("abacus7", "abacus13"):
        make_wheel(tmp_path, PLAIN.replace(".whl", f"+{word}.whl"))
    make_wheel(tmp_path, PLAIN)
    assert verdicts(EveryVariantChosen(), tmp_path) == {"pass": 2}


def test_without_the_distribution_nobody_knows_the_word(monkeypatch: pytest.MonkeyPatch) -> None:
    assert catalog.properties_of_word("abacus13")
    monkeypatch.setattr(catalog, "_entries", list)
    catalog.providers.cache_clear()
    assert catalog.properties_of_word("abacus13") == ()
