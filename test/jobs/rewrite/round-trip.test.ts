import { describe, expect, test } from 'vitest';
import { recompress } from '../../../src/compress/recompress.ts';
import type { Transform } from '../../../src/image/image.ts';
import { arrange } from '../../../src/slim/arrange.ts';
import { prune } from '../../../src/slim/prune.ts';
import { parseRule } from '../../../src/rules/rules.ts';
import { squash } from '../../../src/slim/squash.ts';
import { buildImage } from '../../support/image-builder.ts';
import { diffRootfs } from '../../support/model/filesystem.ts';
import { encodeEntry, type EntrySpec, type HeadFormat } from '../../support/model/tar-bytes.ts';
import { imageIn, rewrite, rootfsIn, tar } from '../rig.ts';

// What a tar can say of a file and few tar libraries can write again: it must come out as it went in, to the byte.

const all = { kind: 'all' } as const;
const capability = '\x01\0\0\x02\0\x20\n=\0\0\0\xff\0\0\0\0\0\0\0\0';

const plain: readonly EntrySpec[] = [
  { name: 'uid', uid: 3_000_000, gid: 4_000_000 },
  { name: 'max', uid: 4_294_967_294, gid: 4_294_967_294 },
  { name: 'old', mtime: '-86400' },
  { name: 'suid', mode: 0o7755 },
  { name: 'fifo', type: 'fifo', mode: 0o622 },
  { name: 'char', type: 'char', devmajor: 5, devminor: 1 },
  {
    name: 'block',
    type: 'block',
    devmajor: 259,
    devminor: 1_048_575,
  },
  { name: 'sgid', type: 'dir', mode: 0o2775, uid: 3_000_000 },
];

const paxOnly: readonly EntrySpec[] = [
  { name: 'ns', mtime: '1700000000.123456789' },
  { name: 'old-ns', mtime: '-1.5' },
  { name: 'caps', mode: 0o755, xattrs: { 'security.capability': capability } },
  { name: 'acl', xattrs: { 'system.posix_acl_access': '\x02\0\0\0\xff\xfe=\n' } },
];

const ways: Readonly<Record<string, Transform>> = {
  squash: squash(all),
  'prune by a rule': prune(all, { rules: [parseRule('gone', 'a test')] }),
  'order similar': arrange(all, { order: 'similar', hardlinks: false, always: true }),
  'dedupe-hardlink': arrange(all, { order: null, hardlinks: true, always: true }),
  recompress: recompress(all, { kind: 'zstd', level: 1 }),
};

const formats: readonly (readonly [HeadFormat, readonly EntrySpec[]])[] = [
  ['gnu', plain],
  ['pax', [...plain, ...paxOnly]],
  ['pax-all', [...plain, ...paxOnly]],
];

describe.each(formats)('T15: in the format %s', (format, entries) => {
  const specs = entries.map((spec): EntrySpec => ({ ...spec, format }));
  const built = buildImage({ layers: [tar('gone=1'), tar(...specs), tar('top=1')] });
  const before = rootfsIn(built);

  test.each(Object.entries(ways))(
    '%s leaves every attribute and every head as it was',
    async (_, transform) => {
      const { tree } = await rewrite(built, [transform]);
      const after = rootfsIn(tree);
      const gone = diffRootfs(before, after).filter((line) => !line.includes('gone'));
      expect(gone).toEqual([]);
      const tars = imageIn(tree).tars.map((bytes) => Buffer.from(bytes));
      for (const spec of specs) {
        const entry = Buffer.from(encodeEntry(spec));
        expect(
          tars.some((bytes) => bytes.includes(entry)),
          `${spec.name} is there to the byte`,
        ).toBe(true);
      }
    },
  );
});
