"""A film on two machines, of which one goes away: ``python -m tests.cluster.machines FOLDER``."""

from __future__ import annotations

import sys
from pathlib import Path

import ray
from ray.cluster_utils import Cluster as Machines

from c2e_video.cluster.colorize import colorize_on_cluster
from c2e_video.cluster.settings import ClusterSettings
from c2e_video.model import save_weights
from c2e_video.pipeline import planned_film
from c2e_video.pipeline.colorize import colorize_video
from c2e_video.pipeline.options import Options
from c2e_video.video.encode import EncodeSettings
from tests.cluster.watch import Watch, rendering
from tests.factories import random_model, write_picture
from tests.media import picture_digests, write_film


def main(folder: Path) -> None:
    """Say what was told, and whether the film is that of one machine."""
    vars(planned_film)["SEGMENT_SECONDS"] = 0.4
    film = write_film(folder / "film.mkv", 200, (640, 360), codec="ffv1")
    reference = write_picture(folder / "key.png", 0)
    save_weights(random_model(), folder / "tiny.safetensors")
    options = Options(
        EncodeSettings("ffv1"),
        weights=folder / "tiny.safetensors",
        device="cpu",
        precision="fp32",
        size=64,
    )
    whole, output = folder / "whole.mkv", folder / "out.mkv"
    colorize_video(film, whole, references=reference, options=options)
    machines = Machines(initialize_head=True, head_node_args={"num_cpus": 0})
    workers = [machines.add_node(num_cpus=1) for _ in range(2)]
    ray.init(address=machines.address, log_to_driver=False)

    def lose_one(frames: int) -> None:
        if workers and len(rendering()) > 1:
            print(f"a machine is gone after {frames} frames")
            machines.remove_node(workers[0], allow_graceful=False)
            workers.clear()

    watch, settings = Watch(lose_one), ClusterSettings(machines.address, cpus=1)
    colorize_on_cluster(
        film, output, references=reference, options=options, cluster=settings, progress=watch
    )
    print("\n".join(watch.notes))
    print(f"{watch.frames} frames, equal: {picture_digests(output) == picture_digests(whole)}")
    ray.shutdown()
    machines.shutdown()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
