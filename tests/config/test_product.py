"""Hardware x ABI is declared as a product of words, and everything else follows from the words."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import click
import pytest

from support.cli import run
from support.projects import make_project
from support.wheels import make_wheel
from variant_publish.archive.wheel import WholeWheel
from variant_publish.build.frontend import Builder
from variant_publish.check.engine.runner import Settings, check
from variant_publish.cli.render_check import render_text
from variant_publish.config.configuration import Config
from variant_publish.config.tables import Frontend
from variant_publish.dialects.registry import DIALECTS
from variant_publish.errors import UsageError
from variant_publish.model.build_job import BuildSettings
from variant_publish.model.matrix import Cell
from variant_publish.release.release import load

LINUX = "manylinux_2_28_x86_64"
FLASH = f"""\
[tool.variant-publish]
dialects = ["plus", "pep825"]
[tool.variant-publish.matrix]
python = ["cp310-cp310", "cp311-cp311", "cp312-cp312", "cp313-cp313"]
platform = ["{LINUX}"]
product = [["cu126", "cu128"], ["torch2.7", "torch2.8", "torch2.9", "torch2.10"]]
skip = [
  {{ variant = "cu128.torch2.7", python = "cp310-cp310", reason = "torch 2.7 has no such wheel" }},
  {{ variant = "cu126.torch2.10", python = "cp310-cp310", reason = "torch 2.10 has no such wheel" }},
  {{ variant = "generic", reason = "it does not run without a GPU" }},
]
"""


def test_the_matrix_of_flash_attention_takes_at_most_twelve_lines() -> None:
    assert len(FLASH.splitlines()) <= 12
    config = Config.parse(FLASH)
    assert config.matrix is not None
    assert len(config.variants) == 8
    assert len(config.matrix.cells()) == 2 * 4 * 4 - 2
    assert Cell("cp310-cp310", LINUX, "cu128.torch2.7") not in config.matrix.cells()
    assert config.namespaces == ("nvidia", "abi_dependency")


def test_names_follow_from_the_words_in_every_dialect() -> None:
    variant = Config.parse(FLASH).variant("cu128.torch2.9")
    assert (variant.label, variant.tags) == ("cu128.torch2.9", ("cu128", "torch2_9"))
    assert {name: "+".join(dialect.words_of(variant)) for name, dialect in DIALECTS.items()} == {
        "plus": "cu128+torch2_9", "pep825": "cu128.torch2.9", "local": "cu128.torch2.9",
    }  # fmt: skip
    assert str(variant.properties) == "abi_dependency :: torch :: 2.9, nvidia :: cuda_version_lower_bound :: 12.8"


def test_a_word_with_a_table_brings_it_into_each_of_its_variants() -> None:
    config = Config.parse(
        FLASH + "[tool.variant-publish.variants.cu128]\n"
        'requires.add = ["nvidia-cublas-cu12"]\nbuild.env = { CUDA_HOME = "/usr/local/cuda-12.8" }\n'
        '[tool.variant-publish.variants."torch2.9"]\nbuild.env = { TORCH = "2.9" }\n'
        '[tool.variant-publish.variants."cu128.torch2.10"]\nbuild.env = { CUDA_HOME = "/opt/cuda" }\n'
        '[tool.variant-publish.variants.rocm]\nproperties = ["amd :: gfx_arch :: gfx942"]\n'
    )
    assert len(config.variants) == 9
    assert "cu128" not in config.variants
    assert config.changes_of("cu128.torch2.9").requires.add == ("nvidia-cublas-cu12", "torch==2.9.*")
    assert config.changes_of("cu126.torch2.9").requires.add == ("torch==2.9.*",)
    assert config.settings_of("cu128.torch2.9").env == {"CUDA_HOME": "/usr/local/cuda-12.8", "TORCH": "2.9"}
    assert config.settings_of("cu128.torch2.10").env == {"CUDA_HOME": "/opt/cuda"}


def test_an_axis_may_leave_its_word_out_and_a_skip_may_name_one_word() -> None:
    config = Config.parse(
        'matrix.python = ["cp312-cp312"]\nmatrix.platform = ["any"]\nmatrix.product = [["", "cu128"], ["", "torch2.9"]]\n'
        'matrix.skip = [{ variant = "torch2.9", reason = "later" }]\n',
        "x.toml",
    )
    assert list(config.variants) == ["torch2.9", "cu128", "cu128.torch2.9"]
    assert config.matrix is not None
    assert [cell.variant for cell in config.matrix.cells()] == ["generic", "cu128"]


@pytest.mark.parametrize(
    ("product", "more", "message"),
    [
        ('[["cu128"], ["fast"]]', "", "has the word 'fast', which is not well known"),
        ('[["cu128"], ["cu128"]]', "", "has the word 'cu128' twice"),
        ('[["cu128"], []]', "", "product[1] has no words"),
        (f"{[[f'cu12{n}' for n in range(10)], [f'torch2.{n}' for n in range(10)], [f'numpy2.{n}' for n in range(11)]]}",
         "", "makes 1100 variants"),
        ('[["cu128"], ["torch2.9"]]',
         'variants.cu128.build.env = { A = "1" }\nvariants."torch2.9".build.env = { A = "2" }', "set build.env.A to two"),
        ('[["cu128"], ["torch2.9"]]',
         'variants.cu128.platform = ["any"]\nvariants."torch2.9".platform = ["win32"]', "have no platform in common"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence(product: str, more: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        Config.parse(f'{more}\nmatrix.python = ["cp312-cp312"]\nmatrix.platform = ["any", "win32"]\nmatrix.product = {product}\n', "x.toml")  # fmt: skip
    assert message in error.value.message
    assert error.value.message.startswith("x.toml: tool.variant-publish.matrix.product")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("pyproject.toml").write_text(FLASH, encoding="utf-8")
    return tmp_path


def test_each_job_has_the_release_to_build_against(project: Path) -> None:
    jobs = json.loads(run("plan-matrix", "--format", "json").stdout)["jobs"]
    assert len(jobs) == 30
    assert {(job["variant"], job["torch"], job["constraints"]) for job in jobs if "cu128" in job["variant"]} == {
        (f"cu128.torch{release}", release, f"torch=={release}.*") for release in ("2.7", "2.8", "2.9", "2.10")
    }
    assert "torch" in run("plan-matrix").stdout.splitlines()[0]


def test_retag_writes_property_requirement_and_name(project: Path) -> None:
    built = make_wheel(project / "dist", f"flash_attn-1.0-cp312-cp312-{LINUX}.whl", requires=["torch", "einops"])
    result = run("retag", str(built), "--variant", "cu128.torch2.9", "-o", "wheelhouse")
    assert result.code == 0, result.stderr
    labelled = WholeWheel.read(project / "wheelhouse" / built.name.replace(".whl", "-cu128.torch2.9.whl"))
    tagged = WholeWheel.read(project / "wheelhouse" / built.name.replace(".whl", "+cu128+torch2_9.whl"))
    for wheel in (labelled, tagged):
        assert wheel.metadata.requires_dist == ("torch", "einops", "torch==2.9.*")
    assert labelled.variant_json is not None
    assert ("abi_dependency", "torch", "2.9") in {
        (item.namespace, item.feature, item.value)
        for item in labelled.variant_json.variants["cu128.torch2.9"].items
    }  # fmt: skip


@pytest.mark.parametrize("options", [["--tag", "cu128", "--tag", "torch2_9"], ["--label", "cu128.torch2.9"]])
def test_without_a_declaration_the_words_are_enough(project: Path, options: list[str]) -> None:
    Path("pyproject.toml").write_text("", encoding="utf-8")
    built = make_wheel(project / "dist", f"flash_attn-1.0-cp312-cp312-{LINUX}.whl", requires=["torch"])
    result = run("retag", str(built), *options, "--dialect", "plus", "-o", "wheelhouse")
    assert result.code == 0, result.stderr
    wheel = WholeWheel.read(project / "wheelhouse" / built.name.replace(".whl", "+cu128+torch2_9.whl"))
    assert wheel.metadata.requires_dist == ("torch", "torch==2.9.*")


@pytest.mark.parametrize(("torch", "chosen"), [("2.9.1", "torch2.9"), ("2.10.0", "torch2.10"), ("2.6.0", None)])
@pytest.mark.parametrize("dialect", ["plus", "pep825"])
def test_select_takes_the_build_for_the_release_that_is_there(
    project: Path, dialect: str, torch: str, chosen: str | None
) -> None:
    for name in Config.load().variants:
        make_wheel(project / "dist" / name, f"flash_attn-1.0-cp312-cp312-{LINUX}.whl", requires=["torch"])
    assert run("retag", "dist", "--all", "-o", "wheelhouse").code == 0
    assert run("metadata", "wheelhouse").code == 0
    told = ["--python-version", "3.12", "--platform", LINUX, "--set", "cuda=12.8", "--set", f"torch={torch}"]
    found = json.loads(
        run("select", "flash-attn", "--index", "wheelhouse", "--dialect", dialect, *told, "--format", "json").stdout
    )
    assert (found["selected"] is None) == (chosen is None)
    if chosen is not None:
        assert f"cu128.{chosen}" in found["selected"].replace("_9", ".9").replace("_10", ".10").replace(
            "+torch", ".torch"
        )


def test_a_grid_of_32_columns_is_turned_and_stays_readable(tmp_path: Path) -> None:
    words = [f"torch2.{n}" for n in range(3, 11)]
    text = f"""
    dialects = ["pep825"]
    matrix.python = ["cp312-cp312", "cp313-cp313", "cp314-cp314t"]
    matrix.platform = ["{LINUX}", "win_amd64"]
    matrix.product = [["cu118", "cu126", "cu128", "cu130"], {words}]
    """
    config = Config.parse(text, "x.toml")
    assert len(config.variants) == 32
    make_wheel(tmp_path, "foo-1.0-cp313-cp313-win_amd64-cu128.torch2.9.whl")
    for width in (80, None):
        report = check(load([tmp_path], config), (), Settings(offline=True))
        lines = click.unstyle(render_text(report, width=width)).split("\n\n  win_amd64")
        first, second = lines[0].split("\n"), lines[1].split("\n")
        assert re.fullmatch(rf"  {LINUX} +cp312  cp313  cp314-cp314t", first[1])
        assert sum(line.startswith("  cu1") for line in first) == 32
        [own] = [line for line in second if line.startswith("  cu128.torch2.9")]
        assert own.split() == ["cu128.torch2.9", "✘", "✔", "✘"]
        assert all(len(line) <= 80 for line in (*first[1:], *second[:33]))


BACKEND = """
import sys
from importlib.metadata import version
from pathlib import Path
sys.path.insert(0, {tests!r})
def build_sdist(folder, settings=None):
    import tarfile
    with tarfile.open(Path(folder, "tiny-1.0.tar.gz"), "w:gz") as archive:
        for name in ("pyproject.toml", "backend.py"):
            archive.add(name, "tiny-1.0/" + name)
    return "tiny-1.0.tar.gz"
def build_wheel(folder, settings=None, metadata=None):
    Path(folder, "tiny-1.0-py3-none-any.whl").write_bytes(Path({wheel!r}).read_bytes())
    Path({noted!r}).write_text(version("torch"))
    return "tiny-1.0-py3-none-any.whl"
"""


@pytest.mark.slow
@pytest.mark.parametrize("frontend", [Frontend.BUILD, Frontend.UV])
@pytest.mark.parametrize("release", ["2.8", "2.9"])
def test_a_build_installs_the_release_of_its_variant(tmp_path: Path, frontend: Frontend, release: str) -> None:
    for version in ("2.8.0", "2.8.1", "2.9.0", "2.10.0"):
        make_wheel(tmp_path / "links", f"torch-{version}-py3-none-any.whl")
    wheel, noted = make_wheel(tmp_path / "ready", "tiny-1.0-py3-none-any.whl"), tmp_path / "noted"
    project = tmp_path / "project"
    project.mkdir()
    (project / "backend.py").write_text(BACKEND.format(tests="", wheel=str(wheel), noted=str(noted)), encoding="utf-8")
    (project / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["torch"]\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "tiny"\nversion = "1.0"\n',
        encoding="utf-8",
    )
    links = str(tmp_path / "links")
    environ = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": links, "UV_FIND_LINKS": links, "UV_OFFLINE": "1",
               "UV_NO_CONFIG": "1"}  # fmt: skip
    builder, heard = Builder(frontend, environ=environ), list[str]()
    sdist = builder.sdist(project, tmp_path / "sdist", heard.append)
    settings = BuildSettings(constraints=(f"torch=={release}.*",))
    builder.wheels(sdist, tmp_path / "built", f"torch{release}", settings, heard.append)
    assert noted.read_text(encoding="utf-8") == {"2.8": "2.8.1", "2.9": "2.9.0"}[release]
    assert not [line for line in heard if line.startswith("warning: the project's build requirements")]
    builder.wheels(sdist, tmp_path / "again", "numpy2.1", BuildSettings(constraints=("numpy==2.1.*",)), heard.append)
    assert "warning: the project's build requirements lack numpy==2.1.*: install it before, without isolation" in heard


@pytest.mark.skipif(os.name != "posix", reason="the stand-in is a shell script")
def test_cibuildwheel_finds_the_constraints_in_the_source_that_it_takes_into_its_container(tmp_path: Path) -> None:
    make_wheel(tmp_path / "ready", "tiny-1.0-py3-none-any.whl")
    stand_in, noted = tmp_path / "python", tmp_path / "noted"
    stand_in.write_text(
        f'#!/bin/sh\necho "$PIP_CONSTRAINT $PIP_BUILD_CONSTRAINT" > {noted}; cat "$PIP_CONSTRAINT" >> {noted}\n'
        f'cat "$7" >> {noted}; cp {tmp_path}/ready/*.whl "$5"\n',
        encoding="utf-8",
    )
    stand_in.chmod(0o755)
    make_project(tmp_path / "project", "")
    sdist = Builder(Frontend.BUILD, arguments=("--no-isolation",)).sdist(tmp_path / "project", tmp_path / "sdist", str)
    builder = Builder(Frontend.CIBUILDWHEEL, str(stand_in), environ={"PATH": os.environ["PATH"]})
    settings = BuildSettings(constraints=("torch==2.9.*",))
    [wheel] = builder.wheels(sdist, tmp_path / "built", "torch2.9", settings, str)
    assert wheel.name == "tiny-1.0-py3-none-any.whl"
    lines = noted.read_text(encoding="utf-8").splitlines()
    assert lines[:2] == ["variant-constraints.txt variant-constraints.txt", "torch==2.9.*"]
    assert any('PIP_CONSTRAINT=\\"variant-constraints.txt\\"' in line for line in lines[2:])
