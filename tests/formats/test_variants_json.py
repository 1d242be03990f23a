from __future__ import annotations

import json
from typing import Any

import pytest

from variant_publish.dialects.pep825 import PEP825
from variant_publish.errors import VariantPublishError
from variant_publish.formats.variants_json import (
    SCHEMA_825,
    SCHEMA_850,
    InvalidVariantMetadata,
    Provider,
    VariantConflict,
    VariantsMetadata,
    merge,
)
from variant_publish.model.variant import Properties
from variant_publish.providers.catalog import KNOWN_PROVIDERS

CU128 = Properties.parse(["nvidia :: cuda_version_lower_bound :: 12.8"])
CU130 = Properties.parse(["nvidia :: cuda_version_lower_bound :: 13.0"])
NVIDIA = {"nvidia": KNOWN_PROVIDERS["nvidia"]}


def test_the_wire_form_is_that_of_pep_850() -> None:
    data = json.loads(VariantsMetadata(("nvidia",), {"cu128": CU128, "null": Properties()}, NVIDIA).dumps())
    assert data == {
        "$schema": SCHEMA_850,
        "default-priorities": {"namespace": ["nvidia"]},
        "providers": {
            "nvidia": {
                "requires": ["nvidia-variant-provider"],
                "plugin-api": "nvidia_variant_provider.plugin:NvidiaVariantPlugin",
            }
        },
        "variants": {"cu128": {"nvidia": {"cuda_version_lower_bound": ["12.8"]}}, "null": {}},
    }


def test_without_providers_it_is_pep_825() -> None:
    metadata = VariantsMetadata(("nvidia",), {"cu128": CU128})
    assert json.loads(metadata.dumps())["$schema"] == SCHEMA_825
    assert VariantsMetadata.parse(metadata.dumps()) == metadata


def test_static_properties_of_several_features_need_their_order() -> None:
    table = {"static-properties": {"a": ["1"], "b": ["2"]}, "feature-order": ["b", "a"]}
    assert json.loads(json.dumps(Provider.parse(table).table())) == {
        **table,
        "static-properties": {"b": ["2"], "a": ["1"]},
    }
    with pytest.raises(InvalidVariantMetadata, match="feature-order"):
        Provider.parse({"static-properties": {"a": ["1"], "b": ["2"]}})


@pytest.mark.parametrize(
    "table",
    [{}, {"requires": ["x"], "builtin": "abi_dependency"}, {"builtin": "other"}, {"plugin-api": "x"}, {"requires": ["!"]},
     {"requires": ["x"], "enable-if": "1"}],
)  # fmt: skip
def test_a_provider_has_exactly_one_way(table: dict[str, Any]) -> None:
    with pytest.raises(InvalidVariantMetadata):
        Provider.parse(table)


def change(**keys: Any) -> str:
    data = json.loads(VariantsMetadata(("nvidia",), {"cu128": CU128}, NVIDIA).dumps())
    return json.dumps({**data, **keys})


@pytest.mark.parametrize(
    "text",
    [
        "nonsense", "[]", "{}", change(**{"$schema": "https://variants-schema.wheelnext.dev/v0.0.3.json"}),
        change(**{"default-priorities": {"namespace": []}}), change(**{"default-priorities": {"namespace": ["nvidia"] * 2}}),
        change(**{"default-priorities": {"namespace": ["x86_64"]}}), change(variants={"Null": {}}),
        change(variants={"null": {"nvidia": {"a": ["b"]}}}), change(unknown=1), change(providers={"x86_64": {"requires": ["x"]}}),
        change(variants=[1]),
    ],
)  # fmt: skip
def test_what_the_peps_do_not_allow_is_refused(text: str) -> None:
    with pytest.raises(VariantPublishError):
        VariantsMetadata.parse(text)


def test_merging_is_a_union_and_the_longer_namespace_list_wins() -> None:
    one = VariantsMetadata(("nvidia",), {"cu128": CU128}, NVIDIA)
    two = VariantsMetadata(("nvidia", "x86_64"), {"cu130": CU130}, {**NVIDIA, "x86_64": KNOWN_PROVIDERS["x86_64"]})
    merged = merge([one, two])
    assert merged == merge([two, one])
    assert merged.namespaces == ("nvidia", "x86_64")
    assert list(merged.variants) == ["cu128", "cu130"]


@pytest.mark.parametrize(
    "other",
    [
        VariantsMetadata(("nvidia",), {"cu128": CU130}, NVIDIA),
        VariantsMetadata(("x86_64", "nvidia"), {}, {**NVIDIA, "x86_64": KNOWN_PROVIDERS["x86_64"]}),
        VariantsMetadata(("nvidia",), {}, {"nvidia": Provider(requires=("other",))}),
        VariantsMetadata(("nvidia",), {}),
    ],
)
def test_a_contradiction_is_an_error_in_both_orders(other: VariantsMetadata) -> None:
    one = VariantsMetadata(("nvidia",), {"cu128": CU128}, NVIDIA)
    for pieces in ([one, other], [other, one]):
        with pytest.raises(VariantConflict):
            merge(pieces)


def test_the_file_is_named_as_wheels_are() -> None:
    assert PEP825.file_name("My-Project", "1.0") == "my_project-1.0-variants.json"
