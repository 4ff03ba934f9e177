/** Error codes of the distribution-spec ("Error Codes") that this server uses, with their usual status. */
const statuses = {
  BLOB_UNKNOWN: 404,
  BLOB_UPLOAD_INVALID: 400,
  BLOB_UPLOAD_UNKNOWN: 404,
  DENIED: 403,
  DIGEST_INVALID: 400,
  MANIFEST_BLOB_UNKNOWN: 400,
  MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  PAGINATION_NUMBER_INVALID: 400,
  RANGE_INVALID: 416,
  SIZE_INVALID: 400,
  TAG_INVALID: 400,
  UNAUTHORIZED: 401,
  UNKNOWN: 500,
  UNSUPPORTED: 405,
} as const;

/** Codes are for clients of the registry. Users of ocislim see those of errors.ts. */
type RefusalCode = keyof typeof statuses;

/** The reason why a request is not served, thrown by handlers and sent to the client. */
export class Refusal extends Error {
  readonly code: RefusalCode;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON that depends on the code; null for most. */
  readonly detail: unknown;

  /** @param more Default status: the usual one of the code. */
  constructor(
    code: RefusalCode,
    message: string,
    more: { status?: number; headers?: Readonly<Record<string, string>>; detail?: unknown } = {},
  ) {
    super(message);
    this.code = code;
    this.status = more.status ?? statuses[code];
    this.headers = more.headers ?? {};
    this.detail = more.detail ?? null;
  }

  /** The JSON that the client gets (distribution-spec, "Error Codes"). */
  get body(): string {
    return JSON.stringify({ errors: [{ code: this.code, message: this.message, detail: this.detail }] });
  }
}
