/** Reads what --tune takes: a goal of compression. */
import { OcislimError } from '../errors.ts';
import type { TuningGoal } from '../image/image.ts';
import { GiB, KiB, MiB } from '../units.ts';

const prefixes: Readonly<Record<string, number>> = { '': 1, k: 1e3, K: 1e3, M: 1e6, G: 1e9 };
const binaryPrefixes: Readonly<Record<string, number>> = { Ki: KiB, Mi: MiB, Gi: GiB };

/** Reads `fast`, `balanced`, `small` or `pull:BANDWIDTH`. @throws USAGE naming the option */
export function parseGoal(text: string, option: string): TuningGoal {
  if (text === 'fast' || text === 'balanced' || text === 'small') return { kind: 'size', effort: text };
  if (text.startsWith('pull:'))
    return { kind: 'pull', bytesPerSecond: parseBandwidth(text.slice('pull:'.length), option) };
  throw new OcislimError('USAGE', `${option}: the goal ${JSON.stringify(text)} is not known`, {
    advice: 'Use fast, balanced, small or pull:BANDWIDTH, such as pull:100Mbit.',
  });
}

/**
 * Reads bytes per second: `100Mbit`, `1Gbit`, `1.5 Gbit/s`, `50MB`, `10MiB`. Bits are written `bit` and bytes `B`, so that the
 * two cannot be confused; `k`, `M`, `G` are decimal, `Ki`, `Mi`, `Gi` binary.
 * @throws USAGE naming the option
 */
export function parseBandwidth(text: string, option: string): number {
  const match = /^(\d{1,9}(?:\.\d{1,9})?) ?(?:([kKMG]?)bit|([kKMG]?)B|([KMG]i)B)(?:\/s)?$/.exec(text);
  if (match === null) {
    throw new OcislimError('USAGE', `${option}: ${JSON.stringify(text)} is not a bandwidth`, {
      advice: 'Write bits per second as 100Mbit or 1Gbit, bytes per second as 50MB or 10MiB.',
    });
  }
  const [, number, bits, bytes, binary = ''] = match;
  const unit =
    bits !== undefined
      ? (prefixes[bits] ?? 1) / 8
      : bytes !== undefined
        ? prefixes[bytes]
        : binaryPrefixes[binary];
  const amount = Number(number) * (unit ?? 1);
  if (amount > 0) return amount;
  throw new OcislimError('USAGE', `${option}: a bandwidth must be above 0, not ${JSON.stringify(text)}`);
}
