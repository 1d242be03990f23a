from __future__ import annotations

import pytest

from variant_publish.errors import VariantPublishError
from variant_publish.model.variant import Dialect
from variant_publish.model.wheel_name import InvalidWheelName, PartialTagSet, WheelName

GENERIC = "foo_bar-1.0-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"


def test_a_generic_name_has_no_variant() -> None:
    name = WheelName.parse(GENERIC)
    assert (name.project, name.variant, name.dialect, name.serves_everyone) == ("foo-bar", "generic", None, True)
    assert name.platform == ("manylinux_2_17_x86_64", "manylinux2014_x86_64")


def test_every_member_of_a_tag_set_is_suffixed() -> None:
    name = WheelName.parse(GENERIC).with_variant(extra_tags=("x86_64_v3", "cu128"))
    assert str(name).endswith("-manylinux_2_17_x86_64+x86_64_v3+cu128.manylinux2014_x86_64+x86_64_v3+cu128.whl")
    assert name.dialect is Dialect.PLUS
    assert name.variant == "x86_64_v3+cu128"
    assert name.tag_lines() == (
        "cp312-cp312-manylinux_2_17_x86_64+x86_64_v3+cu128",
        "cp312-cp312-manylinux2014_x86_64+x86_64_v3+cu128",
    )


def test_a_third_component_that_begins_with_a_digit_is_the_build_tag() -> None:
    with_build = WheelName.parse("foo-1.0-1local-py3-none-any.whl")
    with_label = WheelName.parse("foo-1.0-py3-none-any-12.8.whl")
    with_both = WheelName.parse("foo-1.0-2-py3-none-any-cu128.whl")
    assert (with_build.build, with_build.label) == ("1local", None)
    assert (with_label.build, with_label.label) == ("", "12.8")
    assert (with_both.build, with_both.label) == ("2", "cu128")


def test_the_null_label_serves_everyone_and_is_a_variant() -> None:
    name = WheelName.parse("foo-1.0-py3-none-any-null.whl")
    assert name.serves_everyone
    assert name.dialect is Dialect.PEP825


def test_a_local_version_is_not_an_extra_tag() -> None:
    name = WheelName.parse("foo-1.0+cu128-py3-none-any.whl")
    assert name.extra_tags == ()
    assert name.parsed_version.local == "cu128"


def test_tags_are_those_of_the_plain_name() -> None:
    name = WheelName.parse("foo-1.0-py2.py3-none-any+x.whl")
    assert {str(tag) for tag in name.tags} == {"py2-none-any", "py3-none-any"}


@pytest.mark.parametrize(
    "text",
    [
        "foo-1.0-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64+cu128.whl",
        "foo-1.0-cp312-cp312-manylinux_2_17_x86_64+cu126.manylinux2014_x86_64+cu128.whl",
    ],
)
def test_a_tag_on_one_member_only_is_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(PartialTagSet, match="some members") as error:
        WheelName.parse(text)
    assert "retag" in str(error.value.hint)


@pytest.mark.parametrize(
    "text",
    [
        "foo.whl", "foo-1.0.tar.gz", "foo-1.0-py3-none-any.zip", "foo-1.0-py3-none-any-CU128.whl",
        "foo-1.0-py3-none-any+CU.whl", "foo-1.0-py3-none-any+.whl", "foo-1.0-py3-none-any-.whl", "foo-x-py3-none-any.whl",
        "foo-1.0-py3-none-any+x-label.whl", "-1.0-py3-none-any.whl", "a-1-1-1-1-1-1-1.whl",
    ],
)  # fmt: skip
def test_other_names_are_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(VariantPublishError) as error:
        WheelName.parse(text)
    assert "\n" not in str(error.value)


def test_extra_tags_and_a_label_exclude_each_other() -> None:
    with pytest.raises(InvalidWheelName, match="extra tags and a variant label"):
        WheelName.parse(GENERIC).with_variant(extra_tags=("x",), label="y")


def test_renaming_escapes_the_project_name() -> None:
    assert (
        str(WheelName.parse("xgboost_cpu-1.0-py3-none-any.whl").renamed("My.Project"))
        == "my_project-1.0-py3-none-any.whl"
    )


def test_a_local_version_is_a_variant_only_where_that_is_known() -> None:
    name = WheelName.parse("foo-1.0+cu128-py3-none-any.whl")
    assert (name.dialect, name.variant, str(name.release_version)) == (None, "generic", "1.0+cu128")
    assert name.with_locals({"cu130"}) == name
    known = name.with_locals({"cu128"})
    assert (known.dialect, known.variant, str(known.release_version)) == (Dialect.LOCAL, "cu128", "1.0")
    assert not known.serves_everyone
    assert str(known) == str(name)
    assert str(known.with_variant()) == "foo-1.0-py3-none-any.whl"
    assert str(known.with_variant(label="cu128")) == "foo-1.0-py3-none-any-cu128.whl"


def test_a_local_version_is_spelled_as_installers_normalise_it() -> None:
    name = WheelName.parse("foo-1.0-py3-none-any.whl").with_variant(local="x86.64.v3")
    assert str(name) == "foo-1.0+x86.64.v3-py3-none-any.whl"
    assert WheelName.parse("foo-1.0+x86_64_v3-py3-none-any.whl").with_locals({"x86.64.v3"}).local == "x86.64.v3"


def test_there_is_one_local_version_and_one_dialect() -> None:
    with pytest.raises(InvalidWheelName, match="has a local version already"):
        WheelName.parse("foo-1.0+git5-py3-none-any.whl").with_variant(local="cu128")
    with pytest.raises(InvalidWheelName, match="is not the variant"):
        WheelName.parse("foo-1.0-py3-none-any.whl").with_variant(label="cu128", local="cu128")
