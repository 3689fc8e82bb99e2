-- Of PostgreSQL alone. What fronts are made of stands in the index beside the key: the rows of a session lie among those of others that
-- ran at the same time, and to read them costs a page each. Not further_costs, which may be longer than an index takes.
alter table episode
  drop constraint episode_pkey,
  add primary key (session_id, number)
    include (reward, images, top1_correct, latency_seconds, energy_joules, model_size_bytes);
