"""The network and its weights."""

from .checkpoint import load_weights, save_weights
from .color2embed import Color2Embed, Conditioning
from .config import ModelConfig
from .memory import Memory

__all__ = ["Color2Embed", "Conditioning", "Memory", "ModelConfig", "load_weights", "save_weights"]
