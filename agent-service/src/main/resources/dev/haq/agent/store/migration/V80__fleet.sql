-- Sessions with several targets. All of it is null, empty or its default where there is one.

-- JSON: each target's name and budgets, and why no policy can meet all of them.
alter table session add column fleet text;

-- Costs on the first target; null where it cannot run the policy.
alter table episode alter column cycles drop not null;
alter table episode alter column latency_seconds drop not null;
alter table episode alter column model_size_bytes drop not null;
alter table episode alter column cost_ratio drop not null;
-- Whether the policy counts for the first target.
alter table episode add column eligible boolean default true not null;
-- Costs on the other targets: see CostText.
alter table episode add column further_costs text;
-- The other targets, and the fleet, whose best it was so far: numbers separated by blanks.
alter table episode add column improved_for text;

-- The best episodes of the other targets and of the fleet.
create table fleet_best (
  session_id varchar(36) not null references session (id),
  -- Index of the target among the session's, or their number for the fleet.
  aim integer not null,
  episode integer not null,
  primary key (session_id, aim)
);
