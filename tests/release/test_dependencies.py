"""The wheels of other projects that a release is linked against."""

import pytest

from variant_publish.errors import UsageError
from variant_publish.release.dependencies import Linking


def test_what_is_no_requirement_is_told_without_its_password() -> None:
    with pytest.raises(UsageError) as caught:
        Linking.parse(["https://user:word@host/torch-2.0-cp312-cp312-linux_x86_64.whl"])
    assert "word" not in str(caught.value)
    assert "host/torch-2.0" in str(caught.value)
