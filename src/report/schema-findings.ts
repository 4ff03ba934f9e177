/** The part of the report about what could go, too: the kinds, and the shape of a finding. `schema.ts` includes it. */
import * as z from 'zod';
import { bytes, count, pathBase64, pathText } from './schema-values.ts';

const findingKinds = {
  'gpu-development': 'static libraries, headers, samples and profilers of CUDA and ROCm',
  'pip-cache': 'the cache of pip',
  'uv-cache': 'the cache of uv',
  copies: 'copies of a shared library',
} as const;

/** Something heavy in the result that could go, or need be there once only. */
export const finding = z.strictObject({
  kind: z.enum(Object.keys(findingKinds) as (keyof typeof findingKinds)[]).describe(
    `${Object.entries(findingKinds)
      .map(([name, doc]) => `${name}: ${doc}`)
      .join('; ')}.`,
  ),
  library: z
    .string()
    .exactOptional()
    .describe('The library that there are copies of: "libcublas", or "libz.so.1" for those of one version.'),
  files: count,
  bytes: bytes.describe('Bytes of the files that could go; of copies, of all but the largest.'),
  option: z
    .string()
    .nullable()
    .describe('The option that removes them: "--preset cuda"; null where no rule can tell which may go.'),
  places: z
    .array(
      z.strictObject({
        path: pathText,
        pathBase64,
        files: count,
        bytes: bytes.describe('Bytes of these files.'),
      }),
    )
    .describe('Directories, or the copies themselves, the heaviest first.'),
});
