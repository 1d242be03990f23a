"""The rules that there are, by family; a new rule is added here."""

from __future__ import annotations

from variant_publish.rules import (
    abi,
    archive,
    content,
    cpu,
    dialects,
    extensions,
    gpu,
    loading,
    machines,
    matrix,
    metadata,
    regression,
    selection,
)
from variant_publish.rules.rule import FolderRule, ReleaseRule, Rule

FOLDER_RULES: tuple[FolderRule, ...] = (archive.Readable(), archive.WholeTagSet(), selection.OwnedFiles())

RELEASE_RULES: tuple[ReleaseRule, ...] = (
    archive.VariantTags(),
    archive.PlainTags(),
    archive.Identity(),
    archive.CompleteRecord(),
    archive.StrictArchive(),
    archive.SafePaths(),
    archive.OwnVariantJson(),
    archive.DeclaredProperties(),
    archive.BuildNumber(),
    content.RecordHashes(),
    metadata.SameName(),
    metadata.SameRequiresPython(),
    metadata.SameExtras(),
    metadata.SameEntryPoints(),
    metadata.ValidRequirements(),
    metadata.NoVariantMarkers(),
    metadata.NoLocalVersion(),
    metadata.NoDirectUrl(),
    metadata.SameRequirementsOverVariants(),
    metadata.SameRequirementsInVariant(),
    content.SamePureFiles(),
    matrix.DeclaredCells(),
    matrix.NoExtraWheels(),
    matrix.NoTwins(),
    matrix.NoHoles(),
    matrix.VariantOnAllPlatforms(),
    matrix.EveryoneGetsSomething(),
    matrix.LiveSkips(),
    regression.NothingGone(),
    regression.NoGrowth(),
    abi.PinSyntax(),
    abi.SamePins(),
    abi.PinPlace(),
    abi.Satisfiable(),
    extensions.BuiltAgainstPin(),
    extensions.StableAbi(),
    extensions.ExtensionSuffixes(),
    extensions.SameCxxLibrary(),
    loading.PolicyFits(),
    loading.ExternalLibraries(),
    gpu.ClaimedArchitectures(),
    gpu.OtherArchitectures(),
    gpu.CudaMajor(),
    cpu.IsaNote(),
    cpu.CodeMatchesLevel(),
    cpu.GenericIsGeneric(),
    loading.MacTags(),
    loading.MachineType(),
    cpu.GenericWithoutDeviceCode(),
    selection.CurrentFiles(),
    selection.EveryVariantNamed(),
    selection.EveryNameHasAWheel(),
    selection.NoConflict(),
    selection.KnownProviders(),
    machines.EveryVariantChosen(),
    machines.EveryMachineServed(),
    machines.NoTies(),
    machines.AcceptedByUv(),
    dialects.SameWheels(),
    dialects.SameContent(),
)

RULES: tuple[Rule, ...] = (*FOLDER_RULES, *RELEASE_RULES)


def rule(id_: str) -> Rule:
    """Give the rule of an id."""
    return next(found for found in RULES if found.id == id_)
