/** Makes edits of configs, and configs to edit, out of few names: so that edits meet what is there, and each other. Laws call it. */
import fc from 'fast-check';
import type { CommandEdit, ConfigEdit, HealthcheckEdit } from '../../../src/image/config-edit.ts';

const name = fc.constantFrom('A', 'B', 'PATH', '__proto__');
const value = fc.constantFrom('', '1', 'two words', 'a=b', '/bin:/usr/bin');
const words = fc.array(fc.constantFrom('/bin/app', '--port', '', 'größe'), { maxLength: 3 });
const port = fc.constantFrom('80/tcp', '53/udp', '8080/tcp');
const folder = fc.constantFrom('/data', '/var/lib/app');

const command: fc.Arbitrary<CommandEdit> = fc.oneof(
  fc.record({ kind: fc.constant('exec' as const), words }),
  fc.record({ kind: fc.constant('shell' as const), line: fc.constantFrom('exec app', 'a && b') }),
);

const healthcheck: fc.Arbitrary<HealthcheckEdit> = fc.oneof(
  fc.record({ kind: fc.constantFrom('remove' as const, 'none' as const) }),
  fc.record({
    kind: fc.constant('check' as const),
    command,
    times: fc.record({ Interval: fc.constantFrom(1e6, 30e9) }, { requiredKeys: [] }),
    retries: fc.constantFrom(null, 1, 3),
  }),
);

const entries = fc.record({
  set: fc
    .uniqueArray(fc.tuple(name, value), { maxLength: 3, selector: ([key]) => key })
    .map(Object.fromEntries),
  unset: fc.array(name, { maxLength: 2 }),
});

const namesOf = (each: fc.Arbitrary<string>) =>
  fc.record({ add: fc.array(each, { maxLength: 2 }), remove: fc.array(each, { maxLength: 2 }) });

const orNull = <Value>(arbitrary: fc.Arbitrary<Value>) => fc.option(arbitrary, { nil: null });

/** An edit of anything, or of nothing. */
export const configEdit: fc.Arbitrary<ConfigEdit> = fc.record({
  environment: entries,
  entrypoint: orNull(command),
  command: orNull(command),
  shell: orNull(words),
  user: orNull(fc.constantFrom('', 'app', '1000:1000')),
  workingDirectory: orNull(fc.constantFrom('', '/app')),
  ports: namesOf(port),
  volumes: namesOf(folder),
  stopSignal: orNull(fc.constantFrom('', 'SIGINT')),
  healthcheck: orNull(healthcheck),
  labels: entries,
  author: orNull(fc.constantFrom('', 'me')),
});
