import { OcislimError } from '../errors.ts';
import type { Report } from '../report/report.ts';
import { createKeepMatcher, parseRule } from '../slim/rules.ts';
import type { ByteString } from '../tar/bytes.ts';
import { readText } from './selections.ts';

/** What may be missing in a pruned image: globs, and the paths that reports of `prune` name, with all below them. */
export async function allowedPaths(
  globs: readonly string[],
  reports: readonly string[],
): Promise<(path: ByteString) => boolean> {
  const matches = createKeepMatcher(globs.map((glob) => parseRule(glob, '--except')));
  const removed = new Set<ByteString>();
  for (const file of reports) for (const path of await removedBy(file)) removed.add(path);
  const covered = (path: ByteString): boolean => {
    for (let at = path; at !== ''; at = at.slice(0, Math.max(at.lastIndexOf('/'), 0)))
      if (removed.has(at)) return true;
    return false;
  };
  return (path) => matches(path) !== null || covered(path);
}

async function removedBy(file: string): Promise<ByteString[]> {
  const content = await readText(file, 'report');
  let report: Partial<Report>;
  try {
    report = JSON.parse(content) as Partial<Report>;
  } catch (cause) {
    throw new OcislimError('USAGE', `${JSON.stringify(file)} is not JSON`, { cause });
  }
  if (report.reportVersion !== 1 || report.platforms === undefined) {
    throw new OcislimError('USAGE', `${JSON.stringify(file)} is not a report of ocislim`, {
      advice: 'Write one with "ocislim prune … --report FILE.json".',
    });
  }
  return report.platforms.flatMap(({ slimming }) =>
    (slimming?.removed ?? []).flatMap(({ path, pathBase64, type, rule }) =>
      // A shadowed entry was not to be seen before either: its path is not allowed to go.
      type === 'whiteout' || rule === 'shadowed'
        ? []
        : [Buffer.from(pathBase64 ?? path, pathBase64 === undefined ? 'utf8' : 'base64').toString('latin1')],
    ),
  );
}
