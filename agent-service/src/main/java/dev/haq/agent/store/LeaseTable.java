package dev.haq.agent.store;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;

/**
 * Who works on a session, and until when: columns of table {@code session}. The database's clock is
 * the one that all processes share.
 */
final class LeaseTable {
  /** Of a session on which nobody works. */
  static final String UNLEASED = "(lease_until is null or lease_until < current_timestamp)";

  private static final String UNFINISHED =
      "('QUEUED', 'PREPARING', 'RUNNING', 'FINE_TUNING', 'STOPPING')";

  /** Of a session {@code s} that waits to be worked on. */
  static final String WAITING = "s.state in " + UNFINISHED + " and " + UNLEASED;

  /** Of a session {@code s} that comes to rest as it is taken over. */
  static final String INTERRUPTED =
      "(s.state = 'STOPPING' or (s.pause_requested and s.state in "
          + UNFINISHED
          + ")) and "
          + UNLEASED;

  private static final String FROM_NOW =
      "current_timestamp + cast(? as double precision) * interval '1' second";

  /** Assignments that make a new lease; see {@link #bind}. */
  static final String NEW = "fence = fence + 1, lease_owner = ?, lease_until = " + FROM_NOW;

  private static final String GIVE_UP = "update session set lease_owner = null, lease_until = null";

  private LeaseTable() {}

  /** The parameters of {@link #NEW}. */
  static void bind(Binder binder, String owner, Duration term) throws SQLException {
    binder.text(owner).number(seconds(term));
  }

  static int renew(Connection connection, String owner, List<String> sessionIds, Duration term)
      throws SQLException {
    return Binder.execute(
        connection,
        "update session set lease_until = "
            + FROM_NOW
            + " where lease_owner = ? and id in ("
            + Binder.places(sessionIds.size())
            + ")",
        b -> b.number(seconds(term)).text(owner).texts(sessionIds));
  }

  /** All of an owner's. */
  static int release(Connection connection, String owner) throws SQLException {
    return Binder.execute(connection, GIVE_UP + " where lease_owner = ?", b -> b.text(owner));
  }

  static int release(Connection connection, String owner, String sessionId) throws SQLException {
    return Binder.execute(
        connection,
        GIVE_UP + " where lease_owner = ? and id = ?",
        b -> b.text(owner).text(sessionId));
  }

  /** Everybody's. */
  static int releaseAll(Connection connection) throws SQLException {
    return Binder.execute(connection, GIVE_UP + " where lease_owner is not null", b -> {});
  }

  private static double seconds(Duration term) {
    return term.toMillis() * 1e-3;
  }
}
