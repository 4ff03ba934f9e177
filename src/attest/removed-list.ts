/**
 * The canonical form of lists of paths, whose digests stand in statements. Another program can compute it from the JSON report of a
 * run, as docs/provenance.md shows: `equivalence.ts` does so here.
 */
import { hasher } from '../oci/digest.ts';
import { type DigestSet, digestSet } from './statement.ts';

/** A list, by its length and its digest. */
export interface ListDigest {
  readonly count: number;
  readonly digest: DigestSet;
}

/** A path as reports name it: as text, or by its bytes in base64 where it is not UTF-8. */
export interface ReportedPath {
  readonly path: string;
  readonly pathBase64?: string | undefined;
}

/** Returns the bytes of a path of a report, without a slash at the start. */
export function bytesOfPath({ path, pathBase64 }: ReportedPath): Buffer {
  return pathBase64 === undefined ? Buffer.from(path, 'utf8') : Buffer.from(pathBase64, 'base64');
}

/**
 * Computes the SHA-256 of a list of rows. A row is the bytes of its fields, each with a NUL byte behind it; rows are in ascending
 * order of their bytes, and each is there once.
 */
export function listDigest(rows: Iterable<readonly (Buffer | string)[]>): ListDigest {
  const lines = [...rows].map((fields) =>
    Buffer.concat(fields.flatMap((field) => [Buffer.from(field), Buffer.of(0)])),
  );
  lines.sort((a, b) => a.compare(b));
  const hash = hasher();
  let count = 0;
  lines.forEach((line, i) => {
    if (i > 0 && line.equals(lines[i - 1] as Buffer)) return;
    hash.update(line);
    count += 1;
  });
  return { count, digest: digestSet(hash.digest()) };
}
