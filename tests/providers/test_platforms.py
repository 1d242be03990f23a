from __future__ import annotations

import pytest

from variant_publish.providers.platforms import architecture


@pytest.mark.parametrize(("name", "spelled"), [("AMD64", "x86_64"), ("arm64", "aarch64"), ("riscv64", "riscv64")])
def test_an_architecture_has_one_spelling(name: str, spelled: str) -> None:
    assert architecture(name) == spelled
