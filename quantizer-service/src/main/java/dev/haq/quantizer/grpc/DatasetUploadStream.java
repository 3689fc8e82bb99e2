package dev.haq.quantizer.grpc;

import dev.haq.model.HaqException;
import dev.haq.model.Preprocessing;
import dev.haq.proto.quantizer.v1.Dataset;
import dev.haq.proto.quantizer.v1.ImportDatasetRequest;
import dev.haq.quantizer.data.DatasetFormat;
import dev.haq.quantizer.data.DatasetStore;
import dev.haq.quantizer.data.DatasetUpload;
import dev.haq.rpc.Call;
import dev.haq.rpc.ClientStream;
import dev.haq.wire.DataWire;
import java.nio.ByteBuffer;
import java.util.Optional;

/** A dataset on its way in, chunk by chunk: the header first, then the bytes of the file. */
final class DatasetUploadStream implements ClientStream<ImportDatasetRequest, Dataset> {
  private final DatasetStore datasets;
  private final Call call;
  private final UploadOrder order = new UploadOrder();
  private Optional<DatasetUpload> upload = Optional.empty();

  DatasetUploadStream(DatasetStore datasets, Call call) {
    this.datasets = datasets;
    this.call = call;
  }

  @Override
  public void next(ImportDatasetRequest message) {
    switch (message.getPartCase()) {
      case HEADER -> {
        order.header();
        upload = Optional.of(begin(message.getHeader()));
      }
      case CHUNK -> {
        order.afterHeader();
        for (ByteBuffer part : message.getChunk().asReadOnlyByteBufferList()) {
          upload.orElseThrow().write(part);
        }
      }
      case PART_NOT_SET -> throw UploadOrder.empty();
    }
  }

  private DatasetUpload begin(ImportDatasetRequest.Header header) {
    Optional<Preprocessing> declared =
        header.hasPreprocessing()
            ? Optional.of(DataWire.fromProto(header.getPreprocessing()))
            : Optional.empty();
    Optional<DatasetFormat> format =
        switch (header.getFormat()) {
          case CIFAR10_BINARY -> Optional.of(DatasetFormat.CIFAR10_BINARY);
          case CLASS_FOLDERS_ZIP -> Optional.of(DatasetFormat.CLASS_FOLDERS_ZIP);
          case FORMAT_UNSPECIFIED -> Optional.empty();
          case CLASS_FOLDERS_TAR_GZ -> Optional.of(DatasetFormat.CLASS_FOLDERS_TAR_GZ);
          case CIFAR100_BINARY -> Optional.of(DatasetFormat.CIFAR100_BINARY);
          case IDX_ZIP -> Optional.of(DatasetFormat.IDX_ZIP);
          case NPZ -> Optional.of(DatasetFormat.NPZ);
          case UNRECOGNIZED ->
              throw HaqException.invalid(
                  "header.format is none that is known: leave it out to have it told from the file");
        };
    String name = QuantizerWire.name(header.getName());
    return datasets.upload(name.isEmpty() ? "dataset" : name, format, declared);
  }

  @Override
  public Dataset end() {
    order.afterHeader();
    try (DatasetUpload finishing = upload.orElseThrow()) {
      return QuantizerWire.toProto(finishing.finish(call::isCancelled));
    }
  }

  @Override
  public void cancelled() {
    upload.ifPresent(DatasetUpload::close);
  }
}
