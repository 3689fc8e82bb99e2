package dev.haq.quantizer.eval;

import dev.haq.model.Policy;
import dev.haq.quantizer.graphs.LayerForm;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.quant.InputMoments;
import dev.haq.quantizer.quant.Numerics;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * A network as a recipe wants it, with all that does not depend on the policy.
 *
 * @param graph computes what the model does; weights may be scaled otherwise
 * @param forms its layers under a policy
 */
record PreparedNetwork(CnnGraph graph, PolicyForms forms) {
  /**
   * @param calibration of the graph on the images
   */
  static PreparedNetwork of(
      CnnGraph graph,
      Numerics numerics,
      Calibration calibration,
      Images images,
      SessionRunner runner,
      BooleanSupplier cancelled) {
    ActivationGrids grids =
        ActivationGrids.of(graph, numerics, calibration, images, runner, cancelled);
    List<InputMoments> moments =
        numerics.needsMoments()
            ? LayerInputs.moments(graph, numerics, grids, images, runner, cancelled)
            : List.of();
    return new PreparedNetwork(graph, new PolicyForms(graph, numerics, grids, moments));
  }

  /** How each layer is quantized while it is trained. */
  List<FineTuner.QuantizedLayer> trained(Policy policy) {
    return forms.trained(policy);
  }

  /**
   * How each layer is computed; found where a layer has these bit-widths for the first time.
   *
   * @param cancelled asked now and then whether nobody waits for them any more
   */
  List<LayerForm> layers(Policy policy, BooleanSupplier cancelled) {
    return forms.of(policy, cancelled);
  }
}
