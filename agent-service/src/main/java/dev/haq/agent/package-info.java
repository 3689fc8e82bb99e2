/**
 * The search agent as a running service: its settings, its parts put together, its metrics. What a
 * search is lies in the packages below.
 */
package dev.haq.agent;
