package dev.haq.agent.store;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.HaqException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A password in the URL of a store is in no message, whatever is wrong. */
class PasswordsTest {
  private static final String SECRET = "s3cret";

  @TempDir Path folder;

  @Test
  void ofAStoreThatAnotherProcessUses() throws Exception {
    Path file = folder.resolve("held.mv.db");
    try (FileChannel held =
            FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        FileLock lock = held.lock()) {
      assertTrue(lock.isValid());
      String message = refusal("jdbc:h2:file:" + folder.resolve("held") + ";PASSWORD=" + SECRET);
      assertTrue(message.contains("in use by another process"), message);
    }
  }

  @Test
  void ofAStoreThatHasAnother() {
    String url = "jdbc:h2:file:" + folder.resolve("locked") + ";USER=haq;PASSWORD=";
    SqlSessionStore.open(url + "another").close();
    String message = refusal(url + SECRET);
    assertTrue(message.contains("USER=haq;PASSWORD=..."), message);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "jdbc:nobody:file;Password=" + SECRET,
        "jdbc:postgresql://localhost:1/haq?user=haq&PassWord=" + SECRET,
        "jdbc:h2:file:./x;UNKNOWN=1;PASSWORD=" + SECRET,
        "postgres://haq:" + SECRET + "@db.example.org/haq",
        "h2:file:x;password=" + SECRET,
      })
  void ofAUrlThatIsWrong(String url) {
    assertTrue(refusal(url).contains("..."), url);
  }

  private static String refusal(String url) {
    HaqException refused = assertThrows(HaqException.class, () -> SqlSessionStore.open(url));
    assertFalse(refused.getMessage().contains(SECRET), refused.getMessage());
    return refused.getMessage();
  }
}
