import { OcislimError } from '../../errors.ts';
import { createKeepMatcher, parseRule } from '../../rules/rules.ts';
import type { ByteString } from '../../bytes/bytes.ts';
import type { AnnouncedPlatforms } from './announcement-schema.ts';
import { readText } from '../options/selections.ts';

/** What the second image may lack or have changed: what `verify` asks of each path. */
export interface Announcement {
  readonly allowed: (path: ByteString) => boolean;
  readonly allowedModes: (path: ByteString, from: number, to: number) => boolean;
  /** Of a file that was made a hard link, or that others were made links to: the name that stands for all of them. */
  readonly allowedLinks: (path: ByteString) => ByteString | null;
}

/** Globs of what may be missing in a pruned image, and what reports of `prune` name, with all below removed paths. @throws USAGE */
export async function announcedBy(globs: readonly string[], files: readonly string[]): Promise<Announcement> {
  const matches = createKeepMatcher(globs.map((glob) => parseRule(glob, '--except')));
  const removed = new Set<ByteString>();
  const cleared = new Set<string>();
  const linked = new Map<ByteString, ByteString>();
  for (const file of files) {
    for (const { slimming } of await readReport(file)) {
      for (const entry of slimming?.removed ?? []) {
        // A shadowed entry was not to be seen before either: its path is not allowed to go.
        if (entry.type !== 'whiteout' && entry.rule !== 'shadowed') removed.add(pathOf(entry));
      }
      for (const { to, toBase64, ...link } of slimming?.linked?.links ?? []) {
        const target = pathOf({ path: to, pathBase64: toBase64 });
        linked.set(target, target);
        linked.set(pathOf(link), target);
      }
      for (const { oldMode, newMode, ...entry } of slimming?.cleared ?? [])
        cleared.add(modeChange(pathOf(entry), Number.parseInt(oldMode, 8), Number.parseInt(newMode, 8)));
    }
  }
  // By directory, since a look at each one above each path costs the square of its depth.
  const known = new Map<ByteString, boolean>();
  const covered = (path: ByteString): boolean => {
    if (removed.size === 0) return false;
    const open: ByteString[] = [];
    let found: boolean | undefined;
    for (let at = path; found === undefined; at = at.slice(0, Math.max(at.lastIndexOf('/'), 0))) {
      found = at !== '' && removed.has(at) ? true : at === '' ? false : known.get(at);
      if (found === undefined) open.push(at);
    }
    for (const at of open) if (at !== path) known.set(at, found);
    return found;
  };
  return {
    allowed: (path) => matches(path) !== null || covered(path),
    allowedLinks: (path) => linked.get(path) ?? null,
    allowedModes: (path, from, to) => cleared.has(modeChange(path, from & 0o7777, to & 0o7777)),
  };
}

function modeChange(path: ByteString, from: number, to: number): string {
  return `${from} ${to} ${path}`;
}

function pathOf({
  path,
  pathBase64,
}: {
  readonly path: string;
  readonly pathBase64?: string | undefined;
}): ByteString {
  return Buffer.from(pathBase64 ?? path, pathBase64 === undefined ? 'utf8' : 'base64').toString('latin1');
}

async function readReport(file: string): Promise<AnnouncedPlatforms> {
  const content = await readText(file, 'report');
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (cause) {
    throw new OcislimError('USAGE', `${JSON.stringify(file)} is not JSON`, { cause });
  }
  const { announcedSchema } = await import('./announcement-schema.ts');
  const report = announcedSchema.safeParse(value);
  if (report.success) return report.data.platforms;
  throw new OcislimError('USAGE', `${JSON.stringify(file)} is not a report of ocislim`, {
    advice: 'Write one with "ocislim prune … --report FILE.json".',
  });
}
