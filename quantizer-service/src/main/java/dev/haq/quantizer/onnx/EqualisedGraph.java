package dev.haq.quantizer.onnx;

/** A network whose weight ranges are equalised across layers, see {@code quant.Equalisation}. */
public final class EqualisedGraph {
  private EqualisedGraph() {}

  public static CnnGraph of(CnnGraph graph) {
    return graph;
  }
}
