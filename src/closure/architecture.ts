import { baseOf } from '../bytes/path.ts';
import type { ByteString } from '../bytes/bytes.ts';
import type { Elf } from '../rootfs/facts/facts.ts';

/** Architectures by their names in GNU triplets and loaders, and in image configs (GOARCH). */
const processors: readonly (readonly [RegExp, string])[] = [
  [/^(?:x86_64|x86-64)/, 'amd64'],
  [/^i[3-6]86/, '386'],
  [/^aarch64_be/, 'arm64be'],
  [/^aarch64/, 'arm64'],
  [/^arm/, 'arm'],
  [/^(?:powerpc64le|ppc64le)/, 'ppc64le'],
  [/^(?:powerpc64|ppc64)/, 'ppc64'],
  [/^s390x/, 's390x'],
  [/^riscv64/, 'riscv64'],
  [/^(?:mips64el|mips64r6el)/, 'mips64le'],
  [/^loongarch64/, 'loong64'],
];

/** The other architectures that processors run. */
const alsoRuns: Readonly<Record<string, readonly string[]>> = { amd64: ['386'], arm64: ['arm'] };

/** Returns the architecture that a path tells: by the name of a loader, or by a directory of libraries. Null for other paths. */
export function architectureOf(path: ByteString): string | null {
  const loader = baseOf(path).match(/^ld-(?:linux|musl)-(.+)\.so\.\d+$/)?.[1];
  const triplet = path.match(/(?:^|\/)([a-z0-9_]+)-linux-(?:gnu|musl)[a-z0-9_]*\//)?.[1];
  const name = loader ?? triplet;
  return name === undefined ? null : (processors.find(([pattern]) => pattern.test(name))?.[1] ?? null);
}

/** Returns whether a machine runs programs of an architecture. */
export function runsOn(architecture: string, machine: string): boolean {
  return architecture === machine || (alsoRuns[machine]?.includes(architecture) ?? false);
}

/** Returns the C library that a loader or library of C belongs to, by its file name; null for other files. */
export function libcOf(path: ByteString): 'glibc' | 'musl' | null {
  const name = baseOf(path);
  if (/^ld-musl-.+\.so\.1$/.test(name)) return 'musl';
  return name === 'libc.so.6' || /^ld-linux.*\.so\.\d$/.test(name) || /^ld64\.so\.\d$/.test(name)
    ? 'glibc'
    : null;
}

/** Returns whether a file is linked with musl, which does not open the plug-ins of glibc. */
export function isForMusl({ interpreter, needed }: Elf): boolean {
  return (
    (interpreter !== null && libcOf(interpreter) === 'musl') ||
    needed.some((name) => name === 'libc.so' || /^libc\.musl-.+\.so\.1$/.test(name))
  );
}
