/**
 * What a trace of one platform says about the image of another, where both were built alike: libraries lie in directories named after the
 * processor. `slim --platforms-alike` prunes by it.
 */
import { asByteString, type ByteString } from '../bytes/bytes.ts';
import type { TraceData } from '../image/trace-pruning.ts';
import { itemsPerStep, type Steps } from '../steps.ts';
import { addUses, type Uses } from './trace.ts';

/** The names of a processor in paths: Debian's multiarch tuple (wiki.debian.org/Multiarch/Tuples) and the loaders of glibc and musl. */
const names: Readonly<Record<string, readonly [tuple: string, glibc: string, musl: string]>> = {
  'linux/amd64': ['x86_64-linux-gnu', 'ld-linux-x86-64.so.2', 'ld-musl-x86_64.so.1'],
  'linux/arm64': ['aarch64-linux-gnu', 'ld-linux-aarch64.so.1', 'ld-musl-aarch64.so.1'],
  'linux/arm': ['arm-linux-gnueabihf', 'ld-linux-armhf.so.3', 'ld-musl-armhf.so.1'],
  'linux/386': ['i386-linux-gnu', 'ld-linux.so.2', 'ld-musl-i386.so.1'],
  'linux/ppc64le': ['powerpc64le-linux-gnu', 'ld64.so.2', 'ld-musl-powerpc64le.so.1'],
  'linux/s390x': ['s390x-linux-gnu', 'ld64.so.1', 'ld-musl-s390x.so.1'],
  'linux/riscv64': ['riscv64-linux-gnu', 'ld-linux-riscv64-lp64d.so.1', 'ld-musl-riscv64.so.1'],
};

/** Returns the names of a platform: those of its variant are the same. */
function namesOf(platform: string): readonly string[] {
  return names[platform.split('/', 2).join('/')] ?? [];
}

/**
 * Returns the data of a trace for another platform: every path as it is, and with the names of that platform. A path that its image does not
 * have keeps nothing.
 */
export function* alikeSteps(data: TraceData, platform: string): Steps<TraceData> {
  const from = namesOf(data.platform ?? '');
  const to = namesOf(platform);
  const renamed = (path: ByteString): ByteString =>
    asByteString(
      from.reduce((text, name, i) => (to[i] === undefined ? text : text.replaceAll(name, to[i])), path),
    );
  const paths = new Map<ByteString, Uses>(data.paths.map(([path, bits]) => [asByteString(path), bits]));
  let seen = 0;
  for (const [path, bits] of data.paths) {
    const other = renamed(asByteString(path));
    // A path that is there already, with its own name, stands for both.
    if (other !== path) addUses(paths, other, bits);
    if (++seen % itemsPerStep === 0) yield;
  }
  return { ...data, platform, image: null, paths: [...paths] };
}
