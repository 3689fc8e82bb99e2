package dev.haq.gateway;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.deque.html.axecore.playwright.AxeBuilder;
import com.google.protobuf.Timestamp;
import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.BrowserType;
import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Playwright;
import com.microsoft.playwright.assertions.PlaywrightAssertions;
import com.microsoft.playwright.options.ColorScheme;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.proto.agent.v1.EndReason;
import dev.haq.proto.agent.v1.Episode;
import dev.haq.proto.agent.v1.Preparation;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.SessionSpec;
import dev.haq.proto.agent.v1.SessionState;
import dev.haq.proto.hwsim.v1.TargetRef;
import dev.haq.proto.model.v1.Accuracy;
import dev.haq.proto.model.v1.Budget;
import dev.haq.proto.model.v1.Cost;
import dev.haq.proto.model.v1.LayerBits;
import dev.haq.proto.model.v1.Policy;
import dev.haq.proto.model.v1.Resource;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The page in a real browser: the machine's own Chromium, driven with the machine's own Node.js.
 */
@Timeout(120)
final class PageTest {
  private static final Path CHROMIUM = Path.of("/usr/bin/chromium");
  private static final Path NODE = Path.of("/usr/bin/node");
  private static final int LAYERS = 20;

  /** That a browser opens to a server at a time, for all its tabs. */
  private static final int CONNECTIONS = 6;

  private static final String NASTY = "<img src=x onerror=alert(1)> & co";

  private static GatewayFixture gateway;

  /** Lists are read again every three seconds, and the machine may be slow. */
  private static final double PATIENCE_MILLIS = 30_000;

  private static Playwright playwright;
  private static Browser browser;

  @BeforeAll
  static void start() {
    assumeTrue(
        Files.isExecutable(CHROMIUM) && Files.isExecutable(NODE),
        "skipped: the page is tested where Chromium and Node.js are installed");
    gateway = new GatewayFixture();
    PlaywrightAssertions.setDefaultAssertionTimeout(PATIENCE_MILLIS);
    playwright =
        Playwright.create(
            new Playwright.CreateOptions()
                .setEnv(
                    Map.of(
                        "PLAYWRIGHT_NODEJS_PATH",
                        NODE.toString(),
                        "PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD",
                        "1")));
    browser =
        playwright
            .chromium()
            .launch(
                new BrowserType.LaunchOptions()
                    .setExecutablePath(CHROMIUM)
                    .setArgs(List.of("--no-sandbox")));
  }

  @AfterAll
  static void stop() {
    if (playwright != null) {
      playwright.close();
      gateway.close();
    }
  }

  @Test
  void aRunningSessionIsShownAsItsEpisodesArrive() throws Exception {
    Session running = session("run", NASTY, SessionState.RUNNING, 0).build();
    Session failed =
        session("broken", "broken", SessionState.FAILED, 3)
            .setError("the quantizer service does not answer")
            .setEndReason(EndReason.ERROR)
            .build();
    gateway.agent.sessions.put("run", running);
    gateway.agent.sessions.put("broken", failed);
    List<String> complaints = new ArrayList<>();
    try (Page page =
        browser.newPage(
            new Browser.NewPageOptions()
                .setColorScheme(ColorScheme.LIGHT)
                .setViewportSize(1280, 1150))) {
      page.onConsoleMessage(
          message -> {
            if (message.type().equals("error")) {
              complaints.add(message.text());
            }
          });
      page.onPageError(complaints::add);
      page.navigate(gateway.uri("/").toString());
      page.getByText(NASTY).click();
      FakeAgent.Watch watch = gateway.agent.nextWatch();
      watch.snapshot(running);
      List<Episode> episodes = play(watch, 60);
      assertThat(page.locator("#figures")).containsText("60 of 120");
      assertThat(page.locator("#detail-title")).hasText(NASTY);
      assertThat(page.locator("#bits tbody tr")).hasCount(4);
      assertThat(page.locator("#bits tbody tr").first().locator("td")).hasCount(LAYERS);
      assertThat(page.locator("canvas")).hasAttribute("aria-label", Pattern.compile("60 episodes"));
      page.getByText("Episodes as a table").click();
      assertThat(page.locator("#episodes tbody tr")).hasCount(60);
      page.getByText("Episodes as a table").click();
      assertEquals(List.of(), violations(page));
      page.screenshot(shot("page-light.png"));
      page.emulateMedia(new Page.EmulateMediaOptions().setColorScheme(ColorScheme.DARK));
      assertEquals(List.of(), violations(page));
      page.screenshot(shot("page-dark.png"));

      gateway.agent.sessions.put("run", running.toBuilder().setEpisodesDone(60).build());
      Locator pause = button(page, "Pause");
      pause.click();
      assertThat(page.locator("#detail-state")).hasText("paused");
      assertThat(pause).isDisabled();
      assertThat(button(page, "Resume")).isEnabled();

      watch.out().fail(new HaqException(Reason.UNAVAILABLE, "the agent stops"));
      FakeAgent.Watch again = gateway.agent.nextWatch();
      assertEquals(60, again.request().getAfterEpisode());
      Session done =
          session("run", NASTY, SessionState.SUCCEEDED, 61)
              .setEndReason(EndReason.EPISODES)
              .setBest(episodes.get(59))
              .build();
      gateway.agent.sessions.put("run", done);
      again.snapshot(done);
      again.episode(episode(61, new Random(5), -0.1, false));
      again.out().end();
      assertThat(page.locator("#detail-state")).hasText("succeeded");
      assertThat(button(page, "Cancel")).isDisabled();

      page.getByText("broken").click();
      gateway.agent.nextWatch().snapshot(failed);
      assertThat(page.locator("#detail-error")).hasText("the quantizer service does not answer");
      page.setViewportSize(390, 800);
      page.screenshot(shot("page-narrow.png"));
      assertEquals(List.of(), complaints);
    }
  }

  @Test
  void aSessionThatIsExtendedIsFollowedFromItsLastEpisode() throws Exception {
    Session done =
        at(session("long", "long", SessionState.SUCCEEDED, 3), 1)
            .setEndReason(EndReason.EPISODES)
            .build();
    gateway.agent.sessions.put("long", done);
    try (Page page = browser.newPage()) {
      page.navigate(gateway.uri("/#/sessions/long").toString());
      FakeAgent.Watch watch = gateway.agent.nextWatch();
      watch.snapshot(done);
      play(watch, 3);
      watch.out().end();
      assertThat(page.locator("#detail-state")).hasText("succeeded");
      assertThat(button(page, "Pause")).isDisabled();

      Session extended = at(session("long", "long", SessionState.RUNNING, 3), 2).build();
      gateway.agent.sessions.put("long", extended);
      assertThat(page.locator("#detail-state")).hasText("running");
      FakeAgent.Watch again = gateway.agent.nextWatch();
      assertEquals(3, again.request().getAfterEpisode());
      again.snapshot(extended);
      again.episode(episode(4, new Random(5), -0.1, true));
      assertThat(page.locator("#figures")).containsText("4 of 120");
      assertThat(button(page, "Pause")).isEnabled();
      // An answer from before the extension, which was overtaken, changes nothing.
      again.state(at(session("long", "long", SessionState.SUCCEEDED, 4), 1).build());
      again.episode(episode(5, new Random(5), -0.1, false));
      assertThat(page.locator("#figures")).containsText("5 of 120");
      assertThat(page.locator("#detail-state")).hasText("running");
    }
    gateway.agent.sessions.remove("long");
  }

  @Test
  void aSessionThatThereIsNotIsSaidAndNothingOfTheOneBeforeIsLeft() throws Exception {
    Session failed =
        session("before", "before", SessionState.FAILED, 3)
            .setError("the quantizer service does not answer")
            .setEndReason(EndReason.ERROR)
            .build();
    gateway.agent.sessions.put("before", failed);
    try (Page page = browser.newPage()) {
      page.navigate(gateway.uri("/#/sessions/before").toString());
      gateway.agent.nextWatch().snapshot(failed);
      assertThat(page.locator("#detail-state")).hasText("failed");
      List<String> asked = new ArrayList<>();
      page.onRequest(
          request -> {
            if (request.url().contains("/events")) {
              asked.add(request.url());
            }
          });
      page.navigate(gateway.uri("/#/sessions/nobody").toString());
      assertThat(page.locator("#detail-error")).hasText("there is no session 'nobody'");
      assertThat(page.locator("#detail-title")).hasText("nobody");
      assertThat(page.locator("#detail-state")).hasText("");
      assertThat(page.locator("#figures div")).hasCount(0);
      for (String action : List.of("Pause", "Resume", "Stop", "Cancel")) {
        assertThat(button(page, action)).isDisabled();
      }
      page.waitForTimeout(4000); // longer than it waits before it asks a gateway again
      assertEquals(1, asked.size(), asked.toString());
    }
    gateway.agent.sessions.remove("before");
  }

  @Test
  void aPageThatNobodySeesLeavesTheBrowsersConnectionsToOthers() throws Exception {
    Session running = session("tabs", "tabs", SessionState.RUNNING, 0).build();
    gateway.agent.sessions.put("tabs", running);
    try (BrowserContext context = browser.newContext()) {
      List<Page> pages = new ArrayList<>();
      for (int i = 0; i < CONNECTIONS; i++) {
        Page page = context.newPage();
        pages.add(page);
        page.navigate(gateway.uri("/#/sessions/tabs").toString());
        FakeAgent.Watch watch = gateway.agent.nextWatch();
        watch.snapshot(running);
        play(watch, 2);
        assertThat(page.locator("#figures")).containsText("2 of 120");
        see(page, false);
        assertTrue(watch.left().await(20, TimeUnit.SECONDS), "the stream of a hidden page stays");
      }
      Page seen = context.newPage();
      seen.navigate(gateway.uri("/#/sessions/tabs").toString());
      FakeAgent.Watch watch = gateway.agent.nextWatch();
      assertEquals(0, watch.request().getAfterEpisode());

      see(pages.get(0), true);
      FakeAgent.Watch again = gateway.agent.nextWatch();
      assertEquals(2, again.request().getAfterEpisode());
      again.snapshot(running);
      again.episode(episode(3, new Random(5), -0.1, true));
      assertThat(pages.get(0).locator("#figures")).containsText("3 of 120");
    }
    gateway.agent.sessions.remove("tabs");
  }

  @Test
  void howFarAPreparationIsStaysWhereTheListDoesNotSayIt() throws Exception {
    Session preparing = session("prepare", "prepare", SessionState.PREPARING, 0).build();
    gateway.agent.sessions.put("prepare", preparing);
    try (Page page = browser.newPage()) {
      page.navigate(gateway.uri("/#/sessions/prepare").toString());
      FakeAgent.Watch watch = gateway.agent.nextWatch();
      watch.snapshot(
          preparing.toBuilder()
              .setPreparation(
                  Preparation.newBuilder().setMeasured(5).setToMeasure(40).setSecondsLeft(9))
              .build());
      assertThat(page.locator("#figures")).containsText("5 of 40");
      page.waitForResponse(response -> response.url().contains("page_size"), () -> {});
      page.waitForResponse(response -> response.url().contains("page_size"), () -> {});
      page.waitForTimeout(200); // it is drawn with the next frame
      assertThat(page.locator("#figures")).containsText("5 of 40");

      watch.state(session("prepare", "prepare", SessionState.RUNNING, 0).build());
      assertThat(page.locator("#detail-state")).hasText("running");
      assertThat(page.locator("#figures")).not().containsText("5 of 40");
    }
    gateway.agent.sessions.remove("prepare");
  }

  /** As when its tab is chosen, or another; a browser without a screen shows all. */
  private static void see(Page page, boolean seen) {
    page.evaluate(
        "hidden => {"
            + " Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});"
            + " document.dispatchEvent(new Event('visibilitychange')); }",
        !seen);
  }

  private static Session.Builder at(Session.Builder session, long second) {
    return session.setUpdateTime(Timestamp.newBuilder().setSeconds(second));
  }

  private static Locator button(Page page, String name) {
    return page.locator("button", new Page.LocatorOptions().setHasText(name)).first();
  }

  private static Page.ScreenshotOptions shot(String name) {
    return new Page.ScreenshotOptions().setPath(Path.of("target", name)).setFullPage(true);
  }

  private static List<String> violations(Page page) {
    return new AxeBuilder(page)
        .analyze().getViolations().stream()
            .map(rule -> rule.getId() + " " + rule.getNodes().get(0).getHtml())
            .toList();
  }

  private static List<Episode> play(FakeAgent.Watch watch, int count) {
    Random random = new Random(1);
    List<Episode> episodes = new ArrayList<>();
    double best = Double.NEGATIVE_INFINITY;
    for (int number = 1; number <= count; number++) {
      double reward = -3.0 / Math.sqrt(number) - random.nextDouble();
      Episode episode = episode(number, random, Math.max(best, reward), reward > best);
      episode = episode.toBuilder().setReward(reward).build();
      best = Math.max(best, reward);
      watch.episode(episode);
      episodes.add(episode);
    }
    return episodes;
  }

  private static Episode episode(int number, Random random, double best, boolean improved) {
    Policy.Builder policy = Policy.newBuilder();
    for (int layer = 0; layer < LAYERS; layer++) {
      policy.addLayers(
          LayerBits.newBuilder()
              .setName("/features/" + layer + "/Conv")
              .setWeightBits(2 + random.nextInt(7))
              .setActivationBits(2 + random.nextInt(7)));
    }
    return Episode.newBuilder()
        .setNumber(number)
        .setPolicy(policy)
        .setReward(best)
        .setBestReward(best)
        .setImproved(improved)
        .setWarmup(number <= 20)
        .setAccuracy(Accuracy.newBuilder().setTop1(91.5 + 10 * best))
        .setCost(Cost.newBuilder().setLatencySeconds(0.00123))
        .setCostRatio(0.59)
        .setSeconds(1.4)
        .build();
  }

  private static Session.Builder session(String id, String name, SessionState state, int done) {
    return Session.newBuilder()
        .setId(id)
        .setState(state)
        .setEpisodesDone(done)
        .setEpisodesTotal(120)
        .setBaseline(Accuracy.newBuilder().setTop1(91.5))
        .setSecondsLeft(125.0)
        .setSpec(
            SessionSpec.newBuilder()
                .setName(name)
                .setModel("sha256:0123456789abcdef0123456789abcdef")
                .setTarget(TargetRef.newBuilder().setName("bismo-edge"))
                .setSeed(1)
                .setBudget(Budget.newBuilder().setResource(Resource.LATENCY).setRatio(0.6)));
  }
}
