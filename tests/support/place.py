"""A place to install in: an index with a release, a default index, and an environment."""

from __future__ import annotations

import subprocess
from pathlib import Path

from support.cli import Result, run
from support.environments import CONFIG, PLAIN, make_environment, site
from support.wheels import make_wheel
from variant_publish.formats.installed import INSTALLED_FILE, InstalledVariant


class Place:
    """An index with a release in one dialect, a default index, and an environment to install into."""

    def __init__(self, folder: Path, default: Path) -> None:
        self.folder = folder
        self.default = default
        self.index = folder / "index"
        self.environment = make_environment(folder / "environment")

    def release(self, dialect: str = "plus", project: str = "foo", **content: object) -> None:
        config = self.folder / "pyproject.toml"
        config.write_text(CONFIG.format(dialect=dialect))
        name = PLAIN.replace("foo", project)
        for variant in ("generic", "cu128", "cu130"):
            module = {f"{project}.py": f"VARIANT = {variant!r}\n".encode()}
            built = make_wheel(self.folder / variant, name, files=module, **content)  # type: ignore[arg-type]
            how = ("--generic",) if variant == "generic" else ("--variant", variant)
            assert run("retag", str(built), *how, "--config", str(config), "-o", str(self.index)).code == 0
        assert run("metadata", str(self.index), "--config", str(config)).code == 0

    def install(self, *arguments: str, cuda: str = "12.9", index: str | None = None) -> Result:
        environment = ("--python", str(self.environment)) if "--python" not in arguments else ()
        places = ("--index", index or str(self.index), "--set", f"cuda={cuda}")
        return run("install", *arguments, *environment, *places)

    def variant(self, module: str = "foo") -> str:
        """Ask the environment's own Python.

        Without bytecode: uv leaves that of a module behind, and Python takes it for the next one's if both have one
        size and were unpacked within one second.
        """
        command = [str(self.environment / "bin" / "python"), "-B", "-c", f"import {module}; print({module}.VARIANT)"]
        done: subprocess.CompletedProcess[str] = subprocess.run(
            command, capture_output=True, encoding="utf-8", check=True
        )
        return done.stdout.strip()

    def record(self, project: str = "foo") -> InstalledVariant:
        info = next(site(self.environment).glob(f"{project}-*.dist-info"))
        return InstalledVariant.parse((info / INSTALLED_FILE).read_text("utf-8"))
