package dev.haq.standalone;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Locale;
import org.junit.jupiter.api.Test;

class AddressesTest {
  @Test
  void whatListensIsNamedAsThisMachineReachesIt() {
    assertEquals("http://127.0.0.1:8080", Standalone.url("127.0.0.1", 8080).toString());
    assertEquals("http://127.0.0.1:8080", Standalone.url("0.0.0.0", 8080).toString());
    assertEquals("http://[::1]:8080", Standalone.url("::1", 8080).toString());
    assertEquals("http://[::1]:8080", Standalone.url("::", 8080).toString());
    assertEquals("http://[fe80::1]:8080", Standalone.url("[fe80::1]", 8080).toString());
    assertEquals("http://haq.example.org:80", Standalone.url("haq.example.org", 80).toString());
  }

  @Test
  void anAddressHasTheSameDigitsEverywhere() {
    Locale before = Locale.getDefault();
    try {
      Locale.setDefault(Locale.forLanguageTag("fa-IR-u-nu-arabext"));
      assertEquals("http://127.0.0.1:8080", Standalone.url("127.0.0.1", 8080).toString());
    } finally {
      Locale.setDefault(before);
    }
  }
}
