from __future__ import annotations

import shlex

import pytest

from variant_publish.errors import UsageError
from variant_publish.model.build_job import BuildSettings

SETTINGS = BuildSettings({"level": ("v3",), "flags": ("-a", "b c")}, {"CFLAGS": "-O3 '$x'", "N": ""})


def test_every_frontend_gets_them_in_its_own_terms() -> None:
    assert SETTINGS.arguments == ("-Clevel=v3", "-Cflags=-a", "-Cflags=b c")
    assert shlex.split(SETTINGS.cibuildwheel_settings) == ["level=v3", "flags=-a", "flags=b c"]
    assert SETTINGS.cibuildwheel_environment == 'CFLAGS="-O3 \'\\$x\'" N=""'
    assert shlex.split(str(SETTINGS)) == ["CFLAGS=-O3 '$x'", "N=", *SETTINGS.arguments]
    assert not BuildSettings()
    assert str(BuildSettings()) == ""


@pytest.mark.parametrize(
    ("settings", "env", "message"),
    [
        ({}, {"A B": ""}, "'A B' is not a name of an environment variable"),
        ({}, {"": ""}, "'' is not a name of an environment variable"),
        ({"a=b": ("c",)}, {}, "'a=b' is not a name of a configuration setting"),
        ({"": ("c",)}, {}, "'' is not a name of a configuration setting"),
        ({"a": ("b\0",)}, {}, "NUL"),
        ({}, {"a": "b\0"}, "NUL"),
    ],
)
def test_what_cannot_be_passed_on_is_refused(
    settings: dict[str, tuple[str, ...]], env: dict[str, str], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        BuildSettings(settings, env)
