/**
 * The only class of errors that ocislim throws deliberately, with its codes; all rooms throw it. Each code has an exit
 * status and a line of documentation. A test compares the table with docs/errors.md, and the sources with the table.
 */
export const errorCodes = {
  USAGE: { exit: 2, doc: 'The command line, a rule file or a plan cannot be understood.' },
  REFERENCE_INVALID: { exit: 2, doc: 'An image reference has an unknown or malformed form.' },
  PLAN_INVALID: { exit: 2, doc: 'A plan file breaks its schema; the message names the line.' },
  GATES_INVALID: {
    exit: 2,
    doc: 'A file of gates (`.ocislim.yaml`, `.dive-ci`) breaks its schema; the message names the line.',
  },
  RULES_INVALID: { exit: 2, doc: 'A rule cannot be parsed; the message names the file and line.' },
  TRACE_INVALID: {
    exit: 2,
    doc: 'A trace is empty, mostly unreadable, or contradicts another; the message shows some of its lines.',
  },
  SELECTION_INVALID: {
    exit: 2,
    doc: 'The selected layers do not exist in the image, or no layer is selected.',
  },
  BASE_MISMATCH: {
    exit: 1,
    doc: 'The image does not start with the layers of the image given as --base or --old-base.',
  },
  BASE_UNFIT: {
    exit: 3,
    doc: 'The new base of a rebase lacks what the application needs; the message names it. `--force` rebases all the same.',
  },
  ORIGINAL_MISMATCH: {
    exit: 1,
    doc: 'The image given as --original is not the one that the pruned image was made from.',
  },
  NOT_FOUND: { exit: 1, doc: 'The image, manifest or blob does not exist.' },
  UNAUTHORIZED: { exit: 1, doc: 'The registry requires credentials, or refused those given.' },
  DENIED: { exit: 1, doc: 'The credentials are valid, but do not permit this request.' },
  REGISTRY: { exit: 1, doc: 'The registry refused a request or broke the protocol.' },
  NETWORK: { exit: 1, doc: 'The registry could not be reached, or the connection broke.' },
  DIGEST_MISMATCH: { exit: 1, doc: 'Bytes do not have the digest that their descriptor states.' },
  SIZE_MISMATCH: { exit: 1, doc: 'Bytes do not have the length that their descriptor states.' },
  DIFFID_MISMATCH: {
    exit: 1,
    doc: 'An unpacked layer does not have the DiffID that the image config states.',
  },
  MANIFEST_INVALID: { exit: 1, doc: 'A manifest, index or image config is malformed or contradicts itself.' },
  MEDIA_TYPE: { exit: 1, doc: 'A media type is unsupported, or contradicts the bytes.' },
  CODEC: { exit: 1, doc: 'A compressed stream is damaged or truncated, or other bytes follow it.' },
  TAR_INVALID: { exit: 1, doc: 'A layer is not a well-formed tar archive.' },
  LAYER_INVALID: {
    exit: 1,
    doc: 'A layer is a tar archive but not a valid changeset (a dangling hard link, a bare `.wh.`, `..`).',
  },
  LIMIT: { exit: 1, doc: 'The input exceeds a limit (size, entries, header length).' },
  ARCHIVE_INVALID: { exit: 1, doc: 'An OCI layout or image archive is incomplete or malformed.' },
  IO: { exit: 1, doc: 'A local file could not be read or written.' },
  UNSUPPORTED: { exit: 1, doc: 'ocislim does not support this; the message names an alternative.' },
  PUBLISHED: {
    exit: 5,
    doc: 'The image was published, but something after that failed: a report, the debug image, standard output. The message says what.',
  },
  STRICT: { exit: 1, doc: 'A warning that --strict turns into an error.' },
  GATE: { exit: 3, doc: 'A gate failed (verify found a difference, --require-savings was not met).' },
  INTERRUPTED: {
    exit: 130,
    doc: 'Interrupted. Nothing was published, unless the message says that publishing had begun.',
  },
  UNSAFE: {
    exit: 1,
    doc: 'After this pruning the image would not run; the message says why. `--force` prunes it anyway.',
  },
  INTERNAL: { exit: 1, doc: 'A bug in ocislim: please report it.' },
} as const satisfies Record<string, { readonly exit: number; readonly doc: string }>;

export type ErrorCode = keyof typeof errorCodes;

/** An error that ocislim throws deliberately. The message is a complete sentence for the user. */
export class OcislimError extends Error {
  override readonly name = 'OcislimError';
  readonly code: ErrorCode;
  /** What the user can do about the error, shown on a separate line; undefined if there is no remedy. */
  readonly advice: string | undefined;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; advice?: string } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.advice = options.advice;
  }
}

/** The error of an image that has some of its names, and not the others. */
export class PartlyPublished extends OcislimError {
  /** The image with its digest, as it can be pasted back. */
  readonly image: string;

  constructor(image: string, message: string, options: { cause: unknown; advice?: string }) {
    super('PUBLISHED', `published, but ${message}`, options);
    this.image = image;
  }
}

/**
 * Puts the place where an error happened before its message ("source layer 3: …"). The class and all fields of the error
 * stay, since some callers test for a subclass. Anything other than an OcislimError is returned unchanged.
 */
export function at(where: string, error: unknown): unknown {
  // Interruptions get no location: they stop everything.
  if (!(error instanceof OcislimError) || error.code === 'INTERRUPTED') return error;
  const located = new OcislimError(error.code, `${where}: ${error.message}`, {
    cause: error.cause,
    ...(error.advice === undefined ? {} : { advice: error.advice }),
  });
  if (error.stack !== undefined) located.stack = error.stack;
  Object.setPrototypeOf(located, Object.getPrototypeOf(error) as object);
  return Object.assign(located, error);
}
