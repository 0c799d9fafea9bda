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


def test_garbage_is_looked_for_as_usual_after_the_imports() -> None:
    code = (
        "import gc; usual = gc.get_threshold();"
        "from c2e_video.utils.garbage import collect_rarely; collect_rarely();"
        "assert gc.get_threshold()[0] > 10 * usual[0];"
        "from c2e_video.utils.devices import configure_process; configure_process();"
        "assert gc.get_threshold() == usual and gc.get_freeze_count()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_one_operation_computes_with_one_core_unless_it_is_asked_for_more() -> None:
    """Beside another program, threads of one operation wait for one another."""
    code = (
        "import torch; torch.set_num_threads(3);"
        "from c2e_video.utils.devices import configure_process;"
        "configure_process(single_threaded=False); assert torch.get_num_threads() == 3;"
        "configure_process(); assert torch.get_num_threads() == 1"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_plain_run_loads_nothing_of_a_cluster() -> None:
    code = (
        "import sys; from c2e_video import cli; import c2e_video.pipeline.colorize;"
        "loaded = [name for name in sys.modules if name == 'ray' or 'cluster' in name.split('.')];"
        "assert not loaded, loaded"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
