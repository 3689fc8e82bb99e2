package dev.haq.agent.search;

/**
 * Who proposes a share of a search's episodes.
 *
 * @param space that its policies come from
 * @param agent numbers its own episodes 1, 2, 3, ...
 */
public record Proposer(SearchSpace space, Agent agent) {}
