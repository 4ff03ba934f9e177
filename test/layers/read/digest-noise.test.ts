import { expect, test } from 'vitest';
import { digestTar } from '../../../src/layers/read/digest-tar.ts';
import { type EntrySpec, writeTar } from '../../support/model/tar-bytes.ts';
import { compiledModule } from '../../support/noise.ts';

/** Returns the traits of the entries of a tar, whose bytes come in odd pieces. */
async function traitsOf(entries: readonly EntrySpec[], noiseless: boolean) {
  const tar = writeTar(entries);
  async function* pieces() {
    for (let at = 0; at < tar.length; at += 517) yield tar.subarray(at, at + 517);
  }
  const { traits } = await digestTar(pieces(), { noiseless });
  return entries.map((_, i) => traits.at(i));
}

const module = (time: number, code: string): EntrySpec => ({
  name: 'a.pyc',
  body: compiledModule({ of: { time, size: 1 }, code: code.repeat(600) }),
});

const noise: Readonly<Record<string, readonly [EntrySpec, EntrySpec]>> = {
  times: [
    { name: 'a', mtime: '1' },
    { name: 'a', mtime: '2.5', format: 'pax' },
  ],
  'names of owners': [
    { name: 'a', uname: 'one' },
    { name: 'a', uname: 'two' },
  ],
  'times in compiled modules': [module(1, 'x'), module(2, 'x')],
};

test.each(Object.entries(noise))(
  '%s are left out where noise is, and else they count',
  async (_, [one, other]) => {
    expect(await traitsOf([one], true)).toEqual(await traitsOf([other], true));
    expect(await traitsOf([one], false)).not.toEqual(await traitsOf([other], false));
  },
);

const changes: Readonly<Record<string, readonly [EntrySpec, EntrySpec]>> = {
  owners: [
    { name: 'a', uid: 1 },
    { name: 'a', uid: 2 },
  ],
  modes: [
    { name: 'a', mode: 0o600 },
    { name: 'a', mode: 0o644 },
  ],
  contents: [
    { name: 'a', body: Buffer.from('x') },
    { name: 'a', body: Buffer.from('y') },
  ],
  'compiled code': [module(1, 'x'), module(1, 'y')],
  'times in files of other names': [
    { ...module(1, 'x'), name: 'a.bin' },
    { ...module(2, 'x'), name: 'a.bin' },
  ],
};

test.each(Object.entries(changes))('%s count in any case', async (_, [one, other]) => {
  expect(await traitsOf([one], true)).not.toEqual(await traitsOf([other], true));
});
