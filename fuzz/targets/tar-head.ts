/**
 * The target of edited tar heads. A head with another name, target or mode says that, and everything else as
 * before.
 */
import { readAttributes } from '../../src/tar/attributes.ts';
import type { TarEntry } from '../../src/tar/entry.ts';
import { chmodHead, linkHead, relinkHead, renameHead, tarEnd } from '../../src/tar/head.ts';
import { encodePax, parsePax } from '../../src/tar/pax.ts';
import { TarReader } from '../../src/tar/reader.ts';
import {
  choiceOf,
  holds,
  inChunks,
  isSame,
  neverThrows,
  outcomeNow,
  outcomeOf,
  same,
  type Target,
} from '../target.ts';
import { mendTar, tarMutators } from '../tar-mutators.ts';
import { tarSeeds } from '../tar-seeds.ts';
import { MiB } from '../../src/units.ts';
import { b } from '../../test/support/bytes.ts';

const names = ['n', 'dir/name', 'x'.repeat(100), `${'d'.repeat(120)}/${'n'.repeat(120)}`, '\xff\xfe'];

/** An entry with its stored bytes, padding included: readers look into the maps of sparse files. */
interface WholeEntry extends TarEntry {
  readonly body: Uint8Array;
}

async function entriesOf(bytes: Uint8Array): Promise<WholeEntry[]> {
  const reader = new TarReader(inChunks(bytes, MiB));
  const entries: WholeEntry[] = [];
  for (let entry = await reader.next(); entry !== null; entry = await reader.next()) {
    const parts = [];
    for await (const part of reader.body()) parts.push(part);
    entries.push({ ...entry, body: Buffer.concat(parts) });
  }
  return entries;
}

/** Reads an edited head. */
async function reread(
  what: string,
  entry: WholeEntry,
  edit: () => Uint8Array,
  body = entry.body,
): Promise<TarEntry> {
  const head = neverThrows(what, edit);
  const outcome = await outcomeOf(() => entriesOf(Buffer.concat([head, body, tarEnd])));
  holds(outcome.kind === 'accepted', `${what}: the head cannot be read any more: ${JSON.stringify(outcome)}`);
  const [found, ...more] = outcome.value;
  holds(found !== undefined && more.length === 0, `${what}: another number of entries`);
  holds(Buffer.compare(found.head, head) === 0, `${what}: another head`);
  return found;
}

function textOf(entry: TarEntry): unknown {
  const { kind, name, link, mode, uid, size, capable } = entry;
  const outcome = outcomeNow(() => readAttributes(entry));
  const attributes =
    outcome.kind === 'refused'
      ? outcome
      : {
          ...outcome.value,
          records: [...outcome.value.records],
          sparse: outcome.value.sparse === null ? null : { ...outcome.value.sparse, name: null },
        };
  return { kind, name, link, mode, uid, size, capable, attributes };
}

async function check(entry: WholeEntry, name: string): Promise<void> {
  const before = textOf(entry) as { readonly attributes: object };
  // Directories are never renamed: in V7 headers only the slash at the end of the name marks them.
  if (entry.kind !== 'directory') {
    const renamed = await reread('rename', entry, () => renameHead(entry.head, b(name)));
    same(textOf(renamed), { ...before, name }, 'a rename changes more than the name');
  }
  const changed = await reread('chmod', entry, () => chmodHead(entry.head, 0o1750));
  const { attributes } = before;
  same(
    textOf(changed),
    {
      ...before,
      mode: 0o1750,
      attributes: 'mode' in attributes ? { ...attributes, mode: 0o1750 } : attributes,
    },
    'a chmod changes more than the mode',
  );
  if (entry.kind === 'link') {
    const relinked = await reread('relink', entry, () => relinkHead(entry.head, b(name)));
    same(textOf(relinked), { ...before, link: name }, 'a relink changes more than the target');
  }
  if (entry.kind === 'file' && 'sparse' in attributes && attributes.sparse === null) {
    const linked = await reread('link', entry, () => linkHead(entry.head, b(name)), new Uint8Array(0));
    const wanted = { ...before, kind: 'link', link: name, size: 0 };
    same(textOf(linked), wanted, 'a file made a link changes more than that');
  }
}

export const target: Target = {
  name: 'tar-head',
  invariant:
    'a head that can be read can be edited, and then says the same but for what was changed; PAX records survive writing',
  seeds: tarSeeds,
  dictionary: [],
  mutators: tarMutators,
  mend: mendTar,
  run: async (bytes) => {
    const records = outcomeNow(() => parsePax(bytes));
    if (records.kind === 'accepted')
      holds(
        isSame(parsePax(encodePax(records.value)), records.value),
        'PAX records change when they are written',
      );
    const choice = choiceOf(bytes);
    const entries = await entriesOf(bytes);
    for (const entry of entries.slice(0, 8))
      if (entry.kind !== 'global') await check(entry, names[choice % names.length] as string);
  },
};
