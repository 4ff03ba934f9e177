import type { Download } from '../analyze/diff/image-diff.ts';

/** What each model of a client means. */
export const modelWords: Readonly<
  Record<Download['model'], { readonly name: string; readonly clients: string }>
> = {
  blob: { name: 'by blob', clients: 'containerd, Docker with its image store, Podman' },
  prefix: { name: 'by chain of layers', clients: "Docker's classic store" },
  file: { name: 'by file', clients: 'zstd:chunked, eStargz, composefs; if B is packed so' },
};
