/**
 * Components while they are made: a number for each path, and a name for each number. `components-of.ts` fills them.
 */
import type { FileNodes } from './file-nodes.ts';
import type { Claim } from './path-claims.ts';
import type { ComponentMap, MappedComponent } from './components-of.ts';

/** The number of no component. */
export const noComponent = 0xff_ff_ff_ff;

/** Assigns the paths of an image to components. */
export class Drafts {
  readonly #nodes: FileNodes;
  readonly #of: Uint32Array;
  readonly #claims: Claim[] = [];
  readonly #numbers = new Map<string, number>();

  constructor(nodes: FileNodes) {
    this.#nodes = nodes;
    this.#of = new Uint32Array(nodes.size).fill(noComponent);
  }

  /** Returns the number of a component. */
  number(claim: Claim): number {
    let number = this.#numbers.get(claim.name);
    if (number === undefined) {
      number = this.#claims.length;
      this.#claims.push(claim);
      this.#numbers.set(claim.name, number);
    }
    return number;
  }

  /** Returns the component of a path. */
  of(id: number): number {
    return this.#of[id] as number;
  }

  put(id: number, number: number): void {
    this.#of[id] = number;
  }

  claimOf(number: number): Claim {
    return this.#claims[number] as Claim;
  }

  /** Gives all names of each file to the component that has the first of them that is claimed. */
  unite(): void {
    const of = this.#of;
    for (let id = 1; id < of.length; id++) {
      if (of[id] === noComponent) continue;
      const leader = this.#nodes.leader(id);
      if (of[leader] === noComponent) of[leader] = of[id] as number;
    }
    for (let id = 1; id < of.length; id++)
      if (this.#nodes.counts(id)) of[id] = of[this.#nodes.leader(id)] as number;
  }

  /** Gives what small components hold to those that they are a part of. */
  foldSmall(large: number): void {
    const bytes = this.bytes();
    const into = this.#claims.map(({ smallPartOf }, number) =>
      smallPartOf === null || (bytes[number] as number) > large
        ? number
        : this.number({ name: smallPartOf, volatile: false, smallPartOf: null }),
    );
    for (let id = 1; id < this.#of.length; id++) {
      const number = this.#of[id] as number;
      if (number !== noComponent) this.#of[id] = into[number] as number;
    }
  }

  /** Returns the bytes of each component. */
  bytes(): Float64Array {
    const bytes = new Float64Array(this.#claims.length);
    this.#of.forEach((number, id) => {
      if (number !== noComponent) bytes[number] = (bytes[number] as number) + this.#nodes.bytes(id);
    });
    return bytes;
  }

  /** Returns the bytes of a path together with all other names of its file, by the first of them. */
  fileBytes(): Float64Array {
    const bytes = new Float64Array(this.#of.length);
    for (let id = 1; id < bytes.length; id++) {
      if (!this.#nodes.counts(id)) continue;
      const leader = this.#nodes.leader(id);
      bytes[leader] = (bytes[leader] as number) + this.#nodes.bytes(id);
    }
    return bytes;
  }

  /** Yields the first names of all files that have a component. */
  *files(): Generator<number> {
    for (let id = 1; id < this.#of.length; id++)
      if (this.#of[id] !== noComponent && this.#nodes.leads(id)) yield id;
  }

  /** Returns the components that have files, sorted by name. */
  finish(): ComponentMap {
    const count = this.#claims.length;
    const bytes = this.bytes();
    const files = new Float64Array(count);
    const mtimes = new Float64Array(count);
    this.#of.forEach((number, id) => {
      if (number === noComponent) return;
      files[number] = (files[number] as number) + 1;
      mtimes[number] = Math.max(mtimes[number] as number, this.#nodes.mtime(id));
    });
    const sorted = this.#claims
      .map(({ name, volatile }, number) => ({ name, volatile, number }))
      .filter(({ number }) => (files[number] as number) > 0)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    const place = new Uint32Array(count);
    const components = sorted.map(({ name, volatile, number }, at): MappedComponent => {
      place[number] = at;
      return {
        name,
        volatile,
        bytes: bytes[number] as number,
        files: files[number] as number,
        mtime: mtimes[number] as number,
      };
    });
    const of = this.#of.map((number) => (number === noComponent ? noComponent : (place[number] as number)));
    return { components, of };
  }
}
