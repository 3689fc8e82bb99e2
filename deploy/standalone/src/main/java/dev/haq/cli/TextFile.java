package dev.haq.cli;

import dev.haq.model.HaqException;
import dev.haq.wire.Utf8Text;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Text that a user brings in a file. */
final class TextFile {
  private TextFile() {}

  /**
   * Reads all of it, a byte order mark left out.
   *
   * @param named what errors begin with: the option, if any, and the file
   * @throws HaqException INVALID_ARGUMENT that says why it cannot be read
   */
  static String read(String named, Path file) {
    try {
      return Utf8Text.withoutMark(Files.readString(file));
    } catch (NoSuchFileException e) {
      throw HaqException.invalid("%s: there is no such file", named);
    } catch (CharacterCodingException e) {
      throw HaqException.invalid("%s is not text in UTF-8: save it as UTF-8", named);
    } catch (IOException e) {
      throw HaqException.invalid("%s cannot be read: %s", named, FileFault.why(e));
    }
  }
}
