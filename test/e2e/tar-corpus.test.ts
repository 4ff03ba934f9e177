import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chmodHead, linkHead, relinkHead, renameHead, tarEnd } from '../../src/tar/head.ts';
import { readAttributes } from '../../src/tar/attributes.ts';
import { TarReader } from '../../src/tar/reader.ts';
import { tarCases } from '../support/corpus/all-cases.ts';
import { readByUs, type ReadEntry, type Reading } from '../support/corpus/reading.ts';
import { headersIn, mutate, seal } from '../support/corpus/tar-mutations.ts';
import { buildGoTar, type GoReading, readByGo } from '../support/e2e/go-tar.ts';
import { removeFolder, run, workFolder } from '../support/e2e/programs.ts';
import { runs, seed } from '../support/extent.ts';
import { concat } from '../support/model/byte-string.ts';
import { b } from '../support/bytes.ts';

// Docker, containerd, podman and umoci read layers with Go's archive/tar. ocislim must read each tar as Go does, or
// refuse it.
const goData = '/usr/share/go-1.19/src/archive/tar/testdata';
const pythonData = '/usr/lib/python3.11/test';

type Named = { readonly name: string; readonly tar: Uint8Array };

let work: string;
let program: string;
let foreign: readonly Named[];

beforeAll(async () => {
  work = workFolder('tar');
  program = await buildGoTar(work);
  const packed = join(goData, 'pax-bad-hdr-large.tar.bz2');
  const unpacked = join(work, 'pax-bad-hdr-large.tar');
  const unpack = 'import bz2, sys; sys.stdout.buffer.write(bz2.open(sys.argv[1]).read())';
  await run('/usr/bin/python3', ['-c', unpack, packed], { output: unpacked });
  const paths = [
    ...readdirSync(goData)
      .filter((name) => name.endsWith('.tar'))
      .map((name) => join(goData, name)),
    unpacked,
    join(pythonData, 'testtar.tar'),
    join(pythonData, 'recursion.tar'),
  ];
  foreign = paths.map((path) => ({
    name: path.slice(path.lastIndexOf('/') + 1),
    tar: new Uint8Array(readFileSync(path)),
  }));
});

afterAll(() => removeFolder(work));

type Verdict = 'agree' | 'both refuse' | 'only we refuse' | 'DIFFER' | 'ONLY GO REFUSES';

function compare(ours: Reading, go: GoReading): Verdict {
  if (ours.is === 'refused') return go.error === '' ? 'only we refuse' : 'both refuse';
  if (go.error !== '') return 'ONLY GO REFUSES';
  // Our reading of whiteouts and markers has no path.
  const entries = go.entries.map((entry, i) =>
    entry !== 'unknown' && ours.entries[i]?.path === null ? { ...entry, path: null, target: null } : entry,
  );
  return JSON.stringify(entries) === JSON.stringify(ours.entries) ? 'agree' : 'DIFFER';
}

/**
 * The reasons for which ocislim refuses what Go reads: names that no file can have, and what programs read
 * differently.
 */
const strictness: readonly RegExp[] = [
  // Names: runtimes refuse them, or put something outside of the root filesystem.
  /^the name .* leaves its directory with "\.\."$/s,
  /^the hard link .* has no target$/s,
  /^an entry that is not a directory stands for the root/,
  /^a file name holds a NUL byte$/,
  /^the whiteout .* names nothing$/s,
  /lies below a whiteout, which is not a directory$/,
  // No runtime can make a path of this length either.
  /^the (?:name|link target) of entry \d+ is too long: /,
  // Types that Docker, containerd and umoci refuse to unpack.
  /^a tar entry has the unknown type /,
  // Go leaves out global records; GNU tar and bsdtar apply them.
  /^a global tar header sets .* for all entries after it, which programs read in different ways$/s,
  // Go ignores these.
  /^a tar extended header stands before a global one$/,
  /^a tar extended header belongs to no entry$/,
  /^a tar ends in the middle of a header$/,
  // Numbers beyond 2^53, with a plus, or negative where they do not count: no program writes them.
  /^a tar header has an unreadable (?:mode|owner|group|time|device number|access time|change time|size)$/,
  /^a tar header states a negative size$/,
  /^a tar extended header has an unreadable (?:size|uid|sparse map)$/,
  /^a tar extended header has a malformed record$/,
  /^a sparse file in a tar has an unreadable map$/,
  // A gzip bomb of a sparse map: Go from 1.25.2 on has this limit, too.
  /^a sparse map is longer than 1 MiB$/,
];

interface Judged extends Named {
  readonly verdict: Verdict;
  readonly ours: Reading;
}

async function judge(inputs: readonly Named[]): Promise<Judged[]> {
  const readings = await readByGo(
    program,
    inputs.map(({ tar }) => tar),
  );
  const judged: Judged[] = [];
  for (const [i, input] of inputs.entries()) {
    const ours = await readByUs(input.tar);
    judged.push({ ...input, ours, verdict: compare(ours, readings[i] as GoReading) });
  }
  return judged;
}

function countVerdicts(judged: readonly Judged[]): Readonly<Record<Verdict, number>> {
  const counts = { agree: 0, 'both refuse': 0, 'only we refuse': 0, DIFFER: 0, 'ONLY GO REFUSES': 0 };
  for (const { verdict } of judged) counts[verdict]++;
  return counts;
}

/**
 * Asserts that each tar is read alike or refused by ocislim with a code. Where Go refuses nothing, the reason must
 * be a known one.
 */
function expectAgreement(judged: readonly Judged[]): void {
  const wrong = judged.filter(({ verdict }) => verdict === 'DIFFER' || verdict === 'ONLY GO REFUSES');
  expect(wrong.map(({ name, verdict }) => `${verdict}: ${name}`)).toEqual([]);
  for (const { name, verdict, ours } of judged) {
    if (ours.is === 'read') continue;
    expect(['TAR_INVALID', 'LAYER_INVALID', 'LIMIT'], name).toContain(ours.code);
    if (verdict === 'only we refuse')
      expect(
        strictness.some((reason) => reason.test(ours.message)),
        `${name}: ${ours.message}`,
      ).toBe(true);
  }
}

describe('Go’s reader', () => {
  test('reads its own tars and Python’s as we do, or we refuse them', async () => {
    const judged = await judge(foreign);
    expectAgreement(judged);
    const names = (wanted: Verdict) =>
      judged.filter(({ verdict }) => verdict === wanted).map(({ name }) => name);
    expect(names('only we refuse').sort()).toEqual([
      // The list of a directory (D).
      'gnu-incremental.tar',
      // Global headers that set paths.
      'pax-global-records.tar',
      // A PAX header and no entry.
      'pax-path-hdr.tar',
      // A Solaris header (X).
      'testtar.tar',
    ]);
    expect(names('both refuse').sort()).toEqual([
      'issue10968.tar',
      'issue11169.tar',
      'issue12435.tar',
      'neg-size.tar',
      'pax-bad-hdr-file.tar',
      'pax-bad-hdr-large.tar',
      'pax-bad-mtime-file.tar',
      'pax-nul-path.tar',
      'pax-nul-xattrs.tar',
      // A header without a checksum.
      'recursion.tar',
      // Headers of files whose 16 GiB are not there.
      'writer-big-long.tar',
      'writer-big.tar',
    ]);
    expect(countVerdicts(judged).agree).toBe(29);
  });

  test('reads Python’s tar to its end as we do, once Solaris and global headers are plain ones', async () => {
    const { tar } = foreign.find(({ name }) => name === 'testtar.tar') as Named;
    const [judged] = await judge([{ name: 'X and g as x', tar: retype(retype(tar, 'X', 'x'), 'g', 'x') }]);
    expect(judged?.verdict).toBe('agree');
    expect(judged?.ours.is === 'read' ? judged.ours.entries.length : 0).toBeGreaterThan(30);
  });

  test('has the verdict that each made case states, and the same reading', async () => {
    const judged = await judge(tarCases);
    expectAgreement(judged);
    expect(judged.filter(({ verdict }, i) => verdict !== expectedVerdict(i)).map(({ name }) => name)).toEqual(
      [],
    );
  });

  test('agrees on what is left of tars after changes in their headers, or we refuse it', async () => {
    const bases = [...tarCases, ...foreign].map(({ tar }) => tar).filter((tar) => tar.length < 40_000);
    const count = runs(2000, 12_000);
    const inputs = mutate(bases, count, seed).map((tar, i) => ({ name: `mutation ${i}`, tar }));
    const judged = await judge(inputs);
    expectAgreement(judged);
    const { agree, 'only we refuse': strict, 'both refuse': both } = countVerdicts(judged);
    // Most mutations leave something to read, and our strictness is the exception.
    expect(agree).toBeGreaterThan(count / 6);
    expect(both).toBeGreaterThan(count / 6);
    expect(strict).toBeLessThan(agree / 2);
  });

  test('agrees on a tar cut off at each byte of its headers', async () => {
    const whole = concat([
      ...tarCases.flatMap(({ name, tar }) =>
        ['a long link name and a PAX one', 'a sparse file, 1.0', 'a global header of a comment'].includes(
          name,
        )
          ? [tar.subarray(0, tar.length - 1024)]
          : [],
      ),
      new Uint8Array(1024),
    ]);
    const cuts = Array.from({ length: whole.length + 1 }, (_, i) => ({
      name: `cut at ${i}`,
      tar: whole.slice(0, i),
    }));
    const judged = await judge(cuts);
    expectAgreement(judged);
    expect(judged.at(-1)?.verdict).toBe('agree');
  });
});

/** Returns the tar with headers of one type changed into another. */
function retype(tar: Uint8Array, from: string, to: string): Uint8Array {
  const out = tar.slice();
  for (const at of headersIn(tar)) {
    if (out[at + 156] !== from.charCodeAt(0)) continue;
    out[at + 156] = to.charCodeAt(0);
    seal(out.subarray(at, at + 512));
  }
  return out;
}

function expectedVerdict(at: number): Verdict {
  const made = tarCases[at];
  if (made?.verdict === 'read') return 'agree';
  return made?.go === 'reads' ? 'only we refuse' : 'both refuse';
}

interface Edited {
  readonly tar: Uint8Array;
  readonly expected: ReadEntry;
}

const names = ['new', `${'n'.repeat(90)}/${'m'.repeat(90)}`, 'x'.repeat(300), 'n\xe9w\xff'];

/** Returns every entry of a tar with its head edited in each way, and what Go must read then. */
async function editAll(tar: Uint8Array, entries: readonly ReadEntry[]): Promise<Edited[]> {
  async function* stream(): AsyncGenerator<Uint8Array> {
    yield tar;
  }
  const reader = new TarReader(stream());
  const edited: Edited[] = [];
  for (let entry = await reader.next(), i = 0; entry !== null; entry = await reader.next(), i++) {
    const { kind, head } = entry;
    const before = entries[i];
    if (before === undefined || kind === 'global') continue;
    const chunks: Uint8Array[] = [];
    for await (const chunk of reader.body()) chunks.push(chunk);
    const add = (made: Uint8Array, after: Partial<ReadEntry>, body = concat(chunks)) =>
      edited.push({ tar: concat([made, body, tarEnd]), expected: { ...before, ...after } });
    add(chmodHead(head, 0o4751), { mode: String(0o4751) });
    for (const name of names) {
      if (kind === 'file') add(renameHead(head, b(name)), { name, path: `/${name}` });
      if (kind === 'link') add(relinkHead(head, b(name)), { link: name, target: `/${name}` });
      if (kind === 'file' && readAttributes(entry).sparse === null)
        add(
          linkHead(head, b(name)),
          { kind: 'link', link: name, target: `/${name}`, content: '' },
          new Uint8Array(),
        );
    }
  }
  return edited;
}

test('heads that we edit say to Go what they should, and all else as before', async () => {
  const bases = [...tarCases, ...foreign].map(({ tar }) => tar).filter((tar) => tar.length < 40_000);
  const edited: Edited[] = [];
  const count = runs(700, 4000);
  for (const tar of [...bases, ...mutate(bases, count, seed + 1)]) {
    const ours = await readByUs(tar);
    if (ours.is === 'read') edited.push(...(await editAll(tar, ours.entries)));
  }
  const readings = await readByGo(
    program,
    edited.map(({ tar }) => tar),
  );
  const wrong = edited.flatMap((one, i) => {
    const { path, ...expected } = one.expected;
    const { entries, error } = readings[i] as GoReading;
    const [found, ...more] = entries;
    if (error === '' && found !== undefined && found !== 'unknown' && more.length === 0) {
      const { path: seen, ...rest } = found;
      if (JSON.stringify(rest) === JSON.stringify(expected) && (path === null || path === seen)) return [];
    }
    return [{ error, entries, expected }];
  });
  expect(wrong.slice(0, 3)).toEqual([]);
  expect(edited.length).toBeGreaterThan(count * 1.25);
});
