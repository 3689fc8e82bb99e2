-- Runs on H2 (MODE=PostgreSQL) and PostgreSQL alike; ${bytes} is each one's type for large binary values.

create table session (
  -- Order of creation: lists are paged by it.
  position bigint generated always as identity unique,
  id varchar(36) primary key,
  -- The caller's idempotency key; null when it gave none.
  request_id varchar(128) unique,
  -- haq.agent.v1.SessionSpec as JSON, every default filled in.
  spec text not null,
  -- JSON array of the quantizable layers' names, in order.
  layers text not null,
  -- In the resource's unit: seconds, joules or bytes.
  budget_limit double precision not null,
  reference_cost double precision not null,
  episodes_total integer not null,
  created_at timestamp(6) with time zone not null,
  state varchar(16) not null,
  pause_requested boolean not null,
  end_reason varchar(16),
  error text not null,
  episodes_done integer not null,
  episode_seconds double precision not null,
  baseline_images integer,
  baseline_top1_correct integer,
  baseline_top5_correct integer,
  baseline_cross_entropy_sum double precision,
  -- Number of the episode with the highest reward; null before the first.
  best_episode integer,
  updated_at timestamp(6) with time zone not null
);

create index session_state on session (state, position);

-- Append-only.
create table episode (
  session_id varchar(36) not null references session (id),
  number integer not null,
  -- "weights/activations" of each layer, separated by blanks; "f" is float.
  policy text not null,
  reward double precision not null,
  images integer not null,
  top1_correct integer not null,
  top5_correct integer not null,
  cross_entropy_sum double precision not null,
  cycles double precision not null,
  latency_seconds double precision not null,
  energy_joules double precision,
  model_size_bytes double precision not null,
  cost_ratio double precision not null,
  improved boolean not null,
  best_reward double precision not null,
  warmup boolean not null,
  seconds double precision not null,
  agent_seconds double precision not null,
  simulator_seconds double precision not null,
  quantizer_seconds double precision not null,
  created_at timestamp(6) with time zone not null,
  primary key (session_id, number)
);

-- The agent as it was after the last episode; only the newest is kept.
create table checkpoint (
  session_id varchar(36) primary key references session (id),
  episode integer not null,
  snapshot ${bytes} not null
);
