package io.evenkeel.kafka.test;

import java.io.IOException;
import java.util.Set;

import org.springframework.boot.test.context.filter.annotation.StandardAnnotationCustomizableTypeExcludeFilter;
import org.springframework.core.type.AnnotationMetadata;
import org.springframework.core.type.classreading.MetadataReader;
import org.springframework.core.type.classreading.MetadataReaderFactory;
import org.springframework.kafka.annotation.KafkaListener;

/**
 * Of the components that are scanned it leaves those with listener methods.
 */
final class ListenerTypeExcludeFilter extends StandardAnnotationCustomizableTypeExcludeFilter<EvenkeelKafkaTest> {

	private final Class<?>[] listeners;

	ListenerTypeExcludeFilter(Class<?> testClass) {
		super(testClass);
		this.listeners = getAnnotation().getValue("listeners", Class[].class).orElse(new Class<?>[0]);
	}

	@Override
	protected boolean defaultInclude(MetadataReader metadataReader, MetadataReaderFactory metadataReaderFactory)
			throws IOException {
		AnnotationMetadata metadata = metadataReader.getAnnotationMetadata();
		boolean listens = metadata.hasAnnotatedMethods(KafkaListener.class.getName())
				|| metadata.hasAnnotation(KafkaListener.class.getName());
		return listens && this.listeners.length == 0 || super.defaultInclude(metadataReader, metadataReaderFactory);
	}

	@Override
	protected Set<Class<?>> getComponentIncludes() {
		return Set.of(this.listeners);
	}

}
