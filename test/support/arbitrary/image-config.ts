/** Makes image configs as builders write them, with few names, some of them empty or in another spelling. Laws of edits call it. */
import fc from 'fast-check';
import type { JsonObject } from '../../../src/oci/json.ts';

const words = fc.oneof(
  fc.constant(null),
  fc.array(fc.constantFrom('/bin/sh', '-c', 'app', 'a b'), { maxLength: 3 }),
);
const names = (...all: readonly string[]) =>
  fc.uniqueArray(fc.constantFrom(...all)).map((some) => Object.fromEntries(some.map((name) => [name, {}])));

const runtime: fc.Arbitrary<JsonObject> = fc.record(
  {
    Env: fc.array(fc.constantFrom('A=1', 'A=2', 'B=', 'PATH=/bin', '__proto__=x'), { maxLength: 4 }),
    Entrypoint: words,
    Cmd: words,
    Shell: words,
    User: fc.constantFrom('', 'root', 'app:app'),
    WorkingDir: fc.constantFrom('', '/', '/app'),
    ExposedPorts: names('80/tcp', '53/udp', '9000/tcp'),
    Volumes: names('/data', '/cache'),
    StopSignal: fc.constantFrom('', 'SIGQUIT', '3'),
    Labels: fc.dictionary(fc.constantFrom('A', 'B', 'other'), fc.constantFrom('', '1')),
    Healthcheck: fc.record({ Test: words, Interval: fc.constantFrom(0, 1e9) }, { requiredKeys: [] }),
  },
  { requiredKeys: [] },
);

/** A config without layers and history, which no edit looks at. */
export const config: fc.Arbitrary<JsonObject> = fc.record(
  {
    os: fc.constant('linux'),
    architecture: fc.constant('amd64'),
    author: fc.constantFrom('', 'somebody'),
    config: runtime,
  },
  { requiredKeys: ['os', 'architecture', 'config'] },
);
