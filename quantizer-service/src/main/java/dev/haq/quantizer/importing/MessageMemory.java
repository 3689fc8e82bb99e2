package dev.haq.quantizer.importing;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor.JavaType;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.WireFormat;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.io.IOException;

/**
 * What a protobuf message takes in memory, counted from its bytes before it is read: two bytes of a
 * file can be a node without anything, or two numbers of a tensor.
 */
final class MessageMemory {
  /** Of a message besides what it holds. */
  private static final int MESSAGE_BYTES = 200;

  /** Of a text, of bytes, or of a field that is not known, besides its length. */
  private static final int FIELD_BYTES = 100;

  /** As deep as the reader goes. */
  private static final int DEEPEST = 100;

  /**
   * For all but tensors. The nodes, attributes and described tensors of the largest published
   * classifiers come to a tenth.
   */
  private static final long STRUCTURE_BYTES = 64L << 20;

  private final CodedInputStream in;
  private final long most;
  private long bytes;

  private MessageMemory(CodedInputStream in, long most) {
    this.in = in;
    this.most = most;
  }

  /**
   * @param in is read to its end
   * @param tensorBytes as many as its tensors may have
   * @throws HaqException TOO_LARGE
   * @throws InvalidProtocolBufferException where the bytes are no message
   */
  static void require(CodedInputStream in, Descriptor type, long tensorBytes) throws IOException {
    MessageMemory memory = new MessageMemory(in, tensorBytes + STRUCTURE_BYTES);
    memory.message(type, 0);
  }

  private void message(Descriptor type, int depth) throws IOException {
    if (depth > DEEPEST) {
      throw new InvalidProtocolBufferException("nested too deeply");
    }
    add(MESSAGE_BYTES);
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      FieldDescriptor field = type.findFieldByNumber(WireFormat.getTagFieldNumber(tag));
      if (WireFormat.getTagWireType(tag) == WireFormat.WIRETYPE_LENGTH_DELIMITED) {
        delimited(field, in.readRawVarint32(), depth);
      } else if (field != null && field.getJavaType() != JavaType.MESSAGE) {
        in.skipField(tag);
        add(field.isRepeated() ? Long.BYTES : 0);
      } else {
        int before = in.getTotalBytesRead();
        in.skipField(tag);
        // Groups are unknown, and may hold anything.
        add((long) FIELD_BYTES * Math.max(1, in.getTotalBytesRead() - before));
      }
    }
  }

  private void delimited(FieldDescriptor field, int length, int depth) throws IOException {
    if (field != null && field.getJavaType() == JavaType.MESSAGE) {
      int outer = in.pushLimit(length);
      message(field.getMessageType(), depth + 1);
      in.popLimit(outer);
    } else if (field != null && field.isPackable()) {
      int outer = in.pushLimit(length);
      numbers(field);
      in.popLimit(outer);
    } else {
      add(FIELD_BYTES + (long) length);
      in.skipRawBytes(length);
    }
  }

  private void numbers(FieldDescriptor field) throws IOException {
    if (field.getLiteType().getWireType() != WireFormat.WIRETYPE_VARINT) {
      int length = in.getBytesUntilLimit();
      add(length);
      in.skipRawBytes(length);
    }
    int each = field.getJavaType() == JavaType.LONG ? Long.BYTES : Integer.BYTES;
    while (in.getBytesUntilLimit() > 0) {
      in.readRawVarint64();
      add(each);
    }
  }

  private void add(long more) {
    bytes += more;
    if (bytes > most) {
      throw new HaqException(
          Reason.TOO_LARGE,
          "the model's file holds more than %d bytes once it is read, of which a model may have %d in its tensors (limits.model-bytes): export it with fewer nodes, and with its numbers as raw data"
              .formatted(most, most - STRUCTURE_BYTES));
    }
  }
}
