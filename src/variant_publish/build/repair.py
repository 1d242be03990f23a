"""Repair: auditwheel or delocate copy into a wheel what it needs of this machine, and give it its platform tag."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import msgspec

from variant_publish.archive.wheel import WholeWheel
from variant_publish.binary.scan import scan
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.install.process import follow


class RepairFailed(VariantPublishError):
    """Report that auditwheel or delocate gave up; what it said was passed on while it ran."""


class Repair(msgspec.Struct, frozen=True):
    """How wheels are repaired before they get their names.

    `level` is the x86-64 level that the variant claims: auditwheel's check for code beyond the baseline yields to it,
    and to no more. `plat` is auditwheel's `--plat`, `exclude` the libraries that stay outside, `options` go to the
    tool as they are.
    """

    level: int | None = None
    plat: str | None = None
    exclude: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

    def preflight(self) -> None:
        """Raise UsageError where the tool of this system is not installed, before anything is built."""
        if sys.platform == "linux":
            self._auditwheel_program()
        elif sys.platform == "darwin":
            self._delocate()

    def __call__(self, wheel: Path, folder: Path, say: Callable[[str], object]) -> Path:
        """Write the repaired wheel into an empty folder and give its place; one that needs no repair stays where it is.

        Raises UsageError where the tool is missing or the wheel is a variant already, RepairFailed with the exit code.
        """
        name = WheelName.parse(wheel.name)
        if name.dialect is not None:
            raise UsageError(
                f"{wheel.name} is a variant wheel already, which repair tools cannot read",
                hint="use --repair on the wheel as the build made it",
            )
        platforms = {platform.partition("_")[0].rstrip("0123456789") for platform in name.platform}
        if platforms <= {"linux", "manylinux", "musllinux"}:
            command, environ = self._auditwheel(wheel), _with_tools()
        elif platforms == {"macosx"}:
            command, environ = self._delocate(), dict(os.environ)
        else:
            say(f"{wheel.name} needs no repair by auditwheel or delocate")
            return wheel
        folder.mkdir(parents=True, exist_ok=True)
        done = follow([*command, *self.options, "-w", str(folder), str(wheel)], say, environ=environ)
        found = sorted(folder.glob("*.whl"))
        if done.status or len(found) != 1:
            how = f"with exit code {done.status}" if done.status else f"and made {len(found)} wheels of one"
            raise RepairFailed(
                f"{command[2].partition('.')[0]} failed for {wheel.name} {how}",
                hint="what it said is above; nothing was written",
            )
        return found[0]

    def _auditwheel_program(self) -> list[str]:
        command = [*_module("auditwheel", "auditwheel"), "repair"]
        if "AUDITWHEEL_PATCHER" not in os.environ and not shutil.which("patchelf", path=_with_tools()["PATH"]):
            raise UsageError(
                "auditwheel needs patchelf, which is not installed", hint='pip install "variant-publish[repair]"'
            )
        return command

    def _auditwheel(self, wheel: Path) -> list[str]:
        command = self._auditwheel_program()
        command += ["--plat", self.plat] if self.plat else []
        command += [part for library in self.exclude for part in ("--exclude", library)]
        return [*command, *(["--disable-isa-ext-check"] if self._yields(wheel) else [])]

    def _delocate(self) -> list[str]:
        command = [*_module("delocate", "delocate.cmd.delocate_wheel"), "-v"]
        return [*command, *(part for library in self.exclude for part in ("--exclude", library))]

    def _yields(self, wheel: Path) -> bool:
        """Return whether the binaries demand more than the baseline, and the variant claims it.

        Demands are the notes that `-z x86-64-v3` or `-mneeded` leave; they are what auditwheel looks at. Raises
        UsageError where the binaries demand more than the variant claims.
        """
        binaries = scan(WholeWheel.read(wheel), (), simd=False).binaries
        demands = [(binary.image.isa or 1, binary.path) for binary in binaries]
        needed, path = max(demands, default=(1, ""))
        if needed > max(self.level or 1, 1) and self.level is not None:
            raise UsageError(
                f"{path} of {wheel.name} demands x86-64-v{needed}, and the variant is for x86-64-v{self.level}",
                hint="build it for that level, or make it another variant",
            )
        return needed > 1 and self.level is not None


def _module(package: str, module: str) -> list[str]:
    if find_spec(package) is None:
        raise UsageError(
            f"{package} is not installed, so the wheel cannot be repaired here",
            hint="repair it on a machine of its own platform",
        )
    return [sys.executable, "-m", module]


def _with_tools() -> dict[str, str]:
    """Return the environment with the programs that are installed beside this tool, which pipx puts on no PATH."""
    beside = str(Path(sys.executable).parent)
    return {**os.environ, "PATH": os.pathsep.join(filter(None, (os.environ.get("PATH"), beside)))}
