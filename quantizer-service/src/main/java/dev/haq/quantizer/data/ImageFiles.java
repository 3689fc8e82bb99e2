package dev.haq.quantizer.data;

import java.io.Closeable;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** A tree of files, in a folder or in an archive. Reading is thread-safe. */
interface ImageFiles extends Closeable {
  /** Paths with {@code /} between their parts; those of folders end with {@code /}. */
  List<String> paths();

  /** The folder that holds the class folders, ending with {@code /}; empty when it is not known. */
  Optional<String> root();

  byte[] read(String path) throws IOException;
}
