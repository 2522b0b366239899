package io.evenkeel.samples.orders;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;

import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.test.annotation.DirtiesContext;
import org.springframework.test.context.ContextConfiguration;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Places orders over HTTP.
 */
@SpringBootTest(webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT, properties = "demo.story=false")
@ContextConfiguration(initializers = EmbeddedBroker.class)
@DirtiesContext
class OrdersRestIT {

	private final HttpClient client = HttpClient.newHttpClient();

	@LocalServerPort
	private int port;

	@Autowired
	private Ledger ledger;

	@Test
	void orderIsAcceptedHandledAndCounted() throws Exception {
		HttpResponse<String> response = post("{\"customer\":\"ada\",\"item\":\"rope\",\"quantity\":2}");
		assertThat(response.statusCode()).isEqualTo(202);
		assertThat(response.body()).contains("\"customer\":\"ada\"", "\"item\":\"rope\"", "\"quantity\":2");
		assertThat(this.ledger.await(() -> this.ledger.completedBy("first") == 1, Duration.ofSeconds(30))).isTrue();
		HttpResponse<String> summary = send(request("/summary").GET());
		assertThat(summary.statusCode()).isEqualTo(200);
		assertThat(summary.body()).contains("\"sent\":1", "\"handled\":1", "\"lost\":0");
	}

	@Test
	void orderWithoutCustomerIsRefused() throws Exception {
		HttpResponse<String> response = post("{\"item\":\"rope\",\"quantity\":2}");
		assertThat(response.statusCode()).isEqualTo(400);
		assertThat(response.body()).contains("An order needs a customer");
	}

	private HttpResponse<String> post(String order) throws IOException, InterruptedException {
		return send(request("/orders").header("Content-Type", "application/json")
			.POST(HttpRequest.BodyPublishers.ofString(order)));
	}

	private HttpRequest.Builder request(String path) {
		return HttpRequest.newBuilder(URI.create("http://localhost:" + this.port + path));
	}

	private HttpResponse<String> send(HttpRequest.Builder request) throws IOException, InterruptedException {
		return this.client.send(request.build(), HttpResponse.BodyHandlers.ofString());
	}

}
