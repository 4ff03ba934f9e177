/** The target of PAX records. The parser agrees with a plain reading of Go's rules. */
import { readAttributes } from '../../src/tar/attributes.ts';
import type { TarEntry } from '../../src/tar/entry.ts';
import { chmodHead, renameHead } from '../../src/tar/head.ts';
import { encodePax, paxValue, parsePax } from '../../src/tar/pax.ts';
import { TarReader } from '../../src/tar/reader.ts';
import { headerBlock, octal, padded, paxRecord } from '../../test/support/model/tar-bytes.ts';
import type { Mutator } from '../mutate.ts';
import { holds, inChunks, outcomeOf, same, type Target } from '../target.ts';
import { MiB } from '../../src/units.ts';
import { b } from '../../test/support/bytes.ts';

/** Returns a tar with the records before a file of one block, a link, or a directory. */
function tarOf(records: Uint8Array, typeflag: string): Uint8Array {
  return Buffer.concat([
    headerBlock({ name: 'PaxHeaders.0/x', typeflag: 'x', size: octal(records.length, 12) }),
    padded(records),
    headerBlock({ name: 'name', linkname: 'target', typeflag, size: octal(typeflag === '0' ? 100 : 0, 12) }),
    new Uint8Array(512),
    new Uint8Array(1024),
  ]);
}

async function firstOf(tar: Uint8Array): Promise<TarEntry | null> {
  return new TarReader(inChunks(tar, MiB)).next();
}

/**
 * Parses a list of records as Go's archive/tar does: nothing but whole records, `LENGTH KEY=VALUE\n`. Null where Go
 * refuses.
 */
function plainly(text: string): [string, string][] | null {
  const records: [string, string][] = [];
  for (let rest = text; rest !== ''; ) {
    const digits = /^([1-9][0-9]*) /.exec(rest)?.[1];
    const record = rest.slice(0, Number(digits ?? 0));
    const [, key = '', value = ''] = /^[0-9]+ ([^=]+)=([^]*)\n$/.exec(record) ?? [];
    if (digits === undefined || record.length !== Number(digits) || key === '') return null;
    const isName = ['path', 'linkpath', 'uname', 'gname'].includes(key);
    if (key.includes('\0') || (isName && value.includes('\0'))) return null;
    records.push([key, value]);
    rest = rest.slice(record.length);
  }
  return records;
}

const names = [
  'path',
  'linkpath',
  'size',
  'uid',
  'gid',
  'uname',
  'gname',
  'mtime',
  'atime',
  'comment',
  'SCHILY.xattr.user.a',
  'SCHILY.xattr.security.capability',
  'GNU.sparse.major',
  'GNU.sparse.minor',
  'GNU.sparse.name',
  'GNU.sparse.realsize',
  'GNU.sparse.map',
  'GNU.sparse.numblocks',
  'GNU.sparse.size',
  'GNU.sparse.offset',
  'GNU.sparse.numbytes',
  '',
];
const values = [
  '',
  '0',
  '100',
  '512',
  '-1',
  '+1',
  '007',
  '1.5',
  '-0.000',
  '.5',
  '1e3',
  '0x10',
  ' 1',
  '9'.repeat(22),
  '0,1',
  '0,50,100,50',
  'a/b',
  '../x',
  'x\0y',
  '\n',
  '=',
  '\xff\xfe',
  'n'.repeat(300),
];

const addRecord: Mutator = (bytes, random) => {
  const record = Buffer.from(paxRecord(random.pick(names), random.pick(values)), 'latin1');
  return random.once(2) ? Buffer.concat([bytes, record]) : Buffer.concat([record, bytes]);
};

/** Corrects the lengths after other mutations. */
const mend: Mutator = (bytes) => {
  const lines = Buffer.from(bytes).toString('latin1').split('\n').slice(0, -1);
  const records = lines.map((line) => {
    const [, key = '', value = ''] = /^(?:[0-9]* )?([^=]*)=?([^]*)$/.exec(line) ?? [];
    return paxRecord(key, value);
  });
  return Buffer.from(records.join(''), 'latin1');
};

export const target: Target = {
  name: 'pax',
  invariant:
    'records are those that a plain reader finds, survive being written, and say of an entry what its attributes say; no edit loses one',
  seeds: () =>
    [
      [
        ['path', 'a/b'],
        ['mtime', '1700000000.5'],
        ['uid', '3000000000'],
      ],
      [
        ['SCHILY.xattr.security.capability', '\x01\0\0\x02\n='],
        ['size', '512'],
      ],
      [
        ['GNU.sparse.major', '1'],
        ['GNU.sparse.minor', '0'],
        ['GNU.sparse.name', 'sparse'],
        ['GNU.sparse.realsize', '9000'],
      ],
      [
        ['GNU.sparse.size', '9000'],
        ['GNU.sparse.numblocks', '1'],
        ['GNU.sparse.map', '0,100'],
      ],
      [
        ['comment', 'x'.repeat(95)],
        ['linkpath', 'elsewhere'],
      ],
    ].map((records) =>
      Buffer.from(records.map(([key = '', value = '']) => paxRecord(key, value)).join(''), 'latin1'),
    ),
  dictionary: [...names.map((name) => `${name}=`), '\n', ' ', '=', '\0', '10 a=b\n', '99 '],
  mutators: [addRecord, addRecord],
  mend,
  maxBytes: 4096,
  run: async (bytes) => {
    const records = await outcomeOf(() => parsePax(bytes));
    const plain = plainly(Buffer.from(bytes).toString('latin1'));
    same(
      records.kind === 'accepted' ? records.value : null,
      plain,
      'not the records that a plain reader finds',
    );
    if (records.kind === 'refused') {
      for (const type of ['0', '1', '5'])
        holds(
          (await outcomeOf(() => firstOf(tarOf(bytes, type)))).kind === 'refused',
          'read with records that are refused',
        );
      return;
    }
    same(parsePax(encodePax(records.value)), records.value, 'written and read again they are others');
    for (const type of ['0', '1', '5']) {
      const outcome = await outcomeOf(() => firstOf(tarOf(bytes, type)));
      if (outcome.kind === 'refused' || outcome.value === null) continue;
      const entry = outcome.value;
      const attributes = await outcomeOf(() => readAttributes(entry));
      if (attributes.kind === 'accepted')
        holds(
          attributes.value.uid === String(entry.uid) || !Number.isSafeInteger(Number(attributes.value.uid)),
          'two owners of one entry',
        );
      holds(entry.kind === 'directory' || entry.name !== '', 'an entry without a name');
      const others = (head: Uint8Array) =>
        parsePax(
          head.subarray(512, 512 + parseInt(Buffer.from(head.subarray(124, 135)).toString(), 8)),
        ).filter(([key]) => !['path', 'GNU.sparse.name'].includes(key));
      for (const head of [chmodHead(entry.head, 0o700), renameHead(entry.head, b('n'.repeat(120)))]) {
        const kept = head[156] === 0x78 ? others(head) : [];
        same(kept, others(entry.head), 'an edit loses a record');
        const value = paxValue(kept, 'mtime');
        holds(value === paxValue(records.value, 'mtime'), 'an edit changes a record');
      }
    }
  },
};
