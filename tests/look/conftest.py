"""The gallery as a server for the look's browser tests."""

import threading
from collections.abc import Iterator

import pytest
from werkzeug.serving import make_server

from tests.look.gallery import create_gallery


@pytest.fixture(scope="session")
def gallery_url() -> Iterator[str]:
    server = make_server("127.0.0.1", 0, create_gallery(), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()
