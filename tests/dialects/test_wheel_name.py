from __future__ import annotations

import pickle

import pytest

from variant_publish.dialects.base import PartialTagSet
from variant_publish.dialects.local_version import LOCAL
from variant_publish.dialects.pep825 import PEP825
from variant_publish.dialects.plus import PLUS
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.errors import VariantPublishError
from variant_publish.model.plain_name import InvalidWheelName

GENERIC = "foo_bar-1.0-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"


def test_a_generic_name_has_no_variant() -> None:
    name = WheelName.parse(GENERIC)
    assert (name.project, name.variant, name.dialect, name.serves_everyone) == ("foo-bar", "generic", None, True)
    assert name.platform == ("manylinux_2_17_x86_64", "manylinux2014_x86_64")


def test_every_member_of_a_tag_set_is_suffixed() -> None:
    name = WheelName.parse(GENERIC).with_variant(PLUS, ("x86_64_v3", "cu128"))
    assert str(name).endswith("-manylinux_2_17_x86_64+x86_64_v3+cu128.manylinux2014_x86_64+x86_64_v3+cu128.whl")
    assert name.dialect is PLUS
    assert name.variant == "x86_64_v3+cu128"
    assert name.tag_lines() == (
        "cp312-cp312-manylinux_2_17_x86_64+x86_64_v3+cu128",
        "cp312-cp312-manylinux2014_x86_64+x86_64_v3+cu128",
    )


def test_a_third_component_that_begins_with_a_digit_is_the_build_tag() -> None:
    with_build = WheelName.parse("foo-1.0-1local-py3-none-any.whl")
    with_label = WheelName.parse("foo-1.0-py3-none-any-12.8.whl")
    with_both = WheelName.parse("foo-1.0-2-py3-none-any-cu128.whl")
    assert (with_build.plain.build, with_build.dialect) == ("1local", None)
    assert (with_label.plain.build, with_label.label) == ("", "12.8")
    assert (with_both.plain.build, with_both.label) == ("2", "cu128")


def test_the_null_label_serves_everyone_and_is_a_variant() -> None:
    name = WheelName.parse("foo-1.0-py3-none-any-null.whl")
    assert name.serves_everyone
    assert name.dialect is PEP825


def test_a_local_version_is_not_an_extra_tag() -> None:
    name = WheelName.parse("foo-1.0+cu128-py3-none-any.whl")
    assert name.words == ()
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
        WheelName.parse("foo-1.0-py3-none-any+x-y.whl")


def test_renaming_escapes_the_project_name() -> None:
    assert (
        str(WheelName.parse("xgboost_cpu-1.0-py3-none-any.whl").renamed("My.Project"))
        == "my_project-1.0-py3-none-any.whl"
    )


def test_a_local_version_is_a_variant_only_where_that_is_known() -> None:
    name = WheelName.parse("foo-1.0+cu128-py3-none-any.whl")
    assert (name.dialect, name.variant, str(name.release_version)) == (None, "generic", "1.0+cu128")
    assert name.with_known(LOCAL, {("cu130",)}) == name
    known = name.with_known(LOCAL, {("cu128",)})
    assert (known.dialect, known.variant, str(known.release_version)) == (LOCAL, "cu128", "1.0")
    assert not known.serves_everyone
    assert str(known) == str(name)
    assert str(known.generic()) == "foo-1.0-py3-none-any.whl"
    assert str(known.with_variant(PEP825, ("cu128",))) == "foo-1.0-py3-none-any-cu128.whl"


def test_a_local_version_is_spelled_as_installers_normalise_it() -> None:
    name = WheelName.parse("foo-1.0-py3-none-any.whl").with_variant(LOCAL, ("x86.64.v3",))
    assert str(name) == "foo-1.0+x86.64.v3-py3-none-any.whl"
    assert WheelName.parse("foo-1.0+x86_64_v3-py3-none-any.whl").with_known(LOCAL, {("x86.64.v3",)}).words == (
        "x86.64.v3",
    )


def test_there_is_one_local_version_and_one_dialect() -> None:
    with pytest.raises(InvalidWheelName, match="has a local version already"):
        WheelName.parse("foo-1.0+git5-py3-none-any.whl").with_variant(LOCAL, ("cu128",))
    with pytest.raises(InvalidWheelName, match="is not a local version"):
        WheelName.parse("foo-1.0-py3-none-any.whl").with_variant(LOCAL, ("x86_64_v3",))


HOSTILE = [
    "/etc/passwd", "../foo-1.0-py3-none-any.whl", "foo-1.0-1/../../x-py3-none-any.whl", "foo-1.0-1\\x-py3-none-any.whl",
    "foo-1.0-a-b-c/../../x.whl", "..-1.0-py3-none-any.whl", "fo..o-1.0-py3-none-any.whl", "foo-1.0-py3..py2-none-any.whl",
    "foo-1.0-1..2-py3-none-any.whl", "foo-1.0-py3-none-any\n.whl", "foo-1.0-1\x1b[31m-py3-none-any.whl",
    "foo-1.0-py3-none-any-a/b.whl", "foo-1.0-py3-none-any+a/b.whl", "foo-1.0+a/b-py3-none-any.whl", "foo-1.0-py3-none-\0.whl",
    "foo\u202e-1.0-py3-none-any.whl", "foo-\u0661.0-py3-none-any.whl", "C:foo-1.0-py3-none-any.whl",
    f"foo-{'1' * 5000}-py3-none-any.whl", f"foo-1.0-{'1' * 200}-py3-none-any.whl", f"foo-1.0-py3-none-{'a' * 300}.whl",
    f"foo-1.0-{'.'.join(['a'] * 12)}-{'.'.join(['b'] * 12)}-{'.'.join(['c'] * 12)}.whl", "foo-1.0-py3-none-any-\u0451.whl",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_no_part_of_a_name_leads_out_of_a_folder_or_has_no_end(text: str) -> None:
    with pytest.raises(VariantPublishError) as error:
        WheelName.parse(text)
    assert not set("\n\x1b\0\u202e") & set(error.value.message)
    assert len(error.value.message) < 700


def test_a_variant_that_makes_the_name_too_long_is_refused() -> None:
    plain = WheelName.parse(GENERIC)
    with pytest.raises(InvalidWheelName, match="longer than 255 characters"):
        plain.with_variant(PEP825, ("x" * 200,))


@pytest.mark.parametrize("text", [GENERIC, GENERIC.replace("2014_x86_64", "2014_x86_64+x").replace("17_x86_64", "17_x86_64+x"), "foo-1.0-py3-none-any-x.whl"])  # fmt: skip
def test_names_survive_the_way_to_another_process(text: str) -> None:
    name = WheelName.parse(text)
    there: WheelName = pickle.loads(pickle.dumps(name))  # noqa: S301  (our own bytes)
    assert there == name
    assert there.dialect is name.dialect
