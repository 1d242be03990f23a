from __future__ import annotations

from pathlib import Path

import pytest

from support.checks import LINUX, MAC, PLAIN, WINDOWS, failures, outcomes, verdicts
from support.indexes import listing
from support.wheels import make_wheel
from variant_publish.check.rules.closure import PinsServed
from variant_publish.formats.simple import IndexFile

ON_LINUX = 'bar==2.0; sys_platform == "linux"'


def indexed(folder: Path, *filenames: str, requires: tuple[str, ...] = ()) -> str:
    """Write a flat index of wheels."""
    for filename in filenames:
        make_wheel(folder, filename, requires=requires)
    return str(folder)


def test_pins_that_the_index_serves_pass(tmp_path: Path) -> None:
    make_wheel(tmp_path / "dist", PLAIN, requires=[ON_LINUX, "baz>=1", "qux==1.*", "opt==9; extra == 'all'"])
    make_wheel(tmp_path / "dist", f"foo-1.0-cp312-cp312-{WINDOWS}.whl", requires=[ON_LINUX, "foo==1.0"])
    index = indexed(tmp_path / "index", "bar-2.0-py3-none-manylinux_2_17_x86_64.whl")
    assert verdicts(PinsServed(), tmp_path / "dist", index=index) == {"pass": 2}


@pytest.mark.parametrize("there", ["13.0.3", "13.0.3.0", "13.0.3+cu128"])
def test_versions_are_compared_as_versions(tmp_path: Path, there: str) -> None:
    make_wheel(tmp_path / "dist", PLAIN, requires=["bar==13.0.3"])
    index = indexed(tmp_path / "index", f"bar-{there}-py3-none-any.whl")
    assert verdicts(PinsServed(), tmp_path / "dist", index=index) == {"pass": 1}


@pytest.mark.parametrize(
    "there",
    [
        "bar-2.1-py3-none-any.whl",
        f"bar-2.0-py3-none-{MAC}.whl",
        "other-1-py3-none-any.whl",
        f"bar-2.0-py3-none-{LINUX}+cu128.whl",
    ],
)
def test_pins_that_the_index_does_not_serve_fail(tmp_path: Path, there: str) -> None:
    make_wheel(tmp_path / "dist", PLAIN, requires=["bar==2.0"])
    (failure,) = outcomes(PinsServed(), tmp_path / "dist", index=indexed(tmp_path / "index", there))
    assert failure.message.startswith(f"{PLAIN} pins bar==2.0, and ")
    assert failure.message.endswith(f": nothing for cp312-cp312, {LINUX}")
    assert verdicts(PinsServed(), tmp_path / "dist", index=str(tmp_path / "index")) == {"fail": 1}


def test_a_wheel_for_a_libc_that_nobody_has_any_more_is_one_for_every_linux(tmp_path: Path) -> None:
    make_wheel(tmp_path / "dist", PLAIN.replace("manylinux_2_28", "manylinux1"), requires=["bar==2.0"])
    index = indexed(tmp_path / "index", "bar-2.0-py3-none-manylinux2014_x86_64.whl")
    assert verdicts(PinsServed(), tmp_path / "dist", index=index) == {"pass": 1}


def test_pins_are_followed_from_wheel_to_wheel(tmp_path: Path) -> None:
    make_wheel(tmp_path / "dist", PLAIN, requires=["bar==2.0"])
    index = indexed(tmp_path / "index", "bar-2.0-py3-none-any.whl", requires=("baz==3.0", "bar==2.0"))
    (message,) = failures(PinsServed(), tmp_path / "dist", index=index)
    assert message.startswith("bar-2.0-py3-none-any.whl pins baz==3.0, and ")
    indexed(tmp_path / "index", "baz-3.0-py3-none-any.whl", requires=("bar==2.0",))
    assert verdicts(PinsServed(), tmp_path / "dist", index=index) == {"pass": 2}


def test_the_extra_index_counts_and_an_sdist_does(tmp_path: Path) -> None:
    make_wheel(tmp_path / "dist", PLAIN, requires=["bar==2.0", "baz==3.0"])
    index = listing(tmp_path / "index", "baz", IndexFile("baz-3.0.tar.gz", "baz-3.0.tar.gz", "0" * 64))
    extra = indexed(tmp_path / "extra", "bar-2.0-py3-none-any.whl")
    config = f'[tool.variant-publish.upload]\npublic-url = "{Path(extra).as_uri()}"\n'
    assert verdicts(PinsServed(), tmp_path / "dist", config, index=index) == {"pass": 2}


def test_without_an_answer_nothing_is_known(tmp_path: Path) -> None:
    make_wheel(tmp_path / "dist", PLAIN, requires=["bar==2.0"])
    assert verdicts(PinsServed(), tmp_path / "dist", index=str(tmp_path / "gone")) == {"unknown": 1}
    assert verdicts(PinsServed(), tmp_path / "dist", index="pypi", offline=True) == {"unknown": 1}
    wheel = "bar-2.0-py3-none-any.whl"
    index = listing(tmp_path / "index", "bar", IndexFile(wheel, f"https://nowhere.invalid/{wheel}", "0" * 64))
    assert verdicts(PinsServed(), tmp_path / "dist", index=index) == {"pass": 1, "unknown": 1}


def test_without_pins_or_an_index_it_is_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path / "dist", PLAIN, requires=["bar==2.0"])
    assert verdicts(PinsServed(), tmp_path / "dist") == {"skip": 1}
    config = '[tool.variant-publish.upload]\nrepository = "pypi"\npublic-url = "https://nowhere.invalid/simple"\n'
    assert verdicts(PinsServed(), tmp_path / "dist", config) == {"skip": 1}
    make_wheel(tmp_path / "dist", PLAIN, requires=["bar>=2.0"])
    assert verdicts(PinsServed(), tmp_path / "dist", index="pypi") == {"skip": 1}
