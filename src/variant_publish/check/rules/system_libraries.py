"""Rules on what the loader of an operating system needs: libc, libraries, minimum versions, architectures."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from variant_publish.archive.inflate import Inflater
from variant_publish.archive.wheel import Wheel, WholeWheel
from variant_publish.binary.image import Format
from variant_publish.binary.policy import is_loader, policy_of
from variant_publish.binary.scan import Binary, Scan
from variant_publish.check.engine.binaries import BinaryRule, is_library, libraries
from variant_publish.check.engine.context import Context
from variant_publish.check.engine.rule import Outcome, Problems, Severity, some
from variant_publish.config.tables import TABLE
from variant_publish.model.tags import modern_platform
from variant_publish.providers import catalog

_LINUX = re.compile(r"((many|musl)linux_[0-9]+_[0-9]+)_(.+)")
_MACOS = re.compile(r"macosx_([0-9]+)_([0-9]+)_(.+)")
_WINDOWS: Mapping[str, str] = {"win32": "win32", "win_amd64": "amd64", "win_arm64": "arm64"}
_FIRST_ARM64, _LAST = (11, 0), (99, 0)
_RENAMED = {(10, 16): (11, 0)}
_SOURCE = 8 * 1024 * 1024
_IMPORT = re.compile(rb"^([ \t]*)(?:from|import)[ \t]([^\n#(]*(?:\([^)]{0,9999}\))?)", re.MULTILINE)
_NAME = re.compile(rb"\w+")
_LIBC = "libc."
"""What libraries of every libc begin with: VP518 looks at which one it is."""

_FROM_PACKAGES = (
    (re.compile(r"lib(?:cu|nv|nccl|npp)[A-Za-z_]*\.so(?:\.[0-9]+)*"), re.compile(r"nvidia-|cuda-toolkit|torch\b")),
    (re.compile(r"lib(?:torch|c10|shm)[a-z_]*\.so"), re.compile(r"torch\b")),
    (re.compile(r"lib(?:arrow|parquet)[a-z_]*\.so(?:\.[0-9]+)*"), re.compile(r"pyarrow\b")),
    (re.compile(r"libQt[56][A-Za-z0-9]*\.so\.[56]"), re.compile(r"(?i:PyQt[56].*-Qt[56]|PySide[26])")),
    (re.compile(r"lib(?:hip|amd|roc|rccl|MIOpen)[A-Za-z0-9_-]*\.so(?:\.[0-9]+)*"), re.compile(r"rocm|torch\b")),
)  # fmt: skip
"""Libraries that another distribution brings, and what a requirement on that distribution looks like."""


class PolicyFits(BinaryRule):
    """Prove that the symbol versions that ELF files need are in the libc that the platform tag promises.

    A wheel that says manylinux_2_17 and needs GLIBC_2.34 installs everywhere and then fails to load. The policies are
    auditwheel's; its own run takes as long as the wheel is large, because it unpacks it.
    """

    id = "VP501"
    hint = "build it in the image of that policy, or give it the tag that 'auditwheel show' names"

    def not_for(self, wheel: WholeWheel, context: Context) -> str | None:
        """Leave out wheels whose tag promises no libc."""
        return None if _libc_tags(wheel) else "no manylinux or musllinux tag"

    def outcomes(self, wheel: WholeWheel, scan: Scan, context: Context) -> Problems:
        """Compare the versions that each file needs against the policy of the weakest promise."""
        for tag in _libc_tags(wheel):
            policy = policy_of(tag)
            if policy is None:
                hint = "update auditwheel, or install it where it is missing"
                yield Outcome.unknown(f"no policy is known for {tag}", hint)
                continue
            beyond = {binary.path: wanted for binary in _elf(scan) if (wanted := policy.beyond(binary.image))}
            if beyond:
                versions = sorted({version for wanted in beyond.values() for version in wanted})
                yield (
                    f"{some(beyond)} {'needs' if len(beyond) == 1 else 'need'} {some(versions, 5)},"
                    f" which {tag} does not promise"
                )


class ExternalLibraries(BinaryRule):
    """Prove that each library that is needed to import the wheel is in it, in every Linux, or declared.

    What `auditwheel repair` would have copied in is missing on most machines. Drivers cannot be copied, and CUDA or
    torch come from other distributions: a requirement on those, or the configuration, declares them. Plug-ins, which
    the package opens or imports where they load, are VP520's.
    """

    id = "VP502"
    severity = Severity.WARNING
    of_plugins = False
    hint = "run 'auditwheel repair', or declare it"

    def not_for(self, wheel: WholeWheel, context: Context) -> str | None:
        """Leave out wheels whose tag promises nothing of the machine."""
        return None if _libc_tags(wheel) else "no manylinux or musllinux tag"

    def outcomes(self, wheel: WholeWheel, scan: Scan, context: Context) -> Problems:
        """Name each library that is lacking once, with the files that need it."""
        lacking, loaded = _lacking(wheel, scan, context)
        missing: dict[str, list[str]] = {}
        for path, found in lacking.items():
            for library in found if (path in loaded) is not self.of_plugins else ():
                missing.setdefault(library, []).append(path)
        for library, paths in sorted(missing.items()):
            yield (
                f"{some(paths)} need{_s(paths)} {library}, which is neither in the wheel nor on every machine",
                f'{self.hint}: {TABLE}.check.external = ["{library}"]',
            )


class PluginLibraries(ExternalLibraries):
    """Report libraries that are neither in the wheel nor declared, and that only its plug-ins need.

    A plug-in is what no extension module of the wheel needs, and a module that its Python code imports in functions
    and blocks only (`try: ... except ImportError`): mostly where there is what it needs. VP502 looks at the others.
    """

    id = "VP520"
    severity = Severity.INFO
    of_plugins = True
    hint = "nothing to do where the package does without it; else run 'auditwheel repair', or declare it"


class MacTags(BinaryRule):
    """Prove that Mach-O files run on the oldest macOS and on every architecture that the tag names.

    An installer offers a macosx_11_0 wheel to macOS 11; a library in it that was built for 14.0 does not load there.
    """

    id = "VP509"
    hint = "build it for every architecture of the tag, or name the wheel by those that it has"

    def not_for(self, wheel: WholeWheel, context: Context) -> str | None:
        """Leave out the wheels for other systems."""
        return None if any(map(_MACOS.fullmatch, wheel.name.platform)) else "no macOS tag"

    def outcomes(self, wheel: WholeWheel, scan: Scan, context: Context) -> Problems:
        """Compare each library with the oldest macOS of each architecture; those that lack the same are one outcome."""
        promised: dict[str, tuple[int, int]] = {}
        for match in filter(None, map(_MACOS.fullmatch, wheel.name.platform)):
            for arch in _architectures(match[3]):
                version = int(match[1]), int(match[2])
                promised[arch] = min(_RENAMED.get(version, version), promised.get(arch, _LAST))
        lacking: dict[str, list[str]] = {}
        newer: dict[tuple[tuple[int, int], tuple[int, int]], dict[str, set[str]]] = {}
        for binary in (one for one in libraries(scan) if one.image.format is Format.MACHO):
            if without := [arch for arch in promised if arch not in binary.image.architectures]:
                lacking.setdefault(some(without), []).append(binary.path)
            for arch, minimum in binary.image.macos.items():
                floor = promised.get(arch, _LAST)
                if minimum > (max(floor, _FIRST_ARM64) if arch == "arm64" else floor):
                    newer.setdefault((minimum, floor), {}).setdefault(binary.path, set()).add(arch)
        for names, paths in lacking.items():
            yield f"{some(paths)} {'has' if len(paths) == 1 else 'have'} no code for {names}"
        for (minimum, floor), found in newer.items():
            on = " and ".join(sorted(set().union(*found.values())))
            yield (
                f"{some(found)} need{_s(found)} macOS {_dotted(minimum)} on {on}, the tag promises {_dotted(floor)}",
                f"set MACOSX_DEPLOYMENT_TARGET, or name the wheel macosx_{minimum[0]}_{minimum[1]}",
            )


class MachineType(BinaryRule):
    """Prove that libraries and extension modules are for the operating system and architecture of the tag.

    Cross builds put an x86-64 library into an Arm wheel; a wheel for "any" platform with an extension module in it
    fails on all platforms but one.
    """

    id = "VP510"
    hint = "build it for the platform of the wheel"

    def outcomes(self, wheel: WholeWheel, scan: Scan, context: Context) -> Problems:
        """Compare each library with the architectures of all tags."""
        for binary in scan.binaries:
            if binary.fault is not None and is_library(binary.name):
                yield Outcome.unknown(
                    f"{binary.path} cannot be understood: {binary.fault}",
                    "build the file again; what no loader could load is not checked",
                )
        expected = [_expected(platform) for platform in wheel.name.platform]
        known = [found for found in expected if found is not None]
        foreign: dict[str, list[str]] = {}
        found = libraries(scan)
        fitting = {one.path for one in found if _fits(one, known)}
        for binary in found:
            image = binary.image
            if "any" in wheel.name.platform:
                if image.modules:
                    message = f"{binary.path} is an extension module, and the wheel is for any platform"
                    yield message, "name the platform in the tag"
            elif len(known) < len(expected) or binary.path in fitting:
                continue
            elif not fitting or image.modules or image.format in (kind for kind, _ in known):
                foreign.setdefault(f"{image.format} for {some(image.architectures)}", []).append(binary.path)
        for kind, paths in foreign.items():
            verb = "is" if len(paths) == 1 else "are"
            yield f"{some(paths)} {verb} {kind}, and the wheel is for {some(wheel.name.platform)}"


def _fits(binary: Binary, known: Iterable[tuple[Format, tuple[str, ...]]]) -> bool:
    image = binary.image
    return any(image.format is kind and not set(names).isdisjoint(image.architectures) for kind, names in known)


def _expected(platform: str) -> tuple[Format, tuple[str, ...]] | None:
    """Return format and architectures of a platform tag; None for systems that are not known here."""
    if platform in _WINDOWS:
        return Format.PE, (_WINDOWS[platform],)
    if match := _MACOS.fullmatch(platform):
        return Format.MACHO, _architectures(match[3])
    modern = modern_platform(platform)
    if match := _LINUX.fullmatch(modern):
        return Format.ELF, (match[3],)
    return (Format.ELF, (modern.removeprefix("linux_"),)) if modern.startswith("linux_") else None


def _architectures(name: str) -> tuple[str, ...]:
    """Return what a macOS tag asks for of what is still distributed: nothing is for i386 and PowerPC."""
    if name == "universal2":
        return "x86_64", "arm64"
    return ("x86_64",) if name in ("intel", "fat3", "fat64", "universal") else (name,)


def _s(subjects: Collection[str]) -> str:
    return "s" if len(subjects) == 1 else ""


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def _libc_tags(wheel: Wheel) -> list[str]:
    return [tag for tag in dict.fromkeys(map(modern_platform, wheel.name.platform)) if _LINUX.fullmatch(tag)]


def _elf(scan: Scan) -> Iterator[Binary]:
    return (binary for binary in scan.binaries if binary.image.format is Format.ELF and binary.fault is None)


def _lacking(wheel: WholeWheel, scan: Scan, context: Context) -> tuple[dict[str, list[str]], set[str]]:
    """Return the libraries that each file lacks, and the paths of what an import may load: once for both rules.

    A library is looked for in the wheel, the policy, the requirements and the configuration.
    """
    if wheel.filename not in (kept := context.notes.setdefault("external libraries", {})):
        tag, elf = _libc_tags(wheel)[0], list(_elf(scan))
        allowed = {name for binary in scan.binaries for name in (binary.name, binary.image.soname)}
        allowed |= {*context.release.config.check.external}
        allowed |= policy.libraries if (policy := policy_of(tag)) is not None else set()
        lacking = {
            binary.path: found
            for binary in elf
            if (found := [name for name in binary.image.needed if name not in allowed and not _elsewhere(name, wheel)])
        }
        optional = _optional(wheel, [binary for binary in elf if binary.path in lacking])
        kept[wheel.filename] = lacking, _loaded(elf, optional)
    answer: tuple[dict[str, list[str]], set[str]] = kept[wheel.filename]
    return answer


def _optional(wheel: WholeWheel, binaries: Sequence[Binary]) -> set[str]:
    """Return the paths of the extension modules that the wheel's Python code imports in functions and blocks only."""
    modules = {binary.name.partition(".")[0].encode(): binary.path for binary in binaries if binary.image.modules}
    only_there: dict[bytes, bool] = {}
    if modules:
        with wheel.open() as archive:
            inflater = Inflater(archive)
            sources = (one for one in archive.directory.members if one.name.endswith(".py") and one.size < _SOURCE)
            for match in (found for one in sources for found in _IMPORT.finditer(b"".join(inflater.pieces(one)))):
                for name in modules.keys() & set(_NAME.findall(match[2])):
                    only_there[name] = only_there.get(name, True) and bool(match[1])
    return {modules[name] for name, is_so in only_there.items() if is_so}


def _loaded(elf: Sequence[Binary], optional: Collection[str]) -> set[str]:
    """Return the paths of what an import may load: extension modules, programs, and what they need inside the wheel."""
    inside: dict[str, list[Binary]] = {}
    for binary in elf:
        for name in {binary.name, binary.image.soname or binary.name}:
            inside.setdefault(name, []).append(binary)
    roots = (binary for binary in elf if binary.path not in optional)
    queue = [binary for binary in roots if binary.image.modules or not is_library(binary.name)]
    found = {binary.path for binary in queue}
    while queue:
        for library in queue.pop().image.needed:
            new = [binary for binary in inside.get(library, ()) if binary.path not in found]
            found.update(binary.path for binary in new)
            queue += new
    return found


def _elsewhere(library: str, wheel: Wheel) -> bool:
    return library.startswith(_LIBC) or is_loader(library) or catalog.is_driver(library) or _required(library, wheel)


def _required(library: str, wheel: Wheel) -> bool:
    return any(
        pattern.fullmatch(library) and any(map(project.match, wheel.metadata.requires_dist))
        for pattern, project in _FROM_PACKAGES
    )
