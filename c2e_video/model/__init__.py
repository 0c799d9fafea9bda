"""The network and its weights."""

from .checkpoint import load_weights, save_weights
from .color2embed import Color2Embed, Look
from .config import ModelConfig
from .memory import Memory

__all__ = ["Color2Embed", "Look", "Memory", "ModelConfig", "load_weights", "save_weights"]
