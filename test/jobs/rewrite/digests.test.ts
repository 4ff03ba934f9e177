import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { callCli } from '../../support/cli.ts';
import { buildImage, buildIndex, writeLayout } from '../../support/image-builder.ts';
import { smallTars, writeOldDockerArchive } from '../../support/small-image.ts';
import { tracedImage, tracedPaths } from '../../support/traced-image.ts';
import { type DigestCase, digestCases } from './digest-cases.ts';

// The bytes that every command writes, by their digests: a change of the code that is not meant to alter them must leave
// fixtures/digests as it is. "npm run digests" writes the files again; a commit of its own then says why the bytes changed.

const fixtures = fileURLToPath(new URL('../../../fixtures', import.meta.url));
const home = process.cwd();
let folder = '';

/** References are relative, since pruned images name the place of their original: no digest depends on the folder. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ocislim-digests-'));
  process.chdir(folder);
  const plain = { compress: 'none', history: 'with-empty-layers' } as const;
  const app = buildImage({ layers: smallTars, ...plain });
  const docker = buildImage({ layers: smallTars, family: 'docker', ...plain });
  const platform = { os: 'linux', architecture: 'arm64', variant: 'v8' };
  const arm = buildImage({ layers: smallTars.slice(0, 6), platform, ...plain });
  await writeLayout('in', {
    app,
    docker,
    base: buildImage({ layers: smallTars.slice(0, 2), ...plain }),
    index: buildIndex({ images: [app, arm], attestations: true }),
    traced: tracedImage('none'),
  });
  await writeOldDockerArchive('old.tar', docker, 'app:1');
  writeFileSync('trace', `${tracedPaths.join('\n')}\n`);
  writeFileSync('plan.yaml', plan);
  await run('recompress oci:in:app oci:in:packed --compression gzip --level 4 --layers 2..7');
});
afterAll(() => {
  process.chdir(home);
  rmSync(folder, { recursive: true });
});

const plan = `version: 1
prune: { shadowed: true, presets: [apt-lists, docs], layers: 2..9 }
squash: { last: 3 }
arrange: { order: similar }
recompress:
  - { compression: gzip, level: 6, layers: 1..3 }
  - { compression: gzip, gzipEngine: pako, level: 1, layers: 4.. }
`;

function run(line: string): ReturnType<typeof callCli> {
  return callCli([...line.replaceAll('TRACES', `${fixtures}/traces`).split(' ').filter(Boolean), '-q']);
}

async function outcomeOf({ lines, file }: DigestCase): Promise<string> {
  let outcome = '';
  for (const line of lines) {
    const { status, stdout, stderr } = await run(line);
    expect(status, `${line}\n${stderr}`).toBe(0);
    outcome = file === undefined ? digestIn(stdout) : file === 'id' ? readFileSync(file, 'utf8').trim() : '';
  }
  if (outcome !== '' || file === undefined) return outcome;
  return `sha256:${createHash('sha256').update(readFileSync(file)).digest('hex')}`;
}

/** Finds the digest of the new image. References do not count, because they name the folder. */
function digestIn(stdout: string): string {
  return /sha256:[0-9a-f]{64}$/m.exec(stdout)?.[0] ?? stdout;
}

test('every command writes the bytes that it always wrote', async () => {
  const digests: Record<string, string> = {};
  for (const one of digestCases) digests[one.name] = await outcomeOf(one);
  expect(Object.keys(digests).length).toBe(digestCases.length);
  await expect(`${JSON.stringify(digests, null, 2)}\n`).toMatchFileSnapshot(
    join(fixtures, 'digests/commands.json'),
  );
});
