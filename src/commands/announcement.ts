/** What a second image may lack or have changed. `verify` asks the predicates for each path. */
import { cleanPath } from '../bytes/path.ts';
import { createKeepMatcher, parseRule } from '../rules/rules.ts';
import { type ByteString, utf8Bytes, readByteString } from '../bytes/bytes.ts';
import type { AnnouncedPlatforms } from '../settings/announced.ts';
import { itemsPerStep, type Steps } from '../steps.ts';

/** What the second image may lack or have changed. */
export interface Announcement {
  readonly allowed: (path: ByteString) => boolean;
  readonly allowedModes: (path: ByteString, from: number, to: number) => boolean;
  /** Whether a file may have other contents, each as length and digest: "12 bytes, 9f86…". Null: none may. */
  readonly allowedContents: ((path: ByteString, from: string, to: string) => boolean) | null;
  /** The name that stands for all names of a file which was turned into a hard link, or which others link to now; else null. */
  readonly allowedLinks: (path: ByteString) => ByteString | null;
}

/** Collects what globs (--except) and the reports of `prune` and `squash` allow. A removed path covers all below it. @throws USAGE */
export function* announcedSteps(
  globs: readonly string[],
  platforms: AnnouncedPlatforms,
): Steps<Announcement> {
  const matches = createKeepMatcher(globs.map((glob) => parseRule(glob, '--except')));
  const removed = new Set<ByteString>();
  const cleared = new Set<string>();
  const edited = new Set<string>();
  const linked = new Map<ByteString, ByteString>();
  let seen = 0;
  for (const { slimming } of platforms) {
    for (const entry of slimming?.removed ?? []) {
      if (++seen % itemsPerStep === 0) yield;
      // A shadowed entry was not visible before either: its path must not go.
      if (entry.type !== 'whiteout' && entry.rule !== 'shadowed') removed.add(pathOf(entry));
    }
    for (const { to, toBase64, ...link } of slimming?.linked?.links ?? []) {
      if (++seen % itemsPerStep === 0) yield;
      const target = pathOf({ path: to, pathBase64: toBase64 });
      linked.set(target, target);
      linked.set(pathOf(link), target);
    }
    for (const { before, after, ...entry } of slimming?.edited ?? []) {
      if (++seen % itemsPerStep === 0) yield;
      edited.add(contentChange(pathOf(entry), nameContent(before), nameContent(after)));
    }
    for (const { oldMode, newMode, ...entry } of slimming?.cleared ?? []) {
      if (++seen % itemsPerStep === 0) yield;
      cleared.add(modeChange(pathOf(entry), Number.parseInt(oldMode, 8), Number.parseInt(newMode, 8)));
    }
  }
  const covered = coveredBy(removed);
  return {
    allowed: (path) => matches(cleanPath(path)) !== null || covered(path),
    allowedContents: edited.size === 0 ? null : (path, from, to) => edited.has(contentChange(path, from, to)),
    allowedLinks: (path) => linked.get(path) ?? null,
    allowedModes: (path, from, to) => cleared.has(modeChange(path, from & 0o7777, to & 0o7777)),
  };
}

/** Tells whether a path or a directory above it was removed. */
function coveredBy(removed: ReadonlySet<ByteString>): (path: ByteString) => boolean {
  // By directory, since looking up each one above each path costs the square of its depth.
  const known = new Map<ByteString, boolean>();
  return (path) => {
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
}

/** Names contents as the comparison of images does. */
function nameContent({ size, digest }: { readonly size: number; readonly digest: string }): string {
  return `${size} byte${size === 1 ? '' : 's'}, ${digest.replace(/^sha256:/, '')}`;
}

/** Names a change of contents of one path. */
function contentChange(path: ByteString, from: string, to: string): string {
  return JSON.stringify([path, from, to]);
}

/** Names a change of permission bits of one path. */
function modeChange(path: ByteString, from: number, to: number): string {
  return `${from} ${to} ${path}`;
}

/** Reads a path of a report: text, or its bytes in base64 where it is not UTF-8. */
function pathOf({
  path,
  pathBase64,
}: {
  readonly path: string;
  readonly pathBase64?: string | undefined;
}): ByteString {
  return pathBase64 === undefined ? utf8Bytes(path) : readByteString(Buffer.from(pathBase64, 'base64'));
}
