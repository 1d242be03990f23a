"""How what wheels require differs, when declared changes and ABI pins are left out."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress

import msgspec
from packaging.requirements import InvalidRequirement, Requirement

from variant_publish.archive.wheel import DescribedWheel
from variant_publish.check.engine.binaries import built_for
from variant_publish.config.tables import ChangesTable
from variant_publish.errors import VariantPublishError
from variant_publish.model.requirement import TaggedRequirement
from variant_publish.model.variant import GENERIC
from variant_publish.providers.abi_dependency import abi_requirements
from variant_publish.release.release import Release

_SYSTEMS = {"win": ("win32", "Windows", "nt"), "macosx": ("darwin", "Darwin", "posix")}
_PLATFORM = re.compile(r"(win|macosx|(?:many|musl)?linux)(?:_?[0-9]+)*_(.+)")


class Difference(msgspec.Struct, frozen=True):
    """What one list of requirements has more and less than another."""

    more: tuple[str, ...]
    less: tuple[str, ...]

    @classmethod
    def between(
        cls,
        base: frozenset[str],
        other: frozenset[str],
        base_changes: ChangesTable | None = None,
        other_changes: ChangesTable | None = None,
    ) -> Difference:
        """Compare, without what the two declare to add and remove."""
        base_changes, other_changes = base_changes or ChangesTable(), other_changes or ChangesTable()
        added, dropped = _canonical(other_changes.requires.add), other_changes.requires.remove
        base_added, base_dropped = _canonical(base_changes.requires.add), base_changes.requires.remove
        return cls(
            tuple(item for item in sorted(other - base - added) if not _is_removed(item, base_dropped)),
            tuple(item for item in sorted(base - other - base_added) if not _is_removed(item, dropped)),
        )

    def __bool__(self) -> bool:
        return bool(self.more or self.less)

    def __str__(self) -> str:
        return " ".join([*(f"+ {item}" for item in self.more), *(f"- {item}" for item in self.less)])

    def table(self) -> str:
        """Return the inline table that declares the difference."""
        keys = [
            f"{key} = [{', '.join(map(_quoted, items))}]"
            for key, items in (("add", self.more), ("remove", self.less))
            if items
        ]
        return f"{{ {', '.join(keys)} }}"


def requirements_of(release: Release, variant: str) -> dict[str, frozenset[str]]:
    """Return what each wheel of a variant requires, in one spelling, without its ABI pins: rules 4xx look at them."""
    found = {}
    for wheel in release.wheels:
        if release.variant_of(wheel.name) == variant:
            own = wheel.pins if isinstance(wheel, DescribedWheel) else wheel.tagged_requires_dist
            pins = {text for pin in (*own, *release.config.pins) for text in (str(pin), str(pin.plain))}
            built = abi_requirements(built_for(release, wheel))
            found[wheel.filename] = _canonical(wheel.metadata.requires_dist) - _canonical({*pins, *built})
    return found


def parsed(texts: Iterable[str]) -> Iterator[Requirement]:
    """Return what can be parsed: VP205 reports the others."""
    for text in texts:
        with suppress(InvalidRequirement):
            yield Requirement(text)


def environment_of(pythons: Iterable[str], platform: str) -> dict[str, str]:
    """Return what markers say on a machine of these Python tags ("cp312") and this platform tag, without extras."""
    minor = next((tag[3:] for tag in pythons if re.fullmatch(r"cp3[0-9]+", tag)), "12")
    start, machine = (
        (match[1], match[2]) if (match := _PLATFORM.fullmatch(platform.replace("win32", "win_x86"))) else ("", "")
    )
    system = _SYSTEMS.get(start, ("linux", "Linux", "posix"))
    return {
        "python_version": f"3.{minor}",
        "python_full_version": f"3.{minor}.0",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "sys_platform": system[0],
        "platform_system": system[1],
        "os_name": system[2],
        "platform_machine": machine.upper() if platform in ("win_amd64", "win_arm64") else machine,
        "extra": "",
    }


def changes_of(release: Release, variant: str) -> ChangesTable:
    """Return what the configuration declares for a variant; nothing for one that it does not name."""
    declared = variant == GENERIC or variant in release.config.variants
    return release.config.changes_of(variant) if declared else ChangesTable()


def _canonical(requirements: Collection[str]) -> frozenset[str]:
    return frozenset(map(_spelled, requirements))


def _spelled(requirement: str) -> str:
    try:
        parsed = TaggedRequirement.parse(requirement)
    except VariantPublishError:
        return requirement
    return parsed.project + str(parsed).removeprefix(parsed.plain.name)


def _is_removed(requirement: str, removed: Iterable[str]) -> bool:
    for item in map(_spelled, removed):
        if requirement == item:
            return True
        bare = re.fullmatch(r"[a-z0-9-]+", item) is not None
        if bare and re.match(rf"{re.escape(item)}(?![a-z0-9-])", requirement):
            return True
    return False


def _quoted(text: str) -> str:
    return f"'{text}'" if '"' in text else f'"{text}"'
