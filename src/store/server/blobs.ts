import { type Answer, type Call, nothing } from './answer.ts';
import { Refusal } from './refusal.ts';
import { parseRange } from './range.ts';
import type { RegistryStore } from './registry-store.ts';
import type { Route } from './route.ts';

/**
 * Answers GET, HEAD and DELETE of `/v2/<name>/blobs/<digest>` (distribution-spec, "Pulling blobs", "Deleting Blobs"). One range of
 * a GET is served (RFC 9110 section 14), so that a client can continue a download.
 * @throws Refusal BLOB_UNKNOWN, RANGE_INVALID, UNSUPPORTED
 */
export async function answerBlob(
  { repository, digest }: Extract<Route, { kind: 'blob' }>,
  call: Call,
  store: RegistryStore,
): Promise<Answer> {
  const size = await store.blobSize(repository, digest, call.signal);
  if (size === null) throw new Refusal('BLOB_UNKNOWN', 'blob unknown to registry', { detail: { digest } });
  switch (call.method) {
    case 'HEAD':
    case 'GET':
      break;
    case 'DELETE':
      await store.removeBlob(repository, digest, call.signal);
      return nothing(202);
    default:
      throw new Refusal('UNSUPPORTED', `${call.method} is not for blobs`);
  }
  const headers = {
    'docker-content-digest': digest,
    etag: `"${digest}"`,
    'accept-ranges': 'bytes',
    'content-type': 'application/octet-stream',
  };
  const { 'if-none-match': known, 'if-range': condition, range } = call.request.headers;
  if (known?.includes(digest) === true) return nothing(304, headers);
  // If-Range of another blob asks for the whole of this one (RFC 9110 section 13.1.5).
  const applies = call.method === 'GET' && (condition === undefined || condition === headers.etag);
  const part = parseRange(applies ? range : undefined, size);
  switch (part.kind) {
    case 'whole':
      return { status: 200, headers, body: { stream: store.read(digest, 0, size, call.signal), size } };
    case 'unsatisfiable':
      throw new Refusal('RANGE_INVALID', 'the blob is shorter', {
        headers: { 'content-range': `bytes */${size}` },
      });
    case 'part': {
      const length = part.end - part.start + 1;
      return {
        status: 206,
        headers: { ...headers, 'content-range': `bytes ${part.start}-${part.end}/${size}` },
        body: { stream: store.read(digest, part.start, length, call.signal), size: length },
      };
    }
  }
}
