from __future__ import annotations

from pathlib import Path

import pytest

from support.checks import LINUX, failures, outcomes, release_in, verdicts
from support.wheels import make_wheel
from variant_publish.formats.variants_json import KNOWN_PROVIDERS, Provider, VariantsMetadata
from variant_publish.model.variant import Properties
from variant_publish.rules.selection import (
    CurrentFiles,
    EveryNameHasAWheel,
    EveryVariantNamed,
    KnownProviders,
    NoConflict,
    OwnedFiles,
)
from variant_publish.selectors import of_release

PLAIN = f"foo-1.0-cp312-cp312-{LINUX}.whl"
PLUS = PLAIN.replace(".whl", "+v3.whl")
LABELLED = PLAIN.replace(".whl", "-v3.whl")
CONFIG = '[tool.variant-publish.variants.v3]\nproperties = ["x86_64 :: level :: v3"]\n'
JSON, TOML = "foo-1.0-variants.json", "foo-1.0-wheel-selector.toml"
X86 = {"x86_64": KNOWN_PROVIDERS["x86_64"]}


def metadata_of(
    label: str = "v3", line: str = "x86_64 :: level :: v3", providers: dict[str, Provider] | None = None
) -> VariantsMetadata:
    properties = Properties.parse([line])
    return VariantsMetadata(properties.namespaces, {label: properties}, X86 if providers is None else providers)


def written(folder: Path, config: str = CONFIG) -> None:
    """Write the selector files of the wheels in a folder beside them."""
    for name, text in of_release(release_in(folder, config)).texts("foo", "1.0").items():
        (folder / name).write_text(text, "utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with a complete release in both dialects and its selector files."""
    make_wheel(tmp_path, PLAIN)
    make_wheel(tmp_path, PLUS)
    make_wheel(tmp_path, LABELLED, variant=metadata_of())
    written(tmp_path)
    return tmp_path


@pytest.mark.parametrize("rule", [CurrentFiles(), EveryVariantNamed(), EveryNameHasAWheel(), OwnedFiles()],
                         ids=lambda rule: rule.id)  # fmt: skip
def test_without_selector_files_there_is_nothing_to_check(tmp_path: Path, rule: CurrentFiles) -> None:
    make_wheel(tmp_path, PLUS)
    assert verdicts(rule, tmp_path) == {"skip": 1}


def test_files_as_they_are_written_pass(folder: Path) -> None:
    for rule in (CurrentFiles(), EveryVariantNamed(), EveryNameHasAWheel(), OwnedFiles()):
        assert verdicts(rule, folder, CONFIG) == {"pass": 2}


def test_another_layout_of_the_same_file_passes(folder: Path) -> None:
    (folder / JSON).write_text((folder / JSON).read_text("utf-8").replace("\n", "").replace("  ", ""), "utf-8")
    assert verdicts(CurrentFiles(), folder, CONFIG) == {"pass": 2}


def test_an_old_file_fails(folder: Path) -> None:
    make_wheel(folder, PLAIN.replace(".whl", "-v2.whl"), variant=metadata_of("v2", "x86_64 :: level :: v2"))
    found = [(outcome.file, outcome.message) for outcome in outcomes(CurrentFiles(), folder, CONFIG) if outcome.message]
    assert found == [(JSON, "it is not what the wheels and the configuration say now")]
    assert failures(EveryVariantNamed(), folder, CONFIG) == ["it does not name the label 'v2'"]


def test_a_file_that_is_missing_or_broken_fails(folder: Path) -> None:
    (folder / TOML).unlink()
    (folder / JSON).write_text("{", "utf-8")
    assert [message.split(" (")[0] for message in failures(CurrentFiles(), folder, CONFIG)] == [
        "variant metadata is not JSON",
        "it is missing beside the wheels",
    ]
    assert verdicts(EveryVariantNamed(), folder, CONFIG) == {}


def test_a_file_of_a_dialect_without_wheels_fails(folder: Path) -> None:
    (folder / LABELLED).unlink()
    assert failures(CurrentFiles(), folder, CONFIG) == ["no wheel of the release is of its dialect"]


def test_what_cannot_be_worked_out_is_unknown(folder: Path) -> None:
    assert verdicts(CurrentFiles(), folder) == {"unknown": 1}


def test_a_tag_that_no_selector_mentions_fails(folder: Path) -> None:
    make_wheel(folder, PLAIN.replace(".whl", "+v4.whl"))
    assert failures(EveryVariantNamed(), folder, CONFIG) == ["it does not name the tag 'v4' of the wheels +v4"]


def test_tags_follow_the_variables_and_lack_only_what_has_a_fallback(folder: Path) -> None:
    (folder / TOML).write_text(
        '[wheel-selector]\nvariables = ["level", "cuda"]\n'
        '[selector.level]\nwheel_tags = { v3 = ["v3", ""] }\n[selector.cuda]\nwheel_tags = { "12" = ["cu12"] }\n',
        "utf-8",
    )
    make_wheel(folder, PLAIN.replace(".whl", "+v3+cu12.whl"))
    make_wheel(folder, PLAIN.replace(".whl", "+cu12+v3.whl"))
    assert failures(EveryVariantNamed(), folder, CONFIG) == [
        "the wheels +cu12+v3 do not have their tags in the order of its variables",
        "the wheels +v3 have no tag of 'cuda', which has no fallback",
    ]


def test_a_name_without_a_wheel_is_told(folder: Path) -> None:
    (folder / PLUS).unlink()
    (folder / LABELLED).unlink()
    assert failures(EveryNameHasAWheel(), folder, CONFIG) == ["label 'v3' has no wheel", "tag 'v3' has no wheel"]


def test_wheels_that_contradict_each_other_are_a_conflict(folder: Path) -> None:
    assert verdicts(NoConflict(), folder) == {"pass": 1}
    make_wheel(folder, LABELLED.replace("cp312", "cp313"), variant=metadata_of("v3", "x86_64 :: level :: v4"))
    assert "label 'v3' means two things" in failures(NoConflict(), folder)[0]
    assert verdicts(CurrentFiles(), folder, CONFIG) == {"skip": 1}


def test_without_labelled_wheels_there_is_no_conflict(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLUS)
    assert verdicts(NoConflict(), tmp_path) == {"skip": 1}
    assert verdicts(KnownProviders(), tmp_path) == {"skip": 1}


@pytest.mark.parametrize("provider", [X86["x86_64"], Provider(requires=("X86_64.variant.provider>=0.1",)),
                                      Provider(static=(("level", ("v3", "v2")),))])  # fmt: skip
def test_providers_that_clients_know_pass(tmp_path: Path, provider: Provider) -> None:
    make_wheel(tmp_path, LABELLED, variant=metadata_of(providers={"x86_64": provider}))
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
        ("abi_dependency", Provider(builtin="abi_dependency"), "the builtin 'abi_dependency' is read"),
    ],
)
def test_providers_that_clients_do_not_know_are_told(
    tmp_path: Path, namespace: str, provider: Provider | None, reason: str
) -> None:
    metadata = metadata_of(line=f"{namespace} :: a :: 1", providers={namespace: provider} if provider else {})
    make_wheel(tmp_path, LABELLED, variant=metadata)
    assert reason in failures(KnownProviders(), tmp_path)[0]


def test_a_file_under_another_name_is_told(folder: Path) -> None:
    (folder / "Foo-1.0-variants.json").write_text("{}", "utf-8")
    (outcome,) = [outcome for outcome in outcomes(OwnedFiles(), folder) if outcome.message]
    assert (outcome.file, outcome.hint) == ("Foo-1.0-variants.json", f"clients ask for {JSON}")
