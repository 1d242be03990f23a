from __future__ import annotations

from pathlib import Path

import pytest

from support.checks import LINUX, WINDOWS, failures, outcomes, verdicts
from support.wheels import make_wheel
from variant_publish.rules.metadata import (
    NoDirectUrl,
    NoLocalVersion,
    NoVariantMarkers,
    SameEntryPoints,
    SameExtras,
    SameName,
    SameRequirementsInVariant,
    SameRequirementsOverVariants,
    SameRequiresPython,
    ValidRequirements,
)
from variant_publish.rules.rule import ReleaseRule

ONE, TWO, THREE = (f"foo-1.0-{python}-{python}-{LINUX}.whl" for python in ("cp311", "cp312", "cp313"))
PLUS = TWO.replace(".whl", "+cu128.whl")
LABELLED = TWO.replace(".whl", "-cu128.whl")
LIKE = [
    (SameName(), {"name": "Foo"}, {"name": "foo"}),
    (SameRequiresPython(), {"headers": ["Requires-Python: >=3.10,<4"]}, {"headers": ["Requires-Python: >=3.11"]}),
    (SameExtras(), {"headers": ["Provides-Extra: test", "Provides-Extra: a_b"]}, {"headers": []}),
    (
        SameEntryPoints(),
        {"extra_info": {"entry_points.txt": b"[console_scripts]\nfoo = foo:main\n"}},
        {"extra_info": {"entry_points.txt": b"[console_scripts]\nFoo = foo:main\n"}},
    ),
]


@pytest.mark.parametrize(("rule", "usual", "odd"), LIKE, ids=lambda value: getattr(value, "id", ""))
def test_what_must_be_alike_is_held_against_most_wheels(
    tmp_path: Path, rule: ReleaseRule, usual: dict[str, object], odd: dict[str, object]
) -> None:
    make_wheel(tmp_path, ONE, **usual)  # type: ignore[arg-type]
    assert verdicts(rule, tmp_path) == {"skip": 1}
    make_wheel(tmp_path, THREE, **usual)  # type: ignore[arg-type]
    assert verdicts(rule, tmp_path) == {"pass": 2}
    make_wheel(tmp_path, PLUS, **odd)  # type: ignore[arg-type]
    assert verdicts(rule, tmp_path) == {"pass": 2, "fail": 1}
    assert [outcome.file for outcome in outcomes(rule, tmp_path) if outcome.message] == [PLUS]
    assert "in 2 other wheels of the release it is" in failures(rule, tmp_path)[0]


def test_another_order_is_no_difference(tmp_path: Path) -> None:
    make_wheel(tmp_path, ONE, headers=["Requires-Python: >=3.10,<4", "Provides-Extra: a-b", "Provides-Extra: c"],
               extra_info={"entry_points.txt": b"[a]\nx = y\n[b]\nz=w\n"})  # fmt: skip
    make_wheel(tmp_path, TWO, headers=["Requires-Python: <4, >=3.10", "Provides-Extra: c", "Provides-Extra: A_B"],
               extra_info={"entry_points.txt": b"[b]\nz = w\n\n[a]\nx=y\n"})  # fmt: skip
    for rule in (SameRequiresPython(), SameExtras(), SameEntryPoints()):
        assert verdicts(rule, tmp_path) == {"pass": 2}


def test_requirements_parse_with_and_without_tags(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLUS, requires=["numpy+pypi==2.0.0", "bar[x]>=1; python_version < '3.12'"])
    assert verdicts(ValidRequirements(), tmp_path) == {"pass": 1}
    make_wheel(tmp_path, ONE, requires=["bar (>=1.x)", "numpy >> 2", "baz; variant_label == 'cu128'"])
    assert verdicts(ValidRequirements(), tmp_path) == {"pass": 1, "fail": 2}


def test_markers_may_ask_for_the_variables_of_the_selector_in_tagged_wheels(tmp_path: Path) -> None:
    config = """
        [tool.variant-publish.variants.cu128]
        properties = ["nvidia :: cuda_version_lower_bound :: 12.8"]
    """
    make_wheel(tmp_path, PLUS, requires=["bar; cuda == '12.8'"])
    assert verdicts(ValidRequirements(), tmp_path, config) == {"pass": 1}
    make_wheel(tmp_path, PLUS, requires=["bar; x86_64_version == 'x86-64-v3'"])
    make_wheel(tmp_path, ONE, requires=["bar; cuda == '12.8'"])
    assert verdicts(ValidRequirements(), tmp_path, config) == {"fail": 2}


def test_variant_markers_fail_in_every_wheel(tmp_path: Path) -> None:
    make_wheel(tmp_path, ONE, requires=["variant-label-tool>=1; python_version < '3.12'"])
    assert verdicts(NoVariantMarkers(), tmp_path) == {"pass": 1}
    make_wheel(tmp_path, LABELLED, requires=["bar; 'nvidia' in variant_namespaces"])
    assert verdicts(NoVariantMarkers(), tmp_path) == {"pass": 1, "fail": 1}


def test_local_versions_fail_in_generic_wheels(tmp_path: Path) -> None:
    make_wheel(tmp_path / "a", ONE)
    make_wheel(tmp_path / "a", PLUS)
    assert verdicts(NoLocalVersion(), tmp_path / "a") == {"pass": 1, "skip": 1}
    make_wheel(tmp_path / "b", ONE.replace("1.0", "1.0+cu128"))
    assert verdicts(NoLocalVersion(), tmp_path / "b") == {"fail": 1}


def test_local_versions_are_right_where_they_are_a_dialect(tmp_path: Path) -> None:
    make_wheel(tmp_path, ONE)
    make_wheel(tmp_path, ONE.replace("1.0", "1.0+cu128"))
    declared = "[tool.variant-publish.variants.cu128]\n"
    assert verdicts(NoLocalVersion(), tmp_path, declared) == {"fail": 1, "pass": 1}
    for wanted in ('dialects = ["local"]', 'upload.views = "file:views"'):
        config = f"[tool.variant-publish]\n{wanted}\n{declared}"
        assert verdicts(NoLocalVersion(), tmp_path, config) == {"skip": 1, "pass": 1}


def test_direct_urls_fail_in_generic_wheels(tmp_path: Path) -> None:
    make_wheel(tmp_path, ONE, requires=["bar>=1", "not a requirement"])
    make_wheel(tmp_path, PLUS, requires=["bar @ https://example.org/bar.whl"])
    assert verdicts(NoDirectUrl(), tmp_path) == {"pass": 1, "skip": 1}
    make_wheel(tmp_path, ONE, requires=["bar @ https://example.org/bar.whl"])
    assert verdicts(NoDirectUrl(), tmp_path) == {"fail": 1, "skip": 1}


def test_one_variant_has_nothing_to_compare(tmp_path: Path) -> None:
    make_wheel(tmp_path, ONE)
    assert verdicts(SameRequirementsOverVariants(), tmp_path) == {"skip": 1}


def test_variants_that_require_the_same_pass_in_any_spelling(tmp_path: Path) -> None:
    make_wheel(tmp_path, ONE, requires=["Foo_Bar >= 1", "baz"])
    make_wheel(tmp_path, PLUS, requires=["baz", "foo-bar>=1"])
    assert verdicts(SameRequirementsOverVariants(), tmp_path) == {"pass": 1}


def test_a_difference_between_variants_is_shown_and_can_be_declared(tmp_path: Path) -> None:
    make_wheel(tmp_path, ONE, requires=["nvidia-cublas-cu13>=13", "baz"])
    make_wheel(tmp_path, PLUS, requires=["nvidia-cublas-cu12>=12", "baz"])
    (failure,) = outcomes(SameRequirementsOverVariants(), tmp_path)
    assert failure.message.endswith(": + nvidia-cublas-cu12>=12 - nvidia-cublas-cu13>=13")
    assert failure.hint
    table = failure.hint.partition("requires = ")[2]
    for declared in (table, '{ add = ["nvidia-cublas-cu12>=12"], remove = ["nvidia_cublas_cu13"] }'):
        config = f"[tool.variant-publish.variants.cu128]\nrequires = {declared}\n"
        assert verdicts(SameRequirementsOverVariants(), tmp_path, config) == {"pass": 1}
    partly = '[tool.variant-publish.variants.cu128]\nrequires = { add = ["nvidia-cublas-cu12>=12"] }\n'
    assert failures(SameRequirementsOverVariants(), tmp_path, partly)[0].endswith(": - nvidia-cublas-cu13>=13")


def test_what_the_generic_build_adds_is_expected_too(tmp_path: Path) -> None:
    make_wheel(tmp_path, ONE, requires=["intel-openmp"])
    make_wheel(tmp_path, PLUS, requires=["intel-openmp-gpu"])
    config = '[tool.variant-publish.generic]\nrequires = { add = ["intel-openmp"], remove = ["intel-openmp-gpu"] }\n'
    assert verdicts(SameRequirementsOverVariants(), tmp_path, config) == {"pass": 1}
    config = config.replace(', remove = ["intel-openmp-gpu"]', "")
    assert failures(SameRequirementsOverVariants(), tmp_path, config)[0].endswith(": + intel-openmp-gpu")


def test_pins_are_no_difference(tmp_path: Path) -> None:
    make_wheel(tmp_path, ONE, requires=["numpy==2.0.0"], extra_info={"abi-requires.txt": b"numpy+pypi==2.0.0\n"})
    make_wheel(tmp_path, PLUS, requires=["numpy+pypi==2.0.0"])
    assert verdicts(SameRequirementsOverVariants(), tmp_path) == {"pass": 1}


def test_wheels_of_one_variant_require_the_same(tmp_path: Path) -> None:
    make_wheel(tmp_path, ONE, requires=["baz"])
    make_wheel(tmp_path, TWO, requires=["baz"])
    make_wheel(tmp_path, PLUS, requires=["qux"])
    assert verdicts(SameRequirementsInVariant(), tmp_path) == {"pass": 3}
    make_wheel(tmp_path, TWO.replace(LINUX, WINDOWS), requires=["baz", "tzdata"])
    assert failures(SameRequirementsInVariant(), tmp_path) == [
        "it requires something else than most wheels of variant 'generic': + tzdata"
    ]
