import { readFileSync } from 'node:fs';

/** The platforms that the native engine is built for. Each has a package `@ocislim/native-PLATFORM`. */
export const nativePlatforms = [
  'linux-x64-gnu',
  'linux-x64-musl',
  'linux-arm64-gnu',
  'linux-arm64-musl',
] as const;

export type NativePlatform = (typeof nativePlatforms)[number];

/** What decides about the platform of a process. */
export interface Machine {
  readonly platform: string;
  readonly arch: string;
  /** Returns which C library the process runs on; null where that is unknown. Is asked on Linux only. */
  readonly libc: () => 'gnu' | 'musl' | null;
}

/** Returns the platform of a process, or null where no engine is built for it. */
export function nativePlatform(machine: Machine = thisMachine): NativePlatform | null {
  if (machine.platform !== 'linux') return null;
  const name = `linux-${machine.arch}-${machine.libc()}`;
  return nativePlatforms.find((each) => each === name) ?? null;
}

const thisMachine: Machine = {
  platform: process.platform,
  arch: process.arch,
  libc: () => libcIn(mappedFiles()) ?? reportedLibc(),
};

/** Returns the C library that a list of mapped files shows: the format of /proc/self/maps. */
export function libcIn(maps: string): 'gnu' | 'musl' | null {
  if (/\/(?:ld-musl-[^/\n]*|libc\.musl-[^/\n]*)$/m.test(maps)) return 'musl';
  return /\/libc(?:\.so\.6|-2\.\d+\.so)$/m.test(maps) ? 'gnu' : null;
}

function mappedFiles(): string {
  try {
    return readFileSync('/proc/self/maps', 'latin1');
  } catch {
    // There may be no /proc in a sandbox.
    return '';
  }
}

/** Asks Node's report, which takes some milliseconds. It states a version of glibc where there is one. */
function reportedLibc(): 'gnu' | 'musl' {
  // Without this the report looks up the names of all addresses that the process has to do with.
  Object.assign(process.report, { excludeNetwork: true });
  const { header } = process.report.getReport() as { readonly header: Readonly<Record<string, unknown>> };
  return typeof header['glibcVersionRuntime'] === 'string' ? 'gnu' : 'musl';
}
