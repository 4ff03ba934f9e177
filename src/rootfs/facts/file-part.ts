/** The face of what single files are made of: archives of Java within an archive, modules of Go within a program. */

/** A component that is in a file with others, or is the file. */
export interface FilePart {
  readonly kind: 'java' | 'go';
  /** "group:artifact" or "artifact" of Java, the path of a module of Go. As text. */
  readonly name: string;
  readonly version: string | null;
  /** The archive within the file, "BOOT-INF/lib/a.jar", or the path of the module. Null for the file itself. */
  readonly inside: string | null;
  readonly licences: readonly string[];
  readonly supplier: string | null;
}

/** The most parts that are kept of one file. The largest programs have some thousand. */
export const maxParts = 20_000;
