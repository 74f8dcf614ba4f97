"""For all tests: how hypothesis draws, and a folder of this run's own for the cache of compiled sets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import examples

examples.use_for_all()


@pytest.fixture(scope="session", autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield
