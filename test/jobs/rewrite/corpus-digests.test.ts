import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { recompress } from '../../../src/compress/recompress.ts';
import { OcislimError } from '../../../src/errors.ts';
import type { Transform } from '../../../src/image/image.ts';
import { parseRule } from '../../../src/rules/rules.ts';
import { prune } from '../../../src/slim/prune.ts';
import { squash } from '../../../src/slim/squash.ts';
import { tarCases } from '../../support/corpus/all-cases.ts';
import { type BuiltImage, buildImage } from '../../support/image-builder.ts';
import { publish, tar } from '../rig.ts';

// What becomes of every awkward tar, by digests: see digests.test.ts. From memory to memory, since there are hundreds of them.

const fixture = fileURLToPath(new URL('../../../fixtures/digests/corpus.json', import.meta.url));

const all = { kind: 'all' } as const;

/** The commands that look into layers, and one that packs them by the only engines whose bytes no Node changes. */
const transforms: Readonly<Record<string, Transform>> = {
  squash: squash(all),
  prune: prune(all, { shadowed: true, rules: [parseRule('after', '--rule')] }),
  recompress: recompress(all, { kind: 'gzip', level: 6, engine: 'libdeflate' }),
};

/** The layer above: it overwrites what stands at the end of most tars. */
const top = tar('after=changed', 'top/file=1');

/** Returns the code of the error, or the first twelve digits of the digest, which are enough to detect a change. */
async function outcomeOf(image: BuiltImage, transform: Transform): Promise<string> {
  try {
    const { descriptor } = await publish(image, [transform]);
    return descriptor.digest.slice('sha256:'.length, 'sha256:'.length + 12);
  } catch (error) {
    if (error instanceof OcislimError) return error.code;
    throw error;
  }
}

test('every awkward tar gives the bytes, or the error, that it always gave', async () => {
  const digests: Record<string, string> = {};
  for (const { name, tar, verdict } of tarCases) {
    const image = buildImage({ layers: [tar, top], compress: 'none' });
    const outcomes: string[] = [];
    // Squash and prune share the reader that refuses a tar, and recompress does not look into it.
    const some = Object.entries(transforms).slice(0, verdict === 'read' ? 3 : 1);
    for (const [command, transform] of some) outcomes.push(`${command} ${await outcomeOf(image, transform)}`);
    // Some cases of different families have the same name.
    digests[name in digests ? `${name}, again` : name] = outcomes.join(', ');
  }
  expect(Object.keys(digests).length).toBe(tarCases.length);
  await expect(`${JSON.stringify(digests, null, 2)}\n`).toMatchFileSnapshot(fixture);
});
