"""What becomes of a wheel that a view lists under another version, or without its extra tags."""

from __future__ import annotations

from variant_publish.archive.retag import Rewrite
from variant_publish.errors import VariantPublishError
from variant_publish.formats.metadata import Metadata
from variant_publish.model.requirement import TaggedRequirement, with_evaluated_markers
from variant_publish.providers.machine import Machine
from variant_publish.view.view import ViewFile


def rewrite_of(file: ViewFile, metadata: Metadata, machine: Machine) -> Rewrite:
    """Return the rewrite that makes the wheel of a view of its source, whose METADATA is given.

    A requirement of a `+tag` wheel may ask for selector variables (`bar; x86_64_version == "x86-64-v3"`), which only
    variant-aware tools read: it is evaluated on the machine, and written as plain tools read it, or left out.
    """
    asked, kept = [], []
    for text in metadata.requires_dist if file.name is not None and not file.name.plain_installers_read else ():
        evaluated = with_evaluated_markers(text, machine.values, machine.holds)
        if evaluated == text:
            continue
        requirement = TaggedRequirement.parse(evaluated)
        asked.append(text)
        if _applies(requirement, machine):
            kept.append(requirement)
    return Rewrite(
        version=str(file.version) if file.abi else None,
        drop_signatures=True,
        keep_own_files=True,
        remove=tuple(asked),
        add=(*(str(requirement) for requirement in kept if not requirement.tags), *file.requires),
        pins=tuple(requirement for requirement in kept if requirement.tags),
    )


def plain_metadata(file: ViewFile, metadata: Metadata, machine: Machine) -> Metadata:
    """Return the METADATA of the wheel that `rewrite_of` makes."""
    rewrite = rewrite_of(file, metadata, machine)
    if file.abi:
        metadata = metadata.with_version(str(file.version))
    metadata = metadata.with_requires(add=rewrite.add, remove=rewrite.remove)
    for pin in pins_of(metadata, rewrite.pins):
        metadata = metadata.replaced(str(pin), str(pin.plain)).with_requires(add=(str(pin.plain),))
    return metadata


def pins_of(metadata: Metadata, more: tuple[TaggedRequirement, ...] = ()) -> tuple[TaggedRequirement, ...]:
    """Return the requirements with extra tags that METADATA has, and `more`."""
    found = {*more}
    for text in metadata.requires_dist:
        try:
            requirement = TaggedRequirement.parse(text)
        except VariantPublishError:
            continue  # what pip and uv make of it is theirs to say
        if requirement.tags:
            found.add(requirement)
    return tuple(sorted(found, key=str))


def _applies(requirement: TaggedRequirement, machine: Machine) -> bool:
    """Evaluate what is left of the marker; an extra that may be asked for counts as asked for."""
    marker = requirement.plain.marker
    return marker is None or "extra" in str(marker) or marker.evaluate(machine.marker_environment)
