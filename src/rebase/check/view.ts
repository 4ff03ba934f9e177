import type { Filesystem } from '../../rootfs/filesystem.ts';
import type { FileFacts } from '../../rootfs/facts/facts.ts';
import type { Runtime } from '../../oci/runtime.ts';

/** One image to look into: its files, facts about them, and what its config says. Searches remember what they found by this object. */
export interface View {
  readonly fs: Filesystem;
  readonly facts: FileFacts;
  readonly runtime: Runtime;
}
