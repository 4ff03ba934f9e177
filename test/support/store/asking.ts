import { type IncomingHttpHeaders, request } from 'node:http';
import type { RegistryServer } from '../../../src/store/server/serve-registry.ts';

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
  /** The code of the first error in the body. */
  readonly code: string | null;
}

/** Sends one HTTP request, with its path as it is. */
export function ask(
  server: RegistryServer,
  method: string,
  path: string,
  options: { readonly body?: Uint8Array | string; readonly headers?: Record<string, string> } = {},
): Promise<Reply> {
  const { body, headers = {} } = options;
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(server.url);
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const asking = request(
      { hostname, port, method, path, headers: { ...length, ...headers }, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const whole = Buffer.concat(chunks);
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: whole,
            text: whole.toString(),
            code: codeIn(whole.toString()),
          });
        });
      },
    );
    asking.on('error', reject);
    asking.end(body);
  });
}

function codeIn(text: string): string | null {
  try {
    return (JSON.parse(text) as { errors?: { code?: string }[] }).errors?.[0]?.code ?? null;
  } catch {
    return null;
  }
}
