package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FiguresTest {
  @ParameterizedTest
  @CsvSource({
    "102834.5, 102835",
    "1234.5, 1235",
    "999.96, 1000",
    "12.345678, 12.35",
    "9.99999, 10.00",
    "0.5, 0.5000",
    "0.000012345, 0.00001235",
    "0, 0.000",
  })
  void figuresHaveFourDigitsAndNoExponent(double value, String text) {
    assertEquals(text, Figures.plain(value));
  }
}
