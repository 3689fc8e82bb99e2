-- The outcome of fine-tuning the best policy, as JSON; null until there is one.
alter table session add column tuned text;
