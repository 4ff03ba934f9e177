/**
 * The target of the tar reader. Readers of the program agree with each other and with the model, however the bytes
 * are cut into chunks.
 */
import { EntryActions } from '../../src/changeset/entry-actions.ts';
import type { LayerEdit } from '../../src/changeset/edit.ts';
import type { LayerIndex } from '../../src/changeset/layer-index.ts';
import { digestTar } from '../../src/layers/read/digest-tar.ts';
import { editTar } from '../../src/layers/edit/edit-tar.ts';
import { Gatherer } from '../../src/layers/read/gather.ts';
import { scanTar } from '../../src/layers/read/scan-tar.ts';
import { packIndex, unpackIndex } from '../../src/layers/read/stored-index.ts';
import { contentProbe } from '../../src/closure/close-image.ts';
import type { ByteStream } from '../../src/stream/byte-stream.ts';
import { concat } from '../../src/stream/collect.ts';
import { padded, TarReader } from '../../src/tar/reader.ts';
import { readTar } from '../../test/support/model/tar-reader.ts';
import { choiceOf, holds, inChunks, isSame, type Outcome, outcomeOf, type Target } from '../target.ts';
import { mendTar, tarMutators } from '../tar-mutators.ts';
import { tarSeeds } from '../tar-seeds.ts';
import { KiB, MiB } from '../../src/units.ts';

const whole = MiB;

function summaryOf(index: LayerIndex): unknown {
  const {
    kinds,
    paths,
    bytes,
    sizes,
    modes,
    uids,
    gids,
    mtimes,
    lengths,
    targets,
    symlinks,
    capable,
    tarBytes,
    end,
  } = index;
  const heads = kinds.map((kind, i) =>
    ['directory', 'link', 'whiteout', 'opaque'].includes(kind)
      ? Buffer.from(index.head(i)).toString('base64')
      : '',
  );
  const columns = [bytes, sizes, modes, uids, gids, mtimes].map((column) => [...column]);
  return [
    kinds,
    paths,
    columns,
    [...lengths],
    [...targets],
    [...symlinks],
    [...capable],
    heads,
    tarBytes,
    end,
  ];
}

/** Reads everything: entries with their bytes. */
async function walk(stream: ByteStream) {
  const reader = new TarReader(stream);
  const entries = [];
  for (let entry = await reader.next(); entry !== null; entry = await reader.next()) {
    const { head, ...rest } = entry;
    const parts = [];
    for await (const part of reader.body()) parts.push(part.slice());
    entries.push({ ...rest, head: head.slice(), body: concat(parts) });
  }
  return { entries, end: reader.end, offset: reader.offset };
}

async function keepAll(bytes: Uint8Array, entries: number, chunk: number): Promise<Uint8Array> {
  const actions = new EntryActions();
  for (let i = 0; i < entries; i++) actions.set(i, { kind: 'keep' });
  const edit: LayerEdit = {
    before: [],
    sources: [{ layer: 1, actions }],
    order: null,
    links: 0,
    after: [],
    linkNames: [],
    tarBytes: 0,
    entries,
  };
  const parts = [];
  for await (const part of editTar(edit, () => inChunks(bytes, chunk))) parts.push(part.slice());
  return concat(parts);
}

function hasSameVerdict(a: Outcome<unknown>, b: Outcome<unknown>): boolean {
  return a.kind === 'refused' ? isSame(a, b) : b.kind === 'accepted';
}

/**
 * Checks against the model of the tests. It reads more than it should in places; where the program reads something,
 * the model reads the same.
 */
function checkModel(bytes: Uint8Array, { entries }: Awaited<ReturnType<typeof walk>>): void {
  let model;
  try {
    model = readTar(bytes);
  } catch {
    return;
  }
  holds(model.length === entries.length, 'the model of the tests reads another number of entries');
  for (const [i, entry] of entries.entries()) {
    const other = model[i];
    holds(
      other !== undefined && Buffer.compare(other.head, entry.head) === 0,
      `entry ${i + 1} has another head in the model`,
    );
    const kind = other.type === 'dir' ? 'directory' : other.type;
    holds(kind === entry.kind, `entry ${i + 1} is of another kind in the model`);
    holds(other.body.length === entry.size, `entry ${i + 1} has another size in the model`);
  }
}

export const target: Target = {
  name: 'tar',
  invariant:
    'the entries cover the stream exactly; scan, edit and digest agree with the reader, in whatever chunks the bytes come; what is kept is kept byte for byte',
  seeds: tarSeeds,
  dictionary: [],
  mutators: tarMutators,
  mend: mendTar,
  maxBytes: 48 * KiB,
  run: async (bytes) => {
    const chunk = 1 + (choiceOf(bytes) % 1500);
    const read = await outcomeOf(() => walk(inChunks(bytes, whole)));
    const again = await outcomeOf(() => walk(inChunks(bytes, chunk)));
    holds(isSame(read, again), 'the chunks change what is read');
    const scan = await outcomeOf(() => scanTar(inChunks(bytes, chunk)));
    const scanned = await outcomeOf(() => scanTar(inChunks(bytes, whole)));
    holds(hasSameVerdict(scan, scanned), 'the chunks change the verdict of the scan');
    const gatherer = new Gatherer({ probe: contentProbe, digests: true, twins: true });
    const gathered = await outcomeOf(() => scanTar(inChunks(bytes, chunk), gatherer));
    const digested = await outcomeOf(() => digestTar(inChunks(bytes, chunk)));
    if (read.kind === 'refused') {
      // A name that means nothing may be noticed before another fault of the tar.
      for (const other of [scan, gathered, digested])
        holds(other.kind === 'refused', 'one reader accepts what another refuses');
      return;
    }
    const { entries, offset } = read.value;
    holds(offset === bytes.length, 'the reader stopped before the end');
    const covered = concat(entries.flatMap(({ head, body }) => [head, body]));
    const length = Math.min(covered.length, bytes.length);
    holds(
      Buffer.compare(covered.subarray(0, length), bytes.subarray(0, length)) === 0 &&
        covered.subarray(length).every((byte) => byte === 0),
      'the entries are not the bytes of the tar',
    );
    for (const { size, body } of entries)
      holds(body.length === padded(size), 'a body is not as long as its size and padding');
    checkModel(bytes, read.value);
    if (scan.kind === 'refused') {
      holds(gathered.kind === 'refused', 'a scan that gathers accepts what another refuses');
      return;
    }
    const index = summaryOf(scan.value);
    holds(
      scanned.kind === 'accepted' && isSame(index, summaryOf(scanned.value)),
      'the chunks change the index',
    );
    if (gathered.kind === 'accepted')
      holds(isSame(index, summaryOf(gathered.value)), 'gathering changes the index');
    if (digested.kind === 'accepted')
      holds(isSame(index, summaryOf(digested.value.index)), 'the digests come with another index');
    const packed = packIndex(scan.value);
    const stored = packed === null ? null : unpackIndex(packed);
    holds(stored !== null && isSame(index, summaryOf(stored)), 'the stored index is another one');
    const edited = await keepAll(bytes, entries.length, chunk);
    holds(
      Buffer.compare(edited, Buffer.concat([covered, new Uint8Array(1024)])) === 0,
      'an edit that keeps everything changes bytes',
    );
  },
};
