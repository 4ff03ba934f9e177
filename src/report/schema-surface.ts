/** The part of the report about the attack surface: the kinds of files, and the shape of `surface`. `schema.ts` includes it. */
import * as z from 'zod';
import { pathBase64, pathText } from './schema-values.ts';

const surfaceKinds = {
  shells: 'shells',
  'package-managers': 'package managers',
  interpreters: 'interpreters',
  compilers: 'compilers and linkers',
  'network-tools': 'programs that fetch and connect',
  setuid: 'files with setuid or setgid bits',
  capabilities: 'files with capabilities',
  'world-writable-files': 'files that everyone may write',
  'world-writable-directories': 'directories that everyone may write, without the sticky bit',
} as const;

const surfaceFile = z.strictObject({
  path: pathText,
  pathBase64,
  names: z
    .array(z.string())
    .exactOptional()
    .describe('Other names by which it counts: hard links, and symlinks that lead to it.'),
});

/** What of an image an attacker could use, before and after. */
export const surface = z.strictObject({
  files: z
    .array(
      z.strictObject({
        kind: z.enum(Object.keys(surfaceKinds) as (keyof typeof surfaceKinds)[]).describe(
          `${Object.entries(surfaceKinds)
            .map(([name, doc]) => (name === doc ? name : `${name}: ${doc}`))
            .join('; ')}.`,
        ),
        before: z.array(surfaceFile).describe('Of the source, by path,'),
        after: z.array(surfaceFile).describe('and of the result.'),
      }),
    )
    .describe('Every kind, also those without files. A file of several names counts once.'),
  ports: z.array(z.string()).describe('"80/tcp".'),
  user: z.string().describe('As the config says it; "" where it says nothing, which means root.'),
  isRoot: z.boolean(),
  secrets: z
    .array(z.string())
    .describe('Names of environment variables whose values look like secrets. No report has the values.'),
});
