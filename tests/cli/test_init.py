from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.binaries import elf, fatbin
from support.cli import run
from support.http import serving
from support.wheels import make_wheel
from variant_publish.config.configuration import Config

LINUX = "manylinux_2_28_x86_64"
TEXT = """\
# kept as it is
[project]
name = "foo"   # and this

[tool.cibuildwheel]
build = "cp311-* cp312-*"
manylinux-x86_64-image = "manylinux_2_28"

[tool.other]
a = 1
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text(TEXT)
    return tmp_path


def test_the_matrix_comes_from_cibuildwheel_and_properties_from_usual_names() -> None:
    result = run(
        "init",
        "--variant",
        "cu128",
        "--variant",
        "x86_64_v3",
        "--extra-index",
        "s3://b/simple",
        "--repository",
        "pypi",
        "--yes",
    )
    assert result.code == 0, result.stderr
    text = Path("pyproject.toml").read_text(encoding="utf-8")
    assert text.startswith(TEXT.rstrip())
    config = Config.load()
    assert config.matrix is not None
    assert config.matrix.python == ("cp311-cp311", "cp312-cp312")
    assert config.matrix.platform == (LINUX,)
    assert str(config.variants["cu128"].properties) == "nvidia :: cuda_version_lower_bound :: 12.8"
    assert str(config.variants["x86_64_v3"].properties) == "x86_64 :: level :: v3"
    assert (config.upload.repository, config.upload.extra_index) == ("pypi", "s3://b/simple")


def test_the_matrix_comes_from_wheels_where_there_are_some(project: Path) -> None:
    for python in ("cp312-cp312", "cp313-cp313"):
        wheel = make_wheel(project / "dist", f"foo-1.0-{python}-{LINUX}.whl")
        label = ["--label", "fast", "--property", "x86_64 :: level :: v4"]
        assert run("retag", str(wheel), *label, "-o", "dist").code == 0
    assert run("init", "--wheels", "dist", "--yes").code == 0
    config = Config.load()
    assert config.matrix is not None
    assert config.matrix.python == ("cp312-cp312", "cp313-cp313")
    assert str(config.variants["fast"].properties) == "x86_64 :: level :: v4"


def test_a_folder_for_each_variant_tells_the_matrix_and_the_properties_of_the_binaries(project: Path) -> None:
    make_wheel(project / "dist" / "generic", f"foo-1.0-cp312-cp312-{LINUX}.whl", files={"a.so": elf()})
    make_wheel(project / "dist" / "generic", "foo-1.0-cp312-cp312-win_amd64.whl")
    make_wheel(project / "dist" / "fast", f"foo-1.0-cp312-cp312-{LINUX}.whl", files={"a.so": elf(isa=3)})
    gpu = elf(needed=["libcudart.so.12"], extra=fatbin((90, "", False), (120, "", False)))
    make_wheel(project / "dist" / "cu128", f"foo-1.0-cp312-cp312-{LINUX}.whl", files={"a.so": gpu})
    result = run("init", "--wheels", "dist", "--yes")
    assert result.code == 0, result.stderr
    config = Config.load()
    assert config.matrix is not None
    assert config.matrix.platform == (LINUX, "win_amd64")
    assert config.matrix.variants == (("cu128", (LINUX,)), ("fast", (LINUX,)))
    assert str(config.variants["fast"].properties) == "x86_64 :: level :: v3"
    assert set(map(str, config.variants["cu128"].properties.items)) == {
        "nvidia :: cuda_version_lower_bound :: 12.8",  # the name knows more than the binary
        "nvidia :: sm_arch :: 120_real",
        "nvidia :: sm_arch :: 90_real",
    }
    assert "nothing to do" in run("init", "--wheels", "dist", "--yes").stdout


def test_a_place_can_be_given_its_variant_and_no_binary_is_read_with_fast(project: Path) -> None:
    wheel = make_wheel(project / "a", f"foo-1.0-cp312-cp312-{LINUX}.whl", files={"a.so": elf(isa=4)})
    refused = run("init", "--wheels", f"quick={wheel}", "--fast", "--yes")
    assert refused.code == 2
    assert "neither the name 'quick' nor a binary says" in refused.stderr
    assert run("init", "--wheels", f"quick={wheel}", "--yes").code == 0
    assert str(Config.load().variants["quick"].properties) == "x86_64 :: level :: v4"


def test_a_matrix_that_is_declared_already_is_not_contradicted(project: Path) -> None:
    matrix = (
        '[tool.variant-publish.matrix]\npython = ["cp312-cp312"]\nplatform = ["manylinux_2_34_x86_64", "win_amd64"]\n'
    )
    Path("pyproject.toml").write_text(matrix, encoding="utf-8")
    make_wheel(project / "dist" / "generic", "foo-1.0-cp312-cp312-win_amd64.whl")
    make_wheel(project / "dist" / "cu128", f"foo-1.0-cp312-cp312-{LINUX}.whl")
    make_wheel(project / "dist" / "cu130", "foo-1.0-cp312-cp312-win_amd64.whl")
    result = run("init", "--wheels", "dist", "--yes")
    assert result.code == 0, result.stderr
    config = Config.load()
    assert config.matrix is not None
    assert dict(config.matrix.variants) == {
        "cu128": ("manylinux_2_34_x86_64", "win_amd64"),
        "cu130": ("win_amd64",),
    }


def test_several_tags_of_one_wheel_are_one_variant(project: Path) -> None:
    make_wheel(project / "dist", f"foo-1.0-cp312-cp312-{LINUX}+x86_64_v3+cu128.whl")
    assert run("init", "--wheels", "dist", "--yes").code == 0
    variant = Config.load().variants["x86_64_v3_cu128"]
    assert variant.tags == ("x86_64_v3", "cu128")
    assert len(variant.properties.items) == 2


@pytest.mark.slow
@pytest.mark.parametrize("deep", [False, True])
def test_a_release_on_an_index_tells_the_same(project: Path, deep: bool) -> None:
    make_wheel(project / "in", f"foo-1.0-cp312-cp312-{LINUX}.whl")
    fast = make_wheel(project / "fast", f"foo-1.0-cp312-cp312-{LINUX}.whl", files={"a.so": elf(isa=3)})
    run("retag", str(fast), "--tag", "mine", "-o", "in")
    label = ["--label", "x86_64_v2", "--property", "x86_64 :: level :: v2"]
    run("retag", str(fast), *label, "-o", "in")
    (project / "publisher.toml").write_text('[variants.mine]\nproperties = ["x86_64 :: level :: v3"]\n')
    assert run("upload", "in", "--no-repository", "--config", "publisher.toml").code == 0
    with serving(project / "dist-index") as index:
        options = ["--from", "foo==1.0", "--index", index, *(["--deep"] if deep else [])]
        result = run("init", *options, "--variant", "mine" if deep else "mine=x86_64 :: level :: v3", "--yes")
        assert result.code == 0, result.stderr
        missing = run("init", "--from", "foo==2.0", "--index", index)
    assert (missing.code, "no wheel of foo 2.0" in missing.stderr) == (1, True)
    config = Config.load()
    assert config.matrix is not None
    assert (config.matrix.python, config.matrix.platform) == (("cp312-cp312",), (LINUX,))
    assert {name: str(variant.properties) for name, variant in config.variants.items()} == {
        "mine": "x86_64 :: level :: v3", "x86_64_v2": "x86_64 :: level :: v2",
    }  # fmt: skip


def test_bucket_files_are_written_for_the_bucket_of_the_configuration_once() -> None:
    arguments = ("init", "--variant", "cu128", "--extra-index", "s3://wheels/pre/simple", "--bucket-files", "deploy")
    shown = run(*arguments)
    assert "+++ b/deploy/bucket-policy.json" in shown.stdout
    assert not Path("deploy").exists()
    assert run(*arguments, "--yes").code == 0
    policy = json.loads(Path("deploy/bucket-policy.json").read_text(encoding="utf-8"))
    named = str([statement["Resource"] for statement in policy["Statement"]])
    places = ("arn:aws:s3:::wheels", "arn:aws:s3:::wheels/pre/simple/", "arn:aws:s3:::wheels/pre/views/")
    assert all(place in named for place in places)
    assert "BUCKET" not in named
    assert "wheels/simple" not in named
    stack = Path("deploy/cloudformation.yaml").read_text(encoding="utf-8")
    assert "Default: pre/simple" in stack
    assert "Default: pre/views" in stack
    Path("deploy/cloudformation.yaml").write_text("mine\n", encoding="utf-8")
    again = run("init", "--bucket-files", "deploy", "--yes")  # the configuration knows the bucket now
    assert "nothing to do" in again.stdout
    assert Path("deploy/cloudformation.yaml").read_text(encoding="utf-8") == "mine\n"


def test_an_index_that_is_a_whole_bucket_has_files_too() -> None:
    assert run("init", "--extra-index", "s3://wheels", "--bucket-files", "deploy", "--yes").code == 0
    assert "arn:aws:s3:::wheels/*" in Path("deploy/bucket-policy.json").read_text(encoding="utf-8")


def test_comments_and_order_of_a_configuration_that_is_there_stay() -> None:
    text = f"""{TEXT}
[tool.variant-publish.upload] # where it goes
public-url = "https://wheels.example.org/simple" # a CDN

[tool.variant-publish.variants.x86_64_v3]   # the fast one
properties = ["x86_64 :: level :: v3"]

[tool.last]
b = 2
"""
    Path("pyproject.toml").write_text(text, encoding="utf-8")
    assert run("init", "--variant", "cu128", "--repository", "pypi", "--yes").code == 0
    lines = Path("pyproject.toml").read_text(encoding="utf-8").splitlines()
    left = iter(lines)
    assert all(line in left for line in text.splitlines() if line.strip())  # all of it, in its order
    assert 'repository = "pypi"' in lines


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals on Windows")
def test_at_a_terminal_it_asks_and_shows_before_it_writes(project: Path) -> None:
    import pty

    main, terminal = pty.openpty()
    os.write(main, b"cu128 fast\nx86_64 :: level :: v3\npypi\ns3://wheels/simple\ny\n")
    command = [sys.executable, "-c", "from variant_publish.cli.main import main; main(['init'])"]
    done = subprocess.run(command, stdin=terminal, capture_output=True, encoding="utf-8", timeout=60, check=False)
    os.close(terminal)
    os.close(main)
    assert done.returncode == 0, done.stderr
    said = done.stdout
    order = [
        "variants, like",
        "what fast needs",
        "repository for",
        "extra index for",
        "+[tool.variant-publish]",
        "write this?",
    ]
    assert [said.index(part) for part in order] == sorted(said.index(part) for part in order)
    config = Config.load()
    assert set(config.variants) == {"cu128", "fast"}
    assert (config.upload.repository, config.upload.extra_index) == ("pypi", "s3://wheels/simple")


def test_a_second_run_changes_nothing_and_what_is_there_stays() -> None:
    arguments = ("init", "--variant", "cu128", "--repository", "pypi", "--yes")
    run(*arguments)
    before = Path("pyproject.toml").read_text(encoding="utf-8")
    assert "nothing to do" in run(*arguments).stdout
    changed = run(
        "init", "--variant", "cu128=nvidia :: cuda_version_lower_bound :: 13.0", "--repository", "other", "--yes"
    )
    assert "nothing to do" in changed.stdout
    assert Path("pyproject.toml").read_text(encoding="utf-8") == before


def test_without_a_terminal_and_without_yes_only_the_diff_is_shown() -> None:
    result = run("init", "--variant", "cu128")
    assert result.code == 0
    assert "+variants.cu128.nvidia = {" in result.stdout
    assert "--yes" in result.stderr
    assert Path("pyproject.toml").read_text(encoding="utf-8") == TEXT


def test_a_project_without_a_pyproject_gets_one() -> None:
    Path("pyproject.toml").unlink()
    assert run("init", "--variant", "cu130", "--yes").code == 0
    assert Config.load().variant("cu130").tags == ("cu130",)


def test_the_workflow_runs_commands_that_exist() -> None:
    from variant_publish.cli.main import COMMANDS

    assert run("init", "--variant", "cu128", "--workflow", "--yes").code == 0
    text = Path(".github/workflows/variant-wheels.yml").read_text(encoding="utf-8")
    commands = set(re.findall(r"variant-publish ([a-z-]+)", text)) - {
        "init",
        "cibuildwheel",
    }  # the last is injected beside it
    assert commands == {"plan-matrix", "build", "check", "upload"}
    assert commands <= set(COMMANDS)
    assert "${{ fromJSON(needs.plan.outputs.matrix) }}" in text
    Path(".github/workflows/variant-wheels.yml").write_text("mine\n", encoding="utf-8")
    assert run("init", "--variant", "cu128", "--workflow", "--yes").code == 0
    assert Path(".github/workflows/variant-wheels.yml").read_text(encoding="utf-8") == "mine\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--variant", "fast"], "says what the variant needs"),
        (["--variant", "Fast=a :: b :: c"], "characters"),
        (["--variant", "fast=a :: b"], "three parts"),
        (["--variant", "fast=acme :: b :: c"], "no known provider"),
        (["--wheels", "nowhere"], "does not exist"),
        (["--from", "foo"], "is not NAME==VERSION"),
        (["--deep"], "needs --from"),
        (["--wheels", "a-b=."], "holds no wheels"),
        (["--variant", "cu128", "--bucket-files", "deploy"], "is in no bucket"),
    ],
)
def test_a_mistake_is_one_sentence_and_writes_nothing(arguments: list[str], message: str) -> None:
    result = run("init", *arguments, "--yes")
    assert result.code == 2, result.stdout
    assert message in result.stderr
    assert Path("pyproject.toml").read_text(encoding="utf-8") == TEXT


def test_a_file_that_cannot_be_edited_is_named() -> None:
    text = f"x = {'[' * 101}{']' * 101}\n"
    Path("pyproject.toml").write_text(text, encoding="utf-8")
    result = run("init", "--variant", "cu128", "--yes")
    assert result.code == 2, result.stdout
    assert "pyproject.toml cannot be edited (TOML value nested more than 100 levels deep" in result.stderr
    assert Path("pyproject.toml").read_text(encoding="utf-8") == text


def test_names_alone_make_a_whole_configuration() -> None:
    text = '[project]\nname = "foo"\nrequires-python = ">=3.12,<3.14"\n[build-system]\nrequires = ["hatchling"]\n'
    Path("pyproject.toml").write_text(text, encoding="utf-8")
    assert run("init", "--variant", "x86_64_v3", "--variant", "cu128", "--yes").code == 0
    config = Config.load()
    assert config.matrix is not None
    assert config.matrix.python == ("cp312-cp312", "cp313-cp313")
    assert config.matrix.platform == (LINUX,)
    assert config.settings_of("x86_64_v3").env == {"CFLAGS": "-march=x86-64-v3", "CXXFLAGS": "-march=x86-64-v3"}
    assert not config.settings_of("cu128")


def test_a_variant_is_built_where_there_is_such_hardware_and_rust_has_flags_of_its_own() -> None:
    text = (
        '[project]\nname = "foo"\n[build-system]\nrequires = ["maturin>=1"]\n[tool.cibuildwheel]\nbuild = "cp312-*"\n'
        '[tool.cibuildwheel.linux]\narchs = ["x86_64", "aarch64"]\n[tool.cibuildwheel.macos]\narchs = ["arm64"]\n'
    )
    Path("pyproject.toml").write_text(text, encoding="utf-8")
    assert run("init", "--variant", "x86_64_v3", "--variant", "cu128", "--yes").code == 0
    config = Config.load()
    assert config.matrix is not None
    linux = ("manylinux_2_28_aarch64", "manylinux_2_28_x86_64")
    assert dict(config.matrix.variants) == {"x86_64_v3": linux[1:], "cu128": linux}
    assert config.settings_of("x86_64_v3").env == {"RUSTFLAGS": "-C target-cpu=x86-64-v3"}


def test_a_family_is_folded_and_what_was_not_built_is_skipped(project: Path) -> None:
    Path("pyproject.toml").write_text("", encoding="utf-8")
    for name in ("foo_cuda12-1.0-cp312-cp312", "foo_cuda12-1.0-cp313-cp313", "foo_cuda13-1.0-cp313-cp313"):
        make_wheel(project / "dist", f"{name}-{LINUX}.whl")
    result = run("init", "--wheels", "dist", "--yes")
    assert result.code == 0, result.stderr
    config = Config.load()
    assert str(config.variants["cuda12"].properties) == "nvidia :: cuda_version_lower_bound :: 12.0"
    assert config.matrix is not None
    assert [(skip.variant, skip.python) for skip in config.matrix.skips] == [
        ("generic", None),
        ("cuda13", "cp312-cp312"),
    ]
    assert len([line for line in Path("pyproject.toml").read_text("utf-8").splitlines() if line]) <= 12
    assert run("retag", "dist", "--all", "-o", "wheelhouse").code == 0
    assert {path.name.partition("-")[0] for path in Path("wheelhouse").iterdir()} == {"foo"}
    checked = run("check", "wheelhouse")
    assert checked.code == 0, checked.stdout


def test_a_family_with_a_build_for_everyone_needs_no_skip(project: Path) -> None:
    make_wheel(project / "dist" / "a", f"foo_cpu-1.0-py3-none-{LINUX}.whl")
    make_wheel(project / "dist" / "b", f"foo-1.0-py3-none-{LINUX}.whl")
    places = ("--wheels", "generic=dist/a", "--wheels", "cu130=dist/b")
    assert run("init", *places, "--yes").code == 0
    config = Config.load()
    assert config.changes_of("generic").rename is not None
    assert config.changes_of("cu130").rename is None
    assert config.matrix is not None
    assert config.matrix.skips == ()


@pytest.mark.parametrize(
    "url", ["https://me:pass-word@h/simple", "https://h/simple pass-word", "https://h/simple?token=pass-word"]
)
def test_an_address_with_a_secret_gets_into_no_configuration(project: Path, url: str) -> None:
    result = run("init", "--variant", "cu128", "--public-url", url, "--yes")
    assert result.code == 2
    assert "upload.public-url has " in result.stderr
    assert "pass-word" not in result.stderr + result.stdout
    assert (project / "pyproject.toml").read_text() == TEXT


def test_a_platform_without_a_build_for_the_hardware_is_generic_there(project: Path) -> None:
    Path("pyproject.toml").unlink()
    big, small = {"xgboost/lib.so": elf() + os.urandom(200_000)}, {"xgboost/lib.so": elf() + os.urandom(20_000)}
    for platform, files in ((LINUX, big), ("win_amd64", big), ("win_arm64", small), ("macosx_12_0_arm64", small)):
        make_wheel(project / "gpu", f"xgboost-3.4.1-py3-none-{platform}.whl", files=files)
    for platform in (LINUX, "win_amd64", "win_arm64"):
        make_wheel(project / "cpu", f"xgboost_cpu-3.4.1-py3-none-{platform}.whl", files=small)
    result = run("init", "--wheels", "cu130=gpu", "--wheels", "cpu", "--fast", "--yes")
    assert result.code == 0, result.stderr
    config = Config.load()
    assert config.matrix is not None
    assert config.matrix.platform == ("macosx_12_0_arm64", LINUX, "win_amd64", "win_arm64")
    assert dict(config.matrix.variants) == {"cu130": (LINUX, "win_amd64")}
    assert config.matrix.skips == ()  # the wheels for macOS are the generic ones there


def test_two_cpu_levels_are_eleven_lines_of_configuration(project: Path) -> None:
    variants = ("--variant", "x86_64_v3", "--variant", "x86_64_v4")
    assert run("init", *variants, "--extra-index", "s3://b/simple", "--repository", "pypi", "--yes").code == 0
    written = Path("pyproject.toml").read_text(encoding="utf-8").removeprefix(TEXT)
    assert len([line for line in written.splitlines() if line]) == 11
    assert Config.load().settings_of("x86_64_v4").env["CFLAGS"] == "-march=x86-64-v4"
