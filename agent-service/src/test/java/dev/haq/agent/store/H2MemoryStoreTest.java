package dev.haq.agent.store;

import dev.haq.agent.session.SessionStore;

/** Sessions in memory. */
final class H2MemoryStoreTest extends SessionStoreContract {
  @Override
  SessionStore open() {
    return SqlSessionStore.open("memory");
  }
}
