/**
 * Writes programs in classic BPF that decide about system calls by their numbers (linux/filter.h, linux/seccomp.h). `seccomp-filter.ts` says what
 * they decide.
 *
 * Conditional jumps are eight bits wide and lead forward. The program is therefore made from its end: what an instruction leads to
 * is there already, and what is too far away gets a copy, or a jump without a condition, close by.
 */

/** What is decided about the numbers from `start` on, up to the next interval. */
export interface Interval {
  readonly start: number;
  /** The value that the program returns. */
  readonly result: number;
}

/** The decisions for one architecture. */
export interface Section {
  /** AUDIT_ARCH_… (linux/audit.h). */
  readonly audit: number;
  /** In order. The first begins at 0, and neighbours differ. */
  readonly intervals: readonly Interval[];
}

/** Instructions: BPF_LD|BPF_W|BPF_ABS, BPF_JMP|BPF_JA, BPF_JMP|BPF_JEQ|BPF_K, BPF_JMP|BPF_JGE|BPF_K, BPF_RET|BPF_K. */
const [load, jump, jumpIfEqual, jumpIfNotLess, give] = [0x20, 0x05, 0x15, 0x35, 0x06] as const;

/** Places in `struct seccomp_data`. */
const [numberAt, architectureAt] = [0, 4] as const;

/** The bytes of an instruction: `struct sock_filter`. */
const width = 8;

/** The farthest target of a conditional jump, less what may come between while its other target is made. */
const reach = 250;

/**
 * Returns the program, eight bytes for each instruction, little endian.
 *
 * @param otherwise what it returns for other architectures
 */
export function assemble(sections: readonly Section[], otherwise: number): Uint8Array {
  const code = new ReversedCode();
  const entries = sections.map(({ audit, intervals }) => {
    code.goTo(code.search(intervals));
    return { audit, entry: code.push(load, numberAt) };
  });
  let next = code.give(otherwise);
  for (const { audit, entry } of entries) {
    next = code.near(next);
    const target = code.near(entry);
    next = code.branch(jumpIfEqual, audit, target, next);
  }
  code.push(load, architectureAt);
  return code.bytes();
}

/** Instructions from the last to the first. Each is known by its place in this order. */
class ReversedCode {
  readonly #instructions: {
    readonly code: number;
    readonly yes: number;
    readonly no: number;
    readonly value: number;
  }[] = [];
  /** The nearest instruction that returns a value. */
  readonly #returns = new Map<number, number>();

  push(code: number, value: number, yes = 0, no = 0): number {
    return this.#instructions.push({ code, value, yes, no }) - 1;
  }

  /** Returns a place near by from which the program goes on at another one. */
  near(place: number): number {
    const distance = this.#distance(place);
    return distance <= reach ? place : this.push(jump, distance);
  }

  /** Lets the instruction that is added next go on at a place. */
  goTo(place: number): void {
    const distance = this.#distance(place);
    if (distance > 0) this.push(jump, distance);
  }

  /** Returns a place near by that returns a value. */
  give(result: number): number {
    const known = this.#returns.get(result);
    if (known !== undefined && this.#distance(known) <= reach) return known;
    const made = this.push(give, result);
    this.#returns.set(result, made);
    return made;
  }

  /** Adds an instruction that goes on at one of two places, which are near. */
  branch(code: number, value: number, yes: number, no: number): number {
    return this.push(code, value, this.#distance(yes), this.#distance(no));
  }

  /** Adds a binary search for the interval of a number. */
  search(intervals: readonly Interval[]): number {
    const middle = intervals.length >> 1;
    const pivot = intervals[middle];
    if (pivot === undefined) throw new Error('a search needs an interval');
    if (intervals.length === 1) return this.give(pivot.result);
    const above = this.search(intervals.slice(middle));
    const below = this.search(intervals.slice(0, middle));
    const yes = this.near(above);
    return this.branch(jumpIfNotLess, pivot.start, yes, this.near(below));
  }

  /** The number of instructions between the next one and a place. */
  #distance(place: number): number {
    return this.#instructions.length - place - 1;
  }

  bytes(): Uint8Array {
    const bytes = Buffer.alloc(this.#instructions.length * width);
    for (const [i, { code, yes, no, value }] of this.#instructions.toReversed().entries()) {
      bytes.writeUInt16LE(code, i * width);
      bytes.writeUInt8(yes, i * width + 2);
      bytes.writeUInt8(no, i * width + 3);
      bytes.writeUInt32LE(value, i * width + 4);
    }
    return bytes;
  }
}
