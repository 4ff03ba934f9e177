/** Runs programs in classic BPF, as the kernel does for filters of system calls (linux/filter.h, net/core/filter.c). The tests of filters call it. */

/** What a filter sees: `struct seccomp_data` (linux/seccomp.h), without the instruction pointer. */
export interface SystemCall {
  readonly number: number;
  readonly audit: number;
  /** The low halves of the arguments. Default: 0. */
  readonly args?: readonly number[];
}

/** The most instructions of a program: BPF_MAXINSNS. */
const most = 4096;

/** Returns what a program says of a call. @throws Error for a program that the kernel would refuse */
export function runFilter(program: Uint8Array, call: SystemCall): number {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const count = program.byteLength / 8;
  if (!Number.isInteger(count) || count === 0 || count > most) throw new Error(`${count} instructions`);
  let accumulator = 0;
  for (let at = 0; at < count; ) {
    const code = view.getUint16(at * 8, true);
    const [yes, no] = [view.getUint8(at * 8 + 2), view.getUint8(at * 8 + 3)];
    const value = view.getUint32(at * 8 + 4, true);
    const branch = (isTrue: boolean) => at + 1 + (isTrue ? yes : no);
    switch (code) {
      case 0x20:
        accumulator = wordOf(call, value);
        at += 1;
        break;
      case 0x54:
        accumulator = (accumulator & value) >>> 0;
        at += 1;
        break;
      case 0x05:
        at += 1 + value;
        break;
      case 0x15:
        at = branch(accumulator === value);
        break;
      case 0x25:
        at = branch(accumulator > value);
        break;
      case 0x35:
        at = branch(accumulator >= value);
        break;
      case 0x06:
        return value;
      default:
        throw new Error(`instruction ${at} has the code ${code}`);
    }
  }
  throw new Error('a jump leads out of the program');
}

function wordOf({ number, audit, args = [] }: SystemCall, offset: number): number {
  if (offset === 0) return number;
  if (offset === 4) return audit;
  if (offset >= 16 && offset < 64 && offset % 4 === 0)
    return offset % 8 === 0 ? (args[(offset - 16) / 8] ?? 0) : 0;
  throw new Error(`there is no word at ${offset}`);
}

/** Checks that each path through a program ends, as the kernel does before it accepts one. @throws Error naming the instruction */
export function checkFilter(program: Uint8Array): void {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const count = program.byteLength / 8;
  if (!Number.isInteger(count) || count === 0 || count > most) throw new Error(`${count} instructions`);
  for (let at = 0; at < count; at++) {
    const code = view.getUint16(at * 8, true);
    const kind = code & 0x07;
    const value = view.getUint32(at * 8 + 4, true);
    const targets =
      kind === 0x06
        ? []
        : code === 0x05
          ? [at + 1 + value]
          : kind === 0x05
            ? [at + 1 + view.getUint8(at * 8 + 2), at + 1 + view.getUint8(at * 8 + 3)]
            : [at + 1];
    if (targets.some((target) => target >= count))
      throw new Error(`instruction ${at} leads out of the program`);
  }
}
