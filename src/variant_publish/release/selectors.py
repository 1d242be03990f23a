"""The selector files of a release: gathered from its wheels, and the tables derived from properties."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

import msgspec

from variant_publish.archive.wheel import described
from variant_publish.config.tables import TABLE
from variant_publish.dialects.base import Dialect, ListedWheel, ReleaseFacts
from variant_publish.dialects.registry import DIALECTS, dialect_of_file, preferred
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.errors import UsageError, VariantPublishError, naming
from variant_publish.formats.installed import InstalledVariant
from variant_publish.formats.selector_toml import Selector, SelectorFile
from variant_publish.formats.variants_json import VariantConflict, VariantsMetadata
from variant_publish.model.ordering import Ranked, rank
from variant_publish.model.variant import GENERIC, Properties, Variant
from variant_publish.progress import SILENT, Reporter
from variant_publish.providers import catalog
from variant_publish.providers.base import Features, Variable, VariantProvider
from variant_publish.release.release import Release


class SelectorFiles(msgspec.Struct, frozen=True):
    """What installers choose a release's wheels by: the parsed selector file of each dialect that has one."""

    files: Mapping[Dialect, Any] = {}

    @classmethod
    def of(cls, *parsed: Any) -> Self:
        """Build from parsed selector files; None stands for none."""
        return cls(
            {item: data for data in parsed for item in DIALECTS.values()
             if data is not None and item.selector is type(data)}
        )  # fmt: skip

    @classmethod
    def parse(cls, texts: Mapping[str, str]) -> Self:
        """Parse the texts of one release by their names; an error names the file."""
        found = {}
        for name, text in texts.items():
            dialect = dialect_of_file(name)
            with naming(name, VariantPublishError):
                if dialect is not None:
                    found[dialect] = dialect.parse(text)
        return cls(found)

    def __bool__(self) -> bool:
        return bool(self.files)

    @property
    def variants(self) -> VariantsMetadata | None:
        """Return the variants metadata (PEP 825); None where there is none."""
        return next((data for data in self.files.values() if isinstance(data, VariantsMetadata)), None)

    @property
    def selector(self) -> SelectorFile | None:
        """Return the selector file of extra tags; None where there is none."""
        return next((data for data in self.files.values() if isinstance(data, SelectorFile)), None)

    @property
    def dialect(self) -> Dialect | None:
        """Return the dialect that counts where the release is in several; None without a file."""
        return next((dialect for dialect in preferred() if dialect in self.files), None)

    def texts(self, project: str, version: str) -> dict[str, str]:
        """Return the text of each file by its name on the index."""
        return {item.file_name(project, version): item.dumps(data) for item, data in self.files.items()}

    def record(self, name: WheelName, sha256: str, index: str, tags: tuple[str, ...]) -> InstalledVariant:
        """Return what is kept of a wheel once it is installed: of these files, what the wheel needs."""
        metadata = self.variants
        return InstalledVariant(
            project=name.project,
            version=str(name.parsed_version),
            wheel=str(name),
            variant=name.variant,
            dialect=None if name.dialect is None else name.dialect.name,
            sha256=sha256,
            index=index,
            tags=tags,
            needs=self.selector.needs(name.words) if self.selector is not None else {},
            metadata=metadata.only(name.label) if metadata is not None and name.label in metadata.variants else None,
        )

    def merged(self, other: Self) -> Self:
        """Unite the files of two parts of a release; raise VariantConflict or SelectorConflict."""
        found: dict[Dialect, list[Any]] = {}
        for dialect, data in (*self.files.items(), *other.files.items()):
            found.setdefault(dialect, []).append(data)
        return type(self)({dialect: dialect.merge(parts) for dialect, parts in found.items()})


def of_release(release: Release, reporter: Reporter = SILENT) -> SelectorFiles:
    """Return the selector files of the release's wheels, one for each dialect that they are in."""
    variants = tuple(release.config.variants.values())
    found = {}
    for dialect in DIALECTS.values():
        own = described(wheel for wheel in release.wheels if wheel.name.dialect is dialect)
        if own and dialect.suffix:
            wheels = tuple(ListedWheel(wheel.name.words, wheel.info, wheel.filename) for wheel in own)
            try:
                found[dialect] = dialect.gather(ReleaseFacts(wheels, variants, lambda: _tables(release, reporter)))
            except VariantConflict as error:
                message = f"{release.project} {release.version}: {error.message}"
                raise VariantConflict(message, hint=error.hint) from error
    return SelectorFiles(found)


def derive(
    variants: Sequence[Variant],
    namespaces: Sequence[str],
    given: Mapping[str, Selector],
    generic: bool = True,
    reporter: Reporter = SILENT,
) -> SelectorFile:
    """Derive the selector file of dialect plus from the properties of the variants.

    Each value of a variable lists the tags that a machine with this value can use, in the order of PEP 825, so both
    dialects choose alike. `namespaces` is the priority, and with it the order of the variables; `given` are selectors
    written in full, which stand for themselves. `generic` says whether the wheel without tags is a fallback. Raises
    UsageError where the properties do not tell what a tag stands for.
    """
    known = {tag for selector in given.values() for tag in selector.tags}
    meanings: dict[str, dict[str, Properties]] = {}
    variables = _variables(variants)
    for variant in variants:
        for variable, tag, properties in _meanings(variant, namespaces, given, known, reporter):
            tags = meanings.setdefault(variable.name, {})
            if tags.setdefault(tag, properties) != properties:
                raise _inexpressible(f"tag {tag!r} stands for {tags[tag]} and for {properties}", variable.name)
    if not meanings:
        return SelectorFile(given)
    selectors = dict(given)
    for name, tags in meanings.items():
        # A wheel that has another variable's tag alone is reached by no tag of this one.
        optional = generic or any(not set(tags) & set(variant.tags) for variant in variants)
        selectors[name] = _selector(variables[name], tags, optional)
    order = [name for namespace in namespaces for name in (*_names_of(namespace, variables), namespace)]
    order += [variable for variable in given if variable not in order]
    return SelectorFile({variable: selectors[variable] for variable in order if variable in selectors})


class _Derivation(msgspec.Struct, frozen=True):
    """A variable of a provider, and the values that its table lists."""

    provider: VariantProvider
    variable: Variable
    values: tuple[str, ...]

    def supported(self, value: str) -> Features:
        """Return what a machine with this value supports in the namespace."""
        needed = next((item for item in self.provider.variables if item.name == self.variable.needs), None)
        context = {} if needed is None else {needed.name: needed.known()[-1]}
        return self.provider.supported({**context, self.variable.name: value})


def _variables(variants: Sequence[Variant]) -> dict[str, _Derivation]:
    """Return the variables that tell the properties of the variants, by name."""
    items = {item for variant in variants for item in variant.properties.items}
    found = {}
    for provider in filter(None, map(catalog.find, sorted({item.namespace for item in items}))):
        own = sorted(item for item in items if item.namespace == provider.namespace)
        for variable in provider.variables_of(own):
            told = [item.value for item in own if item.feature in variable.features]
            more = [value for value in told if variable.order is None and variable.parse(value) == value]
            found[variable.name] = _Derivation(
                provider, variable, tuple(dict.fromkeys((*variable.table_values, *more)))
            )
    return found


def _names_of(namespace: str, variables: Mapping[str, _Derivation]) -> list[str]:
    return [name for name, found in variables.items() if found.provider.namespace == namespace]


def _selector(rule: _Derivation, tags: Mapping[str, Properties], optional: bool) -> Selector:
    fallback = ("",) if optional else ()
    table, namespace = {}, rule.provider.namespace
    for value in rule.values:
        supported = {namespace: rule.supported(value)}
        ranks = [rank(tag, properties, [namespace], supported) for tag, properties in tags.items()]
        usable = sorted((item for item in ranks if isinstance(item, Ranked)), key=lambda item: item.key)
        table[value] = (*(item.label for item in usable), *fallback)
    return Selector(table, rule.variable.requires, (rule.variable.entry_point,))


def _meanings(
    variant: Variant, namespaces: Sequence[str], given: Mapping[str, Selector], known: set[str], reporter: Reporter
) -> Iterator[tuple[Variable, str, Properties]]:
    """Return (variable, tag, properties) for each tag of a variant that no given selector explains."""
    tags = [tag for tag in variant.tags if tag not in known]
    if not tags:
        return
    variables = _variables([variant])
    foreign = [namespace for namespace in variant.properties.namespaces if not _names_of(namespace, variables)]
    if foreign and len(tags) == len(variant.tags):
        raise _inexpressible(
            f"variant {variant.name!r} has properties of {foreign[0]!r}, which no known variable tells", foreign[0]
        )
    own = [found for name in namespaces if (found := _first(variant, name, variables)) and found.name not in given]
    if len(own) != len(tags):
        names = " and ".join(next(n for n in namespaces if item.name in _names_of(n, variables)) for item in own)
        has = f"properties of {names}" if own else "no properties that a variable could be derived from"
        raise _inexpressible(
            f"variant {variant.name!r} has the tags {'+'.join(tags)!r} and {has}, where each tag needs one namespace",
            own[0].name if own else "NAME",
        )
    for variable, tag in zip(own, tags, strict=True):
        yield variable, tag, _told(variant, tag, variables[variable.name], reporter)


def _first(variant: Variant, namespace: str, variables: Mapping[str, _Derivation]) -> Variable | None:
    """Return the most important variable of a namespace that tells a property of the variant."""
    features = {item.feature for item in variant.properties.items if item.namespace == namespace}
    found = (variables[name].variable for name in _names_of(namespace, variables))
    return next((item for item in found if features.intersection(item.features)), None)


def _told(variant: Variant, tag: str, rule: _Derivation, reporter: Reporter) -> Properties:
    """Return the properties of one namespace that its table can tell; warn of those that it leaves out."""
    name, namespace = rule.variable.name, rule.provider.namespace
    possible = [rule.supported(value) for value in rule.values]
    others = {feature for item in rule.provider.variables for feature in item.features} - set(rule.variable.features)
    items = [item for item in variant.properties.items if item.namespace == namespace]
    for item in items:
        if item.feature in rule.variable.features:
            if not any(item.value in features.get(item.feature, ()) for features in possible):
                raise _inexpressible(f"variant {variant.name!r} has {item}, which no machine has", name)
        elif item.feature not in others:
            raise _inexpressible(f"variant {variant.name!r} has {item}, which no known variable tells", name)
    for feature in sorted({item.feature for item in items} & others):
        reporter.warn(
            f"selector {name!r} does not tell {namespace} :: {feature} of variant {variant.name!r}:"
            f" machines choose {tag!r} without regard to it"
        )
    return Properties(tuple(item for item in items if item.feature in rule.variable.features))


def _inexpressible(why: str, variable: str) -> UsageError:
    return UsageError(
        f"the selector file of dialect plus cannot be derived: {why}",
        hint=f"declare the whole selector as [{TABLE}.selectors.{variable}]",
    )


def _tables(release: Release, reporter: Reporter) -> SelectorFile:
    """Return the tables of the selector variables: as configured, or derived from the properties of all variants."""
    config = release.config
    generic = (
        config.matrix is None
        or any(cell.variant == GENERIC for cell in config.matrix.cells())
        or any(wheel.name.dialect is None for wheel in release.wheels)
    )
    variants = (*config.variants.values(), *_undeclared(release))
    used_namespaces = [name for variant in variants for name in _in_order_of_tags(variant)]
    namespaces = tuple(dict.fromkeys((*config.namespaces, *used_namespaces)))
    return derive(variants, namespaces, config.selectors, generic, reporter)


def _undeclared(release: Release) -> Iterator[Variant]:
    """Return the variants of wheels whose words nobody declared and that are well known."""
    declared = {tag for variant in release.config.variants.values() for tag in variant.tags}
    declared |= {tag for selector in release.config.selectors.values() for tag in selector.tags}
    # Those with the most words come first: they say the order of the namespaces.
    found = {wheel.name.words for wheel in release.wheels if not wheel.name.plain_installers_read}
    for words in sorted(found, key=lambda words: (-len(words), words)):
        unknown = [word for word in words if word not in declared]
        if unknown and (properties := catalog.properties_of_words(unknown)):
            yield Variant("+".join(words), words, "_".join(words), properties)


def _in_order_of_tags(variant: Variant) -> list[str]:
    """Return the namespaces of a variant in the order of its tags, where those are well-known words."""
    words = [item.namespace for tag in variant.tags for item in catalog.properties_of_word(tag)]
    return [*words, *variant.properties.namespaces]
