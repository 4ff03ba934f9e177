import { holds, type Target } from '../../fuzz/target.ts';
import { OcislimError } from '../../src/errors.ts';

const kind = new URL(import.meta.url).searchParams.get('bug') ?? 'none';

/** Fails in the way that the module's URL names. Only one input reaches it. */
function fail(): Promise<void> | void {
  switch (kind) {
    case 'throws':
      throw new TypeError('planted');
    case 'internal':
      throw new OcislimError('INTERNAL', 'planted');
    case 'breaks':
      return holds(false, 'planted');
    case 'refuses':
      throw new OcislimError('TAR_INVALID', 'planted');
    case 'loops':
      for (;;);
    case 'waits':
      return new Promise(() => {});
    case 'fills': {
      const all: number[][] = [];
      for (;;) all.push(Array.from({ length: 100_000 }, (_, i) => i + 0.5));
    }
    case 'rejects':
      void Promise.reject(new TypeError('planted'));
      return new Promise((resolve) => setImmediate(resolve));
    case 'dawdles': {
      const spent = (): number => process.threadCpuUsage().user + process.threadCpuUsage().system;
      for (const end = spent() + 1_600_000; spent() < end; );
      return;
    }
  }
}

export const target: Target = {
  name: 'planted',
  invariant: 'there is no bug',
  seeds: () => [Buffer.from('....and some more')],
  dictionary: [],
  maxBytes: 40,
  run: (bytes) => {
    // Four bytes, found one after the other: together they are one input in four thousand million.
    if (bytes[0] !== 0x46) return;
    if (bytes[1] !== 0x55) return;
    if (bytes[2] !== 0x5a) return;
    if (bytes[3] !== 0x5a) return;
    return fail();
  },
};
