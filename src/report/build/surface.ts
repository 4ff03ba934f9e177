import { type Surface, type SurfaceFile, surfaceKinds } from '../../rootfs/surface/surface.ts';
import { pathFields } from '../escape.ts';
import type { SurfaceReport } from '../report.ts';

/** Reports the attack surface of an image before and after; null for an image that was not pruned. */
export function reportSurface(surface: Surface | null): SurfaceReport | null {
  if (surface === null) return null;
  const { before, after, ports, user, isRoot, secrets } = surface;
  return {
    files: surfaceKinds.map((kind) => ({ kind, before: list(before[kind]), after: list(after[kind]) })),
    ports,
    user,
    isRoot,
    secrets,
  };
}

function list(files: readonly SurfaceFile[]): SurfaceReport['files'][number]['before'] {
  return files.map(({ path, names }) => ({
    ...pathFields(path),
    ...(names.length === 0 ? {} : { names: names.map((name) => pathFields(name).path) }),
  }));
}
