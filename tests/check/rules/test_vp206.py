from __future__ import annotations

from pathlib import Path

from support.alike import ONE, TWO
from support.checks import verdicts
from support.wheels import make_wheel
from variant_publish.check.rules.metadata import (
    NoVariantMarkers,
)

LABELLED = TWO.replace(".whl", "-cu128.whl")


def test_variant_markers_fail_in_every_wheel(tmp_path: Path) -> None:
    make_wheel(tmp_path, ONE, requires=["variant-label-tool>=1; python_version < '3.12'"])
    assert verdicts(NoVariantMarkers(), tmp_path) == {"pass": 1}
    make_wheel(tmp_path, LABELLED, requires=["bar; 'nvidia' in variant_namespaces"])
    assert verdicts(NoVariantMarkers(), tmp_path) == {"pass": 1, "fail": 1}
