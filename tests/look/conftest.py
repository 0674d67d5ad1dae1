"""The gallery as a server for the look's browser tests."""

from collections.abc import Iterator

import pytest

from tests.look.gallery import create_gallery
from tests.served import serving


@pytest.fixture(scope="session")
def gallery_url() -> Iterator[str]:
    with serving(create_gallery()) as address:
        yield address
