"""The words that options accept. Their modules take them from here, and so does the command line."""

from __future__ import annotations

from typing import Literal

Codec = Literal["h264", "h265", "ffv1", "prores", "dnxhr", "av1", "png", "tiff", "dpx", "exr"]

ProfileName = Literal["web", "master", "archive"]

Device = Literal["auto", "cpu", "cuda", "mps"]

# What a run costs against what it gives.
Quality = Literal["draft", "standard", "best"]

Precision = Literal["auto", "fp32", "bf16", "fp16"]

# Kinds of streams that can be left out of the output.
DROPPABLE = ("audio", "subtitles", "attachments", "data", "chapters")

# What becomes of sound that the output's container does not hold: it is refused, or encoded anew.
AudioChoice = Literal["copy", "aac", "flac", "pcm"]

Deinterlace = Literal["off", "auto", "on"]

# Frames from one anchor to the next, at most.
LONGEST_INTERVAL = 12
