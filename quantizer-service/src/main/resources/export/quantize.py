"""Quantizes model.onnx as overrides.json says: python quantize.py [OUT.onnx]

Needs onnx and onnxruntime. No images are read: every scale is in overrides.json.
"""
import json
import sys
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

HERE = Path(__file__).resolve().parent


class OneImage(CalibrationDataReader):
    """The quantizer insists on calibrating; the overrides take the place of what it finds."""

    def __init__(self, model):
        tensor = model.graph.input[0]
        shape = [d.dim_value or 1 for d in tensor.type.tensor_type.shape.dim]
        self.images = iter([{tensor.name: np.zeros(shape, np.float32)}])

    def get_next(self):
        return next(self.images, None)


def main(out):
    model = onnx.load(HERE / "model.onnx")
    overrides = json.loads((HERE / "overrides.json").read_text())
    layers = [n.name for n in model.graph.node if set(n.input) & set(overrides)]
    for channels in overrides.values():
        for channel in channels:
            channel["quant_type"] = QuantType[channel["quant_type"]]
            channel["scale"] = np.array(channel["scale"], np.float32)
            channel["zero_point"] = np.array(channel["zero_point"])
    quantize_static(
        str(HERE / "model.onnx"),
        out,
        OneImage(model),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=["Conv", "Gemm", "MatMul"],
        nodes_to_quantize=layers,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        extra_options={
            "TensorQuantOverrides": overrides,
            "OpTypesToExcludeOutputQuantization": ["Conv", "Gemm", "MatMul"],
            "QuantizeBias": False,
            "QDQKeepRemovableActivations": True,
        },
    )
    print("wrote", out)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "quantized.onnx")
