from __future__ import annotations

import pytest

from variant_publish.errors import UsageError
from variant_publish.model.requirement import TaggedRequirement


@pytest.mark.parametrize(
    ("text", "project", "tags", "pin"),
    [
        ("numpy+pypi==2.0.0", "numpy", ("pypi",), "2.0.0"),
        ("numpy + pypi == 2.0.0", "numpy", (), None),
        ("python-flint+x86_64_v4", "python-flint", ("x86_64_v4",), None),
        ("Foo_Bar+a+b[extra]>=1; python_version > '3'", "foo-bar", ("a", "b"), None),
        ("foo==1.*", "foo", (), None),
        ("foo @ https://example.org/foo+bar.whl", "foo", (), None),
    ],
)
def test_requirements_with_extra_tags(text: str, project: str, tags: tuple[str, ...], pin: str | None) -> None:
    if " + " in text:
        with pytest.raises(UsageError):
            TaggedRequirement.parse(text)
        return
    requirement = TaggedRequirement.parse(text)
    assert (requirement.project, requirement.tags, requirement.pin) == (project, tags, pin)
    assert TaggedRequirement.parse(str(requirement)) == requirement


@pytest.mark.parametrize("text", ["", "numpy+==1", "numpy+A==1", "numpy+pypi=", "+pypi", "numpy==1+"])
def test_a_wrong_requirement_is_one_sentence(text: str) -> None:
    with pytest.raises(UsageError) as error:
        TaggedRequirement.parse(text)
    assert "\n" not in str(error.value)
