package dev.haq.quantizer.data;

import java.io.Closeable;
import java.io.IOException;
import java.util.List;

/** A tree of files, in a folder or in an archive. Reading is thread-safe. */
interface ImageFiles extends Closeable {
  /** Paths with {@code /} between their parts; those of folders end with {@code /}. */
  List<String> paths();

  byte[] read(String path) throws IOException;
}
