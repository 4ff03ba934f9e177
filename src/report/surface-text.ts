/**
 * Renders the attack surface of an image, before and after, in words. The summary and Markdown call it.
 */
import { escapeText, shownPath } from './escape.ts';
import { formatCount } from './figures.ts';
import type { SurfaceReport } from './report.ts';
import type { Style } from './style.ts';
import { type Cell, layOut, widthOfRows, wrap } from './table.ts';

type SurfaceRow = SurfaceReport['files'][number];

type SurfacePath = SurfaceRow['before'][number];

/** The words for each kind. `schema.ts` has them as sentences, but loads zod and must not be imported here. */
export const surfaceWords: Readonly<Record<SurfaceRow['kind'], string>> = {
  shells: 'shells',
  'package-managers': 'package managers',
  interpreters: 'interpreters',
  compilers: 'compilers',
  'network-tools': 'network tools',
  setuid: 'setuid or setgid',
  capabilities: 'capabilities',
  'world-writable-files': 'world-writable files',
  'world-writable-directories': 'world-writable directories',
};

/** Renders rows for the summary's table: the kinds with fewer files than before, and secrets, which pruning cannot remove. */
export function renderSurfaceRows({ files, secrets }: SurfaceReport, style: Style): Cell[][] {
  const rows: Cell[][] = files
    .filter(({ before, after }) => before.length !== after.length)
    .map(({ kind, before, after }) => [
      surfaceWords[kind],
      formatCount(before.length),
      '→',
      { text: formatCount(after.length), paint: style.good },
      '',
      '',
    ]);
  if (secrets.length > 0) {
    const names = `in the environment: ${secrets.map(escapeText).join(', ')}`;
    rows.push([
      { text: 'secrets', paint: style.warning },
      formatCount(secrets.length),
      '',
      '',
      '',
      { text: names, paint: style.warning },
    ]);
  }
  return rows.map((row, i) => [i === 0 ? 'surface' : '', ...row]);
}

/**
 * Renders a line for each file of the surface, before or after, and for the entries of the config, in `width` columns; with
 * `gone`, only for files that go.
 */
export function renderSurfacePaths(
  surface: SurfaceReport,
  which: 'all' | 'gone',
  { style, width }: { readonly style: Style; readonly width: number },
): string[] {
  const listed = (row: SurfaceRow) => listSurface(row).filter(({ stays }) => which === 'all' || !stays);
  const rows = surface.files.flatMap((row) =>
    listed(row).map(({ file, stays }, i): Cell[] => [
      i === 0 ? surfaceWords[row.kind] : '',
      escapeText(fileText(file)),
      stays ? 'stays' : { text: 'gone', paint: style.good },
    ]),
  );
  if (which === 'all')
    for (const [label, text] of configLines(surface)) rows.push([label, escapeText(text), '']);
  const heading: Cell[] = ['surface', '', ''].map((text) => ({ text, paint: style.dim }));
  if (rows.length === 0) return [];
  if (widthOfRows([heading, ...rows]) <= width) return layOut([heading, ...rows], 'lll');
  return [style.dim('surface'), ...rows.flatMap((row) => narrowRow(row, width))];
}

/** Lays out a row in few columns: its kind on a line of its own, then what became of the file, and the file. */
function narrowRow([kind = '', path = '', fate = '']: readonly Cell[], width: number): string[] {
  const isGone = typeof fate !== 'string';
  const word = isGone ? fate.paint(fate.text.padEnd(7)) : fate.padEnd(7);
  const lines = wrap(typeof path === 'string' ? path : path.text, Math.max(20, width - 9));
  return [
    ...(kind === '' || typeof kind !== 'string' ? [] : [kind]),
    ...lines.map((line, i) => `  ${i === 0 ? word : ' '.repeat(7)}${line}`),
  ];
}

/** Lists the files that have gone, then those that stay. A file that lost only some of its names stays. */
export function listSurface({
  before,
  after,
}: SurfaceRow): { readonly file: SurfacePath; readonly stays: boolean }[] {
  const left = new Set(after.flatMap(namesOf));
  const gone = before.filter((file) => !namesOf(file).some((name) => left.has(name)));
  return [...gone.map((file) => ({ file, stays: false })), ...after.map((file) => ({ file, stays: true }))];
}

/** Lists what the config adds to the surface, as label and text. */
export function configLines({ ports, user, isRoot, secrets }: SurfaceReport): (readonly [string, string])[] {
  return [
    ['user', isRoot ? (user === '' || user === 'root' ? 'root' : `${user} (root)`) : user],
    ...(ports.length === 0 ? [] : [['ports', ports.join(', ')] as const]),
    ...(secrets.length === 0
      ? []
      : [['secrets', `${secrets.join(', ')}: the environment holds their values`] as const]),
  ];
}

/** Renders a file with its other names, not escaped: `usr/bin/dash (usr/bin/sh)`. */
export function fileText(file: SurfacePath): string {
  const { names = [] } = file;
  const path = shownPath(file);
  return names.length === 0 ? path : `${path} (${names.join(', ')})`;
}

function namesOf({ path, names = [] }: SurfacePath): readonly string[] {
  return [path, ...names];
}
