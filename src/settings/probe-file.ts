/**
 * Reads files about probes: lists of requests in YAML, and descriptions of APIs in YAML or JSON. Callers: the options --http-probe-file and
 * --openapi, when they are given.
 */
import { parse } from 'yaml';
import * as z from 'zod';
import { OcislimError } from '../errors.ts';
import { type ApiSource, defaultRetries, type NetworkProbe } from '../probe/probe.ts';
import { parseNetworkProbe } from '../probe/written.ts';
import type { Door } from './option.ts';
import { readText } from './rule-files.ts';

/** What reading files needs. */
type Reading = Pick<Door, 'limits' | 'signal'>;

const request = z.strictObject({
  method: z.string().exactOptional(),
  /** The path, with the port and the scheme before it where they matter: `https://:8443/x`. */
  path: z.string(),
  headers: z
    .record(z.string().regex(/^[!#$%&'*+.^`|~\w-]+$/), z.string().regex(/^[\t -~]*$/))
    .exactOptional(),
  body: z.union([z.string(), z.record(z.string(), z.unknown()), z.array(z.unknown())]).exactOptional(),
  status: z.int().min(100).max(599).exactOptional(),
  retries: z.int().min(0).max(1000).exactOptional(),
});

const requests = z.array(request).min(1);

/** Reads the requests of YAML files, in order. @throws USAGE naming the file and the request, LIMIT */
export async function readProbeFiles(
  files: readonly string[],
  _where: string,
  reading: Reading,
): Promise<readonly NetworkProbe[]> {
  const all: NetworkProbe[] = [];
  for (const file of files) {
    const read = requests.safeParse(await readDocument(file, 'probe file', reading));
    if (!read.success) {
      const [issue] = read.error.issues;
      const place = issue === undefined || issue.path.length === 0 ? '' : `, ${issue.path.join('.')}`;
      throw new OcislimError('USAGE', `${file}${place}: ${issue?.message ?? 'not a list of requests'}`, {
        advice:
          'A probe file is a list of requests: "- path: /login", with method, headers, body, status, retries.',
      });
    }
    for (const [i, each] of read.data.entries()) all.push(probeOf(each, `${file}, request ${i + 1}`));
  }
  return all;
}

function probeOf(given: z.infer<typeof request>, where: string): NetworkProbe {
  const { method = 'GET', path, headers = {}, body, status = null, retries = defaultRetries } = given;
  const written = parseNetworkProbe(`${method} ${path}`, where);
  const isText = body === undefined || typeof body === 'string';
  const hasType = Object.keys(headers).some((name) => name.toLowerCase() === 'content-type');
  return {
    ...written,
    origin: 'file',
    headers: isText || hasType ? headers : { ...headers, 'content-type': 'application/json' },
    body: isText ? (body ?? null) : JSON.stringify(body),
    status,
    retries,
  };
}

/** Reads descriptions of APIs. A text that begins with `/` and is not a file is a path at which the program serves its own. @throws USAGE, LIMIT */
export async function readApis(
  texts: readonly string[],
  where: string,
  reading: Reading,
): Promise<readonly ApiSource[]> {
  const sources: ApiSource[] = [];
  for (const text of texts) {
    const isServed = text.startsWith('/') && !(await isFile(text));
    if (isServed) sources.push({ kind: 'path', path: text });
    else sources.push({ kind: 'document', document: await readApi(text, where, reading) });
  }
  return sources;
}

async function readApi(file: string, where: string, reading: Reading): Promise<unknown> {
  const document = await readDocument(file, 'description of an API', reading);
  const { probesOfApi } = await import('../probe/openapi.ts');
  if (probesOfApi(document, null) !== null) return document;
  throw new OcislimError('USAGE', `${where}: ${file} has no paths: it is not a description of an API`);
}

async function isFile(path: string): Promise<boolean> {
  const { stat } = await import('node:fs/promises');
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

async function readDocument(file: string, what: string, { limits, signal }: Reading): Promise<unknown> {
  const text = await readText(file, { what, limit: 'plan-bytes', limits }, signal);
  try {
    return parse(text, { logLevel: 'error' }) as unknown;
  } catch (cause) {
    const [line = ''] = (cause as Error).message.split('\n', 1);
    throw new OcislimError('USAGE', `the ${what} ${JSON.stringify(file)} is not YAML: ${line}`, { cause });
  }
}
