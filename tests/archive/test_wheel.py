from __future__ import annotations

from pathlib import Path

import pytest

from support.wheels import make_wheel
from variant_publish.archive.wheel import WholeWheel
from variant_publish.errors import VariantPublishError

NAME = "foo-1.0-py3-none-any.whl"


def test_a_wheel_tells_its_dist_info(tmp_path: Path) -> None:
    wheel = WholeWheel.read(
        make_wheel(tmp_path, NAME, requires=["numpy"], extra_info={"abi-requires.txt": b"numpy+pypi==2.0.0\n"})
    )
    assert wheel.metadata.requires_dist == ("numpy",)
    assert wheel.wheel_file.tags == ("py3-none-any",)
    assert list(map(str, wheel.pins)) == ["numpy+pypi==2.0.0"]
    assert wheel.dist_info == "foo-1.0.dist-info"
    assert len(wheel.sha256) == 64


def test_vendored_dist_info_folders_are_not_its_own(tmp_path: Path) -> None:
    files = {"other-2.0.dist-info/METADATA": b"Name: other\n", "foo/_vendor/bar-1.dist-info/METADATA": b"x"}
    assert WholeWheel.read(make_wheel(tmp_path, NAME, files=files)).dist_info == "foo-1.0.dist-info"


def test_pins_in_metadata_are_found_too(tmp_path: Path) -> None:
    wheel = WholeWheel.read(make_wheel(tmp_path, "foo-1.0-py3-none-any+x.whl", requires=["numpy+pypi==2.0.0", "scipy"]))
    assert list(map(str, wheel.tagged_requires_dist)) == ["numpy+pypi==2.0.0"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dist_info": "bar-1.0.dist-info"}, "no dist-info folder of its own, only 'bar-1.0.dist-info'"),
        ({"dist_info": "bar-1.0\n::x.dist-info"}, r"only 'bar-1.0\\n::x.dist-info'"),
        ({"dist_info": "foo"}, "has no dist-info folder, so it is not a wheel"),
        ({"files": {"foo-1.1.dist-info/x": b""}}, "2 dist-info folders"),
        ({"extra_info": {"variant.json": b"{}"}}, "schema"),
    ],
)
def test_what_is_no_sound_wheel_is_named_with_its_file(
    tmp_path: Path, options: dict[str, object], message: str
) -> None:
    path = make_wheel(tmp_path, NAME, **options)  # type: ignore[arg-type]
    with pytest.raises(VariantPublishError, match=message) as error:
        WholeWheel.read(path)
    assert NAME in error.value.message
