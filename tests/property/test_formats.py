"""What holds for every value: names, requirements and metadata round-trip; merging does not depend on order."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from variant_publish.dialects.local_version import LOCAL, local_of
from variant_publish.dialects.pep825 import PEP825
from variant_publish.dialects.plus import PLUS
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.errors import VariantPublishError
from variant_publish.formats.master import ProjectIndex
from variant_publish.formats.metadata import Metadata
from variant_publish.formats.record import Record, RecordRow
from variant_publish.formats.selector_toml import Selector, SelectorFile, merge_selectors
from variant_publish.formats.simple import IndexFile
from variant_publish.formats.variants_json import Provider, VariantsMetadata, merge
from variant_publish.model.plain_name import PlainName
from variant_publish.model.requirement import TaggedRequirement
from variant_publish.model.variant import Properties, Property

keys = st.text("abcxyz019_", min_size=1, max_size=6)
values = st.text("abcxyz019_.", min_size=1, max_size=6)
labels = values.filter(lambda label: label != "null" and ".." not in label and label.strip(".") == label)
properties = st.builds(Property, keys, keys, values)
property_sets = st.lists(properties, min_size=1, max_size=6).map(lambda items: Properties(tuple(items)))
platforms = st.sampled_from(["any", "win_amd64", "manylinux_2_17_x86_64", "manylinux2014_x86_64", "macosx_11_0_arm64"])

VERSIONS = st.sampled_from(["1.0", "2!3.1", "1.0+cu128", "1.0rc1.post2"])


@st.composite
def plain_names(draw: st.DrawFn, versions: st.SearchStrategy[str] = VERSIONS) -> PlainName:
    return PlainName(
        distribution=draw(
            st.lists(st.text("abcxyz019", min_size=1, max_size=3), min_size=1, max_size=3)
            .map("_".join)
            .map("a".__add__)
        ),
        version=draw(versions),
        build=draw(st.sampled_from(["", "1", "2local"])),
        python=tuple(
            draw(st.lists(st.sampled_from(["py2", "py3", "cp312"]), min_size=1, max_size=2, unique=True).map(sorted))
        ),
        abi=(draw(st.sampled_from(["none", "abi3", "cp312"])),),
        platform=tuple(draw(st.lists(platforms, min_size=1, max_size=3, unique=True).map(sorted))),
    )


@st.composite
def wheel_names(draw: st.DrawFn) -> WheelName:
    plain = draw(plain_names())
    tags = draw(st.lists(keys, min_size=1, max_size=3, unique=True).map(tuple))
    dialect, words = draw(st.sampled_from([(None, ()), (PLUS, tags), (PEP825, (draw(labels),))]))
    return WheelName(plain, dialect, words)


@given(wheel_names())
def test_wheel_names_round_trip_in_every_dialect(name: WheelName) -> None:
    assert WheelName.parse(str(name)) == name
    assert str(WheelName.parse(str(name))) == str(name)


@given(st.text(st.sampled_from("abc123-_.+ "), max_size=40).map(lambda text: text + ".whl"))
def test_any_text_is_a_name_that_round_trips_or_one_error(text: str) -> None:
    try:
        name = WheelName.parse(text)
    except VariantPublishError as error:
        assert "\n" not in error.message  # noqa: PT017  (both outcomes are right)
    else:
        assert str(name) == text


@given(
    st.sampled_from(["numpy", "python-flint", "A.b_c"]),
    st.lists(keys, max_size=3),
    st.sampled_from(["", "==2.0.0", ">=1,<2", "[x]>1"]),
)
def test_tagged_requirements_round_trip(name: str, tags: list[str], rest: str) -> None:
    requirement = TaggedRequirement.parse(name + "".join(f"+{tag}" for tag in tags) + rest)
    assert requirement.tags == tuple(tags)
    assert TaggedRequirement.parse(str(requirement)) == requirement


static = st.dictionaries(keys, st.lists(values, min_size=1, max_size=3, unique=True).map(tuple), min_size=1, max_size=3)
providers = st.one_of(
    st.builds(Provider.ranked, static, optional=st.booleans()),
    st.builds(Provider, requires=st.just(("some-provider>=1",)), plugin_api=st.sampled_from([None, "a.b:C"])),
    st.just(Provider(builtin="abi_dependency")),
)


@st.composite
def metadata(draw: st.DrawFn, pool: dict[str, Properties] | None = None) -> VariantsMetadata:
    variants = draw(st.dictionaries(labels, property_sets, max_size=4)) if pool is None else pool
    used = sorted({name for item in variants.values() for name in item.namespaces} | {draw(keys)})
    namespaces = tuple(draw(st.permutations(used)))
    tables = {name: draw(providers) for name in namespaces} if draw(st.booleans()) else {}
    return VariantsMetadata(namespaces, variants, tables)


@given(metadata())
def test_variant_metadata_round_trips(value: VariantsMetadata) -> None:
    assert VariantsMetadata.parse(value.dumps()) == value
    assert VariantsMetadata.parse(value.dumps()).dumps() == value.dumps()


@given(metadata(), st.data())
def test_merging_variant_metadata_does_not_depend_on_order(whole: VariantsMetadata, data: st.DataObject) -> None:
    pieces = []
    for label in whole.variants:
        needed = max((whole.namespaces.index(name) + 1 for name in whole.variants[label].namespaces), default=1)
        cut = data.draw(st.integers(needed, len(whole.namespaces)))
        kept = whole.namespaces[:cut]
        tables = {name: whole.providers[name] for name in kept} if whole.providers else {}
        pieces.append(VariantsMetadata(kept, {label: whole.variants[label]}, tables))
    assume(pieces)
    merged = merge(pieces)
    assert merge(data.draw(st.permutations(pieces))) == merged
    assert merge([merge(pieces[:1]), *pieces[1:]]) == merged
    assert merged.variants == whole.variants


@st.composite
def selector_files(draw: st.DrawFn) -> SelectorFile:
    selectors = {}
    for number, variable in enumerate(draw(st.lists(keys, min_size=1, max_size=3, unique=True))):
        tags = [f"{tag}_{number}" for tag in draw(st.lists(keys, max_size=4, unique=True))]
        table = {
            value: tuple(tag for tag in [*tags, ""] if draw(st.booleans()))
            for value in draw(st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=4, unique=True))
        }
        selectors[variable] = Selector(table, ("a >= 1",), ("a:b",), draw(st.sampled_from([None, ("",)])))
    return SelectorFile(selectors)


@given(selector_files())
def test_selector_files_round_trip(value: SelectorFile) -> None:
    assert SelectorFile.parse(value.dumps()) == value
    assert list(SelectorFile.parse(value.dumps()).selectors) == list(value.selectors)


@given(selector_files(), st.data())
def test_merging_selector_files_does_not_depend_on_order(whole: SelectorFile, data: st.DataObject) -> None:
    pieces = [whole]
    for _ in range(data.draw(st.integers(1, 3))):
        cut = data.draw(st.integers(1, len(whole.selectors)))
        part = {
            variable: Selector(
                {value: tuple(tag for tag in tags if data.draw(st.booleans())) for value, tags in selector.wheel_tags.items()},
                selector.requires, selector.function, selector.default,
            )
            for variable, selector in list(whole.selectors.items())[:cut]
        }  # fmt: skip
        pieces.append(SelectorFile(part))
    assert merge_selectors(data.draw(st.permutations(pieces))) == whole


hashes = st.integers(0, (1 << 256) - 1).map(lambda number: f"{number:064x}")
index_files = st.builds(
    IndexFile, filename=wheel_names().map(lambda name: f"foo-{str(name).partition('-')[2]}"),
    url=st.sampled_from(["a.whl", "../a.whl", "https://h/a.whl", "a%2Bb.whl"]), sha256=hashes,
    size=st.none() | st.integers(0, 1 << 50), requires_python=st.none() | st.just(">=3.9"),
    metadata_sha256=st.none() | hashes, upload_time=st.none() | st.just("2026-01-01T00:00:00Z"),
    yanked=st.none() | st.text(max_size=5),
)  # fmt: skip


@given(
    st.lists(index_files, max_size=3),
    st.integers(0, 9),
    st.dictionaries(
        st.text(st.characters(categories=("L", "N", "P")), max_size=5), st.just("words"), min_size=1, max_size=2
    ),
)
def test_the_master_of_a_project_round_trips(files: list[IndexFile], generation: int, needs: dict[str, str]) -> None:
    value = ProjectIndex("foo", tuple(files), generation, ("https://example.org/simple/foo/",), needs={"1.0": needs})
    assert ProjectIndex.parse(value.dumps()) == value


@given(
    st.lists(
        st.text(min_size=1, max_size=8).filter(lambda text: "\r" not in text and "\n" not in text),
        unique=True,
        max_size=5,
    )
)
def test_record_rows_round_trip_with_any_name(names: list[str]) -> None:
    record = Record(tuple(RecordRow.of(name, b"x") for name in names))
    try:
        content = bytes(record)
    except UnicodeEncodeError:
        return  # a lone surrogate is no file name in UTF-8
    assert Record.parse(content) == record


@given(st.binary(max_size=200))
def test_metadata_never_changes_what_it_does_not_mean_to(body: bytes) -> None:
    content = b"Metadata-Version: 2.1\nName: a\nVersion: 1\n\n" + body
    assert bytes(Metadata.parse(content)) == content


@given(plain_names(st.sampled_from(["1.0", "2!3.1", "1.0rc1.post2"])), labels.filter(lambda label: label.strip("_.")))
def test_a_label_becomes_a_local_version_and_goes_again(plain: PlainName, label: str) -> None:
    name = WheelName(plain)
    local = local_of(label)
    assert local_of(local) == local
    variant = name.with_variant(LOCAL, (local,))
    assert WheelName.parse(str(variant)).with_known(LOCAL, {(local,)}) == variant
    assert variant.release_version == name.parsed_version
    assert variant.parsed_version > name.parsed_version
    assert variant.generic() == name
