package dev.haq.quantizer.export;

import ai.onnx.proto.OnnxMl.ModelProto;
import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.haq.model.DataSelection;
import dev.haq.model.HaqException;
import dev.haq.model.LayerBits;
import dev.haq.model.Policy;
import dev.haq.model.Reason;
import dev.haq.model.Recipe;
import dev.haq.model.Recipe.WeightScales;
import dev.haq.quantizer.eval.EvaluationRequest;
import dev.haq.quantizer.eval.Evaluator;
import dev.haq.quantizer.eval.PolicyRun;
import dev.haq.quantizer.graphs.ClippedFloatGraph;
import dev.haq.quantizer.graphs.CompactGraph;
import dev.haq.quantizer.graphs.EncodedModel;
import dev.haq.quantizer.graphs.ExportedModel;
import dev.haq.quantizer.graphs.FakeQuantizedGraph;
import dev.haq.quantizer.graphs.PlainLayer;
import dev.haq.quantizer.graphs.Processor;
import dev.haq.quantizer.graphs.QdqGraph;
import dev.haq.quantizer.graphs.QonnxGraph;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.ImportedModel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * Writes files for other tools from what the evaluator runs, reads them back, and runs them. A file
 * is held in memory as a whole, about three times while it is checked.
 */
public final class Exporter {
  /** The oldest operator set with a QuantizeLinear of one scale a channel. */
  private static final long OPSET = 13;

  private static final int NAMES_IN_A_NOTE = 4;

  private final Evaluator evaluator;

  public Exporter(Evaluator evaluator) {
    this.evaluator = evaluator;
  }

  /**
   * What is to be exported.
   *
   * @param data calibrates the quantizers and checks the file; may be empty for files that do not
   *     run
   * @param powerOfTwoScales rounds scales to powers of two; QONNX alone
   */
  public record Request(
      ImportedModel model,
      Policy policy,
      Recipe recipe,
      Optional<DataSelection> data,
      ExportFormat format,
      boolean powerOfTwoScales) {
    public Request {
      if (powerOfTwoScales && format != ExportFormat.QONNX) {
        throw HaqException.invalid("scales are rounded to powers of two in QONNX alone");
      }
    }

    private String fileName() {
      String name = model.network().name().replaceFirst("(?i)\\.onnx$", "");
      String plain = name.replaceAll("[^A-Za-z0-9._-]+", "_").replaceFirst("^[._-]+", "");
      return plain.isEmpty() ? "model" : plain;
    }
  }

  /**
   * A file, what stands for it when it is run, and what it should then compute.
   *
   * @param plain the plain reading of the layers that the file was written from
   */
  private record Draft(
      ByteString content, ModelProto runnable, ModelProto plain, List<String> notes) {}

  /**
   * Writes and checks; blocks until done.
   *
   * @throws HaqException EXPORT_DIFFERS, and as {@link Evaluator#evaluate}
   */
  public ExportedFile export(Request request, BooleanSupplier cancelled) {
    request.policy().checkedAgainst(request.model().network());
    return switch (request.format()) {
      case POLICY_JSON ->
          text(request, Json.bytes(PolicyText.tree(request.policy(), request.model().network())));
      case POLICY_CSV -> text(request, PolicyText.csv(request.policy(), request.model().network()));
      default -> {
        DataSelection data =
            request
                .data()
                .orElseThrow(
                    () ->
                        HaqException.invalid(
                            "no data is named: images calibrate the quantizers and check the file"));
        yield evaluator.withPolicy(
            new EvaluationRequest(
                request.model(),
                bounded(data),
                Optional.of(request.policy()),
                request.recipe(),
                false),
            cancelled,
            run -> checked(request, run));
      }
    };
  }

  private static ExportedFile text(Request request, byte[] content) {
    return new ExportedFile(
        request.fileName() + request.format().suffix(),
        request.format().mediaType(),
        ByteString.copyFrom(content),
        Optional.empty(),
        Optional.empty(),
        List.of());
  }

  private static DataSelection bounded(DataSelection data) {
    int most =
        data.maxImages() == 0
            ? ExportCheck.MOST_IMAGES
            : Math.min(data.maxImages(), ExportCheck.MOST_IMAGES);
    return data.withMaxImages(most);
  }

  private static ExportedFile checked(Request request, PolicyRun policyRun) {
    List<PlainLayer> layers = new ArrayList<>();
    boolean perTensor = request.recipe().weightScales() == WeightScales.PER_TENSOR;
    for (int k = 0; k < policyRun.layers().size(); k++) {
      PlainLayer layer =
          PlainLayer.of(policyRun.layers().get(k), request.policy().get(k), perTensor);
      layers.add(request.powerOfTwoScales() ? layer.powerOfTwo() : layer);
    }
    List<String> notes = new ArrayList<>();
    PolicyRun run = policyRun;
    if (request.powerOfTwoScales()) {
      notes.add(
          "scales are rounded to powers of two, which the evaluation of the policy does not do: it says %.2f %% top-1"
              .formatted(policyRun.evaluated().accuracy().top1()));
      run = policyRun.withLayers(layers.stream().map(PlainLayer::form).toList());
    }
    notes.addAll(offGrid(request, layers));
    Draft draft = draft(request, policyRun, layers);
    notes.addAll(draft.notes());
    ExportCheck.Checked checked =
        ExportCheck.check(
            run,
            draft.plain().toByteArray(),
            ExportedModel.asRun(draft.runnable(), run.graph()).toByteArray(),
            "the " + request.format() + " file");
    notes.addAll(checked.notes());
    return new ExportedFile(
        request.fileName() + request.format().suffix(),
        request.format().mediaType(),
        draft.content(),
        Optional.of(checked.file().accuracy()),
        Optional.of(checked.evaluated().accuracy()),
        notes);
  }

  private static Draft draft(Request request, PolicyRun run, List<PlainLayer> layers) {
    CnnGraph graph = run.graph();
    return switch (request.format()) {
      case ONNX_QCDQ -> {
        // On every processor: codes that could saturate on some are written without a sign.
        ModelProto written = new QdqGraph(Processor.ADDS_IN_16_BITS).write(graph, run.layers());
        yield onnx(
            request,
            graph,
            written,
            new FakeQuantizedGraph().write(graph, run.layers()),
            OPSET,
            "codes of weights up to 6 bits are whole multiples in INT8, which keeps the grid of biases fine; each layer's widths are in the model's property haq.policy");
      }
      case ONNX_INT4 ->
          onnx(
              request,
              graph,
              CompactGraph.write(graph, layers),
              FakeQuantizedGraph.plain(graph, layers, layer -> layer.weights().isPresent()),
              CompactGraph.OPSET,
              "weights up to 4 bits are INT4, up to 8 bits INT8; layers run in floating point");
      case QONNX -> {
        ModelProto model =
            ExportedModel.of(QonnxGraph.write(graph, layers), graph, OPSET, properties(request));
        ByteString content = model.toByteString();
        yield new Draft(
            content,
            QonnxGraph.inStandardOperators(parsed(content)),
            FakeQuantizedGraph.plainShifted(graph, layers),
            List.of("ONNX Runtime has no Quant: the file was run with each one written out"));
      }
      case AIMET -> aimet(request, graph, layers);
      case ORT_TENSOR_QUANT_OVERRIDES -> overrides(request, graph, layers);
      case POLICY_JSON, POLICY_CSV -> throw new IllegalStateException("not a model");
    };
  }

  private static Draft onnx(
      Request request,
      CnnGraph graph,
      ModelProto written,
      ModelProto plain,
      long opset,
      String note) {
    ByteString content =
        ExportedModel.of(written, graph, opset, properties(request)).toByteString();
    return new Draft(content, parsed(content), plain, List.of(note));
  }

  private static Draft aimet(Request request, CnnGraph graph, List<PlainLayer> layers) {
    ClippedFloatGraph.Written written = ClippedFloatGraph.write(graph, layers, false);
    ModelProto model = ExportedModel.of(written.model(), graph, OPSET, properties(request));
    String name = request.fileName();
    String encodings = name + ".encodings";
    Map<String, byte[]> files = new LinkedHashMap<>();
    files.put(name + ".onnx", model.toByteArray());
    files.put(encodings, AimetEncodings.write(written.encodings()));
    ByteString content = ZipFile.of(files);
    Map<String, byte[]> back = ZipFile.files(content);
    Map<String, Integer> axes = new HashMap<>();
    written.encodings().forEach(e -> e.axis().ifPresent(axis -> axes.put(e.name(), axis)));
    ModelProto runnable =
        EncodedModel.apply(
            parsed(ByteString.copyFrom(back.get(name + ".onnx"))),
            AimetEncodings.read(back.get(encodings), axes::get));
    return new Draft(
        content,
        runnable,
        FakeQuantizedGraph.plain(graph, layers, layer -> false),
        List.of(
            "load with load_encodings_to_sim(sim, \"%s\", strict=False)".formatted(encodings),
            "the file was run with its encodings applied in standard operators"));
  }

  private static Draft overrides(Request request, CnnGraph graph, List<PlainLayer> layers) {
    ClippedFloatGraph.Written written = ClippedFloatGraph.write(graph, layers, true);
    ModelProto model =
        ExportedModel.of(written.model(), graph, CompactGraph.OPSET, properties(request));
    Map<String, byte[]> files = new LinkedHashMap<>();
    files.put("model.onnx", model.toByteArray());
    files.put("overrides.json", TensorQuantOverrides.write(written.encodings()));
    files.put("quantize.py", TensorQuantOverrides.loader());
    ByteString content = ZipFile.of(files);
    Map<String, byte[]> back = ZipFile.files(content);
    ModelProto runnable =
        EncodedModel.apply(
            parsed(ByteString.copyFrom(back.get("model.onnx"))),
            TensorQuantOverrides.read(back.get("overrides.json")));
    List<String> notes = new ArrayList<>();
    notes.add(
        "ONNX Runtime's quantizer has types of 4 and 8 bits: weights of other widths lie on their grid in the next wider one, activations are 8 bits wide behind a Clip");
    List<String> left = new ArrayList<>();
    for (int k = 0; k < layers.size(); k++) {
      if (layers.get(k).activations().isPresent() != layers.get(k).weights().isPresent()) {
        left.add(request.model().network().layer(k).name());
      }
    }
    if (!left.isEmpty()) {
      notes.add(
          "layers with one operand in float have no override; their values are on the grid in the model: "
              + names(left));
    }
    notes.add("the file was run with its overrides applied in standard operators");
    ModelProto plain =
        FakeQuantizedGraph.plain(
            graph, layers, layer -> layer.activations().isPresent() && layer.weights().isPresent());
    return new Draft(content, runnable, plain, notes);
  }

  /** Weights on no linear grid, as k-means has them. */
  private static List<String> offGrid(Request request, List<PlainLayer> layers) {
    List<String> names = new ArrayList<>();
    for (int k = 0; k < layers.size(); k++) {
      LayerBits bits = request.policy().get(k);
      if (!bits.weights().isFloat() && layers.get(k).weights().isEmpty()) {
        names.add(request.model().network().layer(k).name());
      }
    }
    return names.isEmpty()
        ? List.of()
        : List.of("weights that lie on no linear grid are stored as floats: " + names(names));
  }

  private static String names(List<String> names) {
    if (names.size() <= NAMES_IN_A_NOTE) {
      return String.join(", ", names);
    }
    return "%s and %d more"
        .formatted(
            String.join(", ", names.subList(0, NAMES_IN_A_NOTE)), names.size() - NAMES_IN_A_NOTE);
  }

  private static Map<String, String> properties(Request request) {
    Map<String, String> properties = new LinkedHashMap<>();
    properties.put("haq.model", request.model().id());
    Recipe recipe = request.recipe();
    properties.put("haq.recipe", recipe.id());
    properties.put("haq.weight_scales", recipe.weightScales().name());
    if (recipe.codebookStart() != Recipe.CodebookStart.PLUS_PLUS) {
      properties.put("haq.codebook_start", recipe.codebookStart().name());
    }
    recipe.weightClip().ifPresent(clip -> properties.put("haq.weight_clip", clip.name()));
    recipe.activationClip().ifPresent(clip -> properties.put("haq.activation_clip", clip.name()));
    properties.put(
        "haq.policy",
        new String(
                Json.bytes(PolicyText.tree(request.policy(), request.model().network())),
                StandardCharsets.UTF_8)
            .strip());
    return properties;
  }

  private static ModelProto parsed(ByteString model) {
    try {
      return ModelProto.parseFrom(model);
    } catch (InvalidProtocolBufferException e) {
      throw new HaqException(Reason.INTERNAL, "an exported model cannot be read back", e);
    }
  }
}
