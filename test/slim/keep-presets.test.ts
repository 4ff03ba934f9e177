import { expect, test } from 'vitest';
import { parseRule } from '../../src/rules/rules.ts';
import { expandKeepPresets, keepPresets } from '../../src/slim/keep-presets.ts';
import { prune } from '../../src/slim/prune.ts';
import { rewrite, rootfsIn, tar } from '../jobs/rig.ts';
import { buildImage } from '../support/image-builder.ts';

test.each([
  ['shell', 'usr/bin/dash'],
  ['certs', 'etc/ssl/certs/ca-certificates.crt'],
  ['zoneinfo', 'usr/share/zoneinfo/Europe/Vienna'],
  ['fonts', 'usr/share/fonts/truetype/A.ttf'],
  ['locale', 'usr/share/locale/de/LC_MESSAGES/a.mo'],
])('the preset %s keeps %s, whatever rules say', async (name, path) => {
  const rules = [parseRule('**', '--rule')];
  const keep = expandKeepPresets([name]);
  const image = buildImage({ layers: [tar(`${path}=x`, 'opt/other=y')] });
  const { tree } = await rewrite(image, [prune({ kind: 'all' }, { rules, keep })]);
  const left = [...rootfsIn(tree).keys()];
  expect(left).toContain(path);
  expect(left).not.toContain('opt/other');
});

test('an unknown name is refused with the one that was meant, and all others', () => {
  expect(() => expandKeepPresets(['shel'])).toThrow('Did you mean shell?');
  expect(() => expandKeepPresets(['constructor'])).toThrow('no preset of files to keep');
  expect(Object.keys(keepPresets)).toEqual(['shell', 'certs', 'zoneinfo', 'fonts', 'locale']);
});
