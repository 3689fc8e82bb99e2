package dev.haq.quantizer.models;

import com.google.protobuf.util.JsonFormat;
import dev.haq.proto.quantizer.v1.Model;
import dev.haq.wire.NetworkWire;
import dev.haq.wire.TimeWire;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * A {@link StoredModel} as the message that callers get, and as the file beside the model that
 * holds this message in JSON.
 */
public final class ModelDescription {
  private ModelDescription() {}

  public static Model toProto(StoredModel stored) {
    return Model.newBuilder()
        .setId(stored.id())
        .setName(stored.network().name())
        .setNetwork(NetworkWire.toProto(stored.network()))
        .setClasses(stored.classes())
        .addAllInputShape(stored.inputShape())
        .setSizeBytes(stored.sizeBytes())
        .setCreateTime(TimeWire.toProto(stored.created()))
        .addAllNotes(stored.notes())
        .build();
  }

  static byte[] write(StoredModel stored) throws IOException {
    return JsonFormat.printer().print(toProto(stored)).getBytes(StandardCharsets.UTF_8);
  }

  static StoredModel read(byte[] json) throws IOException {
    Model.Builder message = Model.newBuilder();
    // A newer replica may have written more.
    JsonFormat.parser()
        .ignoringUnknownFields()
        .merge(new String(json, StandardCharsets.UTF_8), message);
    return new StoredModel(
        NetworkWire.fromProto(message.getNetwork()),
        message.getClasses(),
        message.getInputShapeList(),
        message.getSizeBytes(),
        TimeWire.fromProto(message.getCreateTime()),
        message.getNotesList());
  }
}
