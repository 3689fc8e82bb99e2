-- Several processes share the sessions: one leases a session while it works on it.

-- Counts changes of state, wish to pause, limits and end; episodes do not count. A change names the revision it was made from.
alter table session add column revision bigint default 0 not null;
-- Counts the leases a session has had. Only the holder of the latest may append episodes.
alter table session add column fence bigint default 0 not null;
-- Who holds the lease, and until when; null when nobody does.
alter table session add column lease_owner varchar(64);
alter table session add column lease_until timestamp(6) with time zone;

-- What ends a session beside the number of its episodes; null for nothing.
alter table session add column wall_seconds_limit double precision;
alter table session add column patience integer;
alter table session add column top1_goal double precision;

create index session_lease on session (lease_owner, position);
