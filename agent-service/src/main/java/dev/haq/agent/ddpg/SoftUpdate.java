package dev.haq.agent.ddpg;

/**
 * Lets a target network follow its online network slowly (Lillicrap et al.: Continuous control with
 * deep reinforcement learning, ICLR 2016, algorithm 1): {@code target = tau online + (1 - tau)
 * target}.
 */
final class SoftUpdate {
  private final float tau;

  SoftUpdate(double tau) {
    this.tau = (float) tau;
  }

  void apply(Mlp online, Mlp target) {
    mix(online.values(), target.values());
    target.publish();
  }

  private void mix(float[] online, float[] target) {
    for (int i = 0; i < target.length; i++) {
      target[i] = tau * online[i] + (1 - tau) * target[i];
    }
  }
}
