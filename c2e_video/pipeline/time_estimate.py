"""How long colorizing a planned film takes on this machine, measured on a few of its own frames."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

from ..inference.quality import QUALITIES
from ..inference.video_colorizer import VideoColorizer
from ..planning.plan import Plan
from ..references.reference_map import ReferenceMap
from ..utils.choices import Quality
from ..video.decode.decoder import decode
from ..video.encode import Encoder, part_suffix, picture_format
from ..video.frames import Frame, FrameBatch, Shot
from .options import Options, colorizer_for

MAX_FRAMES = 12  # that are colorized at each quality


def estimate_seconds(plan: Plan, options: Options) -> Mapping[Quality, float]:
    """Estimate how long colorizing takes at each quality.

    As many frames as lie between two anchors are decoded, colorized and encoded, one stage after the
    other: a run, in which the stages overlap, takes no longer.

    Args:
        plan: The film, with references.
        options: How it is to be colorized; their quality does not count.

    Returns:
        Seconds of wall time for all frames that are not left gray; empty where there are none.

    Raises:
        C2EError: The film cannot be decoded or encoded.
    """
    if plan.reference_map is None:
        return {}
    references = plan.reference_map.references
    shots = [shot for shot in plan.shots if references[shot.index]]
    if not shots:
        return {}
    longest = max(shots, key=plan.frames_of)
    alone = Shot(0, longest.start, longest.stop)
    reference_map = ReferenceMap((alone,), (references[longest.index],))
    began = time.perf_counter()
    source = decode(plan.source, plan.info, start=alone.start, stop=alone.stop)
    frames = list(islice(source, MAX_FRAMES))
    source.close()
    decoding = (time.perf_counter() - began) / len(frames)
    count = sum(map(plan.frames_of, shots))
    return {
        quality: count
        * (decoding + _seconds_a_frame(plan, options.at_quality(quality), frames, reference_map))
        for quality in QUALITIES
    }


def _seconds_a_frame(
    plan: Plan, options: Options, frames: list[Frame], reference_map: ReferenceMap
) -> float:
    """Wall time of colorizing and encoding a frame; reading the references is left out."""
    colorizer = colorizer_for(options)
    video_colorizer = VideoColorizer(colorizer, plan.info)
    video_colorizer.embedding_at(frames[0].pts, reference_map)
    few = frames[: max(1, colorizer.anchor_interval)]
    picture = picture_format(plan.info, options.encode)
    batches = [FrameBatch((frame,), reference_map.shots[0]) for frame in few]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"part{part_suffix(options.encode)}"
        began = time.perf_counter()
        with Encoder(path, plan.info, options.encoding) as encoder:
            for batch in video_colorizer.colorize(batches, reference_map, picture):
                encoder.write(batch)
            encoder.close()
        return (time.perf_counter() - began) / len(few)


def in_words(estimate: Mapping[Quality, float]) -> str:
    """An estimate in a line, such as ``about 3 min (draft), 8 min (standard), 1 h 20 min (best)``."""
    return "about " + ", ".join(f"{_rounded(s)} ({quality})" for quality, s in estimate.items())


def _rounded(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest:02d} min"
