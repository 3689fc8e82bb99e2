package dev.haq.quantizer.onnx;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions.OptLevel;
import ai.onnxruntime.TensorInfo;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.io.IOException;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Opening ONNX Runtime sessions, and saying what its tensors are and its errors mean. */
public final class Ort {
  private static final Pattern UNKNOWN_OPERATOR =
      Pattern.compile(
          "No Op registered for (\\S+)|(\\S+)\\(-?\\d+\\) is not a registered function/op"
              + "|Could not find an implementation for (\\S+)");
  private static final Pattern NO_MEMORY =
      Pattern.compile(
          "failed to allocate|bad[ _]?alloc|out of memory|cannot allocate memory",
          Pattern.CASE_INSENSITIVE);
  private static final Pattern NODE_NAME =
      Pattern.compile("In Node, \\(\"([^\"]*)\"|with name '([^']*)'|Node \\(([^)]*)\\)");

  /** How far ONNX Runtime may rewrite a graph before it runs it. */
  public enum Rewriting {
    /** It runs the nodes as they are. */
    NONE(OptLevel.NO_OPT, false, true),
    /**
     * The same without arranging weights for fast products, which it does only where they are
     * constants and not computed: one product sums in one order then, wherever its weights come
     * from.
     */
    AS_WRITTEN(OptLevel.NO_OPT, false, false),
    /**
     * The same for a model that was never run: arranging weights copies them, and aborts the
     * process where their rank is wrong.
     */
    PROBE(OptLevel.NO_OPT, false, false),
    /**
     * It arranges floating-point layers as is fastest, and leaves quantization alone. It would
     * otherwise quantize floating-point weights that stand behind a DequantizeLinear.
     */
    FLOAT_LAYERS(OptLevel.ALL_OPT, true, true),
    /** All it can, such as fusing layers between Quantize- and DequantizeLinear. */
    ALL(OptLevel.ALL_OPT, false, true);

    private final OptLevel level;
    private final boolean leavesQuantization;
    private final boolean arrangesWeights;

    Rewriting(OptLevel level, boolean leavesQuantization, boolean arrangesWeights) {
      this.level = level;
      this.leavesQuantization = leavesQuantization;
      this.arrangesWeights = arrangesWeights;
    }
  }

  private static final String ELEMENT_TYPE = "ONNX_TENSOR_ELEMENT_DATA_TYPE_";
  private static final Logger LOG = LoggerFactory.getLogger(Ort.class);

  private Ort() {}

  /** The one environment of this process; it logs nothing that an exception says as well. */
  public static OrtEnvironment environment() {
    return OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL, "haq");
  }

  /**
   * Opens a session that computes on the calling thread, so that callers decide about threads.
   *
   * @param model a serialized ONNX model
   * @throws HaqException as {@link #refused} where a model that was never run cannot be run; else
   *     as {@link #failed}
   */
  public static OrtSession open(byte[] model, Rewriting rewriting) {
    return open(model, rewriting, true, null);
  }

  /** As {@link #open(byte[], Rewriting)}; the weights of a large model are not copied in memory. */
  public static OrtSession open(ModelProto model, Rewriting rewriting) {
    return open(model, rewriting, true);
  }

  /**
   * The same for outputs that are kept: each takes just its own memory and may outlive the session.
   */
  public static OrtSession openForKeeping(ModelProto model, Rewriting rewriting) {
    return open(model, rewriting, false);
  }

  private static OrtSession open(ModelProto model, Rewriting rewriting, boolean pooledMemory) {
    if (MappedWeights.areLarge(model)) {
      try (MappedWeights weights = MappedWeights.of(model)) {
        return open(weights.rest().toByteArray(), rewriting, pooledMemory, weights.folder());
      } catch (IOException e) {
        LOG.warn(
            "a model's weights cannot be written to the temporary folder, so it takes more memory:"
                + " {}",
            e.toString());
      }
    }
    return open(model.toByteArray(), rewriting, pooledMemory, null);
  }

  /**
   * @param folder of the files that the model's tensors refer to; null: they refer to none
   */
  private static OrtSession open(
      byte[] model, Rewriting rewriting, boolean pooledMemory, Path folder) {
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setCPUArenaAllocator(pooledMemory);
      options.setIntraOpNumThreads(1);
      options.setInterOpNumThreads(1);
      options.setOptimizationLevel(rewriting.level);
      if (rewriting.leavesQuantization) {
        options.addConfigEntry("session.disable_quant_qdq", "1");
      }
      options.addConfigEntry("session.intra_op.allow_spinning", "0");
      if (!rewriting.arrangesWeights) {
        options.addConfigEntry("session.disable_prepacking", "1");
      }
      if (folder != null) {
        options.addConfigEntry(
            "session.model_external_initializers_file_folder_path", folder.toString());
      }
      return environment().createSession(model, options);
    } catch (OrtException e) {
      throw rewriting == Rewriting.PROBE ? refused(e) : failed(e);
    }
  }

  /** A tensor of this kind as an input. */
  public static ValueInfoProto declaration(String name, TensorInfo info) {
    // The two number types differently and name them alike.
    DataType element = DataType.valueOf(info.onnxType.name().substring(ELEMENT_TYPE.length()));
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    long[] sizes = info.getShape();
    String[] names = info.getDimensionNames();
    for (int d = 0; d < sizes.length; d++) {
      TensorShapeProto.Dimension.Builder dimension = shape.addDimBuilder();
      if (sizes[d] >= 0) {
        dimension.setDimValue(sizes[d]);
      } else if (!names[d].isEmpty()) {
        dimension.setDimParam(names[d]);
      }
    }
    TypeProto.Tensor type =
        TypeProto.Tensor.newBuilder().setElemType(element.getNumber()).setShape(shape).build();
    return ValueInfoProto.newBuilder()
        .setName(name)
        .setType(TypeProto.newBuilder().setTensorType(type))
        .build();
  }

  /**
   * What an error of ONNX Runtime means while a model is run that was accepted: the caller can do
   * nothing about it, but call again where there was no memory.
   *
   * @return UNAVAILABLE or INTERNAL
   */
  public static HaqException failed(OrtException e) {
    return hadNoMemory(e)
        ? noMemory(e)
        : new HaqException(
            Reason.INTERNAL,
            "ONNX Runtime failed on a model that it ran before: " + oneLine(message(e)),
            e);
  }

  private static boolean hadNoMemory(OrtException e) {
    return NO_MEMORY.matcher(message(e)).find();
  }

  private static HaqException noMemory(OrtException e) {
    LOG.warn("ONNX Runtime had no memory: {}", oneLine(message(e)));
    return new HaqException(
        Reason.UNAVAILABLE,
        "the service had too little memory left for this: call again later, or another replica",
        e);
  }

  private static String message(OrtException e) {
    return String.valueOf(e.getMessage());
  }

  /**
   * What an error of ONNX Runtime about a model that was never run means to the one who brought it.
   * A model that is stored is read like a new one, and a shortage of memory says nothing about it.
   *
   * @return UNAVAILABLE, UNSUPPORTED_OPERATOR or INVALID_MODEL
   */
  public static HaqException refused(OrtException e) {
    if (hadNoMemory(e)) {
      return noMemory(e);
    }
    String message = message(e);
    Matcher operator = UNKNOWN_OPERATOR.matcher(message);
    if (operator.find()) {
      Matcher node = NODE_NAME.matcher(message);
      String where = node.find() ? " (node '" + firstGroup(node) + "')" : "";
      return new HaqException(
          Reason.UNSUPPORTED_OPERATOR,
          "the model uses operator "
              + firstGroup(operator)
              + where
              + ", which ONNX Runtime cannot run: export the model with standard ONNX operators",
          e);
    }
    return new HaqException(
        Reason.INVALID_MODEL, "ONNX Runtime cannot run the model: " + oneLine(message), e);
  }

  private static String firstGroup(Matcher matcher) {
    for (int group = 1; group <= matcher.groupCount(); group++) {
      if (matcher.group(group) != null) {
        return matcher.group(group);
      }
    }
    return "";
  }

  private static final int LONGEST_MESSAGE = 300;

  private static String oneLine(String message) {
    String line = message.strip().replaceAll("\\s+", " ");
    return line.length() <= LONGEST_MESSAGE ? line : line.substring(0, LONGEST_MESSAGE) + "...";
  }
}
