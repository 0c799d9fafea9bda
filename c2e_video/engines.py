"""OpenVINO as the runner of the painting network on a CPU; torch runs it everywhere else."""

from __future__ import annotations

import warnings
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn

from .errors import C2EError
from .model import Color2Embed, Look, Memory

Engine = Literal["torch", "openvino"]


class OpenVino:
    """The painting network compiled by OpenVINO; called as the network itself is.

    ``model`` is in fp32, its batch norms folded; ``dtype`` is what it is computed in where the
    processor can. It is compiled once for every size of pictures, for some seconds. Raises
    :class:`C2EError` if OpenVINO is not installed.
    """

    def __init__(self, model: Color2Embed, dtype: torch.dtype) -> None:
        try:
            import openvino
        except ImportError:
            raise C2EError(
                "engine openvino needs its package: pip install '.[openvino]'; or leave --engine out"
            ) from None
        self._openvino: Any = openvino
        self._model = _Unfolded(model).eval()
        hints = {torch.bfloat16: "bf16", torch.float16: "f16"}
        self._how = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": hints.get(dtype, "f32"),
        }
        self._compiled: dict[tuple[torch.Size, bool], Any] = {}

    def __call__(self, lightness: Tensor, look: Look) -> Tensor:
        """ab / 110 as :meth:`Color2Embed.forward`, fp32; ``look.z`` is ``[N, E]``, not baked."""
        parts = (lightness, cast(Tensor, look.z), *(look.memory or ()))
        inputs = tuple(part.float().contiguous() for part in parts)
        kind = (lightness.shape, look.memory is None)
        if kind not in self._compiled:
            self._compiled[kind] = self._compile(inputs)
        painted = self._compiled[kind]([part.numpy() for part in inputs])
        return torch.from_numpy(painted[0])

    @torch.inference_mode(False)
    @torch.no_grad()
    def _compile(self, inputs: tuple[Tensor, ...]) -> Any:
        # Not convert_model, which would tell its makers that it was called.
        from openvino.frontend import FrontEndManager
        from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

        example = tuple(part.clone() for part in inputs)
        reader = FrontEndManager().load_by_framework("pytorch")
        # That sizes become constants is what is wanted; tracing itself is what OpenVINO reads.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            traced = TorchScriptPythonDecoder(self._model, example_input=example)
        network = reader.convert(reader.load(traced))
        lightness, z, *memory = (list(part.shape) for part in inputs)
        shapes = [lightness, z, *([*shape[:-1], -1] for shape in memory)]
        for known, shape in zip(network.inputs, shapes, strict=True):
            known.get_node().set_partial_shape(self._openvino.PartialShape(shape))
        network.validate_nodes_and_infer_types()
        return self._openvino.Core().compile_model(network, "CPU", self._how)


class _Unfolded(nn.Module):
    """The network with a look's parts as inputs of their own, as tracing wants them."""

    def __init__(self, model: Color2Embed) -> None:
        super().__init__()
        self.model = model

    def forward(self, lightness: Tensor, z: Tensor, *memory: Tensor) -> Tensor:
        look = Look(z, Memory(*memory) if memory else None)
        return cast(Tensor, self.model(lightness, look))
