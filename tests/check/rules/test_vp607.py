from __future__ import annotations

from pathlib import Path

from support.checks import LINUX, MAC, PLAIN, failures, verdicts
from support.labels import LEVELS, LOWER, label
from support.selector_files import metadata_of
from support.wheels import make_wheel
from variant_publish.check.engine.simulation import machines
from variant_publish.check.rules.machines import EveryVariantChosen
from variant_publish.model.variant import Properties


def test_a_release_without_variants_is_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN)
    assert verdicts(EveryVariantChosen(), tmp_path) == {"skip": 1}


def test_variants_that_share_the_machines_pass(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN)
    label(tmp_path, "cu126", f"{LOWER}12.6")
    label(tmp_path, "cu130", f"{LOWER}13.0")
    label(tmp_path, "v3", "x86_64 :: level :: v3")
    assert verdicts(EveryVariantChosen(), tmp_path) == {"pass": 3}


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


def test_capabilities_tell_variants_apart(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN)
    label(tmp_path, "hopper", f"{LOWER}12.0", "nvidia :: sm_arch :: 90_real")
    label(tmp_path, "blackwell", f"{LOWER}12.0", "nvidia :: sm_arch :: 120_real")
    assert verdicts(EveryVariantChosen(), tmp_path) == {"pass": 2}


def test_extra_tags_are_simulated_by_their_selector_file(tmp_path: Path) -> None:
    for tag in ("v3", "v4"):
        make_wheel(tmp_path, PLAIN.replace(".whl", f"+{tag}.whl"))
    assert verdicts(EveryVariantChosen(), tmp_path, LEVELS) == {"pass": 2}


def test_machines_are_those_on_both_sides_of_a_bound() -> None:
    properties = [Properties.parse([f"{LOWER}12.8"])]
    drivers = {values["cuda"] for values in machines(properties, LINUX)}
    assert drivers == {"none", "12.7", "12.8", "12.9"}
    assert [*machines(properties, MAC)] == [{}]


def test_a_wheel_for_any_platform_serves_every_architecture(tmp_path: Path) -> None:
    make_wheel(tmp_path, "foo-1.0-py3-none-any.whl")
    metadata = metadata_of("v3", "x86_64 :: level :: v3")
    make_wheel(tmp_path, "foo-1.0-py3-none-any-v3.whl", variant=metadata)
    assert verdicts(EveryVariantChosen(), tmp_path) == {"pass": 1}
