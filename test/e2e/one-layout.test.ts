/**
 * Several processes of ocislim that write different names into the layout that they read from, at once, beside others that are killed: every name
 * is there at the end, and the index can be read at any time.
 */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { bin, ocislim } from '../support/e2e/cli.ts';
import { buildImage, buildIndex, openLayout, validateTree } from '../support/image-builder.ts';
import { noise } from '../support/registry/setup.ts';
import { openScene } from '../support/scene.ts';
import { specOf, tar } from '../support/model/shorthand.ts';
import { writeTar } from '../support/model/tar-bytes.ts';

const imageOf = (architecture: string) =>
  buildImage({
    layers: [tar('base=1'), writeTar([specOf({ name: 'data', body: noise(300_000, 7) })]), tar('app=2')],
    platform: { os: 'linux', architecture },
  });

const scene = openScene(() => ({
  app: buildIndex({ images: [imageOf('amd64'), imageOf('arm64')], attestations: true }),
}));

const commands: Readonly<Record<string, readonly string[]>> = {
  copied: ['copy'],
  configured: ['config', '--label', 'a=b'],
  squashed: ['squash', '--all'],
  pruned: ['prune', '--rule', 'base'],
  packed: ['recompress', '--compression', 'zstd'],
  both: ['recompress', '--add-variant', 'zstd'],
  slim: ['slim'],
  more: ['append', '--layer', 'FILE:/etc/'],
};

/** Starts a command and kills it with SIGKILL as soon as it says something: that it works on a layer. */
function startAndKill(args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  return new Promise((resolve, reject) => {
    child.stderr.on('data', () => void child.kill('SIGKILL'));
    child.on('error', reject).on('close', () => resolve());
  });
}

/** Returns the names in the index of the layout. */
function names(): readonly string[] {
  const { manifests } = JSON.parse(readFileSync(scene.path('layout', 'index.json'), 'utf8')) as {
    manifests: readonly { annotations?: Readonly<Record<string, string>> }[];
  };
  return manifests.flatMap(({ annotations }) => annotations?.['org.opencontainers.image.ref.name'] ?? []);
}

it('commands that write into one layout at once, beside killed ones, leave every name with its whole image', async () => {
  writeFileSync(scene.path('file'), 'new');
  const argsOf = (tag: string, to: string) => {
    const [verb = '', ...options] = (commands[tag] ?? []).map((arg) =>
      arg.replace('FILE', scene.path('file')),
    );
    return [verb, scene.at('app'), scene.at(to), ...options];
  };
  const tags = Object.keys(commands);
  await Promise.all([
    ...tags.map(async (tag) => {
      const { status, stderr } = await ocislim(argsOf(tag, tag));
      expect({ tag, status, stderr }).toMatchObject({ status: 0 });
      expect(names()).toContain(tag);
    }),
    ...tags.slice(1, 4).map((tag) => startAndKill(argsOf(tag, `killed-${tag}`))),
  ]);
  expect(
    names()
      .filter((name) => !name.startsWith('killed-'))
      .toSorted(),
  ).toEqual(['app', ...tags].toSorted());
  // A killed one has published its whole image, or nothing.
  for (const tag of names()) expect(validateTree(await openLayout(scene.path('layout'), tag))).toEqual([]);
  await scene.run('verify', scene.at('app'), scene.at('copied'));
});
