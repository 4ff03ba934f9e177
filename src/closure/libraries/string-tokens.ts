import { ascii, asciiList, type ByteString, joinBytes } from '../../bytes/bytes.ts';

/** The values of `$PLATFORM` by e_machine (glibc's dl-procinfo, and the kernel's AT_PLATFORM). */
const platforms: ReadonlyMap<number, readonly ByteString[]> = new Map([
  [3, asciiList('i386', 'i486', 'i586', 'i686')],
  [21, asciiList('power8', 'power9', 'power10')],
  [22, asciiList('z13', 'z14', 'z15', 'z16')],
  [40, asciiList('v6l', 'v7l', 'v8l')],
  [62, asciiList('x86_64', 'haswell', 'xeon_phi')],
  [183, asciiList('aarch64')],
]);

/** Longer paths are not opened (PATH_MAX). */
const longestPath = 4096;

/** What the dynamic string tokens of an object stand for (ld.so(8), "Dynamic string tokens"). */
export interface TokenValues {
  /** The directories of the object, absolute: several where symlinks lead to it. */
  readonly origins: () => Iterable<ByteString>;
  /** The names of multiarch directories in the image. */
  readonly triplets: () => readonly ByteString[];
  readonly machine: number;
}

/** Replaces `$ORIGIN`, `$LIB` and `$PLATFORM`. There are several results where a token may stand for several values. */
export function expandTokens(text: ByteString, values: TokenValues): readonly ByteString[] {
  if (!text.includes('$')) return [text];
  const libs = [...asciiList('lib', 'lib64'), ...values.triplets().map((name) => ascii`lib/${name}`)];
  let texts = replace([text], 'ORIGIN', values.origins());
  texts = replace(texts, 'LIB', libs);
  texts = replace(texts, 'PLATFORM', platforms.get(values.machine) ?? []);
  return texts.filter((path) => path.length <= longestPath);
}

function replace(
  texts: readonly ByteString[],
  token: string,
  values: Iterable<ByteString>,
): readonly ByteString[] {
  const pattern = new RegExp(`\\$(?:${token}(?![A-Za-z0-9_])|\\{${token}\\})`);
  return texts.flatMap((text) =>
    pattern.test(text) ? [...values].map((value) => joinBytes(text.split(pattern), value)) : [text],
  );
}
