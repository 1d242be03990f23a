"""Which wheels ask nothing of the hardware, and which builds fit the versions of their dependencies."""

from __future__ import annotations

import pytest

from variant_publish.dialects.local_version import LOCAL
from variant_publish.dialects.pep825 import PEP825
from variant_publish.dialects.plus import PLUS
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.formats.selector_toml import Selector, SelectorFile
from variant_publish.formats.variants_json import VariantsMetadata
from variant_publish.model.variant import Properties
from variant_publish.providers.machine import Machine
from variant_publish.release.selectors import SelectorFiles
from variant_publish.view.ranking import Ranking, admits, dialect_that_counts, in_order
from variant_publish.view.wish import Wish

GENERIC, TAGGED, LABELLED, NULL = (
    WheelName.parse(f"foo-1.0-py3-none-any{end}.whl") for end in ("", "+cu128", "-gpu", "-null")
)
NOTHING: SelectorFiles = SelectorFiles()
TAGS = SelectorFiles.of(SelectorFile({"cuda": Selector({"12.8": ("cu128", "")})}))
LABELS = SelectorFiles.of(
    VariantsMetadata(("nvidia",), {"gpu": Properties.parse(["nvidia :: cuda_version_lower_bound :: 12.8"])})
)


def ranking(files: SelectorFiles, dialect: object) -> Ranking:
    return Ranking(dialect, files, Machine({}, (), "3.12"), Wish())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("versions", "fits"),
    [
        ({}, False),
        ({"torch": "2.9"}, True),
        ({"torch": "2.9.1"}, True),
        ({"torch": "2.90"}, False),
        ({"torch": "2"}, False),
        ({"numpy": "2.9"}, False),
    ],
)
def test_a_build_admits_the_versions_of_its_prefix(versions: dict[str, str], fits: bool) -> None:
    assert admits((("torch", "2.9"),), versions) is fits
    assert admits((), versions) is True


def test_all_dependencies_of_a_build_must_fit() -> None:
    build = (("numpy", "2"), ("torch", "2.9"))
    assert admits(build, {"numpy": "2.1", "torch": "2.9.0"}) is True
    assert admits(build, {"numpy": "1.26", "torch": "2.9.0"}) is False


def test_generic_and_null_wheels_ask_nothing_of_the_hardware() -> None:
    assert ranking(NOTHING, None).serves_all_hardware(GENERIC) is True
    assert ranking(TAGS, PLUS).serves_all_hardware(GENERIC) is True
    assert ranking(LABELS, PEP825).serves_all_hardware(NULL) is True
    assert ranking(LABELS, PEP825).serves_all_hardware(LABELLED) is False
    assert ranking(TAGS, PLUS).serves_all_hardware(TAGGED) is False


def test_a_wheel_of_another_dialect_serves_nobody_for_sure() -> None:
    assert ranking(TAGS, PLUS).serves_all_hardware(LABELLED) is False
    assert ranking(LABELS, PEP825).serves_all_hardware(TAGGED) is False


def test_without_variants_only_generic_wheels_have_a_place() -> None:
    place = ranking(NOTHING, None).place(())
    assert place(GENERIC) == (0, "")
    assert isinstance(place(TAGGED), str)


def test_what_a_machine_cannot_use_has_no_place_in_the_order() -> None:
    files = SelectorFiles.of(SelectorFile({"cuda": Selector({"11.8": ("",), "12.8": ("cu128", "")})}))
    for cuda, order in (("11.8", [GENERIC]), ("12.8", [TAGGED, GENERIC])):
        found = in_order([GENERIC, TAGGED], files, Machine({"cuda": cuda}, (), "3.12"), PLUS)
        assert [name for _, name in found] == order


def test_the_dialect_that_counts() -> None:
    names = [GENERIC, TAGGED, LABELLED]
    assert dialect_that_counts(names, NOTHING, Wish()) is PEP825
    assert dialect_that_counts(names, TAGS, Wish()) is PLUS
    assert dialect_that_counts([GENERIC, TAGGED], NOTHING, Wish()) is PLUS
    assert dialect_that_counts([GENERIC], NOTHING, Wish()) is None
    assert dialect_that_counts(names, NOTHING, Wish(tags=("cu128",))) is PLUS
    assert LOCAL not in {dialect_that_counts(names, files, Wish()) for files in (TAGS, LABELS)}
