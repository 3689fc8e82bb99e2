-- Sum over the images of KL(float || quantized), in nats; null where it was not measured.
alter table episode add column kl_divergence_sum double precision;
