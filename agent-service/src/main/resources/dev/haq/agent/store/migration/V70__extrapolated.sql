-- Whether costs rest on parts of a cost model that no published figure checks; not known of sessions before this.
alter table session add column extrapolated boolean default false not null;
