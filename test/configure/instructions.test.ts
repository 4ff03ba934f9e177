import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyConfig, instructionsOf } from '../../src/configure/configure.ts';
import { type ConfigEdit, noEdit } from '../../src/image/config-edit.ts';
import { readRuntime } from '../../src/oci/runtime.ts';
import { configEdit } from '../support/arbitrary/config-edit.ts';
import { config as someConfig } from '../support/arbitrary/image-config.ts';

const rows = (config: object, edit: Partial<ConfigEdit>): readonly string[] => {
  const json = { os: 'linux', config };
  return instructionsOf(json, applyConfig(json, { ...noEdit, ...edit }, 'the config'));
};

describe('the rows of an edit', () => {
  test('are none exactly if nothing changes in how the image runs', () => {
    fc.assert(
      fc.property(someConfig, configEdit, (before, edit) => {
        const after = applyConfig(before, edit, 'the config');
        const [a, b] = [before, after].map((json) => {
          const { labels: _, environment, ...rest } = readRuntime({ json });
          return JSON.stringify([rest, [...environment]]);
        });
        if (a === b && edit.healthcheck === null) expect(instructionsOf(before, after)).toEqual([]);
        if (a !== b) expect(instructionsOf(before, after)).not.toEqual([]);
      }),
    );
  });

  test.each<[string, object, Partial<ConfigEdit>, readonly string[]]>([
    [
      'variables',
      { Env: ['A=1', 'B=2'] },
      { environment: { set: { C: 'x y' }, unset: ['A', 'B'] } },
      ['ocislim config --unset-env A --unset-env B', 'ENV C=x y'],
    ],
    [
      'commands',
      { Cmd: ['old'] },
      { entrypoint: { kind: 'exec', words: ['/app', '-v'] } },
      ['ENTRYPOINT ["/app","-v"]', 'CMD []'],
    ],
    [
      'ports and volumes',
      { ExposedPorts: { '80/tcp': {} } },
      { ports: { add: ['53/udp', '54/udp'], remove: ['80/tcp'] }, volumes: { add: ['/a b'], remove: [] } },
      ['ocislim config --unexpose 80/tcp', 'EXPOSE 53/udp 54/udp', 'VOLUME ["/a b"]'],
    ],
    [
      'what goes',
      { User: 'app', WorkingDir: '/a' },
      { user: '', workingDirectory: '' },
      ['USER root', 'WORKDIR /'],
    ],
    [
      'health checks',
      {},
      {
        healthcheck: {
          kind: 'check',
          command: { kind: 'shell', line: 'curl -f localhost || exit 1' },
          times: { Interval: 1.5e9 },
          retries: 2,
        },
      },
      ['HEALTHCHECK --interval=1.5s --retries=2 CMD curl -f localhost || exit 1'],
    ],
    [
      'labels and an author, which add none',
      {},
      { labels: { set: { a: 'b' }, unset: [] }, author: 'me' },
      [],
    ],
  ])('say %s as a Dockerfile does', (_, config, edit, expected) => {
    expect(rows(config, edit)).toEqual(expected);
  });
});
