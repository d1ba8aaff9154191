"""One sandbox that the fault tests may kill, with agencies of their own that no quota stops."""

from collections.abc import Iterator

import pytest

from tests.faults.scene import FAMILIES, Scene
from tests.sandbox import running_sandbox


@pytest.fixture(scope="package")
def scene() -> Iterator[Scene]:
    with running_sandbox(families=FAMILIES) as sandbox:
        made = Scene(sandbox)
        try:
            yield made
        finally:
            made.close()
