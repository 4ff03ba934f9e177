/** The target of the deflate scanner, by which gzip blocks are joined. It must see the end of a stream where zlib sees it. */
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { leaveOpen } from '../../src/codec/deflate-join.ts';
import { findLastBlock } from '../../src/codec/deflate-scan.ts';
import { holds, outcomeNow, type Target } from '../target.ts';
import { MiB } from '../../src/units.ts';

const text = Buffer.from('what is packed, is packed, is packed\n'.repeat(20));
const more = Buffer.from('and what follows is packed too');

/** What zlib makes of a stream: its bytes, and how many bytes of the stream it took; null where it refuses it. */
function inflate(bytes: Uint8Array): { readonly unpacked: Buffer; readonly used: number } | null {
  try {
    const { buffer, engine } = inflateRawSync(bytes, { info: true, maxOutputLength: 4 * MiB }) as unknown as {
      readonly buffer: Buffer;
      readonly engine: { readonly bytesWritten: number };
    };
    return { unpacked: buffer, used: engine.bytesWritten };
  } catch {
    return null;
  }
}

export const target: Target = {
  name: 'deflate',
  invariant:
    'what zlib unpacks ends where zlib says, and unpacks to the same bytes with another stream joined to it',
  seeds: () => [
    deflateRawSync(text),
    deflateRawSync(''),
    deflateRawSync(text, { level: 0 }),
    deflateRawSync(text, { strategy: constants.Z_FIXED }),
    deflateRawSync(text, { strategy: constants.Z_HUFFMAN_ONLY }),
    deflateRawSync(Buffer.concat([text, Buffer.alloc(5000), text]), { memLevel: 1 }),
    deflateRawSync(Buffer.from(Array.from({ length: 4000 }, (_, i) => Math.clz32(i * 2_654_435_761)))),
    Buffer.concat([deflateRawSync(text), Buffer.from('stray')]),
  ],
  dictionary: ['\0\0\xff\xff', '\x03\0', '\x01\0\0\xff\xff'],
  run: (bytes) => {
    const scanned = outcomeNow(() => findLastBlock(bytes));
    const read = inflate(bytes);
    if (read === null) return;
    holds(scanned.kind === 'accepted', 'a stream that zlib reads is refused');
    holds(Math.ceil(scanned.value.end / 8) === read.used, 'the end is not where zlib sees it');
    const joined = inflate(Buffer.concat([leaveOpen(bytes), deflateRawSync(more)]));
    holds(
      joined?.unpacked.equals(Buffer.concat([read.unpacked, more])) === true,
      'joining changes the bytes',
    );
  },
};
