/** A file of a release before it is written: packages and archives are made of lists of them. */
export interface ReleaseFile {
  /** Relative, with `/` between its parts. */
  readonly path: string;
  /** Its permission bits: 0o644 or 0o755. */
  readonly mode: number;
  readonly bytes: Uint8Array;
}

/** Makes a file that holds a text. */
export function textFile(path: string, text: string): ReleaseFile {
  return { path, mode: 0o644, bytes: Buffer.from(text) };
}

/** Puts files into a folder. */
export function inFolder(folder: string, files: readonly ReleaseFile[]): readonly ReleaseFile[] {
  return files.map((file) => ({ ...file, path: `${folder}/${file.path}` }));
}

/** Compares by code units, which no locale changes. */
export function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}
