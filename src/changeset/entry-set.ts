/**
 * A set of entries of source layers, with a bit for each: a layer of a million entries takes about 125 kB. Layers are numbered
 * from 1, entries from 0.
 */
export class EntrySet {
  readonly #layers = new Map<number, Uint32Array>();

  add(layer: number, entry: number): void {
    const word = entry >>> 5;
    let words = this.#layers.get(layer);
    if (words === undefined || word >= words.length) {
      const more = new Uint32Array(Math.max(32, 2 * word));
      if (words !== undefined) more.set(words);
      this.#layers.set(layer, (words = more));
    }
    words[word] = (words[word] as number) | (1 << (entry & 31));
  }

  has(layer: number, entry: number): boolean {
    return (((this.#layers.get(layer)?.[entry >>> 5] ?? 0) >>> (entry & 31)) & 1) === 1;
  }
}
