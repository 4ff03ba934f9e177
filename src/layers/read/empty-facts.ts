import type { LayerFacts } from '../../rootfs/facts/facts.ts';

/** The facts of a layer into whose files a scan did not look. */
export const emptyFacts: LayerFacts = {
  elf: new Map(),
  scripts: new Map(),
  contents: new Map(),
  mentions: new Map(),
  modules: new Map(),
  parts: new Map(),
  digests: new Map(),
  twins: new Map(),
  prints: new Uint8Array(0),
  identities: null,
};
