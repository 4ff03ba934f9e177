import { expect, test } from 'vitest';
import { buildImage } from './image-builder.ts';
import { diffImages, diffTars } from './image-diff.ts';
import { specOf, tar } from './model/shorthand.ts';
import { writeTar } from './model/tar-bytes.ts';

test('an image differs from itself in nothing', () => {
  const image = buildImage({ layers: [tar('a=1')] });
  expect(diffImages(image, buildImage({ layers: [tar('a=1')] }))).toEqual([]);
});

test('two images differ in the entries of their layers, and in what the documents say of these', () => {
  const [one, other] = [
    ['a=1', 'b=1'],
    ['a=2', 'c=1'],
  ].map((entries) => buildImage({ layers: [tar(...entries)], compress: 'none' }));
  if (one === undefined || other === undefined) throw new Error('no images');
  const lines = diffImages(one, other);
  expect(lines.filter((line) => line.startsWith('layer'))).toEqual([
    expect.stringMatching(/^layer 1: "a": content .* ≠ /),
    'layer 1: "b": only left has it (file)',
    'layer 1: "c": only right has it (file)',
  ]);
  expect(lines.some((line) => line.startsWith('config.rootfs.diff_ids.0: "sha256:'))).toBe(true);
});

test('two tars may differ in the order of entries, in a head, or in their ends', () => {
  expect(diffTars(tar('a=1', 'b=1'), tar('b=1', 'a=1'))).toEqual([
    'entry 1 is "a" on the left, "b" on the right',
  ]);
  expect(diffTars(tar({ name: 'a', mode: 0o644 }), tar({ name: 'a', mode: 0o600 }))).toEqual([
    '"a": mode 420 ≠ 384',
  ]);
  expect(diffTars(writeTar([specOf('a')], 'blocks'), writeTar([specOf('a')], 'record'))).toEqual([
    expect.stringMatching(/^the entries are the same, but 1536 bytes ≠ 10240 bytes/),
  ]);
});
