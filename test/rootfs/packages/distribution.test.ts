import { expect, it } from 'vitest';
import { distributionOf, distributionProbe } from '../../../src/rootfs/packages/distribution.ts';
import { p } from '../../support/bytes.ts';
import { rawImageOf as imageOf } from './rig.ts';

const read = async (files: Parameters<typeof imageOf>[0]) => {
  const { fs, facts } = await imageOf(files);
  return distributionOf(fs, facts);
};

it('is in os-release, in quotes or not, behind a link or not', async () => {
  const release =
    'PRETTY_NAME="Debian GNU/Linux 12 (\\"bookworm\\")"\nNAME=\'Debian\'\nVERSION_ID="12"\nID=Debian\nHOME_URL="https://d.example/"\nCPE_NAME=\n';
  const debian = {
    id: 'debian',
    version: '12',
    title: 'Debian GNU/Linux 12 ("bookworm")',
    cpe: null,
    homepage: 'https://d.example/',
  };
  expect(await read({ 'etc/os-release': release })).toEqual(debian);
  expect(
    await read({ 'etc/os-release': { link: '../usr/lib/os-release' }, 'usr/lib/os-release': release }),
  ).toEqual(debian);
  expect(await read({ 'usr/lib/os-release': 'ID=wolfi\nNAME="Wolfi"' })).toEqual({
    id: 'wolfi',
    version: null,
    title: 'Wolfi',
    cpe: null,
    homepage: null,
  });
});

it('is unknown without an ID', async () => {
  expect(await read({ 'etc/os-release': 'NAME=x\nID=\n' })).toBeNull();
  expect(await read({})).toBeNull();
});

it('needs no other file', () => {
  expect(distributionProbe(p('etc/os-release'))).toBeGreaterThan(0);
  expect(distributionProbe(p('etc/os-released'))).toBe(0);
});
