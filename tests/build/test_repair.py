"""retag --repair, as cibuildwheel calls it, on a C extension that was compiled for two x86-64 levels."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from support.cli import Result, run
from support.environments import make_environment, site
from support.http import serving
from support.projects import make_extension, needs_compiler
from support.uv import PREVIEW, uv
from support.wheels import make_wheel
from variant_publish.build.frontend import Builder
from variant_publish.config.configuration import Config
from variant_publish.config.tables import Frontend
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.providers.x86_64 import X86

pytestmark = pytest.mark.slow

RUNNING = f"cp3{sys.version_info.minor}"
PLAT = "manylinux_2_28_x86_64"
CONFIG = f"""
[tool.variant-publish]
dialects = ["plus", "pep825"]
[tool.variant-publish.matrix]
python = ["{RUNNING}-{RUNNING}"]
platform = ["{PLAT}"]
[tool.variant-publish.build]
arguments = ["--no-isolation"]
[tool.variant-publish.variants.x86_64_v2]
properties = ["x86_64 :: level :: v2"]
platform = []
[tool.variant-publish.variants.x86_64_v3]
properties = ["x86_64 :: level :: v3"]
build = {{ env = {{ CFLAGS = "-O3 -march=x86-64-v3", LDFLAGS = "-Wl,-z,x86-64-v3" }} }}
"""
on_x86_linux = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64", reason="the levels of this test are those of x86-64"
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Build the extension once for each level; give the plain wheels, as a frontend leaves them."""
    folder = tmp_path_factory.mktemp("built")
    project = make_extension(folder / "project", configuration=CONFIG)
    config = Config.load(project / "pyproject.toml")
    environ = {name: value for name, value in os.environ.items() if name not in ("CFLAGS", "LDFLAGS")}
    builder = Builder(Frontend.BUILD, arguments=config.tables.build.arguments, environ=environ)
    log: list[str] = []
    sdist = builder.sdist(project, folder / "sdist", log.append)
    return {
        name: builder.wheels(sdist, folder / name, name, config.settings_of(name), log.append)[0]
        for name in ("generic", "x86_64_v3")
    }


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text(CONFIG)
    return tmp_path


def repaired(wheel: Path, *arguments: str) -> Result:
    return run("retag", str(wheel), "-o", "out", "--repair", *arguments)


def outputs() -> list[str]:
    return sorted(path.name for path in Path("out").glob("*")) if Path("out").exists() else []


@needs_compiler
@on_x86_linux
def test_the_check_for_isa_extensions_yields_to_the_label_that_claims_them(
    project: Path, built: dict[str, Path]
) -> None:
    assert "linux_x86_64" in built["x86_64_v3"].name
    refused = repaired(built["x86_64_v3"], "--generic")
    assert refused.code == 1
    assert f"auditwheel failed for {built['x86_64_v3'].name} with exit code" in refused.stderr
    lesser = repaired(built["x86_64_v3"], "--variant", "x86_64_v2")
    assert lesser.code == 2
    assert "demands x86-64-v3, and the variant is for x86-64-v2" in lesser.stderr
    assert outputs() == []

    result = repaired(built["x86_64_v3"], "--variant", "x86_64_v3", "--plat", PLAT)
    assert result.code == 0, result.stderr
    names = [WheelName.parse(name) for name in outputs()]
    assert {(str(name.dialect), name.words) for name in names} == {("pep825", ("x86_64_v3",)), ("plus", ("x86_64_v3",))}
    assert all(PLAT in name.platform for name in names)
    tagged = run("retag", str(built["x86_64_v3"]), "-o", "tagged", "--repair", "--tag", "x86_64_v3")
    assert tagged.code == 0, tagged.stderr


@needs_compiler
@on_x86_linux
def test_an_option_reaches_auditwheel(project: Path, built: dict[str, Path]) -> None:
    result = repaired(built["generic"], "--generic", "--repair-option", "--no-such-option")
    assert result.code == 1
    assert "unrecognized arguments: --no-such-option" in result.stderr
    excluded = repaired(built["generic"], "--generic", "--exclude", "libfoo.so.*", "--repair-option", "--only-plat")
    assert excluded.code == 0, excluded.stderr
    assert outputs() != []


@needs_compiler
@on_x86_linux
@pytest.mark.package_index
def test_one_repair_command_of_cibuildwheel_does_both(project: Path, built: dict[str, Path]) -> None:
    """Run the line of the documentation as cibuildwheel does: by a shell, one wheel in, exactly one wheel out."""
    page = (Path(__file__).parents[2] / "docs" / "building.md").read_text("utf-8")
    block = page.partition("## Retag in cibuildwheel")[2].partition("```toml\n")[2].partition("```")[0]
    line = tomllib.loads(block)["tool"]["cibuildwheel"]["repair-wheel-command"]
    scripts = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for variant, wheel in built.items():
        target = project / variant
        target.mkdir()
        done = subprocess.run(
            ["sh", "-c", line.format(wheel=wheel, dest_dir=target)], capture_output=True, encoding="utf-8", check=False,
            env={**os.environ, "PATH": scripts, "BUILD_VARIANT": variant},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        [made] = target.glob("*.whl")
        assert WheelName.parse(made.name).label == ("" if variant == "generic" else variant)
        both = run("retag", str(made), "--variant", variant, "-o", str(project / "both"))
        assert both.code == 0, both.stderr
    assert len(list((project / "both").iterdir())) == 3  # the generic wheel, and the variant in both dialects


@needs_compiler
@on_x86_linux
def test_check_finds_the_v3_build_under_a_baseline_label_and_uv_chooses_the_right_ones(
    project: Path, built: dict[str, Path]
) -> None:
    swapped = repaired(built["x86_64_v3"], "--generic", "--repair-option", "--disable-isa-ext-check")
    assert swapped.code == 0, swapped.stderr
    found = run("check", "out", "--format", "github").stdout
    assert "VP506" in found  # the note
    assert "VP513" in found  # the code itself
    for name in outputs():
        Path("out", name).unlink()

    for variant, wheel in built.items():
        assert repaired(wheel, "--variant", variant, "--plat", PLAT).code == 0
    for command in (["metadata", "out"], ["check", "out", "--ignore", "VP301"], ["upload", "out", "--no-repository"]):
        done = run(*command)
        assert done.code == 0, done.stdout + done.stderr
    expected = "v3" if X86().here_is()[-1] in "34" else "baseline"
    with serving(project / "dist-index") as index:
        for options, level in ((PREVIEW, expected), ((), "baseline")):
            target = project / f"target-{len(options)}"
            installed = uv(
                "pip", "install", *options, "--default-index", index, "--python", sys.executable, "--target", target,
                "tiny",
            )  # fmt: skip
            assert installed.returncode == 0, installed.stderr
            code = "import tiny; tiny.run(); print(tiny.LEVEL)"
            told = subprocess.run(
                [sys.executable, "-c", code],
                env={"PYTHONPATH": str(target)},
                capture_output=True,
                encoding="utf-8",
                check=True,
            )
            assert told.stdout.strip() == level


def test_what_needs_no_repair_stays_as_it_is(project: Path) -> None:
    for number, platforms in enumerate(("any", "win_amd64")):
        wheel = make_wheel(project, f"foo-1.{number}-py3-none-{platforms}.whl")
        result = repaired(wheel, "--tag", "x86_64_v3")
        assert result.code == 0, result.stderr
        assert "needs no repair" in result.stderr
    assert outputs() == ["foo-1.0-py3-none-any+x86_64_v3.whl", "foo-1.1-py3-none-win_amd64+x86_64_v3.whl"]


def test_one_that_cannot_be_repaired_does_not_stop_the_others(project: Path) -> None:
    make_wheel(project / "dist", "foo-1.0-py3-none-any-x86_64_v3.whl", variant=None)
    make_wheel(project / "dist", "foo-1.0-cp312-cp312-macosx_14_0_arm64.whl", files={"foo.py": b""})
    make_wheel(project / "dist", "foo-1.0-py3-none-any.whl")
    result = repaired(Path("dist"), "--tag", "x86_64_v3")
    assert result.code == 2
    assert "is a variant wheel already" in result.stderr
    assert "delocate failed for" in result.stderr or "delocate is not installed" in result.stderr
    assert outputs() == ["foo-1.0-py3-none-any+x86_64_v3.whl"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--repair", "--in-place"], "not the same ones in place"),
        (["--plat", PLAT, "-o", "out"], "need --repair"),
        (["--exclude", "libfoo.so", "-o", "out"], "need --repair"),
    ],
)
def test_a_mistake_is_one_sentence(project: Path, arguments: list[str], message: str) -> None:
    wheel = make_wheel(project, "foo-1.0-py3-none-any.whl")
    result = run("retag", str(wheel), "--tag", "x86_64_v3", *arguments)
    assert result.code == 2
    assert message in result.stderr


def test_without_patchelf_one_sentence_says_what_to_install(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = make_environment(project / "bare")
    monkeypatch.setattr(sys, "executable", str(bare / "bin" / "python"))
    monkeypatch.setenv("PATH", str(bare / "bin"))
    monkeypatch.delenv("AUDITWHEEL_PATCHER", raising=False)
    result = repaired(make_wheel(project, f"foo-1.0-cp312-cp312-{PLAT}.whl"), "--tag", "x86_64_v3")
    assert result.code == 2
    assert 'pip install "variant-publish[repair]"' in result.stderr
    assert site(bare).exists()
