package dev.haq.quantizer.export;

import com.google.protobuf.ByteString;
import dev.haq.model.Accuracy;
import java.util.List;
import java.util.Optional;

/**
 * A file that was written and checked.
 *
 * @param name for people, without a folder
 * @param content all of it
 * @param fileAccuracy what the file scores at full optimisation, read back from its bytes; empty
 *     for files that do not run
 * @param evaluatedAccuracy what the evaluation says on the same images; empty for the same files
 * @param notes what a user should know, a line each
 */
public record ExportedFile(
    String name,
    String mediaType,
    ByteString content,
    Optional<Accuracy> fileAccuracy,
    Optional<Accuracy> evaluatedAccuracy,
    List<String> notes) {
  public ExportedFile {
    notes = List.copyOf(notes);
  }
}
