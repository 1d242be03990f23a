"""The main job on real input: the xgboost family of one version, from the package index to two folders."""

from __future__ import annotations

from pathlib import Path

import msgspec

from variant_publish.archive.atomic import replacing
from variant_publish.config.configuration import Config
from variant_publish.errors import VariantPublishError
from variant_publish.progress import Reporter
from variant_publish.providers.machine import Machine
from variant_publish.remote.files import download as download_file
from variant_publish.remote.listing import read_project
from variant_publish.remote.transport import IndexUnavailable

VERSION = "3.4.1"
PLATFORM = "manylinux_2_28_x86_64"
GENERIC_WHEEL = f"xgboost_cpu-{VERSION}-py3-none-{PLATFORM}.whl"
VARIANT_WHEEL = f"xgboost-{VERSION}-py3-none-{PLATFORM}.whl"
VARIANT = "cu130"
PYTHON = "3.13"
"""The Python of the described machines: the wheels need 3.12 or newer, whatever runs the demo."""

MACHINES = {
    "without a GPU": {"cuda": "none"},
    "with CUDA 12": {"cuda": "12.9"},
    "with CUDA 13": {"cuda": "13.0"},
}

CONFIG = f"""\
[tool.variant-publish.matrix]
python = ["py3-none"]
platform = ["{PLATFORM}"]

[tool.variant-publish.generic]
rename = {{{{ name = "xgboost-cpu", to = "xgboost" }}}}

[tool.variant-publish.variants.{VARIANT}]
properties = ["nvidia :: cuda_version_lower_bound :: 13.0"]
requires = {{{{ add = ['nvidia-nccl-cu13; platform_system == "Linux"'] }}}}

[tool.variant-publish.upload]
repository-url = "file:{{folder}}/repository"
extra-index = "file:{{folder}}/extra-index"
"""


class Downloads(msgspec.Struct, frozen=True):
    """Where the two wheels lie, and whether they were there before."""

    generic: Path
    variant: Path
    reused: bool


def download(folder: Path, reporter: Reporter) -> Downloads:
    """Fetch both wheels (64 MB) into `folder`, or find them there, whole, from an earlier run.

    Raises VariantPublishError where the package index cannot be reached.
    """
    places = {"xgboost-cpu": folder / GENERIC_WHEEL, "xgboost": folder / VARIANT_WHEEL}
    missing = {project: path for project, path in places.items() if not path.exists()}
    for project, path in missing.items():
        _fetch(project, path, reporter)
    return Downloads(places["xgboost-cpu"], places["xgboost"], reused=not missing)


def configure(folder: Path) -> tuple[Path, Config]:
    """Write the demo's configuration, with both destinations inside `folder`, and read it."""
    path = folder / "pyproject.toml"
    with replacing(path) as stream:
        stream.write(CONFIG.format(folder=folder.resolve().as_posix()).encode())
    return path, Config.load(path)


def machines() -> dict[str, Machine]:
    """Return the described machines: x86-64 Linux with three states of the NVIDIA driver."""
    here = Machine.detect({})
    return {name: here.described(settings, python=PYTHON, platform=PLATFORM) for name, settings in MACHINES.items()}


def _fetch(project: str, path: Path, reporter: Reporter) -> None:
    from variant_publish.remote.default_index import pypi

    try:
        files = read_project(pypi(), project)
        listed = next((file for file in files if file.filename == path.name), None)
        if listed is None:
            raise VariantPublishError(
                f"the package index does not list {path.name}", hint="try a newer version of this tool"
            )
        download_file(listed, path, reporter)
    except IndexUnavailable as error:
        raise VariantPublishError(
            f"the package index cannot be reached, so {path.name} cannot be downloaded",
            hint=f"connect to the network and run the demo again, or put the file into {path.parent} yourself",
        ) from error
