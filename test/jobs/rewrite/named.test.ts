import { describe, expect, test } from 'vitest';
import type { LayerIndex } from '../../../src/changeset/layer-index.ts';
import { contentProbe } from '../../../src/closure/close-image.ts';
import { Gatherer } from '../../../src/layers/read/gather.ts';
import { scanTar } from '../../../src/layers/read/scan-tar.ts';
import type { JsonObject } from '../../../src/oci/json.ts';
import type { LayerFacts } from '../../../src/rootfs/facts/facts.ts';
import { resolveSteps } from '../../../src/slim/resolve/resolve.ts';
import { atOnce } from '../../../src/steps.ts';
import { parseRule } from '../../../src/rules/rules.ts';
import { expandPresets } from '../../../src/slim/presets.ts';
import { prune } from '../../../src/slim/prune.ts';
import { imageOf as imageOverTars } from '../../laws/rig.ts';
import { writeElf } from '../../rootfs/facts/elf-bytes.ts';
import { type BuiltImage, buildImage } from '../../support/image-builder.ts';
import { bytesOf } from '../../support/model/byte-string.ts';
import { specOf } from '../../support/model/shorthand.ts';
import type { EntrySpec } from '../../support/model/tar-bytes.ts';
import { writeTar } from '../../support/model/tar-bytes.ts';
import { fail, rewrite } from '../rig.ts';

const all = { kind: 'all' } as const;
const loader = '/lib64/ld-linux-x86-64.so.2';

function program(name: string, body: string | Uint8Array = ''): EntrySpec {
  return { name, body: typeof body === 'string' ? bytesOf(body) : body, mode: 0o755 };
}

/** The system is in the lowest layer, documents are in the next, and the application is on top. */
function tarsOf(): Uint8Array[] {
  const layers = [
    [
      specOf('bin~>usr/bin'),
      program('usr/bin/dash', writeElf({ interpreter: loader, needed: ['libc.so.6'] })),
      specOf('usr/bin/sh~>dash'),
      program('usr/bin/curl', writeElf({ interpreter: loader, needed: ['libcurl.so.4'] })),
      program('usr/bin/python3', writeElf({ interpreter: loader })),
      { name: 'usr/lib/libc.so.6', body: writeElf() },
      specOf('usr/lib/libcurl.so.4~>libcurl.so.4.8'),
      { name: 'usr/lib/libcurl.so.4.8', body: writeElf() },
      specOf('usr/lib/libidle.so.1=idle'),
      program('lib64/ld-linux-x86-64.so.2', writeElf()),
      specOf('etc/passwd=root:x:0:0::/:/bin/sh\napp:x:1000:1000::/:/bin/sh\n'),
      specOf('etc/group=root:x:0:\n'),
    ],
    [specOf('usr/share/doc/a/manual=long'), specOf('usr/share/doc/b~>a')],
    [
      program('app/run', '#!/bin/sh\nexec /app/main\n'),
      program('app/env', '#!/usr/bin/env python3\n'),
      program('app/main', writeElf({ interpreter: loader, needed: ['libc.so.6'] })),
      program('app/static', writeElf()),
      specOf('app/main.py=print()'),
    ],
  ];
  return layers.map((entries) => writeTar(entries));
}

function imageOf(config: JsonObject): BuiltImage {
  return buildImage({ layers: tarsOf(), config: { config } });
}

async function* piecesOf(tar: Uint8Array): AsyncGenerator<Uint8Array> {
  yield tar;
}

const script = { Entrypoint: ['/app/run'] };

interface Wish {
  readonly rules?: readonly string[];
  readonly presets?: readonly string[];
  readonly keep?: readonly string[];
  readonly force?: boolean;
}

function pruning({ rules = [], presets = [], ...rest }: Wish) {
  const parsed = rules.map((rule) => parseRule(rule, '--rule'));
  return prune(all, { ...rest, rules: [...expandPresets(presets).remove, ...parsed] });
}

describe('a prune by rules is refused that', () => {
  const cases: readonly (readonly [what: string, config: JsonObject, wish: Wish, message: RegExp])[] = [
    [
      'the interpreter of the entrypoint, by a preset',
      script,
      { presets: ['shells'] },
      /bin\/sh.*which runs "app\/run".*\(preset shells\)/,
    ],
    [
      'the interpreter of the entrypoint, by a rule',
      script,
      { rules: ['usr/bin/dash'] },
      /\(--rule "usr\/bin\/dash"\)/,
    ],
    ['the link to the interpreter', script, { rules: ['usr/bin/sh'] }, /bin\/sh/],
    ['the link to the directory of the interpreter', script, { rules: ['bin'] }, /bin\/sh/],
    ['the directory of the interpreter', script, { rules: ['usr/bin/**'] }, /bin\/sh/],
    ['the program that env looks for', { Entrypoint: ['/app/env'] }, { rules: ['**/python3'] }, /python3/],
    ['the loader', { Entrypoint: ['/app/main'] }, { rules: ['lib64'] }, /ld-linux-x86-64/],
    ['a library', { Entrypoint: ['/app/main'] }, { rules: ['usr/lib/libc.so*'] }, /libc\.so\.6.*app\/main/],
    ['a library of the interpreter', script, { rules: ['usr/lib/libc.so*'] }, /libc\.so\.6.*dash/],
    ['the entrypoint', { Entrypoint: ['/app/static'] }, { rules: ['app/static'] }, /app\/static/],
    ['the command', { Cmd: ['python3', 'main.py'] }, { rules: ['**/python3'] }, /python3.*the command/],
    [
      'a file that the command names',
      { Cmd: ['python3', '/app/main.py'] },
      { rules: ['**/*.py'] },
      /main\.py.*an argument/,
    ],
    ['the shell of the command', { Cmd: ['/bin/sh', '-c', 'true'] }, { presets: ['shells'] }, /bin\/sh/],
    [
      'what the shell runs',
      { Cmd: ['/bin/sh', '-c', 'curl http://x && exec python3'] },
      { rules: ['**/curl'] },
      /curl/,
    ],
    [
      'the shell of the health check',
      { Entrypoint: ['/app/static'], Healthcheck: { Test: ['CMD-SHELL', 'true'] } },
      { presets: ['shells'] },
      /health check/,
    ],
    [
      'a library of the health check',
      { Entrypoint: ['/app/static'], Healthcheck: { Test: ['CMD', 'curl', 'x'] } },
      { rules: ['**/libcurl*'] },
      /libcurl/,
    ],
    [
      'the file of the user',
      { Entrypoint: ['/app/static'], User: 'app' },
      { rules: ['etc/passwd'] },
      /user "app".*etc\/passwd/,
    ],
  ];
  test.each(cases)('takes %s', async (_, config, wish, message) => {
    const image = imageOf(config);
    const { error } = await fail(image, [pruning(wish)]);
    expect(error.code).toBe('UNSAFE');
    expect(error.message).toMatch(message);
    expect(error.advice).toContain('--force');
    const forced = await rewrite(image, [pruning({ ...wish, force: true })]);
    expect(forced.warnings.filter((warning) => warning.startsWith('FORCED')).join('\n')).toMatch(message);
  });

  test('takes several things, with all of them in the message', async () => {
    const { error } = await fail(imageOf({ ...script, User: 'app' }), [
      pruning({ presets: ['shells'], rules: ['etc/passwd'] }),
    ]);
    expect(error.message.split('\n')).toHaveLength(3);
  });

  test('takes the interpreter, with advice that can be typed', async () => {
    const image = imageOf(script);
    const { error } = await fail(image, [pruning({ rules: ['usr/bin/*'] })]);
    expect(error.advice).toContain('--keep usr/bin/sh');
    const kept = await rewrite(image, [pruning({ rules: ['usr/bin/sh'], keep: ['usr/bin/sh'] })]);
    expect(kept.warnings.join('\n')).not.toContain('FORCED');
  });
});

describe('a prune by rules', () => {
  const cases: readonly (readonly [
    what: string,
    config: JsonObject,
    wish: Wish,
    looks: readonly number[],
  ])[] = [
    ['into no file where it takes documents', script, { presets: ['docs'] }, []],
    ['into no file where it takes nothing', script, { rules: ['nowhere/**'] }, []],
    ['into the layer of a static program', { Cmd: ['/app/static'] }, { presets: ['shells'] }, [3]],
    ['into the layers of what runs a script', script, { rules: ['usr/lib/libidle*'] }, [1, 3]],
    ['into no file for an image that runs nothing', {}, { presets: ['shells'] }, []],
  ];
  test.each(cases)('looks %s', async (_, config, wish, looks) => {
    const tars = tarsOf();
    const image = pruning(wish)(imageOverTars(tars, { config }));
    const indexes = new Map<number, LayerIndex>();
    const facts = new Map<number, LayerFacts>();
    const looked = new Set<number>();
    for (const [i, tar] of tars.entries()) indexes.set(i + 1, await scanTar(piecesOf(tar)));
    for (;;) {
      const result = atOnce(resolveSteps({ image, indexes, facts, looked, mtimeOf: () => 0 }));
      if (result.kind !== 'looks') break;
      for (const layer of result.layers) {
        const gatherer = new Gatherer({ probe: contentProbe, digests: false, twins: false });
        await scanTar(piecesOf(tars[layer - 1] as Uint8Array), gatherer);
        facts.set(layer, gatherer.facts());
        looked.add(layer);
      }
    }
    expect([...looked].toSorted((a, b) => a - b)).toEqual(looks);
  });
});

test('an image that could not run before may be pruned', async () => {
  for (const config of [{ Entrypoint: ['/gone'] }, { Cmd: ['lost'], User: 'nobody' }]) {
    const { warnings } = await rewrite(imageOf(config), [pruning({ presets: ['shells'] })]);
    expect(warnings.join('\n')).not.toContain('FORCED');
  }
});
