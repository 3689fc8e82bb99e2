/**
 * Sessions, episodes and checkpoints in a SQL database: embedded H2, or any that understands the
 * same statements. It owns the schema and implements the sessions' {@code SessionStore}.
 */
package dev.haq.agent.store;
