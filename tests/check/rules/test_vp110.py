from __future__ import annotations

from pathlib import Path

from support.checks import LABELLED, PLAIN, PLUS, failures, verdicts
from support.labels import CUDA, cuda_metadata
from support.wheels import make_wheel
from variant_publish.check.rules.archive import (
    DeclaredProperties,
)

DECLARED = f'[tool.variant-publish.variants.cu128]\nproperties = ["{CUDA}"]\n'


def test_properties_are_those_of_the_configuration(tmp_path: Path) -> None:
    make_wheel(tmp_path, LABELLED, variant=cuda_metadata("cu128", CUDA))
    assert verdicts(DeclaredProperties(), tmp_path, DECLARED) == {"pass": 1}
    (message,) = failures(DeclaredProperties(), tmp_path, DECLARED.replace("12.8", "12.9"))
    assert message.startswith("the properties of 'cu128' are not those of the configuration: it lacks")
    assert message.endswith("12.9; it adds nvidia :: cuda_version_lower_bound :: 12.8")


def test_properties_are_compared_only_where_there_is_something_to_compare(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN)
    make_wheel(tmp_path, PLUS)
    make_wheel(tmp_path, LABELLED)
    make_wheel(tmp_path, LABELLED.replace("cu128", "cu126"), variant=cuda_metadata("cu126", CUDA))
    make_wheel(tmp_path, LABELLED.replace("cu128", "null"), variant=cuda_metadata("null"))
    assert verdicts(DeclaredProperties(), tmp_path, DECLARED) == {"skip": 5}
