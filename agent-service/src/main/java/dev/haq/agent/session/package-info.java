/**
 * What a search session is from its creation to its end: its record and its log, who may change its
 * state and when, the thread that runs its episodes, and how watchers follow it. It owns no
 * transport and no storage; both are reached through ports.
 */
package dev.haq.agent.session;
