package dev.haq.quantizer.grpc;

import com.google.protobuf.ByteString;
import dev.haq.model.HaqException;
import dev.haq.model.ImageSize;
import dev.haq.model.Reason;
import dev.haq.proto.quantizer.v1.ImportModelRequest;
import dev.haq.proto.quantizer.v1.Model;
import dev.haq.quantizer.disk.DiskErrors;
import dev.haq.quantizer.models.ModelDescription;
import dev.haq.quantizer.models.ModelStore;
import dev.haq.rpc.Call;
import dev.haq.rpc.ClientStream;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * A model on its way in, chunk by chunk, to a file of the store: the header first, then the file.
 */
final class ModelUpload implements ClientStream<ImportModelRequest, Model> {
  private final ModelStore models;
  private final Call call;
  private final UploadOrder order = new UploadOrder();
  private final Path path;
  private final FileChannel file;
  private String name = "model";
  private Optional<ImageSize> imageSize = Optional.empty();
  private long bytes;

  ModelUpload(ModelStore models, Call call) {
    this.models = models;
    this.call = call;
    this.path = models.newUpload();
    try {
      this.file = FileChannel.open(path, StandardOpenOption.WRITE);
    } catch (IOException e) {
      throw failed(e);
    }
  }

  @Override
  public void next(ImportModelRequest message) {
    switch (message.getPartCase()) {
      case HEADER -> {
        order.header();
        String given = QuantizerWire.name(message.getHeader().getName());
        name = given.isEmpty() ? name : given;
        if (message.getHeader().hasImageSize()) {
          dev.haq.proto.quantizer.v1.ImageSize size = message.getHeader().getImageSize();
          imageSize = Optional.of(new ImageSize(size.getHeight(), size.getWidth()));
        }
      }
      case CHUNK -> {
        order.afterHeader();
        write(message.getChunk());
      }
      case PART_NOT_SET -> throw UploadOrder.empty();
    }
  }

  private void write(ByteString chunk) {
    bytes += chunk.size();
    if (bytes > models.maxBytes()) {
      throw new HaqException(
          Reason.TOO_LARGE,
          "the model '%s' is larger than %d bytes: this service takes none larger"
              .formatted(name, models.maxBytes()));
    }
    try {
      for (java.nio.ByteBuffer part : chunk.asReadOnlyByteBufferList()) {
        while (part.hasRemaining()) {
          file.write(part);
        }
      }
    } catch (IOException e) {
      throw failed(e);
    }
  }

  @Override
  public Model end() {
    order.afterHeader();
    close();
    return ModelDescription.toProto(models.add(path, name, imageSize, call::isCancelled));
  }

  @Override
  public void cancelled() {
    close();
    models.discard(path);
  }

  private void close() {
    try {
      file.close();
    } catch (IOException e) {
      throw failed(e);
    }
  }

  private HaqException failed(IOException e) {
    return DiskErrors.failed("the model '" + name + "' cannot be stored", e);
  }
}
