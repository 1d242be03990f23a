from __future__ import annotations

from pathlib import Path

import pytest

from support.checks import LABELLED, PLAIN, PLUS, verdicts
from support.labels import CUDA, cuda_metadata
from support.wheels import make_wheel
from variant_publish.check.rules.archive import (
    OwnVariantJson,
)


def test_variant_json_belongs_into_labelled_wheels(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN)
    make_wheel(tmp_path, PLUS)
    make_wheel(tmp_path, LABELLED, variant=cuda_metadata("cu128", CUDA))
    make_wheel(tmp_path, LABELLED.replace("cu128", "null"), variant=cuda_metadata("null"))
    assert verdicts(OwnVariantJson(), tmp_path) == {"pass": 4}


@pytest.mark.parametrize(
    ("filename", "label"), [(PLAIN, "cu128"), (PLUS, "cu128"), (LABELLED, "cu126"), (LABELLED, None)]
)
def test_variant_json_of_another_label_or_in_another_wheel_fails(
    tmp_path: Path, filename: str, label: str | None
) -> None:
    make_wheel(tmp_path, filename, variant=cuda_metadata(label, CUDA) if label else None)
    assert verdicts(OwnVariantJson(), tmp_path) == {"fail": 1}
