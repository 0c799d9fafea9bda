"""What tests make workers do: every worker process calls :func:`install` when it starts."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

FILE = "C2E_TEST_WORKERS"  # environment variable: a JSON file with what is wanted


def install() -> None:
    """Have the encoder wait ``delay`` seconds after each batch, and raise ``error`` where there is one."""
    from c2e_video.errors import MediaError
    from c2e_video.video.encode import Encoder

    write = Encoder.write

    def slowly(self: Any, batch: Any) -> None:
        wanted = json.loads(Path(os.environ[FILE]).read_text())
        if wanted.get("error"):
            raise MediaError(wanted["error"])
        write(self, batch)
        time.sleep(wanted.get("delay", 0))

    Encoder.write = slowly  # type: ignore[method-assign]
