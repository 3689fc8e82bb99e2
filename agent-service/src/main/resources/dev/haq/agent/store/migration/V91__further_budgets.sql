-- Limits and reference costs of the first target's budgets beyond the first, as JSON, in the spec's order; null where there is none,
-- and of sessions before this column.
alter table session add column further_budgets text;
