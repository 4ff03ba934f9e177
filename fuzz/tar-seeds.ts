import { gunzipSync } from 'node:zlib';
import { GNU_TAR_SAMPLES } from '../test/support/model/gnu-tar-samples.ts';
import { specOf } from '../test/support/model/shorthand.ts';
import { type EntrySpec, type TarEnd, writeTar } from '../test/support/model/tar-bytes.ts';
import { smallTars } from '../test/support/small-image.ts';

const bytes = Buffer.from('contents of a file\n');
const long = `${'d'.repeat(90)}/${'n'.repeat(90)}`;
const sparse = { size: 9000, map: [[512, bytes.length]] as const };

/** Entries of every kind, in every form. */
const entries: readonly (readonly EntrySpec[])[] = [
  ['a', './b=text', 'd/', 'd/link->b', 'd/sym~>../b', '|fifo', 'd/.wh.gone', 'd/.wh..wh..opq'].map(specOf),
  [{ name: 'v7', body: bytes, format: 'v7' }],
  [{ name: long, body: bytes, format: 'ustar' }],
  [{ name: `${long}/${long}`, type: 'symlink', linkname: long, format: 'gnu' }],
  [
    {
      name: 'n'.repeat(130),
      body: bytes,
      uid: 3_000_000_000,
      mtime: '1700000000.5',
      xattrs: { 'user.a': 'b' },
    },
  ],
  [
    {
      name: 'all',
      body: bytes,
      uid: 1000,
      uname: 'app',
      format: 'pax-all',
      xattrs: { 'security.capability': '\x01\0\0\x02' },
    },
  ],
  [{ name: 'sparse', body: bytes, sparse: { format: 'gnu', ...sparse }, format: 'gnu' }],
  [{ name: 'sparse', body: bytes, sparse: { format: '0.0', ...sparse } }],
  [{ name: 'sparse', body: bytes, sparse: { format: '0.1', ...sparse } }],
  [{ name: 'sparse', body: bytes, sparse: { format: '1.0', ...sparse } }],
  [
    { name: 'null', type: 'char', devmajor: 1, devminor: 3 },
    { name: 'global', type: 'global', pax: [['comment', 'hello']] },
    'after=1',
  ].map((each) => specOf(each as EntrySpec)),
];

const ends: readonly TarEnd[] = ['blocks', 'none', 'one-block', 'untidy', 'record'];

/** Returns small tars of every kind: those of the tests, and what GNU tar writes. */
export function tarSeeds(): readonly Uint8Array[] {
  return [
    ...entries.map((each) => writeTar(each)),
    ...ends.map((end) => writeTar(entries[0] ?? [], end)),
    ...smallTars.filter(({ length }) => length < 32_768),
    ...Object.values(GNU_TAR_SAMPLES).map(
      (sample) => new Uint8Array(gunzipSync(Buffer.from(sample, 'base64'))),
    ),
  ];
}
