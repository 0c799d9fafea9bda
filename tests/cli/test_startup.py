"""The command line starts quickly: ``--help`` loads no heavy library."""

from __future__ import annotations

import subprocess
import sys


def test_help_does_not_load_torch() -> None:
    code = (
        "import sys; from c2e_video import cli; cli.cli(['--help'], standalone_mode=False);"
        "heavy = {'torch', 'cv2', 'av'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_a_plain_run_loads_nothing_of_a_cluster() -> None:
    code = (
        "import sys; from c2e_video import cli; import c2e_video.pipeline.colorize;"
        "loaded = [name for name in sys.modules if name == 'ray' or 'cluster' in name.split('.')];"
        "assert not loaded, loaded"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
