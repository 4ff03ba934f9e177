import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const here = fileURLToPath(new URL('..', import.meta.url));

/** Files that wait for the clock, and why no test depends on how long. */
const allowed: Readonly<Record<string, string>> = {
  'support/registry/setup.ts':
    'a pause of the injected clock, which lets a server notice that a connection is gone',
  'support/store/layout-writer.ts': 'the process waits to be killed',
  'support/eventually.ts': 'waits for what happens in any case',
};

const files = readdirSync(here, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !/^(?:support\/)?e2e\//.test(file))
  .filter((file) => file !== 'project/clock.test.ts');

/** Timers, waits with a bound of their own, and a timeout of a single test, which a busy machine may need longer than. */
const waits = /\bsetTimeout\(|\bvi\.waitFor\(|\bAbortSignal\.timeout\(|^\}, [0-9_]{4,}\);$/gm;

test('tests wait for events, since a busy machine takes thirty times as long', () => {
  const found = files.filter((file) => {
    const text = readFileSync(join(here, file), 'utf8');
    return (text.match(waits) ?? []).length > 0;
  });
  expect(found.toSorted()).toEqual(Object.keys(allowed).toSorted());
});
