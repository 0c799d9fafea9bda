"""The frame rate of a film: the one of those that its container states that its timestamps show.

A container states up to four rates, and each can be wrong: the average (60000 for raw DV, 25 for raw
MPEG-2 of 29.97 frames a second), FFmpeg's guess, the base rate (the field rate of interlaced film)
and that of the codec.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median

from .demuxer import Demuxer

# The usual rates, in frames a second; those of film and television first.
STANDARD_RATES = (
    *(Fraction(1000 * fps, 1001) for fps in (24, 30, 60)),
    *map(Fraction, (24, 25, 30, 50, 60, 48, 16, 18, 12, 15, 20, 10, 100, 120)),
    *(Fraction(1000 * fps, 1001) for fps in (48, 120, 15, 12)),
)
_SAMPLE, _SAMPLE_BYTES = 250, 64 << 20  # packets and bytes read for it
_REORDERED = 16  # frames: of a sample cut short, so many at its end may have others between them
_ROUNDING = Fraction(1, 1000)  # seconds: the coarsest usual clock, Matroska's and that of FLV
_PLAUSIBLE = (1, 300)
# Relative: a rate that was computed from rounded times; one that names another of the same film.
_COMPUTED, _NEAR = Fraction(2, 10000), Fraction(1, 100)
# A film with so many steps within a quarter of the median has one rate, and holes.
_REGULAR = 0.8


@dataclass(frozen=True)
class RateSample:
    """The pts of the first frames in order of display, and the usual duration of a packet.

    ``times`` and ``duration`` are in ticks of ``time_base``; ``duration`` is 0 where none is stated.
    """

    times: Sequence[int]
    duration: int
    time_base: Fraction


def frame_rate(film: Demuxer) -> Fraction | None:
    """The frame rate of an open film in frames a second; None if nothing tells it."""
    stream = film.stream
    stated = (
        stream.average_rate,
        stream.guessed_rate,
        stream.base_rate,
        stream.codec_context.framerate,
    )
    return choose_rate([Fraction(rate) for rate in stated if rate], sample_rate(film.path))


def sample_rate(path: str | Path) -> RateSample:
    """The times of a film's first frames, by its packets; nothing is decoded."""
    times: set[int] = set()
    durations: Counter[int] = Counter()
    latest, size, complete = None, 0, True
    with Demuxer(path) as film:
        for packet in film.packets():
            if packet is None or packet.is_discard:
                continue
            if packet.dts is not None and latest is not None and packet.dts < latest:
                break  # a joined film: another clock
            if len(durations) and (durations.total() >= _SAMPLE or size > _SAMPLE_BYTES):
                complete = False
                break
            latest, size = packet.dts, size + packet.size
            durations[packet.duration or 0] += 1
            at = packet.dts if packet.pts is None else packet.pts
            if at is not None:
                times.add(at)
        base = film.time_base
    ordered = sorted(times)
    if not complete and len(ordered) > 2 * _REORDERED:
        del ordered[-_REORDERED:]
    usual = durations.most_common(1)
    return RateSample(ordered, usual[0][0] if usual else 0, base)


def choose_rate(stated: Sequence[Fraction], sample: RateSample) -> Fraction | None:
    """The rate that the times of a film show.

    Args:
        stated: Rates that the container states, in frames a second, the most usual one first.
        sample: The times of the film's first frames.

    Returns:
        The first stated or standard rate ``r`` with ``t[n] = t[0] + n / r`` up to the rounding of
        the clock. Of a film with holes, the rate of its usual step; of a film of variable rate, its
        average. None if nothing is stated and there are no times.
    """
    stated = [rate for rate in dict.fromkeys(stated) if _PLAUSIBLE[0] <= rate <= _PLAUSIBLE[1]]
    if len(sample.times) < 2:
        return _by_duration(stated, sample)
    for rate in (*stated, *STANDARD_RATES):
        if is_constant(sample.times, sample.time_base, rate):
            return _exact(rate, sample)
    return _variable(stated, sample)


def is_constant(times: Sequence[int], time_base: Fraction, rate: Fraction) -> bool:
    """Whether frames are shown ``rate`` times a second, but for the rounding of their clock.

    ``times`` are in ticks of ``time_base``. The clock rounds to a tick, or a millisecond before that.
    """
    step = float(1 / (rate * time_base))
    room = float(max(Fraction(1), _ROUNDING / time_base)) * 1.01
    low = high = 0.0
    for number, at in enumerate(times):
        off = at - times[0] - number * step
        low, high = min(low, off), max(high, off)
        if high - low > room:
            return False
    return True


def _by_duration(stated: Sequence[Fraction], sample: RateSample) -> Fraction | None:
    """The rate of a film whose packets have no times, as in raw H.264."""
    if sample.duration:
        shown = 1 / (sample.duration * sample.time_base)
        if near := _nearest(stated, shown) or _nearest(STANDARD_RATES, shown):
            return near
    return stated[0] if stated else None


def _exact(rate: Fraction, sample: RateSample) -> Fraction:
    """The rate, or the standard one it was computed from by rounded times, as 989/33 for 30000/1001."""
    if (1 / (rate * sample.time_base)).denominator == 1:
        return rate
    for standard in STANDARD_RATES:
        if abs(standard - rate) <= rate * _COMPUTED and is_constant(
            sample.times, sample.time_base, standard
        ):
            return standard
    return rate


def _variable(stated: Sequence[Fraction], sample: RateSample) -> Fraction:
    steps = [float((b - a) * sample.time_base) for a, b in pairwise(sample.times)]
    usual = median(steps)
    regular = [step for step in steps if abs(step - usual) <= usual / 4]
    if len(regular) < _REGULAR * len(steps):
        regular = steps
    shown = 1 / Fraction(fmean(regular))
    near = _nearest(stated, shown) or _nearest(STANDARD_RATES, shown)
    return near or shown.limit_denominator(1000)


def _nearest(rates: Iterable[Fraction], shown: Fraction) -> Fraction | None:
    """The rate nearest to that shown; None if none is near."""
    nearest = min(rates, key=lambda rate: abs(rate - shown), default=None)
    near = nearest is not None and abs(nearest - shown) <= shown * _NEAR
    return nearest if near else None
