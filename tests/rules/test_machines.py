from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from support.checks import LINUX, MAC, failures, release_in, verdicts
from support.wheels import make_wheel
from variant_publish.formats.variants_json import KNOWN_PROVIDERS, Provider, VariantsMetadata
from variant_publish.model.variant import Properties
from variant_publish.rules.context import Context
from variant_publish.rules.machines import AcceptedByUv, EveryMachineServed, EveryVariantChosen, NoTies
from variant_publish.rules.simulation import machines

PLAIN = f"foo-1.0-cp312-cp312-{LINUX}.whl"
SIMULATED = [EveryVariantChosen(), EveryMachineServed(), NoTies()]
LOWER = "nvidia :: cuda_version_lower_bound :: "
UPPER = "nvidia :: cuda_version_upper_bound :: "


def label(folder: Path, name: str, *properties: str, providers: dict[str, Provider] | None = None) -> Path:
    """Write a labelled wheel with these properties."""
    parsed = Properties.parse(properties)
    known = {namespace: KNOWN_PROVIDERS[namespace] for namespace in ("nvidia", "x86_64")}
    found = {**known, **(providers or {})}
    metadata = VariantsMetadata(tuple(found), {name: parsed}, found)
    return make_wheel(folder, PLAIN.replace(".whl", f"-{name}.whl"), variant=metadata)


@pytest.mark.parametrize("rule", SIMULATED, ids=lambda rule: rule.id)
def test_a_release_without_variants_is_skipped(tmp_path: Path, rule: EveryVariantChosen) -> None:
    make_wheel(tmp_path, PLAIN)
    assert verdicts(rule, tmp_path) == {"skip": 1}


def test_variants_that_share_the_machines_pass(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN)
    label(tmp_path, "cu126", f"{LOWER}12.6")
    label(tmp_path, "cu130", f"{LOWER}13.0")
    label(tmp_path, "v3", "x86_64 :: level :: v3")
    assert verdicts(EveryVariantChosen(), tmp_path) == {"pass": 3}
    assert verdicts(EveryMachineServed(), tmp_path) == {"pass": 1}
    assert verdicts(NoTies(), tmp_path) == {"pass": 1}


def test_a_variant_behind_another_is_never_chosen(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN)
    label(tmp_path, "wide", f"{LOWER}12.0")
    label(tmp_path, "wrong", f"{LOWER}12.0", "x86_64 :: level :: v9")
    label(tmp_path, "also", f"{LOWER}12.0")
    found = failures(EveryVariantChosen(), tmp_path)
    machine = f"a machine of {LINUX} with x86_64_version=x86-64, cuda=12.0"
    assert found == [
        f"variant 'wide' is never the best choice: on {machine} 'also' is chosen, and so on every other one",
        "variant 'wrong' is never the best choice: no machine of its platforms has its properties",
    ]
    assert failures(NoTies(), tmp_path) == [
        f"'also' and 'wide' are equally good for a machine of {LINUX} with x86_64_version=x86-64, cuda=12.0: the label decides"
    ]


def test_a_machine_that_gets_nothing_is_shown(tmp_path: Path) -> None:
    label(tmp_path, "cu126", f"{LOWER}12.6", f"{UPPER}13")
    assert failures(EveryMachineServed(), tmp_path) == [
        f"a machine of {LINUX} with x86_64_version=x86-64 gets no wheel, though there are some for {LINUX}"
    ]


def test_capabilities_tell_variants_apart(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN)
    label(tmp_path, "hopper", f"{LOWER}12.0", "nvidia :: sm_arch :: 90_real")
    label(tmp_path, "blackwell", f"{LOWER}12.0", "nvidia :: sm_arch :: 120_real")
    assert verdicts(EveryVariantChosen(), tmp_path) == {"pass": 2}


def test_extra_tags_are_simulated_by_their_selector_file(tmp_path: Path) -> None:
    config = """[tool.variant-publish.variants.v3]
properties = ["x86_64 :: level :: v3"]
[tool.variant-publish.variants.v4]
properties = ["x86_64 :: level :: v4"]
"""
    for tag in ("v3", "v4"):
        make_wheel(tmp_path, PLAIN.replace(".whl", f"+{tag}.whl"))
    assert verdicts(EveryVariantChosen(), tmp_path, config) == {"pass": 2}
    (message,) = failures(EveryMachineServed(), tmp_path, config)
    assert "x86_64_version=x86-64" in message
    make_wheel(tmp_path, PLAIN)
    assert verdicts(EveryMachineServed(), tmp_path, config) == {"pass": 1}


def test_machines_are_those_on_both_sides_of_a_bound() -> None:
    properties = [Properties.parse([f"{LOWER}12.8"])]
    drivers = {values["cuda"] for values in machines(properties, LINUX)}
    assert drivers == {"none", "12.7", "12.8", "12.9"}
    assert [*machines(properties, MAC)] == [{}]


def accepted(path: Path, client: str | None = "uv") -> list[str]:
    context = Context(release_in(path), client=client)
    return [outcome.message if outcome.message else outcome.verdict.value for outcome in AcceptedByUv().check(context)]


def test_uv_is_asked_for_only_on_demand(tmp_path: Path) -> None:
    label(tmp_path, "cu126", f"{LOWER}12.6")
    assert accepted(tmp_path, None) == ["nobody asked for uv (--for uv)"]
    assert accepted(tmp_path) == ["pass"]


def test_what_uv_does_not_take_fails(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN.replace(".whl", "+cu128.whl"))
    make_wheel(tmp_path, PLAIN)
    newer = replace(KNOWN_PROVIDERS["nvidia"], requires=("nvidia-variant-provider>=1",))
    label(tmp_path, "cu126", f"{LOWER}12.6", providers={"nvidia": newer})
    bare = VariantsMetadata(("x86_64",), {"v3": Properties.parse(["x86_64 :: level :: v3"])})
    make_wheel(tmp_path, PLAIN.replace(".whl", "-v3.whl"), variant=bare)
    assert accepted(tmp_path) == [
        "uv reads no extra tags, and never chooses it",
        "uv carries version 0.0.1 of the provider 'nvidia-variant-provider>=1'",
        "uv cannot evaluate namespace 'x86_64': its provider is not listed (PEP 825 without PEP 850)",
        "the wheel is no variant",
    ]
