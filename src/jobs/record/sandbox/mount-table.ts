/**
 * What is mounted where on this machine, as far as bind mounts must know it. `unshare.ts` makes what it binds read-only with everything that is
 * mounted below, and keeps the flags that a user without rights over a mount may not take away.
 */

/** A mount of this machine. */
interface Mounted {
  /** Its path, absolute. */
  readonly point: string;
  /** Those of its flags that a user without rights over it may not take away: "ro", "nosuid", "nodev", "noexec". */
  readonly flags: readonly string[];
}

/** Mounts that can be reached, those of folders before those below. */
export type MountTable = readonly Mounted[];

const kept: ReadonlySet<string> = new Set(['ro', 'nosuid', 'nodev', 'noexec']);

/** Reads /proc/PID/mountinfo (proc_pid_mountinfo(5)). What is hidden by a later mount is left out. */
export function readMountTable(text: string): MountTable {
  const rows = text.split('\n').flatMap((line) => {
    const [id, parent, , , point, flags] = line.split(' ');
    if (id === undefined || parent === undefined || point === undefined || flags === undefined) return [];
    return [{ id, parent, point: unescape(point), flags: flags.split(',').filter((each) => kept.has(each)) }];
  });
  const parents = new Map(rows.map(({ id, parent }) => [id, parent]));
  const isAbove = (above: string, id: string): boolean => {
    const seen = new Set<string>();
    for (let at = parents.get(id); at !== undefined && !seen.has(at); at = parents.get(at)) {
      if (at === above) return true;
      seen.add(at);
    }
    return false;
  };
  // Parents usually come first, but not where a mount was moved below a later one (pivot_root(2)).
  const isHidden = (row: (typeof rows)[number], i: number): boolean =>
    rows.some((later, j) => j > i && isWithin(row.point, later.point) && !isAbove(later.id, row.id));
  return rows.filter((row, i) => !isHidden(row, i)).map(({ point, flags }) => ({ point, flags }));
}

/** Returns the flags that a bind of a path has from the mount in which it is, and the mounts below it, by their paths from there. */
export function mountsBelow(
  table: MountTable,
  source: string,
): { readonly flags: readonly string[]; readonly below: MountTable } {
  const around = table.filter(({ point }) => isWithin(source, point));
  const holder = around.reduce<Mounted | null>(
    (longest, each) => (longest === null || each.point.length >= longest.point.length ? each : longest),
    null,
  );
  const below = table.filter(({ point }) => point !== source && isWithin(point, source));
  const at = source === '/' ? 0 : source.length;
  return {
    flags: holder?.flags ?? [],
    below: below.map(({ point, flags }) => ({ point: point.slice(at), flags })),
  };
}

/** Returns whether a path is another one, or below it. */
function isWithin(path: string, folder: string): boolean {
  return path === folder || folder === '/' || path.startsWith(`${folder}/`);
}

/** Undoes how the kernel writes spaces and the like: `\040`. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
