from __future__ import annotations

import os
from pathlib import Path

import pytest

from support.archives import contents
from support.cli import Result, run
from support.wheels import make_wheel

NAME = "foo-1.0-cp312-cp312-manylinux_2_28_x86_64.whl"
CONFIG = """
[tool.variant-publish]
dialects = ["plus", "pep825"]
[tool.variant-publish.generic]
rename = { name = "foo-cpu", to = "foo" }
[tool.variant-publish.variants.cu128]
properties = ["nvidia :: cuda_version_lower_bound :: 12.8"]
requires = { add = ["nvidia-cublas-cu12"], remove = ["nvidia-cublas-cu13"] }
[tool.variant-publish.abi]
requires = ["numpy+pypi==2.0.0"]
"""


def retag(folder: Path, *arguments: str) -> Result:
    return run("retag", *arguments, "-o", str(folder / "out"))


def outputs(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "out").glob("*")) if (folder / "out").exists() else []


def test_a_tag_alone_means_dialect_plus_and_a_label_alone_pep825(tmp_path: Path) -> None:
    wheel = str(make_wheel(tmp_path, NAME))
    assert retag(tmp_path, wheel, "--tag", "x86_64_v3", "--tag", "cu128").code == 0
    assert (
        retag(tmp_path, wheel, "--label", "12.8", "--property", "nvidia :: cuda_version_lower_bound :: 12.8").code == 0
    )
    assert outputs(tmp_path) == [NAME.replace(".whl", "+x86_64_v3+cu128.whl"), NAME.replace(".whl", "-12.8.whl")]


def test_both_dialects_at_once(tmp_path: Path) -> None:
    wheel = str(make_wheel(tmp_path, NAME))
    result = retag(
        tmp_path, wheel, "--label", "cu128", "--property", "nvidia :: cuda_version_lower_bound :: 12.8",
        "--dialect", "plus", "--dialect", "pep825", "--priority", "x86_64,nvidia",
    )  # fmt: skip
    assert result.code == 0, result.stderr
    assert outputs(tmp_path) == [NAME.replace(".whl", "+cu128.whl"), NAME.replace(".whl", "-cu128.whl")]
    text = contents(tmp_path / "out" / NAME.replace(".whl", "-cu128.whl"))["foo-1.0.dist-info/variant.json"].decode()
    assert '"x86_64",' in text
    assert "x86-64-variant-provider" in text


def test_a_variant_of_the_configuration(tmp_path: Path) -> None:
    wheel = str(make_wheel(tmp_path, NAME, requires=["nvidia-cublas-cu13"]))
    config = tmp_path / "pyproject.toml"
    config.write_text(CONFIG)
    assert retag(tmp_path, wheel, "--variant", "cu128", "--config", str(config)).code == 0
    plus = contents(tmp_path / "out" / NAME.replace(".whl", "+cu128.whl"))["foo-1.0.dist-info/METADATA"]
    assert b"nvidia-cublas-cu12\n" in plus
    assert b"cu13" not in plus
    assert b"numpy+pypi==2.0.0" in plus
    assert (
        b"numpy==2.0.0" in contents(tmp_path / "out" / NAME.replace(".whl", "-cu128.whl"))["foo-1.0.dist-info/METADATA"]
    )


@pytest.mark.parametrize("marking", [["--generic"], ["--variant", "generic"]])
def test_a_generic_wheel_is_renamed_and_pinned(tmp_path: Path, marking: list[str]) -> None:
    wheel = str(make_wheel(tmp_path, NAME.replace("foo", "foo_cpu")))
    config = tmp_path / "pyproject.toml"
    config.write_text(CONFIG)
    assert retag(tmp_path, wheel, *marking, "--config", str(config)).code == 0
    assert outputs(tmp_path) == [NAME]
    assert contents(tmp_path / "out" / NAME)["foo-1.0.dist-info/abi-requires.txt"] == b"numpy+pypi==2.0.0\n"


def test_a_local_version_is_dropped_wherever_it_stands(tmp_path: Path) -> None:
    wheel = make_wheel(
        tmp_path, NAME.replace("1.0", "1.0+cu128"), files={"foo.py": b"", "foo-1.0+cu128.data/scripts/foo": b"#!python"}
    )
    assert retag(tmp_path, str(wheel), "--tag", "cu128", "--drop-local-version").code == 0
    assert outputs(tmp_path) == [NAME.replace(".whl", "+cu128.whl")]
    members = contents(tmp_path / "out" / outputs(tmp_path)[0])
    assert {name.partition("/")[0] for name in members} == {"foo.py", "foo-1.0.data", "foo-1.0.dist-info"}
    assert b"\nVersion: 1.0\n" in members["foo-1.0.dist-info/METADATA"]
    assert b"+cu128" not in members["foo-1.0.dist-info/RECORD"]


def test_variant_markers_are_resolved_for_each_variant(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, NAME, requires=["a; 'nvidia' in variant_namespaces", "b; variant_label == 'x'", "c"])
    (tmp_path / "pyproject.toml").write_text(CONFIG.replace('"foo-cpu"', '"foo"'))
    for option in (["--variant", "cu128"], ["--generic"]):
        assert retag(tmp_path, str(wheel), *option, "--config", str(tmp_path / "pyproject.toml")).code == 0
    found = {
        path.name: contents(path)["foo-1.0.dist-info/METADATA"].decode().count("Requires-Dist: a\n")
        for path in (tmp_path / "out").iterdir()
    }
    assert found == {NAME: 0, NAME.replace(".whl", "+cu128.whl"): 1, NAME.replace(".whl", "-cu128.whl"): 1}


def test_variant_markers_stay_where_nobody_says_what_the_tag_means(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, NAME, requires=["a; 'nvidia' in variant_namespaces"])
    assert retag(tmp_path, str(wheel), "--tag", "fast").code == 0
    assert b"variant_namespaces" in contents(tmp_path / "out" / outputs(tmp_path)[0])["foo-1.0.dist-info/METADATA"]


def test_remove_gives_back_the_plain_wheel(tmp_path: Path) -> None:
    source = make_wheel(tmp_path, NAME)
    assert retag(tmp_path, str(source), "--tag", "cu128").code == 0
    result = run("retag", str(tmp_path / "out"), "--remove", "-o", str(tmp_path / "back"))
    assert result.code == 0
    assert contents(tmp_path / "back" / NAME) == contents(source)


def test_a_second_run_says_that_nothing_changed(tmp_path: Path) -> None:
    wheel = str(make_wheel(tmp_path, NAME))
    retag(tmp_path, wheel, "--tag", "x")
    assert "unchanged" in retag(tmp_path, wheel, "--tag", "x").stdout


def test_a_bad_wheel_does_not_stop_the_others(tmp_path: Path) -> None:
    good = make_wheel(tmp_path / "in", NAME)
    (tmp_path / "in" / NAME.replace("cp312", "cp311")).write_bytes(b"nonsense")
    result = retag(tmp_path, str(good.parent), "--tag", "x")
    assert result.code == 1
    assert "not a ZIP archive" in result.stderr
    assert outputs(tmp_path) == [NAME.replace(".whl", "+x.whl")]


def test_in_place_the_wheel_gets_its_new_name_and_nothing_stays(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, NAME)
    result = run("retag", str(wheel), "--tag", "cu128", "--in-place")
    assert result.code == 0, result.stderr
    assert [path.name for path in tmp_path.iterdir()] == [NAME.replace(".whl", "+cu128.whl")]
    assert run("retag", str(tmp_path), "--remove", "--in-place").code == 0
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_the_digest_lies_beside_the_wheel(tmp_path: Path) -> None:
    assert retag(tmp_path, str(make_wheel(tmp_path, NAME)), "--tag", "x", "--digest").code == 0
    new = NAME.replace(".whl", "+x.whl")
    assert outputs(tmp_path) == [new, f"{new}.sha256"]


@pytest.mark.slow
def test_several_wheels_at_a_time_and_every_error_is_told(tmp_path: Path) -> None:
    for python in ("cp311", "cp312", "cp313"):
        make_wheel(tmp_path / "in", NAME.replace("cp312", python))
    for python in ("cp309", "cp310"):
        (tmp_path / "in" / NAME.replace("cp312", python)).write_bytes(b"nonsense")
    result = retag(tmp_path, str(tmp_path / "in"), "--tag", "x", "-j", "2")
    assert result.code == 1
    assert result.stderr.count("not a ZIP archive") == 2
    assert len(outputs(tmp_path)) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tag", "x"], "nothing says where the new wheels go"),
        (["--tag", "x", "--in-place", "-o", "out"], "nothing says where the new wheels go"),
        (
            [
                "--label",
                "v3",
                "--property",
                "x86_64 :: level :: v3",
                "--dialect",
                "plus",
                "--dialect",
                "pep825",
                "--in-place",
            ],
            "cannot become 2 wheels in place",
        ),
        (["--tag", "x", "--in-place", "-j", "0"], "0 is not in the range"),
    ],
)
def test_the_place_of_the_result_is_said_once(tmp_path: Path, arguments: list[str], message: str) -> None:
    result = run("retag", str(make_wheel(tmp_path, NAME)), *arguments)
    assert result.code == 2
    assert message in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["{wheel}"], 2, "nothing says what the wheels become"),
        (["{wheel}", "--tag", "x", "--generic"], 2, "exactly one"),
        (["{wheel}", "--tag", "CU128"], 2, "extra tag 'CU128'"),
        (["{wheel}", "--label", "CU", "--property", "a :: b :: c"], 2, "label 'CU'"),
        (["{wheel}", "--label", "x"], 2, "no properties"),
        (["{wheel}", "--property", "a :: b :: c", "--tag", "x"], 2, "--property needs --label"),
        (["{wheel}", "--label", "x", "--property", "acme :: b :: c"], 2, "no known provider"),
        (
            ["{wheel}", "--label", "x", "--property", "x86_64 :: level :: v3", "--priority", "nvidia"],
            2,
            "do not list",
        ),
        (["{wheel}", "--variant", "nope"], 2, "variant 'nope'"),
        (["{wheel}", "--tag", "x", "--rename", "foo"], 2, "OLD=NEW"),
        (["{wheel}", "--tag", "x", "--rename", "bar=foo"], 2, "'bar'"),
        (["{wheel}", "--tag", "x", "--dialect", "minus"], 2, "minus"),
        (["{folder}/marked-1.0-py3-none-any.whl", "--generic"], 1, "has a marker that cannot be read"),
        (["missing.whl", "--tag", "x"], 2, "does not exist"),
        (["{folder}/empty", "--tag", "x"], 2, "holds no wheels"),
        (["{folder}/foo-1.0-py3-none-linux_x86_64.any+x.whl", "--tag", "x"], 1, "some members"),
        (["{folder}/foo.whl", "--tag", "x"], 1, "not a wheel's file name"),
        (["--tag", "x"], 2, "missing argument"),
    ],
)
def test_a_mistake_is_one_sentence_with_a_remedy(tmp_path: Path, arguments: list[str], code: int, message: str) -> None:
    wheel = make_wheel(tmp_path, NAME)
    (tmp_path / "empty").mkdir()
    make_wheel(tmp_path, "marked-1.0-py3-none-any.whl", requires=["a; variant_label"])
    for name in ("foo-1.0-py3-none-linux_x86_64.any+x.whl", "foo.whl"):
        (tmp_path / name).write_bytes(wheel.read_bytes())
    result = retag(tmp_path, *(argument.format(wheel=wheel, folder=tmp_path) for argument in arguments))
    assert result.code == code, result.stderr
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert outputs(tmp_path) == []


def test_a_local_version_is_a_dialect_like_others(tmp_path: Path) -> None:
    config = tmp_path / "pyproject.toml"
    config.write_text("[tool.variant-publish.variants.x86_64_v3]\n")
    wheel = make_wheel(tmp_path, NAME)
    made = retag(tmp_path, str(wheel), "--variant", "x86_64_v3", "--dialect", "local", "--config", str(config))
    assert (made.code, outputs(tmp_path)) == (0, [NAME.replace("1.0", "1.0+x86.64.v3")])
    local = tmp_path / "out" / outputs(tmp_path)[0]
    back = run("retag", str(local), "--remove", "--in-place", "--config", str(config))
    assert (back.code, outputs(tmp_path)) == (0, [NAME]), back.stderr
    again = run("retag", str(tmp_path / "out"), "--label", "_", "--dialect", "local", "--in-place")
    assert again.code == 2
    assert "no letter or digit" in again.stderr


def test_all_variants_are_retagged_by_their_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pyproject.toml").write_text("[tool.variant-publish.variants.cu128]\n", encoding="utf-8")
    for folder in ("generic", "cu128"):
        make_wheel(tmp_path / "dist" / folder, "foo-1.0-py3-none-any.whl")
    result = run("retag", "dist", "--all", "--verify", "-o", "out")
    assert (result.code, result.stderr) == (0, "")
    names = {path.name for path in Path("out").iterdir()}
    assert names == {f"foo-1.0-py3-none-any{end}.whl" for end in ("", "+cu128", "-cu128")}
    make_wheel(tmp_path / "dist", "foo-1.0-py3-none-win_amd64.whl")
    lost = run("retag", "dist", "--all", "-o", "more")
    assert (lost.code, "nothing says of which variant" in lost.stderr) == (2, True)
    assert not Path("more").exists()


def test_all_variants_are_retagged_by_their_old_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pyproject.toml").write_text(
        '[tool.variant-publish.generic]\nrename = { name = "foo-cpu", to = "foo" }\n'
        '[tool.variant-publish.variants.cu12]\nrename = { name = "foo-cuda12", to = "foo" }\n',
        encoding="utf-8",
    )
    for project, size in {"foo_cpu": 10, "foo_cuda12": 9000}.items():
        files = {"foo.py": os.urandom(size)}
        make_wheel(tmp_path / "dist", f"{project}-1.0-py3-none-any.whl", files=files)
    assert run("retag", "dist", "--all", "-o", "out").code == 0
    assert {path.name for path in Path("out").iterdir()} == {
        f"foo-1.0-py3-none-any{end}.whl" for end in ("", "+cu12", "-cu12")
    }


@pytest.fixture
def in_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


FOLD = """
[tool.variant-publish]
dialects = ["pep825"]
[tool.variant-publish.generic]
rename = { name = "foo-cpu", to = "foo" }
[tool.variant-publish.variants.cu130]
"""


def fold(*built: str, config: str = FOLD) -> tuple[Result, set[str]]:
    """Retag the wheels foo (cu130, larger if it ends in "!") and foo_cpu (generic) of these platforms."""
    Path("pyproject.toml").write_text(config, encoding="utf-8")
    for text in built:
        project, _, platform = text.partition(":")
        files = {"foo.py": os.urandom(9000)} if text.endswith("!") else None
        folder = Path("dist", "generic" if project == "foo_cpu" else "cu130")
        make_wheel(folder, f"{project}-1.0-py3-none-{platform.rstrip('!')}.whl", files=files)
    result = run("retag", "dist", "--all", "-o", "out")
    return result, {path.name.removeprefix("foo-1.0-py3-none-") for path in Path("out").iterdir()}


def test_a_wheel_for_a_platform_without_such_hardware_is_generic(in_tmp: None) -> None:
    result, names = fold("foo_cpu:win_amd64", "foo:win_amd64!", "foo:macosx_12_0_arm64!")
    assert (result.code, result.stderr) == (0, "")
    assert names == {"win_amd64.whl", "win_amd64-cu130.whl", "macosx_12_0_arm64.whl"}


def test_of_two_generic_wheels_the_one_of_the_generic_project_is_kept_and_the_other_named(in_tmp: None) -> None:
    result, names = fold("foo_cpu:win_arm64", "foo:win_arm64", "foo_cpu:macosx_12_0_arm64", "foo:macosx_12_0_arm64!")
    assert (result.code, names) == (0, {"win_arm64.whl", "macosx_12_0_arm64.whl"})
    mac, windows = result.stderr.splitlines()
    assert "cu130/foo-1.0-py3-none-macosx_12_0_arm64.whl is left out: its platform has no such hardware" in mac
    assert "cu130/foo-1.0-py3-none-win_arm64.whl is left out: it has no code for such hardware, and " in windows
    assert windows.endswith("foo_cpu-1.0-py3-none-win_arm64.whl is the generic wheel of its tags")
    assert b"foo_cpu" not in Path("out/foo-1.0-py3-none-win_arm64.whl").read_bytes()[:30]


def test_a_wheel_is_generic_where_the_configuration_has_its_variant_for_other_platforms(in_tmp: None) -> None:
    config = FOLD + 'platform = ["win_amd64"]\n[tool.variant-publish.matrix]\npython = ["py3-none"]\n'
    config += 'platform = ["win_amd64", "win_arm64", "manylinux_2_28_x86_64"]\n'
    places = ("win_amd64", "win_arm64", "manylinux_2_34_x86_64")  # the last one is in no matrix: check says so
    _, names = fold(*(f"foo:{place}!" for place in places), config=config)
    assert names == {"win_amd64-cu130.whl", "win_arm64.whl", "manylinux_2_34_x86_64-cu130.whl"}
