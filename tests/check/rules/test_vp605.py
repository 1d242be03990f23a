from __future__ import annotations

from pathlib import Path

import pytest

from support.checks import failures, verdicts
from support.selector_files import LABELLED_V3, PLUS_V3, X86, metadata_of
from support.wheels import make_wheel
from variant_publish.check.rules.selection import (
    KnownProviders,
)
from variant_publish.formats.variants_json import Provider


def test_without_labelled_wheels_there_is_nothing_to_unite(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLUS_V3)
    assert verdicts(KnownProviders(), tmp_path) == {"skip": 1}


@pytest.mark.parametrize("provider", [X86["x86_64"], Provider(requires=("X86_64.variant.provider>=0.1",)),
                                      Provider(static_properties={"level": ("v3", "v2")})])  # fmt: skip
def test_providers_that_clients_know_pass(tmp_path: Path, provider: Provider) -> None:
    make_wheel(tmp_path, LABELLED_V3, variant=metadata_of(providers={"x86_64": provider}))
    assert verdicts(KnownProviders(), tmp_path) == {"pass": 1}


def test_the_abi_of_a_dependency_is_for_the_resolver(tmp_path: Path) -> None:
    providers = {"abi_dependency": Provider(builtin="abi_dependency")}
    metadata = metadata_of(line="abi_dependency :: torch :: 2.9", providers=providers)
    make_wheel(tmp_path, LABELLED_V3, variant=metadata)
    assert verdicts(KnownProviders(), tmp_path) == {"pass": 1}


@pytest.mark.parametrize(
    ("namespace", "provider", "reason"),
    [
        ("x86_64", None, "its provider is not listed"),
        ("x86_64", Provider(requires=("x86-64-variant-provider",), optional=True), "its provider is optional"),
        ("x86_64", Provider(requires=("my-provider",)), "they know the provider x86-64-variant-provider"),
        ("x86_64", Provider(requires=("x86-64-variant-provider; python_version > '3'",)), "they know the provider"),
        ("nvidia", Provider(requires=("nvidia-variant-provider",)), "its plugin-api is None"),
        ("mine", Provider(requires=("my-provider",)), "they do not know the provider my-provider"),
        ("abi_dependency", Provider(builtin="abi_dependency", optional=True), "its provider is optional"),
        ("mine", Provider(builtin="abi_dependency"), "the builtin 'abi_dependency' is read"),
    ],
)
def test_providers_that_clients_do_not_know_are_told(
    tmp_path: Path, namespace: str, provider: Provider | None, reason: str
) -> None:
    metadata = metadata_of(line=f"{namespace} :: a :: 1", providers={namespace: provider} if provider else {})
    make_wheel(tmp_path, LABELLED_V3, variant=metadata)
    assert reason in failures(KnownProviders(), tmp_path)[0]
