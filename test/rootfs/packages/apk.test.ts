import { describe, expect, it } from 'vitest';
import { apk } from '../../../src/rootfs/packages/apk.ts';
import { packagesIn } from './rig.ts';

const musl = [
  'C:Q1nBgmr9QoGjCdYXGQpLgF7tGvNb0=',
  'P:musl',
  'V:1.2.5-r9',
  'A:x86_64',
  'S:411904',
  'T:the musl c library (libc) implementation',
  'F:lib',
  'R:libc.musl-x86_64.so.1',
  'a:0:0:777',
  'Z:Q17yJ3JFNypA4mxhJJr0ou6CzsJVI=',
  'R:ld-musl-x86_64.so.1',
  'a:0:0:755',
  'F:etc',
  'R:gone',
].join('\n');
const base = 'P:alpine-baselayout\nV:3.6\nF:\nR:top\nF:var/empty\nM:0:0:555\nF:usr/local\nR:two words\n';

describe.each(['lib/apk/db/installed', 'usr/lib/apk/db/installed'])('the database of apk, %s', (place) => {
  it('has a stanza for each package', async () => {
    const found = await packagesIn(apk, {
      [place]: `${musl}\n\n${base}\n\n`,
      'usr/lib/ld-musl-x86_64.so.1': 'x',
      'usr/lib/libc.musl-x86_64.so.1': { link: 'ld-musl-x86_64.so.1' },
      top: 'x',
      'usr/local/two words': 'x',
      'var/empty/x': 'x',
      ...(place.startsWith('lib/') ? { 'lib/libc.musl-x86_64.so.1': 'x' } : { lib: { link: 'usr/lib' } }),
    });
    expect(found).toEqual([
      'apk alpine-baselayout 3.6: top usr/local/two words',
      place.startsWith('lib/')
        ? 'apk musl 1.2.5-r9: lib/libc.musl-x86_64.so.1'
        : 'apk musl 1.2.5-r9: usr/lib/ld-musl-x86_64.so.1 usr/lib/libc.musl-x86_64.so.1',
    ]);
  });
});
