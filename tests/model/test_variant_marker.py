from __future__ import annotations

import pytest
from packaging.requirements import Requirement

from variant_publish.errors import UsageError
from variant_publish.model.variant import Properties
from variant_publish.model.variant_marker import VariantMarkers

CU128 = VariantMarkers(
    "cu128", Properties.parse(["nvidia :: cuda_version_lower_bound :: 12.8", "nvidia :: sm_arch :: 90_real"])
)
NULL = VariantMarkers("null")
GENERIC = VariantMarkers()


@pytest.mark.parametrize(
    ("marker", "cu128", "null", "generic"),
    [
        ("'nvidia' in variant_namespaces", True, False, False),
        ("'amd' not in variant_namespaces", True, True, True),
        ("'nvidia::sm_arch' in variant_features", True, False, False),
        ('"nvidia :: cuda_version_lower_bound :: 12.8" in variant_properties', True, False, False),
        ("'nvidia :: cuda_version_lower_bound :: 12.6' in variant_properties", False, False, False),
        ("variant_label == 'cu128'", True, False, False),
        ("'null' == variant_label", False, True, False),
        ("variant_label != ''", True, True, False),
        ("variant_label in 'cu126 cu128'", True, False, True),
        ("'slow' not in variant_label", True, True, True),
        (
            "(variant_label == 'cu126' or variant_label == 'cu128') and 'amd' not in variant_namespaces",
            True,
            False,
            False,
        ),
    ],
)
def test_a_marker_of_the_variant_alone_says_yes_or_no(marker: str, cu128: bool, null: bool, generic: bool) -> None:
    answers = [markers.resolve(f"triton==3.4; {marker}") for markers in (CU128, NULL, GENERIC)]
    assert answers == ["triton==3.4" if yes else None for yes in (cu128, null, generic)]


@pytest.mark.parametrize(
    ("marker", "left"),
    [
        ("platform_system == \"Linux\" and 'nvidia' in variant_namespaces", 'platform_system == "Linux"'),
        ("'nvidia' in variant_namespaces and python_version<'3.13'", "python_version < '3.13'"),
        (
            "(os_name == 'posix' or os_name == 'nt') and variant_label == 'cu128' and extra == 'gpu'",
            "(os_name == 'posix' or os_name == 'nt') and extra == 'gpu'",
        ),
        ("os_name == 'posix' or variant_label == 'cu126'", "os_name == 'posix'"),
        (
            "platform_machine not in 'arm64 aarch64' and variant_label == 'cu128'",
            "platform_machine not in 'arm64 aarch64'",
        ),
    ],
)
def test_the_rest_of_a_marker_stays_and_todays_tools_read_it(marker: str, left: str) -> None:
    result = CU128.resolve(f"triton==3.4; {marker}")
    assert result == f"triton==3.4; {left}"
    Requirement(result)


def test_a_requirement_without_variant_markers_is_not_touched() -> None:
    for text in ("numpy (>=1.x)", "variant_label", "foo;python_version<'3.9'", "foo @ https://example.org/a;b.whl"):
        assert CU128.resolve(text) == text


def test_a_direct_url_may_have_a_semicolon() -> None:
    url = "foo @ https://example.org/a;b.whl"
    assert CU128.resolve(f"{url} ; variant_label == 'cu128'") == url


@pytest.mark.parametrize(
    "marker",
    [
        "variant_label",
        "variant_label == 'x' and",
        "(variant_label == 'x'",
        "variant_label == 'x')",
        "variant_label > 'x'",
        "'nvidia' == variant_namespaces",
        "os_name in variant_namespaces",
        "variant_label == variant_label",
        "variant_label == 'x' § 'y'",
    ],
)
def test_a_marker_that_means_nothing_is_named(marker: str) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        CU128.resolve(f"foo; {marker}")
