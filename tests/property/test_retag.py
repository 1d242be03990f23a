"""What holds for every wheel: members keep their compressed bytes, and a variant can be taken off again."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from support.archives import assert_gap_free, contents, raw_members
from support.wheels import make_wheel
from variant_publish.archive.retag import Rewrite, retag
from variant_publish.dialects.pep825 import PEP825
from variant_publish.dialects.plus import PLUS
from variant_publish.formats.variants_json import WHEEL_FILE, VariantsMetadata
from variant_publish.model.variant import Properties
from variant_publish.providers.catalog import KNOWN_PROVIDERS

file_names = st.text(
    st.characters(codec="utf-8", exclude_characters="/\\\0\r\n:", exclude_categories=["C"]), min_size=1, max_size=8
)
payloads = st.dictionaries(file_names.map(lambda name: f"foo/{name}"), st.binary(max_size=300), max_size=6)
platform_sets = st.lists(
    st.sampled_from(["linux_x86_64", "manylinux_2_17_x86_64", "win_amd64", "any"]), min_size=1, max_size=3, unique=True
)
METADATA = VariantsMetadata(
    ("x86_64",), {"v3": Properties.parse(["x86_64 :: level :: v3"])}, {"x86_64": KNOWN_PROVIDERS["x86_64"]}
)
variants = st.sampled_from(
    [
        Rewrite(PLUS, ("cu128",)),
        Rewrite(PLUS, ("x86_64_v3", "cu128")),
        Rewrite(PEP825, ("v3",), {WHEEL_FILE: METADATA.dumps().encode()}),
    ]
)


@given(payloads, platform_sets, variants, st.booleans())
def test_retag_then_remove_is_the_identity_and_never_recompresses(
    payload: dict[str, bytes], platforms: list[str], rewrite: Rewrite, info_first: bool
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = make_wheel(
            folder, f"foo-1.0-py3-none-{'.'.join(sorted(platforms))}.whl", files=payload, info_first=info_first
        )
        there = retag(source, folder / "there", rewrite).path
        back = retag(there, folder / "back", Rewrite()).path
        assert_gap_free(there)
        before, after = raw_members(source), raw_members(there)
        for member in payload:
            assert after[member] == before[member]
        old, new = contents(source), contents(back)
        assert old.keys() == new.keys()
        for member in old:
            if not member.endswith("RECORD"):
                assert new[member] == old[member]
        assert sorted(old["foo-1.0.dist-info/RECORD"].splitlines()) == sorted(
            new["foo-1.0.dist-info/RECORD"].splitlines()
        )
