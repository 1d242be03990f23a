from __future__ import annotations

from pathlib import Path

from support.alike import ONE, PLUS
from support.checks import failures, outcomes, verdicts
from support.wheels import make_wheel
from variant_publish.check.rules.metadata import (
    SameRequirementsOverVariants,
)


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
    assert verdicts(SameRequirementsOverVariants(), tmp_path, failure.hint.partition("\n")[2]) == {"pass": 1}
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


def test_what_the_abi_of_a_variant_requires_is_no_difference(tmp_path: Path) -> None:
    make_wheel(tmp_path, ONE, requires=["torch"])
    make_wheel(tmp_path, PLUS.replace("cu128", "torch2_9"), requires=["torch", "torch==2.9.*"])
    assert verdicts(SameRequirementsOverVariants(), tmp_path) == {"pass": 1}


def test_pins_are_no_difference(tmp_path: Path) -> None:
    make_wheel(tmp_path, ONE, requires=["numpy==2.0.0"], extra_info={"abi-requires.txt": b"numpy+pypi==2.0.0\n"})
    make_wheel(tmp_path, PLUS, requires=["numpy+pypi==2.0.0"])
    assert verdicts(SameRequirementsOverVariants(), tmp_path) == {"pass": 1}


def test_what_a_build_for_a_release_of_a_dependency_requires_is_no_difference(tmp_path: Path) -> None:
    make_wheel(tmp_path, ONE, requires=["torch"])
    make_wheel(tmp_path, ONE.replace(".whl", "+torch2_9.whl"), requires=["torch", "torch==2.9.*"])
    assert "fail" not in verdicts(SameRequirementsOverVariants(), tmp_path)
