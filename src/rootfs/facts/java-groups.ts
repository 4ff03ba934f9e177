/**
 * Groups of Maven whose archives do not state them: those that are built with Gradle, Ant or Bazel. `java-archive.ts` asks for an archive
 * without coordinates.
 */

/** By groups: the artifacts, or with a star what their names begin with. */
const table: Readonly<Record<string, string>> = {
  'com.mysql': 'mysql-connector-j',
  'com.squareup.okhttp3': 'okhttp okhttp-* logging-interceptor mockwebserver',
  'com.squareup.okio': 'okio okio-*',
  'io.micrometer': 'micrometer-*',
  'io.projectreactor': 'reactor-core reactor-test',
  'io.projectreactor.netty': 'reactor-netty*',
  'javax.inject': 'javax.inject',
  'net.java.dev.jna': 'jna jna-platform',
  'org.apache.kafka': 'kafka-clients kafka-streams connect-api connect-runtime',
  'org.apache.lucene': 'lucene-*',
  'org.apache.tomcat.embed': 'tomcat-embed-*',
  'org.bouncycastle': 'bcprov-* bcpkix-* bcutil-* bcpg-* bcmail-* bctls-*',
  'org.hibernate.orm': 'hibernate-core',
  'org.jdom': 'jdom2',
  'org.jetbrains.kotlin': 'kotlin-*',
  'org.jetbrains.kotlinx': 'kotlinx-*',
  'org.ow2.asm': 'asm asm-*',
  'org.springframework':
    'spring-aop spring-aspects spring-beans spring-context spring-context-* spring-core spring-core-test spring-expression spring-instrument spring-jcl spring-jdbc spring-jms spring-messaging spring-orm spring-oxm spring-r2dbc spring-test spring-tx spring-web spring-webflux spring-webmvc spring-websocket',
  'org.springframework.amqp': 'spring-amqp spring-rabbit*',
  'org.springframework.batch': 'spring-batch-*',
  'org.springframework.boot': 'spring-boot spring-boot-*',
  'org.springframework.cloud': 'spring-cloud-*',
  'org.springframework.data': 'spring-data-*',
  'org.springframework.graphql': 'spring-graphql*',
  'org.springframework.hateoas': 'spring-hateoas',
  'org.springframework.integration': 'spring-integration-*',
  'org.springframework.kafka': 'spring-kafka*',
  'org.springframework.retry': 'spring-retry',
  'org.springframework.security': 'spring-security-*',
  'org.springframework.session': 'spring-session-*',
  'org.thymeleaf': 'thymeleaf thymeleaf-*',
  'org.tomlj': 'tomlj',
};

const whole = new Map<string, string>();
const beginnings: (readonly [beginning: string, group: string])[] = [];
for (const [group, artifacts] of Object.entries(table))
  for (const artifact of artifacts.split(' ')) {
    if (artifact.endsWith('*')) beginnings.push([artifact.slice(0, -1), group]);
    else whole.set(artifact, group);
  }

/** Returns the group of an artifact; null for one that the table does not have. */
export function knownGroup(artifact: string): string | null {
  return whole.get(artifact) ?? beginnings.find(([beginning]) => artifact.startsWith(beginning))?.[1] ?? null;
}
