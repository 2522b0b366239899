package io.evenkeel.kafka.container.call;

import java.util.ArrayList;
import java.util.List;

import io.evenkeel.kafka.container.WithoutBroker;
import io.evenkeel.kafka.engine.Attempt;
import io.evenkeel.kafka.engine.RecordHandler;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;
import org.mockito.Mockito;

/**
 * How long the beans of an assignment live, and which thread sees them.
 */
class AssignmentBeansTests {

	private final List<String> destroyed = new ArrayList<>();

	private final AssignmentBeans beans = new AssignmentBeans("t-0");

	private final AssignmentBeanScope scope = new AssignmentBeanScope();

	@Test
	void aBeanIsMadeOnceAndDestroyedWithTheLastCallThatIsLeft() {
		Object bean = new Object();
		this.beans.begin();
		Assertions.assertThat(this.beans.get("bean", () -> bean)).isSameAs(bean);
		Assertions.assertThat(this.beans.get("bean", Object::new)).isSameAs(bean);
		this.beans.onDestroy("bean", () -> this.destroyed.add("bean"));
		this.beans.begin();
		this.beans.end();
		Assertions.assertThat(this.destroyed).as("the assignment lives").isEmpty();
		this.beans.close();
		Assertions.assertThat(this.destroyed).as("an abandoned call keeps its instance").isEmpty();
		this.beans.end();
		Assertions.assertThat(this.destroyed).containsExactly("bean");
		this.beans.close();
		Assertions.assertThat(this.destroyed).hasSize(1);
	}

	@Test
	void aDestructionThatFailsKeepsNoOtherBean() {
		this.beans.onDestroy("bad", () -> {
			throw new IllegalStateException("simulated");
		});
		this.beans.onDestroy("good", () -> this.destroyed.add("good"));
		this.beans.close();
		Assertions.assertThat(this.destroyed).containsExactly("good");
	}

	@Test
	void theScopeOfACallIsLeftHoweverItEnds() {
		RecordHandler<Object, Object> failing = WithoutBroker.mock();
		Mockito.doThrow(new IllegalStateException("simulated")).when(failing).handle(Mockito.any());
		AssignmentBeansTable table = Mockito.mock(AssignmentBeansTable.class);
		Mockito.when(table.scope()).thenReturn(this.scope);
		Mockito.when(table.begin(Mockito.any())).then((asked) -> this.beans.begin());
		Attempt<Object, Object> attempt = WithoutBroker.attempt();
		Assertions.assertThatIllegalStateException()
			.isThrownBy(() -> new ScopedHandler<>(failing, table).handle(attempt));
		Assertions.assertThat(this.scope.current()).isNull();
		Mockito.verify(attempt).whenClosed(Mockito.any());
	}

	@Test
	void aScopeInsideAnotherGivesItBack() {
		AssignmentBeans inner = new AssignmentBeans("t-1");
		AssignmentBeans before = this.scope.enter(this.beans);
		AssignmentBeans outer = this.scope.enter(inner);
		Assertions.assertThat(this.scope.current()).isSameAs(inner);
		this.scope.leave(outer);
		Assertions.assertThat(this.scope.current()).isSameAs(this.beans);
		this.scope.leave(before);
		Assertions.assertThat(this.scope.current()).isNull();
		Assertions.assertThatIllegalStateException()
			.isThrownBy(() -> this.scope.get("bean", Object::new))
			.withMessageContaining("'bean'");
	}

}
