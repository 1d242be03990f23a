from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from support.checks import PLAIN, failures, outcomes, verdicts
from support.labels import LOWER, label
from support.wheels import make_wheel
from variant_publish.check.rules.machines import AcceptedByUv
from variant_publish.formats.variants_json import VariantsMetadata
from variant_publish.model.variant import Properties
from variant_publish.providers.catalog import KNOWN_PROVIDERS


def test_uv_is_asked_for_only_on_demand(tmp_path: Path) -> None:
    label(tmp_path, "cu126", f"{LOWER}12.6")
    assert [(one.verdict, one.message) for one in outcomes(AcceptedByUv(), tmp_path)] == [
        ("skip", "nobody asked for uv (--for uv)")
    ]
    assert verdicts(AcceptedByUv(), tmp_path, client="uv") == {"pass": 1}


def test_what_uv_does_not_take_fails(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN.replace(".whl", "+cu128.whl"))
    make_wheel(tmp_path, PLAIN)
    newer = replace(KNOWN_PROVIDERS["nvidia"], requires=("nvidia-variant-provider>=1",))
    label(tmp_path, "cu126", f"{LOWER}12.6", providers={"nvidia": newer})
    bare = VariantsMetadata(("x86_64",), {"v3": Properties.parse(["x86_64 :: level :: v3"])})
    make_wheel(tmp_path, PLAIN.replace(".whl", "-v3.whl"), variant=bare)
    assert failures(AcceptedByUv(), tmp_path, client="uv") == [
        "uv reads no extra tags, and never chooses it",
        (
            "uv cannot evaluate namespace 'nvidia': they carry version 0.0.1 of nvidia-variant-provider, which"
            " 'nvidia-variant-provider>=1' does not allow"
        ),
        "uv cannot evaluate namespace 'x86_64': its provider is not listed (PEP 825 without PEP 850)",
    ]
    assert verdicts(AcceptedByUv(), tmp_path, client="uv") == {"fail": 3, "skip": 1}
