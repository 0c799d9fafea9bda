"""The contact sheet: one HTML file with a colorized strip and the coverage of each shot."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from html import escape
from importlib import resources
from itertools import islice
from pathlib import Path
from string import Template
from typing import Any, cast

import cv2
import numpy as np

from ..inference.video_colorizer import VideoColorizer
from ..references.image import Reference
from ..utils.arrays import Picture
from ..utils.files import write_text
from ..utils.progress import Progress
from ..video.frames import Shot
from .candidates import Candidate
from .coverage import COVERED, UNCOVERED, ShotCoverage
from .disagreements import Disagreement
from .plan import Assignment, Plan
from .proposals import Proposal, summary
from .samples import FrameSample

STRIP_HEIGHT = 200  # of the frames of a strip, in pixels
SHOWN, SHOWN_AT_MOST = (
    3,
    5,
)  # frames of a strip; more than three in shots of more than SECONDS_A_FRAME each
SECONDS_A_FRAME = 4.0
REFERENCE_HEIGHT = 84
WEBP_QUALITY = 80  # 2/3 of the bytes of JPEG: the page of a long film opens the sooner
GENERATOR = '<meta name="generator" content="c2e-video plan">'  # by which a sheet is known
SCALE = (
    f"Confidence (the black line) estimates how much of a frame's colour its reference gives. From "
    f"{COVERED:.2f} on the frame is covered (green), below {UNCOVERED:.2f} it is uncovered (red), between "
    "them it is fading (amber). A picture of another scene is far: it has about 0.3, seldom more than 0.5. "
    "Hold the pointer over a frame to see it in gray."
)


def write_sheet(
    plan: Plan,
    proposals: Sequence[Proposal],
    video_colorizer: VideoColorizer,
    path: Path,
    progress: Progress,
) -> None:
    """Write the sheet of a plan, whole or not at all.

    Args:
        plan: The plan. Its samples are shown: the film is not read again.
        proposals: The frames worth painting, listed on top.
        video_colorizer: Colorizes the strips, where the plan has references.
        path: The HTML file. It needs no other.
        progress: Is told of the shots that are done.

    Raises:
        C2EError: The file cannot be written.
    """
    write_text(path, _Sheet(plan, video_colorizer).page(proposals, progress))


def is_sheet(path: Path) -> bool:
    """Whether a file is a contact sheet, which may be written anew at any time."""
    try:
        with open(path, "rb") as file:
            return GENERATOR.encode() in file.read(400)
    except OSError:
        return False


class _Sheet:
    """The page in the making: each reference picture is in it once."""

    def __init__(self, plan: Plan, video_colorizer: VideoColorizer) -> None:
        self.plan, self.video_colorizer = plan, video_colorizer
        self.pictures: dict[str, tuple[int, str]] = {}  # by digest: number and CSS
        self.digests: dict[object, str] = {}  # of candidates, each of which is read once

    def page(self, proposals: Sequence[Proposal], progress: Progress) -> str:
        progress.stage("previewing", len(self.plan.shots), "shot")
        rows = []
        for shot in self.plan.shots:
            rows.append(self._row(shot))
            progress.advance(1)
        template = resources.files(__package__).joinpath("contact_sheet.html").read_text("utf-8")
        return Template(template).substitute(
            title=escape(self.plan.source.name),
            facts=escape(self._facts()),
            scale=escape(SCALE),
            stills=self._stills(proposals),
            rows="\n".join(rows),
            pictures="\n".join(css for _, css in self.pictures.values()),
        )

    def _facts(self) -> str:
        plan = self.plan
        length = plan.info.timecode(plan.shots[-1].stop - plan.shots[0].start)
        facts = [f"{plan.info.width}×{plan.info.height}", length, plan.size()]
        if plan.reference_map is not None:
            facts.append(f"references in use: {len(plan.reference_map.distinct())}")
            facts.append(f"{plan.covered:.0%} of the frames covered")
        return ", ".join(facts)

    def _stills(self, proposals: Sequence[Proposal]) -> str:
        if not proposals:
            return ""
        samples = {s.pts: s for p in proposals for s in self.plan.samples[p.shot]}
        items = "".join(
            f'<li><a href="#shot-{p.shot + 1}">{_img(samples[p.pts].picture(), REFERENCE_HEIGHT)}'
            f"{escape(p.line(self.plan.info))}</a></li>"
            for p in proposals
        )
        return (
            f'<h2>Worth painting: {escape(summary(proposals))}</h2><ol class="stills">{items}</ol>'
        )

    def _row(self, shot: Shot) -> str:
        plan, curve = self.plan, self.plan.coverage[shot.index]
        states = {stretch.state for stretch in curve.stretches()}
        worst = next((s for s in ("uncovered", "fading", "covered") if s in states), "gray")
        verdict = curve.verdict(plan.info) if plan.reference_map is not None else "no reference yet"
        dissolve = (
            f"dissolve of {plan.info.seconds(shot.dissolve):.2f} s" if shot.dissolve else "cut"
        )
        facts = (plan.info.timecode(shot.start), f"{plan.frames_of(shot)} frames", dissolve)
        head = "".join(f"<span>{escape(fact)}</span>" for fact in facts)
        return (
            f'<article id="shot-{shot.index + 1}" class="{worst}"><h2><b>{shot.index + 1}</b>{head}'
            f'<span class="verdict">{escape(verdict)}</span></h2><div class="body">'
            f"<div>{self._strip(shot)}{_curve(curve)}</div>"
            f'<div class="side">{self._side(shot)}</div></div></article>'
        )

    def _strip(self, shot: Shot) -> str:
        plan = self.plan
        seconds = plan.info.seconds(shot.stop - shot.start)
        count = min(SHOWN_AT_MOST, max(SHOWN, math.ceil(seconds / SECONDS_A_FRAME)))
        figures = "".join(
            f"<figure>{_img(self._shown(sample), STRIP_HEIGHT)}"
            f"<figcaption>{plan.info.timecode(sample.pts)}</figcaption></figure>"
            for sample in _spread(plan.samples[shot.index], count)
        )
        painted = " painted" if plan.reference_map is not None else ""
        return f'<div class="strip{painted}">{figures}</div>'

    def _shown(self, sample: FrameSample) -> Picture:
        """A sample in colour, or in gray where it has no references."""
        gray = _sized(sample.picture(), STRIP_HEIGHT)
        reference_map = self.plan.reference_map
        if reference_map is None or not reference_map.weights_at(sample.pts):
            return gray
        info = self.plan.info
        stored = np.ascontiguousarray(info.stored(gray))
        embedding = self.video_colorizer.embedding_at(sample.pts, reference_map)
        rgb = info.upright(self.video_colorizer.colorizer.colorize_image(stored, embedding))
        factor = reference_map.saturation_at(sample.pts)
        colored = gray[..., None] + factor * (rgb - gray[..., None].astype(np.float32))
        return cast(Picture, np.clip(colored, 0, 255).astype(np.uint8))

    def _side(self, shot: Shot) -> str:
        plan = self.plan
        if plan.reference_map is None:
            return ""
        row = plan.reference_map.references[shot.index]
        if not row:
            return ""
        assignment = plan.assignments[shot.index]
        used = "".join(self._figure(self._number(r), _caption(r, plan)) for r in row)
        others = "".join(
            self._figure(self._number_of(c.candidate), f"{c.candidate.path.name} {c.score:.2f}")
            for c in assignment.candidates
        )
        parts = [f'<div class="refs"><h3>{escape(_source(assignment, len(row)))}</h3>{used}</div>']
        if others:
            parts.append(f'<div class="refs small"><h3>best candidates</h3>{others}</div>')
        parts += [self._disagreement(d) for d in plan.disagreements if d.shot == shot]
        return "".join(parts)

    def _disagreement(self, disagreement: Disagreement) -> str:
        pictures = "".join(_img(p, REFERENCE_HEIGHT) for p in disagreement.pictures())
        line = escape(disagreement.line(self.plan.info))
        return f'<div class="disagree"><div class="strip">{pictures}</div>{line}</div>'

    def _figure(self, number: int, caption: str) -> str:
        return (
            f'<figure><span class="pic p{number}" role="img" aria-label="{escape(caption)}"></span>'
            f"<figcaption>{escape(caption)}</figcaption></figure>"
        )

    def _number_of(self, candidate: Candidate) -> int:
        """The CSS class of a candidate's picture."""
        digest = self.digests.get(candidate.key)
        if digest in self.pictures:
            return self.pictures[digest][0]
        reference = candidate.load()
        self.digests[candidate.key] = reference.digest
        return self._number(reference)

    def _number(self, reference: Reference) -> int:
        """The CSS class of a reference picture."""
        known = self.pictures.get(reference.digest)
        if known is None:
            number = len(self.pictures)
            data = _data(_sized(reference.image, REFERENCE_HEIGHT))
            known = number, f"  .p{number} {{ background-image: url({data}); }}"
            self.pictures[reference.digest] = known
        return known[0]


def _caption(reference: Reference, plan: Plan) -> str:
    at = "" if reference.at is None else f" at {plan.info.timecode(reference.at)}"
    return f"{reference.path.name}{at}"


def _source(assignment: Assignment, count: int) -> str:
    if assignment.source == "map":
        added = "; one more was found" if assignment.added else ""
        return f"reference, as the table says{added}"
    if assignment.source == "frame":
        return "reference: a frame of this shot"
    if math.isnan(assignment.similarity):
        return "reference; the network cannot compare"
    if count > 1:
        return f"{count} references of other scenes; the nearest has {assignment.similarity:.2f}"
    return f"reference: the nearest ({assignment.similarity:.2f})"


def _curve(curve: ShotCoverage) -> str:
    """The states in colours, and confidence as a line."""
    shot = curve.shot
    length = shot.stop - shot.start

    def across(pts: int) -> str:
        return f"{1000 * (pts - shot.start) / length:.1f}"

    bars = "".join(
        f'<rect x="{across(s.start)}" width="{1000 * (s.stop - s.start) / length:.1f}" height="100" '
        f'class="c-{s.state}"/>'
        for s in curve.stretches()
    )
    points = " ".join(
        f"{across(p.pts)},{100 - 100 * p.confidence:.0f}"
        for p in curve.points
        if not math.isnan(p.confidence)
    )
    return (
        '<svg class="curve" viewBox="0 0 1000 100" preserveAspectRatio="none" role="img" '
        f'aria-label="coverage over time">{bars}<polyline points="{points}"/></svg>'
    )


def _spread(samples: Sequence[FrameSample], count: int) -> list[FrameSample]:
    """So many of them, the first and the last included, evenly in time; fewer if there are no more."""
    first, last = samples[0].pts, samples[-1].pts
    wanted = [first + i * (last - first) / max(1, count - 1) for i in range(count)]
    chosen = {min(range(len(samples)), key=lambda i: abs(samples[i].pts - t)) for t in wanted}
    others = (i for i in range(len(samples)) if i not in chosen)
    chosen |= set(islice(others, max(0, min(count, len(samples)) - len(chosen))))
    return [samples[i] for i in sorted(chosen)]


def _sized(picture: Picture, height: int) -> Picture:
    width = max(1, round(picture.shape[1] * height / picture.shape[0]))
    how = cv2.INTER_AREA if height < picture.shape[0] else cv2.INTER_LINEAR
    return cast(Picture, cv2.resize(picture, (width, height), interpolation=how))


def _img(picture: Picture, height: int) -> str:
    """A gray or RGB picture inside the page."""
    sized = picture if picture.shape[0] == height else _sized(picture, height)
    return (
        f'<img loading="lazy" decoding="async" alt="" width="{sized.shape[1]}" height="{height}" '
        f'src="{_data(sized)}">'
    )


def _data(picture: Any) -> str:
    bgr = picture if picture.ndim == 2 else np.ascontiguousarray(picture[:, :, ::-1])
    webp = cv2.imencode(".webp", bgr, [cv2.IMWRITE_WEBP_QUALITY, WEBP_QUALITY])[1].tobytes()
    return f"data:image/webp;base64,{base64.b64encode(webp).decode()}"
