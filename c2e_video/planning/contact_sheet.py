"""A plan to look at before painting: a contact sheet (one HTML file), and stills worth painting."""

from __future__ import annotations

import base64
import math
from collections.abc import Container, Iterator
from fractions import Fraction
from html import escape
from importlib import resources
from pathlib import Path
from string import Template
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from ..errors import C2EError
from ..inference.video_colorizer import VideoColorizer
from ..references.image import Reference
from ..utils.files import check_folder, write_text
from ..utils.prefetch import prefetch
from ..utils.progress import Progress
from ..video.decode.decoder import decode
from ..video.frames import Frame, Shot, VideoInfo, luma_range
from .analysis import Window
from .plan import Assignment, Plan

Picture = npt.NDArray[np.uint8]

HEIGHT = 112  # of the thumbnails, in pixels
PREVIEW = 2 * HEIGHT  # short side at which a preview is painted, before it is made as small
QUALITY = 88  # of JPEG, of 100


def write_sheet(
    plan: Plan,
    video_colorizer: VideoColorizer,
    path: Path,
    progress: Progress,
    *,
    window: Window = (None, None),
) -> None:
    """Write the sheet of ``plan`` to ``path``, whole or not at all.

    A row a shot: its first, middle and last frame, its references, how sure the match is, and the
    middle frame painted. Shots that no reference is near to are red, and listed on top, those with
    the most frames first.
    """
    frames = _frames(plan, window, progress)
    progress.stage("previewing", len(plan.shots), "shot")
    rows = []
    for shot in plan.shots:
        rows.append(_row(plan, shot, frames, video_colorizer))
        progress.advance(1)
    template = Template(
        resources.files(__package__).joinpath("contact_sheet.html").read_text("utf-8")
    )
    page = template.substitute(
        title=escape(plan.source.name),
        facts=escape(_facts(plan)),
        weak_matches=_weak_matches(plan),
        height=HEIGHT,
        rows="\n".join(rows),
    )
    write_text(path, page)


def write_stills(
    plan: Plan, folder: Path, progress: Progress, *, window: Window = (None, None)
) -> int:
    """Write the middle frame of every shot that has no near reference, in full size, to be painted.

    The pictures are gray PNG, upright, with square pixels; they bear the shot's number and the
    frame's time. A picture of that name is left as it is: it may be painted by now. Gives their number;
    raises :class:`C2EError` where they cannot be written.
    """
    make_folder(folder)
    shots = (
        [assignment.shot for assignment in plan.weak_matches] if plan.assignments else plan.shots
    )
    middles = {plan.analysis.shown(shot)[1]: shot for shot in shots}
    for frame in _picked(plan, middles, window, progress):
        time = plan.info.timecode(frame.pts).replace(":", "-")
        path = folder / f"shot-{middles[frame.pts].index + 1:04d}_{time}.png"
        _, content = cv2.imencode(".png", _upright(frame, plan.info, frame.luma.shape[0]))
        try:
            with open(path, "xb") as file:  # never over one that was painted
                file.write(content.tobytes())
        except FileExistsError:
            progress.note(f"{path.name} is there already and was left as it is")
        except OSError as error:
            raise C2EError(f"cannot write {str(path)!r}: {error.strerror}") from None
    return len(middles)


def make_folder(folder: Path) -> None:
    """Make the folder of stills. Raises :class:`C2EError` where that, or writing there, cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise C2EError(f"cannot write stills to {str(folder)!r}: {error.strerror}") from None
    check_folder(folder / "shot.png")


def _frames(plan: Plan, window: Window, progress: Progress) -> dict[int, bytes]:
    """The frames that the sheet shows, by pts: as JPEG, for there may be thousands."""
    wanted = {pts for shot in plan.shots for pts in plan.analysis.shown(shot)}
    picked = _picked(plan, wanted, window, progress)
    return {frame.pts: _jpeg(_upright(frame, plan.info, PREVIEW)) for frame in picked}


def _picked(
    plan: Plan, wanted: Container[int], window: Window, progress: Progress
) -> Iterator[Frame]:
    """The film's frames with these pts, from one more pass."""
    progress.stage("gathering frames", len(plan.analysis.pts))
    start, stop = window
    for frame in prefetch(decode(plan.source, plan.info, start=start, stop=stop), depth=32):
        if frame.pts in wanted:
            yield frame
        progress.advance(1)


def _upright(frame: Frame, info: VideoInfo, height: int) -> Picture:
    """A frame as it is shown: full-range gray ``[h, w]``, ``height`` rows before it is turned."""
    scale, offset = luma_range(info)
    rows, columns = frame.luma.shape
    width = max(1, round(height * Fraction(columns, rows) * info.sample_aspect_ratio))
    how = cv2.INTER_AREA if height < rows else cv2.INTER_LINEAR
    sized = cv2.resize(frame.luma, (width, height), interpolation=how).astype(np.float32)
    gray = np.clip((sized - offset) * scale * 255, 0, 255).round().astype(np.uint8)
    return np.ascontiguousarray(np.rot90(gray, info.turns))


def _row(plan: Plan, shot: Shot, frames: dict[int, bytes], video_colorizer: VideoColorizer) -> str:
    times = plan.analysis.shown(shot)
    grays = {pts: _gray_of(frames[pts]) for pts in set(times) & frames.keys()}
    shown = [grays[pts] for pts in times if pts in grays]
    references, preview, sure = "", "", "no reference yet"
    assignment = next((c for c in plan.assignments if c.shot == shot), None)
    if plan.reference_map is not None and assignment is not None:
        references = "".join(
            _reference(r, plan.info) for r in plan.reference_map.references[shot.index]
        )
        sure = _sureness(assignment)
        if times[1] in grays:
            embedding = video_colorizer.embedding_at(times[1], plan.reference_map)
            stored = np.rot90(grays[times[1]], -plan.info.turns)
            colorized = video_colorizer.colorizer.colorize_image(
                np.ascontiguousarray(stored), embedding
            )
            preview = _image(np.rot90(colorized, plan.info.turns), "painted preview")
    mark = ' class="far"' if assignment is None or assignment.is_weak else ""
    stills = "".join(map(_image, shown, ("first frame", "middle frame", "last frame")))
    return (
        f'<tr id="shot-{shot.index + 1}"{mark}><th>{shot.index + 1}</th>'
        f"<td>{_times(plan, shot)}</td><td>{stills}</td><td>{references}</td>"
        f"<td>{escape(sure)}</td><td>{preview}</td></tr>"
    )


def _times(plan: Plan, shot: Shot) -> str:
    dissolve = f"dissolve of {plan.info.seconds(shot.dissolve):.2f} s"
    kind = dissolve if shot.dissolve else "cut"
    count = plan.frames_of(shot)
    lines = (plan.info.timecode(shot.start), f"{count} frames", kind)
    return "<br>".join(map(escape, lines))


def _reference(reference: Reference, info: VideoInfo) -> str:
    at = "" if reference.at is None else f" at {info.timecode(reference.at)}"
    caption = escape(f"{reference.path.name}{at}")
    picture = _image(reference.image, reference.path.name)
    return f"<figure>{picture}<figcaption>{caption}</figcaption></figure>"


def _sureness(assignment: Assignment) -> str:
    if assignment.source == "map":
        return "as the map says"
    if assignment.source == "frame":
        return f"a frame of this shot ({assignment.similarity:.2f})"
    if math.isnan(assignment.similarity):
        return "the network cannot tell"
    return f"{'nearest, but is_weak' if assignment.is_weak else 'nearest'} ({assignment.similarity:.2f})"


def _facts(plan: Plan) -> str:
    length = plan.info.timecode(plan.shots[-1].stop - plan.shots[0].start)
    count = len(plan.reference_map.distinct()) if plan.reference_map else 0
    return (
        f"{plan.info.width}×{plan.info.height}, {length}, {plan.size()}, references in use: {count}"
    )


def _weak_matches(plan: Plan) -> str:
    """Where another keyframe is worth painting, as links to the rows."""
    if not plan.weak_matches:
        return ""
    items = "".join(
        f'<li><a href="#shot-{c.shot.index + 1}">{escape(c.line(plan.info))}, '
        f"{plan.frames_of(c.shot)} frames</a></li>"
        for c in plan.weak_matches
    )
    return f"<h2>Worth another keyframe</h2><ol>{items}</ol>"


def _image(picture: Picture, words: str) -> str:
    """A gray or RGB picture, inside the page."""
    width = max(1, round(picture.shape[1] * HEIGHT / picture.shape[0]))
    small = cv2.resize(picture, (width, HEIGHT), interpolation=cv2.INTER_AREA)
    data = base64.b64encode(_jpeg(cast(Picture, small))).decode()
    return f'<img alt="{escape(words)}" src="data:image/jpeg;base64,{data}">'


def _jpeg(picture: Picture) -> bytes:
    bgr = picture if picture.ndim == 2 else np.ascontiguousarray(picture[:, :, ::-1])
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()


def _gray_of(jpeg: bytes) -> Picture:
    return cast(Picture, cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE))
