package dev.haq.agent;

import static dev.haq.agent.TestClient.refused;
import static dev.haq.agent.TestClient.spec;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.proto.agent.v1.Episode;
import dev.haq.proto.agent.v1.ListSessionsRequest;
import dev.haq.proto.agent.v1.ListSessionsResponse;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.SessionState;
import dev.haq.proto.model.v1.Budget;
import dev.haq.proto.model.v1.Resource;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What sessions there are: each test has an agent of its own, which has none at first. */
final class SessionListTest {
  @RegisterExtension final AgentFixture fixture = new AgentFixture();

  private TestClient client;

  @BeforeEach
  void start() {
    client = fixture.client();
  }

  @Test
  void aRequestIdMakesOneSession() {
    Session first = client.create(spec(2), "mine");
    assertEquals(first.getId(), client.create(spec(2), "mine").getId());
    HaqException error = refused(Reason.REQUEST_ID_REUSED, () -> client.create(spec(3), "mine"));
    assertTrue(error.getMessage().contains(first.getId()), error.getMessage());
    assertEquals(
        1, client.stub().listSessions(ListSessionsRequest.getDefaultInstance()).getSessionsCount());
  }

  @Test
  void sessionsAreListedNewestFirstAndPaged() {
    List<String> ids = IntStream.range(0, 5).mapToObj(i -> client.create(spec(1)).getId()).toList();
    ListSessionsResponse page =
        client.stub().listSessions(ListSessionsRequest.newBuilder().setPageSize(3).build());
    assertEquals(
        List.of(ids.get(4), ids.get(3), ids.get(2)),
        page.getSessionsList().stream().map(Session::getId).toList());
    ListSessionsResponse rest =
        client
            .stub()
            .listSessions(
                ListSessionsRequest.newBuilder()
                    .setPageSize(3)
                    .setPageToken(page.getNextPageToken())
                    .build());
    assertEquals(
        List.of(ids.get(1), ids.get(0)),
        rest.getSessionsList().stream().map(Session::getId).toList());
    assertEquals("", rest.getNextPageToken());
  }

  @Test
  void anUnreachableBudgetIsRefusedWithTheSmallestReachable() {
    HaqException error =
        refused(
            Reason.BUDGET_INFEASIBLE,
            () ->
                client.create(
                    spec(5)
                        .setBudget(
                            Budget.newBuilder().setResource(Resource.LATENCY).setRatio(0.01))));
    double ratio = Double.parseDouble(error.details().get("smallest_reachable_ratio"));
    assertTrue(ratio > 0.01 && ratio < 0.5, "ratio " + ratio);
    assertTrue(Double.parseDouble(error.details().get("smallest_reachable")) > 0);
    assertTrue(error.getMessage().contains("smallest reachable"), error.getMessage());
    // What it names can be reached.
    Session session =
        client.create(
            spec(1)
                .setBudget(
                    Budget.newBuilder()
                        .setResource(Resource.LATENCY)
                        .setAbsolute(
                            Double.parseDouble(error.details().get("smallest_reachable")))));
    assertEquals(1, finished(session).size());
    assertEquals(
        1, client.stub().listSessions(ListSessionsRequest.getDefaultInstance()).getSessionsCount());
  }

  private List<Episode> finished(Session session) {
    Session ended = client.awaitEnd(session.getId());
    assertEquals(SessionState.SUCCEEDED, ended.getState(), ended.getError());
    return client.episodes(session.getId());
  }
}
