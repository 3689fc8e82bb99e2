/**
 * What sessions found, beside one another: fronts of cost against reward or accuracy, and what best
 * policies cost on one another's targets; and fronts that are predicted without a session. Reads
 * sessions, changes none.
 */
package dev.haq.agent.comparison;
