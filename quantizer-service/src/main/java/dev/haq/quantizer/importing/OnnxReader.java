package dev.haq.quantizer.importing;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.FunctionProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.SparseTensorProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/** Reads the bytes of an ONNX file, or says in one line why they are not one that can be taken. */
final class OnnxReader {
  /** What a protobuf message, and so an ONNX file without external data, can hold. */
  static final int LARGEST_FILE_BYTES = Integer.MAX_VALUE;

  private static final int BUFFER_BYTES = 1 << 16;

  private OnnxReader() {}

  /** A file's bytes as the operating system holds them. The file may be removed meanwhile. */
  static ByteBuffer map(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      if (channel.size() > LARGEST_FILE_BYTES) {
        throw new HaqException(
            Reason.TOO_LARGE,
            "a file of the model has %d bytes, ONNX files end at %d: this service takes none larger"
                .formatted(channel.size(), LARGEST_FILE_BYTES));
      }
      return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size());
    }
  }

  /**
   * The model that a file holds. Each tensor has bytes of its own, so what is no longer needed of a
   * large model can leave the memory.
   *
   * @param mostBytes of its tensors
   * @throws HaqException INVALID_MODEL or TOO_LARGE
   */
  static ModelProto read(SeekableByteChannel file, long mostBytes) {
    ModelProto model = parse(file, mostBytes);
    if (!model.hasGraph() || model.getGraph().getNodeCount() == 0) {
      throw invalid(
          "the file is not an ONNX model: it holds no graph; give a file exported as .onnx");
    }
    if (opset(model) == 0) {
      throw invalid("the ONNX file does not say which operator set it uses: it may be cut off");
    }
    refuseExternalData(model.getGraph());
    for (FunctionProto function : model.getFunctionsList()) {
      function.getNodeList().forEach(OnnxReader::refuseExternalData);
      refuseExternalData(function.getAttributeProtoList());
    }
    return model;
  }

  /** The message in the file; of it only its size is checked. */
  static ModelProto parse(SeekableByteChannel file, long mostBytes) {
    try {
      MessageMemory.require(coded(file), ModelProto.getDescriptor(), mostBytes);
      CodedInputStream in = coded(file);
      if (in.isAtEnd()) {
        throw invalid("the file is empty: give a file exported as .onnx");
      }
      ModelProto model = ModelProto.parseFrom(in);
      in.checkLastTagWas(0);
      return model;
    } catch (InvalidProtocolBufferException e) {
      throw new HaqException(
          Reason.INVALID_MODEL,
          "the file is not a readable ONNX model (cut off, damaged or of another kind): export it"
              + " again",
          e);
    } catch (IOException e) {
      throw new HaqException(Reason.INVALID_MODEL, "the ONNX model cannot be read", e);
    }
  }

  /** From the beginning. */
  private static CodedInputStream coded(SeekableByteChannel file) throws IOException {
    file.position(0);
    CodedInputStream in = CodedInputStream.newInstance(Channels.newInputStream(file), BUFFER_BYTES);
    in.setSizeLimit(LARGEST_FILE_BYTES);
    return in;
  }

  /** The version of the standard operators; 0 when none is stated. */
  static long opset(ModelProto model) {
    return model.getOpsetImportList().stream()
        .filter(o -> o.getDomain().isEmpty() || o.getDomain().equals("ai.onnx"))
        .mapToLong(OperatorSetIdProto::getVersion)
        .max()
        .orElse(0);
  }

  private static void refuseExternalData(GraphProto graph) {
    graph.getInitializerList().forEach(OnnxReader::refuseExternalData);
    for (SparseTensorProto sparse : graph.getSparseInitializerList()) {
      refuseExternalData(sparse.getValues());
      refuseExternalData(sparse.getIndices());
    }
    graph.getNodeList().forEach(OnnxReader::refuseExternalData);
  }

  private static void refuseExternalData(NodeProto node) {
    refuseExternalData(node.getAttributeList());
  }

  private static void refuseExternalData(List<AttributeProto> attributes) {
    for (AttributeProto attribute : attributes) {
      refuseExternalData(attribute.getT());
      attribute.getTensorsList().forEach(OnnxReader::refuseExternalData);
      List<SparseTensorProto> sparse = attribute.getSparseTensorsList();
      sparse.forEach(s -> refuseExternalData(s.getValues()));
      refuseExternalData(attribute.getSparseTensor().getValues());
      if (attribute.hasG()) {
        refuseExternalData(attribute.getG());
      }
      attribute.getGraphsList().forEach(OnnxReader::refuseExternalData);
    }
  }

  private static void refuseExternalData(TensorProto tensor) {
    if (tensor.getDataLocation() == TensorProto.DataLocation.EXTERNAL
        || tensor.getExternalDataCount() > 0) {
      String location =
          tensor.getExternalDataList().stream()
              .filter(e -> e.getKey().equals("location"))
              .map(e -> e.getValue())
              .findFirst()
              .orElse("?");
      throw invalid(
          "tensor '%s' refers to data outside the file ('%s'): send a zip of the model and its data files, or save it with its weights inside"
              .formatted(tensor.getName(), location));
    }
  }

  private static HaqException invalid(String message) {
    return new HaqException(Reason.INVALID_MODEL, message);
  }
}
