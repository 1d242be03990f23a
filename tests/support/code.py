"""Binaries, and what wheels say of them, for the tests of rules that look inside."""

from __future__ import annotations

from support.binaries import LEGACY, VEX, elf, fatbin
from support.checks import PLAIN

V3 = PLAIN.replace(".whl", "+x86_64_v3.whl")
EXTENSION = "foo/_c.abi3.so"
CLAIM = """[tool.variant-publish.variants.cu128]
properties = ["nvidia :: cuda_version_lower_bound :: 12.8", "nvidia :: sm_arch :: 90_real", "nvidia :: sm_arch :: 120_virtual"]
"""
CLAIMED = fatbin((90, "", False), (120, "", True))
LEGACY_CODE, VEX_CODE, MIXED_CODE = (
    elf(functions=[LEGACY] * 60),
    elf(functions=[VEX] * 60),
    elf(functions=[LEGACY, VEX] * 40),
)
NEW_LIBC = elf(needed=["libc.so.6"], versions={"libc.so.6": ["GLIBC_2.17", "GLIBC_2.34"]})
OLD_LIBC = elf(needed=["libc.so.6"], versions={"libc.so.6": ["GLIBC_2.17"], "libown.so": ["OWN_9"]})
