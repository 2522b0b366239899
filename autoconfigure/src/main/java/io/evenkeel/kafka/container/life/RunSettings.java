package io.evenkeel.kafka.container.life;

import java.util.Collection;

import io.evenkeel.kafka.container.listener.HandlerSettings;
import io.evenkeel.kafka.engine.EngineSettings;

/**
 * What a run is told to do.
 *
 * @param engine the settings of the engine
 * @param groupProtocol {@code classic} or {@code consumer}
 * @param handler what is watched of the calls of the handler
 * @param servers the brokers as configured, host and port of each
 */
public record RunSettings(EngineSettings engine, String groupProtocol, HandlerSettings handler,
		Collection<String> servers) {
}
