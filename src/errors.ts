/**
 * The one error family. Every code has an exit status and a line of documentation; a test holds the table
 * against the README and the code against the table.
 */
export const errorCodes = {
  USAGE: { exit: 2, doc: 'The command line, a rule file or a plan cannot be understood.' },
  REFERENCE_INVALID: { exit: 2, doc: 'An image reference has an unknown or malformed form.' },
  PLAN_INVALID: { exit: 2, doc: 'A plan file breaks its schema; the message names the line.' },
  RULES_INVALID: { exit: 2, doc: 'A rule cannot be parsed; the message names the file and line.' },
  TRACE_INVALID: {
    exit: 2,
    doc: 'A trace is empty, unreadable for the most part, or contradicts another; the message shows lines of it.',
  },
  SELECTION_INVALID: { exit: 2, doc: 'The layers asked for do not exist in the image, or none is selected.' },
  BASE_MISMATCH: { exit: 1, doc: 'The image does not start with the layers of the image given as --base.' },
  ORIGINAL_MISMATCH: {
    exit: 1,
    doc: 'The image given as --original is not what the pruned image was made from.',
  },
  NOT_FOUND: { exit: 1, doc: 'The image, manifest or blob is not there.' },
  UNAUTHORIZED: { exit: 1, doc: 'The registry wants credentials, or refused the ones given.' },
  DENIED: { exit: 1, doc: 'The credentials are good, but do not allow this.' },
  REGISTRY: { exit: 1, doc: 'The registry refused a request or broke the protocol.' },
  NETWORK: { exit: 1, doc: 'The registry could not be reached, or the connection broke.' },
  DIGEST_MISMATCH: { exit: 1, doc: 'Bytes do not have the digest that their descriptor states.' },
  SIZE_MISMATCH: { exit: 1, doc: 'Bytes do not have the length that their descriptor states.' },
  DIFFID_MISMATCH: {
    exit: 1,
    doc: 'An unpacked layer does not have the DiffID that the image config states.',
  },
  MANIFEST_INVALID: { exit: 1, doc: 'A manifest, index or image config is malformed or contradicts itself.' },
  MEDIA_TYPE: { exit: 1, doc: 'A media type is unsupported, or does not tell the truth about the bytes.' },
  CODEC: { exit: 1, doc: 'A compressed stream is damaged, truncated, or ends in stray bytes.' },
  TAR_INVALID: { exit: 1, doc: 'A layer is not a well-formed tar archive.' },
  LAYER_INVALID: {
    exit: 1,
    doc: 'A layer is a tar archive but not a meaningful changeset (a dangling hard link, a bare `.wh.`, `..`).',
  },
  LIMIT: { exit: 1, doc: 'The input exceeds a limit (size, entries, header length).' },
  ARCHIVE_INVALID: { exit: 1, doc: 'An OCI layout or image archive is incomplete or malformed.' },
  IO: { exit: 1, doc: 'A local file could not be read or written.' },
  UNSUPPORTED: { exit: 1, doc: 'ocislim does not do this; the message says what to use instead.' },
  STRICT: { exit: 1, doc: 'A warning, made an error by --strict.' },
  GATE: { exit: 3, doc: 'A gate failed (verify found a difference, --require-savings was not met).' },
  INTERRUPTED: {
    exit: 130,
    doc: 'Interrupted. Nothing was published, unless the message says that publishing had begun.',
  },
  UNSAFE: {
    exit: 1,
    doc: 'Pruned by these traces the image would not run; the message says why. `--force` prunes it all the same.',
  },
  INTERNAL: { exit: 1, doc: 'A bug in ocislim: please report it.' },
} as const satisfies Record<string, { readonly exit: number; readonly doc: string }>;

export type ErrorCode = keyof typeof errorCodes;

/** Every error that ocislim throws on purpose. The message is a whole sentence for the person at the terminal. */
export class OcislimError extends Error {
  override readonly name = 'OcislimError';
  readonly code: ErrorCode;
  /** What to do about it, when there is something: shown on a line of its own. */
  readonly advice: string | undefined;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; advice?: string } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.advice = options.advice;
  }
}

/**
 * The same error with the place where it happened before its message ("source layer 3: …"). One of a narrower class stays
 * one, since there are callers that ask for it. Other throwables pass.
 */
export function at(where: string, error: unknown): unknown {
  // Whoever interrupts does so everywhere.
  if (!(error instanceof OcislimError) || error.code === 'INTERRUPTED') return error;
  const located = new OcislimError(error.code, `${where}: ${error.message}`, {
    cause: error.cause,
    ...(error.advice === undefined ? {} : { advice: error.advice }),
  });
  if (error.stack !== undefined) located.stack = error.stack;
  Object.setPrototypeOf(located, Object.getPrototypeOf(error) as object);
  return Object.assign(located, error);
}
