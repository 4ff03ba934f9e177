/** What a recorded program has beside its image: files of this machine, memory, and ports. Options give it, and sandboxes mount it. */

/** A file or folder of this machine, and where the program has it. */
export interface MountSetting {
  readonly source: string;
  /** An absolute path in the image. */
  readonly target: string;
  readonly readOnly: boolean;
}

/** A file system in memory. */
export interface TmpfsSetting {
  readonly target: string;
  /** Bytes; null for the bound of the kernel, half of the memory. */
  readonly size: number | null;
}

/** A port of this machine that leads to one of the program. */
export interface PublishSetting {
  /** The address to listen on. */
  readonly host: string;
  /** 0 for any free one. */
  readonly from: number;
  readonly to: number;
}
