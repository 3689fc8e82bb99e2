package dev.haq.agent.store;

import dev.haq.agent.session.SessionLimits;
import dev.haq.model.Accuracy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Collection;
import java.util.Collections;
import java.util.Optional;
import java.util.OptionalDouble;

/** Binds a statement's parameters from left to right; a null string or number is SQL's null. */
final class Binder {
  /** Gives a statement its parameters. */
  interface Binding {
    void bind(Binder binder) throws SQLException;
  }

  private final PreparedStatement statement;
  private int index;

  Binder(PreparedStatement statement) {
    this.statement = statement;
  }

  /** So many parameters, as a statement lists them. */
  static String places(int count) {
    return String.join(", ", Collections.nCopies(count, "?"));
  }

  /** Changes rows; answers how many. */
  static int execute(Connection connection, String statement, Binding binding) throws SQLException {
    try (PreparedStatement prepared = connection.prepareStatement(statement)) {
      binding.bind(new Binder(prepared));
      return prepared.executeUpdate();
    }
  }

  Binder text(String value) throws SQLException {
    statement.setString(++index, value);
    return this;
  }

  Binder texts(Collection<String> values) throws SQLException {
    for (String value : values) {
      text(value);
    }
    return this;
  }

  Binder number(int value) throws SQLException {
    statement.setInt(++index, value);
    return this;
  }

  Binder number(long value) throws SQLException {
    statement.setLong(++index, value);
    return this;
  }

  Binder number(double value) throws SQLException {
    statement.setDouble(++index, value);
    return this;
  }

  Binder number(OptionalDouble value) throws SQLException {
    if (value.isPresent()) {
      return number(value.getAsDouble());
    }
    statement.setNull(++index, Types.DOUBLE);
    return this;
  }

  Binder limits(SessionLimits limits) throws SQLException {
    number(limits.episodes()).number(limits.wallSeconds());
    if (limits.episodesWithoutImprovement().isPresent()) {
      number(limits.episodesWithoutImprovement().getAsInt());
    } else {
      statement.setNull(++index, Types.INTEGER);
    }
    return number(limits.top1());
  }

  Binder flag(boolean value) throws SQLException {
    statement.setBoolean(++index, value);
    return this;
  }

  Binder time(Instant value) throws SQLException {
    statement.setObject(++index, value.atOffset(ZoneOffset.UTC));
    return this;
  }

  Binder bytes(byte[] value) throws SQLException {
    statement.setBytes(++index, value);
    return this;
  }

  Binder accuracy(Optional<Accuracy> value) throws SQLException {
    if (value.isPresent()) {
      Accuracy accuracy = value.get();
      return number(accuracy.images())
          .number(accuracy.top1Correct())
          .number(accuracy.top5Correct())
          .number(accuracy.crossEntropySum());
    }
    for (int i = 0; i < 3; i++) {
      statement.setNull(++index, Types.INTEGER);
    }
    return number(OptionalDouble.empty());
  }
}
