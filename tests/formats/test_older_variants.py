"""Metadata of variantlib's time; the shapes are those of published torch, cudf and test indexes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from variant_publish.errors import VariantPublishError
from variant_publish.formats.older_variants import OlderVariants, unite
from variant_publish.formats.variants_json import Provider, VariantsMetadata
from variant_publish.model.variant import Properties
from variant_publish.providers.catalog import KNOWN_PROVIDERS

SCHEMAS = "https://variants-schema.wheelnext.dev/"
NVIDIA = {
    "enable-if": "platform_system == 'Linux'",
    "plugin-api": "nvidia_variant_provider.plugin:NvidiaVariantPlugin",
    "requires": ["nvidia-variant-provider>=0.0.2,<1.0.0"],
}
CU126 = {"nvidia": {"cuda_version_lower_bound": ["12.6"]}}


def older(schema: str = "v0.0.3.json", namespaces: tuple[str, ...] = ("nvidia",), **keys: Any) -> OlderVariants:
    priorities = {"namespace": list(namespaces), **keys.pop("priorities", {})}
    data = {"$schema": SCHEMAS + schema, "default-priorities": priorities, "providers": {"nvidia": NVIDIA},
            "variants": {"cu126": CU126}, **{key.replace("_", "-"): value for key, value in keys.items()}}  # fmt: skip
    return OlderVariants.parse(json.dumps(data))


def today(one: OlderVariants, **options: Any) -> VariantsMetadata:
    metadata, _ = one.today(KNOWN_PROVIDERS, **options)
    assert VariantsMetadata.parse(metadata.dumps()) == metadata
    return metadata


@pytest.mark.parametrize("schema", ["", "v0.0.2.json", "v0.0.3.json", "v0.2.0.json"])
def test_the_provider_that_installers_know_takes_the_place_of_its_older_versions(schema: str) -> None:
    metadata, notes = older(schema).today(KNOWN_PROVIDERS)
    assert metadata.providers == {"nvidia": KNOWN_PROVIDERS["nvidia"]}
    assert metadata.variants == {"cu126": Properties.from_table(CU126)}
    assert [note for note in notes if "enable-if" in note]
    assert [note for note in notes if "became nvidia-variant-provider" in note]


def test_a_former_name_of_a_provider_is_known() -> None:
    x86 = {"plugin-api": "provider_variant_x86_64.plugin:X8664Plugin", "requires": ["provider-variant-x86-64 >=0.0.1"]}
    one = older(namespaces=("x86_64",), providers={"x86_64": x86}, variants={"v3": {"x86_64": {"level": ["v3"]}}})
    assert today(one).providers["x86_64"] == KNOWN_PROVIDERS["x86_64"]


def test_a_provider_of_ones_own_stays_as_it_is() -> None:
    own = {"plugin-api": "ascend.plugin:Plugin", "requires": ["ascend-provider>=0.0.1,<1.0.0"], "optional": True}
    one = older(namespaces=("ascend",), providers={"ascend": own}, variants={"a2": {"ascend": {"npu": ["910b"]}}})
    assert today(one).providers["ascend"] == Provider(
        requires=("ascend-provider>=0.0.1,<1.0.0",), plugin_api="ascend.plugin:Plugin", optional=True
    )


@pytest.mark.parametrize("null", ["00000000", "null", "cpu"])
def test_the_variant_without_properties_is_labelled_null(null: str) -> None:
    assert set(today(older(variants={null: {}, "cu126": CU126})).variants) == {"null", "cu126"}


def test_a_hash_becomes_a_label_that_people_can_read() -> None:
    one = older(variants={"5d8be4b9": CU126})
    assert set(today(one, labels={"5d8be4b9": "cu126"}).variants) == {"cu126"}
    with pytest.raises(VariantPublishError, match="two variants would be labelled 'cu126'"):
        older(variants={"5d8be4b9": CU126, "cu126": {"nvidia": {"sm_arch": ["90_real"]}}}).today(
            KNOWN_PROVIDERS, labels={"5d8be4b9": "cu126"}
        )


@pytest.mark.parametrize(
    ("schema", "switch"), [("v0.0.2.json", {"plugin-use": "none"}), ("v0.0.3.json", {"install-time": False})]
)
def test_what_installers_were_not_to_ask_becomes_static_in_the_stated_order(
    schema: str, switch: dict[str, Any]
) -> None:
    keys: dict[str, Any] = {
        "namespaces": ("blas",),
        "providers": {"blas": {"requires": ["blas-provider"], **switch}},
        "variants": {"a": {"blas": {"library": ["openblas"], "threads": ["omp"]}}, "b": {"blas": {"library": ["mkl"]}}},
        "priorities": {"feature": {"blas": ["threads", "library"]}, "property": {"blas": {"library": ["openblas"]}}},
    }
    if schema == "v0.0.3.json":
        keys["static_properties"] = {"blas": {"library": ["mkl", "openblas", "blis"], "threads": ["omp", "tbb"]}}
        expected: tuple[Any, ...] = (("threads", ("omp", "tbb")), ("library", ("openblas", "mkl", "blis")))
    else:
        expected = (("threads", ("omp",)), ("library", ("openblas", "mkl")))
    metadata, notes = older(schema, **keys).today(KNOWN_PROVIDERS)
    assert tuple(metadata.providers["blas"].static_properties.items()) == expected
    assert ["had no order" in note for note in notes] == ([] if schema == "v0.0.3.json" else [True, True])


def test_static_properties_of_v020_keep_their_feature_order() -> None:
    static = {"static-properties": {"a": ["1"], "b": ["2", "3"]}, "feature-order": ["b", "a"]}
    one = older("v0.2.0.json", ("ns",), providers={"ns": static}, variants={"x": {"ns": {"a": ["1"]}}})
    assert tuple(today(one).providers["ns"].static_properties.items()) == (("b", ("2", "3")), ("a", ("1",)))


def test_a_namespace_that_nobody_provides_is_an_error_unless_the_configuration_does() -> None:
    one = older(namespaces=(), providers={}, variants={"tbbon": {"itk": {"threading": ["tbb"]}}})
    with pytest.raises(VariantPublishError, match="'itk' has no provider"):
        one.today(KNOWN_PROVIDERS)
    given = Provider(static_properties={"threading": ("tbb",)})
    assert today(one, given={"itk": given}).providers == {"itk": given}


def test_a_known_namespace_needs_no_provider() -> None:
    one = older(namespaces=(), providers={})
    metadata, notes = one.today(KNOWN_PROVIDERS)
    assert metadata.providers["nvidia"] == KNOWN_PROVIDERS["nvidia"]
    assert [note for note in notes if "was missing" in note]


def test_priorities_that_a_provider_has_itself_are_told() -> None:
    _, notes = older(priorities={"feature": {"nvidia": ["sm_arch"]}}).today(KNOWN_PROVIDERS)
    assert [note for note in notes if "priorities of features and values are left out" in note]


def test_the_parts_of_a_release_are_united_in_any_order() -> None:
    one = older(variants={"a": CU126})
    two = older(variants={"b": {"nvidia": {"sm_arch": ["90_real"]}}})
    assert unite([one, two]).today(KNOWN_PROVIDERS) == unite([two, one]).today(KNOWN_PROVIDERS)
    assert set(unite([one, two]).variants) == {"a", "b"}


def test_what_was_converted_already_counts_more() -> None:
    first = older(variants={"a": CU126})
    done = OlderVariants.parse(today(first, given={"nvidia": Provider(requires=("other",))}).dumps())
    assert today(unite([first, done])).providers["nvidia"] == Provider(requires=("other",))


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"variants": {"cu126": {"nvidia": {"sm_arch": ["90_real"]}}}}, "means two things"),
        ({"namespaces": ("amd", "nvidia")}, "two ways"),
        ({"providers": {"nvidia": {"requires": ["nvidia-variant-provider<2"]}}}, "two providers"),
    ],
)
def test_parts_that_contradict_each_other_are_refused(other: dict[str, Any], message: str) -> None:
    with pytest.raises(VariantPublishError, match=message):
        unite([older(), older(**other)])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff", "not JSON"),
        ("[]", "not a JSON object"),
        ('{"$schema": "https://example.org/1"}', "none of variantlib's"),
        ('{"variants": {"a": []}}', "wrong type"),
        ('{"default-priorities": []}', "wrong type"),
        ('{"variants": {"a": {"NS": {"f": ["v"]}}}}', "'NS'"),
    ],
)
def test_what_is_no_metadata_is_refused(content: bytes | str, message: str) -> None:
    with pytest.raises(VariantPublishError, match=message):
        OlderVariants.parse(content)
