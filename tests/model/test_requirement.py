from __future__ import annotations

import pytest

from variant_publish.errors import UsageError
from variant_publish.model.requirement import TaggedRequirement, with_evaluated_markers


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


VARIABLES = {"x86_64_version": "x86-64-v3", "blas": "mkl"}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("foo; x86_64_version == 'x86-64-v3'", "foo"),
        ('foo+v3>=1; x86_64_version == "x86-64-v4"', 'foo+v3>=1;python_version < "0"'),
        ("foo; 'x86-64-v3' == x86_64_version", "foo"),
        (
            "foo; os_name == 'posix' and (blas != 'mkl' or x86_64_version == 'x86-64-v3')",
            "foo; os_name == 'posix'",
        ),
        ("foo @ https://example.org/a;b ; blas == 'mkl'", "foo @ https://example.org/a;b"),
        ("foo; os_name == 'blas == \"mkl\"'", "foo; os_name == 'blas == \"mkl\"'"),
        ("foo; python_version >= '3'", "foo; python_version >= '3'"),
        ("foo", "foo"),
    ],
)
def test_markers_of_selector_variables_are_evaluated_and_others_kept(text: str, result: str) -> None:
    def holds(variable: str, operator: str, literal: str) -> bool:
        return (VARIABLES[variable] == literal) == (operator == "==")

    found = with_evaluated_markers(text, VARIABLES, holds)
    assert found.replace("; python", ";python") == result.replace("; python", ";python")
    TaggedRequirement.parse(found)


def test_a_marker_of_a_variable_that_nobody_defines_is_refused() -> None:
    text = with_evaluated_markers("foo; blas == 'mkl'", (), lambda *_: True)
    with pytest.raises(UsageError, match="is not valid"):
        TaggedRequirement.parse(text)
