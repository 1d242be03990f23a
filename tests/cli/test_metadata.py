from __future__ import annotations

import json
import tomllib
from pathlib import Path

from support.cli import run
from support.wheels import make_wheel

NAME = "foo-1.0-cp312-cp312-manylinux_2_28_x86_64.whl"
CONFIG = """
[tool.variant-publish]
dialects = ["plus", "pep825"]
[tool.variant-publish.variants.cu128]
properties = ["nvidia :: cuda_version_lower_bound :: 12.8"]
[tool.variant-publish.variants.cu130]
properties = ["nvidia :: cuda_version_lower_bound :: 13.0"]
"""


def release(folder: Path) -> tuple[str, str]:
    """Retag one wheel into both variants in both dialects; give the folder and the configuration."""
    config = folder / "pyproject.toml"
    config.write_text(CONFIG)
    wheel, out = make_wheel(folder / "dist", NAME), folder / "out"
    for variant in ("cu128", "cu130"):
        assert run("retag", str(wheel), "--variant", variant, "--config", str(config), "-o", str(out)).code == 0
    make_wheel(out, NAME)
    return str(out), str(config)


def test_both_files_are_written_and_then_current(tmp_path: Path) -> None:
    folder, config = release(tmp_path)
    assert run("metadata", folder, "--config", config, "--check").code == 1
    assert run("metadata", folder, "--config", config).code == 0
    variants = json.loads((tmp_path / "out" / "foo-1.0-variants.json").read_text())
    assert set(variants["variants"]) == {"cu128", "cu130"}
    table = tomllib.loads((tmp_path / "out" / "foo-1.0-wheel-selector.toml").read_text())["selector"]["cuda"][
        "wheel_tags"
    ]
    assert table["13.0"] == ["cu130", "cu128", ""]
    assert table["12.9"] == ["cu128", ""]
    assert table["none"] == [""]
    again = run("metadata", folder, "--config", config, "--check")
    assert (again.code, again.stdout.count("is current")) == (0, 2)


def test_another_folder_takes_the_files(tmp_path: Path) -> None:
    folder, config = release(tmp_path)
    assert run("metadata", folder, "--config", config, "-o", str(tmp_path / "meta")).code == 0
    assert sorted(path.name for path in (tmp_path / "meta").iterdir()) == [
        "foo-1.0-variants.json",
        "foo-1.0-wheel-selector.toml",
    ]


def test_a_tag_that_no_configuration_explains_is_refused(tmp_path: Path) -> None:
    make_wheel(tmp_path, NAME.replace(".whl", "+fast.whl"))
    result = run("metadata", str(tmp_path), "--config", str(tmp_path / "none.toml"))
    assert result.code == 2
    (tmp_path / "none.toml").write_text("")
    result = run("metadata", str(tmp_path), "--config", str(tmp_path / "none.toml"))
    assert result.code == 2
    assert "fast" in result.stderr
    assert "selectors" in result.stderr


def test_a_wheel_that_cannot_be_read_stops_it(tmp_path: Path) -> None:
    folder, config = release(tmp_path)
    (tmp_path / "out" / NAME.replace("cp312", "cp311")).write_bytes(b"")
    result = run("metadata", folder, "--config", config)
    assert result.code == 1
    assert "cp311" in result.stderr


def test_generic_wheels_alone_need_no_selector_files(tmp_path: Path) -> None:
    make_wheel(tmp_path, NAME)
    result = run("metadata", str(tmp_path))
    assert (result.code, result.stdout) == (0, "")
    assert "nothing to write" in result.stderr


def test_the_command_for_each_view_is_named(tmp_path: Path) -> None:
    config = tmp_path / "pyproject.toml"
    views = 'views = "file:views"\nviews-url = "https://wheels.example.org/views"\n'
    config.write_text(
        '[tool.variant-publish.variants.cu128]\nproperties = ["nvidia :: cuda_version_lower_bound :: 12.8"]\n'
        f"[tool.variant-publish.upload]\n{views}"
    )
    make_wheel(tmp_path, NAME.replace(".whl", "+cu128.whl"))
    result = run("metadata", str(tmp_path), "--config", str(config))
    assert result.code == 0, result.stderr
    line = "users of cu128: pip install --extra-index-url https://wheels.example.org/views/cu128 foo"
    assert line in result.stdout.splitlines()
