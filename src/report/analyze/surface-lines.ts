/** Renders the attack surface of one image. The text of an analysis calls it. */
import type { Analysis, AnalyzedSurface } from '../../analyze/analysis.ts';
import { type SurfaceFile, surfaceKinds } from '../../rootfs/surface/surface.ts';
import { displayPath, escapeText } from '../escape.ts';
import { formatCount } from '../figures.ts';
import { surfaceWords } from '../surface-text.ts';
import { layOutTails, type TailRow, wrapped } from './tail-table.ts';
import type { TextOptions } from './text.ts';

/** The most files that a line names. */
const shownFiles = 6;

/** Renders a line for each kind of file that is there, the user, the ports, and what looks like a secret. */
export function surfaceLines({ surface, image }: Analysis, { style, width }: TextOptions): string[] {
  if (surface === null) return [];
  const rows = surfaceKinds.flatMap((kind): TailRow[] => {
    const files = surface.files[kind];
    if (files.length === 0) return [];
    return [
      {
        cells: [surfaceWords[kind], formatCount(files.length)],
        tail: { text: namesOf(files), paint: style.dim },
      },
    ];
  });
  const { ports } = image.config;
  const more: TailRow[] = [
    {
      cells: ['user', ''],
      tail: { text: escapeText(userText(surface, image.config.user)), paint: style.dim },
    },
    ...(ports.length === 0
      ? []
      : [{ cells: ['ports', formatCount(ports.length)], tail: escapeText(ports.join(', ')) }]),
    ...secretRows(surface).map(([label, names]) => ({
      cells: [{ text: label, paint: style.warning }, formatCount(names.length)],
      tail: { text: names.join(', '), paint: style.warning },
    })),
  ];
  return [style.bold('attack surface'), ...layOutTails([...rows, ...more], 'lr', { width, fold: wrapped })];
}

/** Returns the user of the config, in words that are not escaped. */
export function userText({ isRoot }: Pick<AnalyzedSurface, 'isRoot'>, user: string): string {
  if (user === '') return 'root: the config sets no user';
  return isRoot && user !== 'root' ? `${user} (root)` : user;
}

/** Lists what looks like a secret: names of variables, and files with their layers. */
export function secretRows({
  secretVariables,
  secretFiles,
}: AnalyzedSurface): (readonly [string, readonly string[]])[] {
  const files = secretFiles.map(
    ({ path, layer, visible }) =>
      `/${displayPath(path)} (layer ${layer}${visible ? '' : ', shadowed, and still in the layer'})`,
  );
  return [
    ...(secretVariables.length === 0 ? [] : [['secret variables', secretVariables.map(escapeText)] as const]),
    ...(files.length === 0 ? [] : [['secret files', files] as const]),
  ];
}

function namesOf(files: readonly SurfaceFile[]): string {
  const names = files.slice(0, shownFiles).map(({ path }) => `/${displayPath(path)}`);
  return `${names.join(', ')}${files.length > shownFiles ? ', …' : ''}`;
}
