/** Gates about the attack surface: setuid files, and the number of files of each kind. The table of gates has them. */
import { createMatcher, parseRule } from '../../rules/rules.ts';
import { type SurfaceKind, surfaceKinds } from '../../rootfs/surface/surface.ts';
import { breach, type Gate } from './gate.ts';
import { counted, displayed, listed } from './names.ts';

/** Allows setuid and setgid files that a glob names, and no others. */
export const setuid: Gate<readonly string[]> = {
  title: 'No file has setuid or setgid bits, but those that are allowed',
  isDeep: true,
  judge: (allowed, { analysis: { surface } }) => {
    const isAllowed = createMatcher(allowed.map((glob) => parseRule(glob, 'setuid')));
    const files = (surface?.files.setuid ?? []).filter(
      ({ path, names }) => ![path, ...names].some((name) => isAllowed(name, 'file') !== null),
    );
    const [first] = files;
    if (first === undefined) return [];
    const paths = files.map(({ path }) => displayed(path));
    return [
      breach(`${counted(files.length, 'file')} with setuid or setgid bits: ${listed(paths)}`, {
        fix: 'RUN chmod u-s,g-s in the instruction that installs them',
        command: ['prune', '--preset', 'setuid'],
        path: first.path,
      }),
    ];
  },
};

/** One of a kind, and several. */
const words: Readonly<Record<SurfaceKind, readonly [one: string, several: string]>> = {
  shells: ['shell', 'shells'],
  'package-managers': ['package manager', 'package managers'],
  interpreters: ['interpreter', 'interpreters'],
  compilers: ['compiler', 'compilers'],
  'network-tools': ['network tool', 'network tools'],
  setuid: ['file with setuid or setgid bits', 'files with setuid or setgid bits'],
  capabilities: ['file with capabilities', 'files with capabilities'],
  'world-writable-files': ['world-writable file', 'world-writable files'],
  'world-writable-directories': ['world-writable directory', 'world-writable directories'],
};

export const surface: Gate<Readonly<Partial<Record<SurfaceKind, number>>>> = {
  title: 'There are at most so many files of each kind that helps an attacker',
  isDeep: true,
  judge: (limits, { analysis }) =>
    surfaceKinds.flatMap((kind) => {
      const limit = limits[kind];
      const files = analysis.surface?.files[kind] ?? [];
      const [first] = files;
      if (limit === undefined || first === undefined || files.length <= limit) return [];
      const paths = listed(files.map(({ path }) => displayed(path)));
      const noun = words[kind][files.length === 1 ? 0 : 1];
      return [
        breach(`${files.length} ${noun}, more than ${limit}: ${paths}`, {
          fix: 'Use a smaller base image, or remove them',
          path: first.path,
        }),
      ];
    }),
};
