-- Wall time since the episode before was to be stored, or since the session began or went on with its episodes; null of episodes
-- before this column, which have only the sum of their own parts.
alter table episode add column elapsed_seconds double precision;
-- episode_seconds sums elapsed_seconds from here on. It used to count what ran side by side as often as that was; no session took
-- longer than it exists.
update session set episode_seconds =
  least(episode_seconds, cast(extract(epoch from (updated_at - created_at)) as double precision));
