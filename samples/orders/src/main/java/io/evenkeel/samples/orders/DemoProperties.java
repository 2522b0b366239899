package io.evenkeel.samples.orders;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * How the story is played.
 *
 * @param run id of this run: part of the group's name, and carried by each event
 * @param member name of this member of the group
 * @param story whether to play the story on start
 * @param exit whether to end after the story instead of staying up
 * @param orders events to publish at least
 * @param ordersPerChapter events that a member handles before the story goes on
 * @param perSecond events to publish per second
 * @param customers customers, each one a key, to publish events for
 * @param handlerMillis how long a handler works on an event
 * @param missingTopic a topic that does not exist
 */
@ConfigurationProperties("demo")
record DemoProperties(@DefaultValue("local") String run, @DefaultValue("first") String member,
		@DefaultValue("true") boolean story, @DefaultValue("false") boolean exit, @DefaultValue("6000") int orders,
		@DefaultValue("500") int ordersPerChapter, @DefaultValue("300") int perSecond,
		@DefaultValue("40") int customers, @DefaultValue("2") int handlerMillis,
		@DefaultValue("orders-archive") String missingTopic) {

}
