/**
 * A token server as Docker's token specification describes it. The docker-registry of the tests sends its clients
 * there, and trusts its certificate.
 */
import { createPrivateKey, randomUUID, sign, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { run } from './programs.ts';

/** A running token server. */
export interface TokenServer {
  readonly realm: string;
  readonly service: string;
  readonly issuer: string;
  /** The PEM file that the registry trusts. */
  readonly certificate: string;
  /** Returns how many tokens it has issued. */
  issued(): number;
  stop(): Promise<void>;
}

/**
 * Starts a token server on a free loopback port; its key and certificate lie in `folder`. Users get every right
 * that they request.
 */
export async function startTokenServer(
  folder: string,
  options: { readonly users: Readonly<Record<string, string>>; readonly seconds: number },
): Promise<TokenServer> {
  const [key, certificate] = [join(folder, 'token.key'), join(folder, 'token.pem')];
  const selfSigned = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=tokens'];
  await run('openssl', [...selfSigned, '-keyout', key, '-out', certificate]);
  const privateKey = createPrivateKey(await readFile(key));
  const x5c = [new X509Certificate(await readFile(certificate)).raw.toString('base64')];
  const [service, issuer] = ['test-registry', 'test-tokens'];
  let issued = 0;

  const server = createServer((request, response) => {
    const asked = new URL(request.url ?? '/', 'http://tokens');
    const [user = '', password] = Buffer.from(
      /^Basic (.*)$/.exec(request.headers.authorization ?? '')?.[1] ?? '',
      'base64',
    )
      .toString()
      .split(/:(.*)/s);
    if (password === undefined || options.users[user] !== password) {
      response.writeHead(401, { 'content-type': 'application/json' }).end('{"details":"who are you?"}');
      return;
    }
    const access = asked.searchParams.getAll('scope').flatMap((scope) => {
      const match = /^([^:]+):(.+):([^:]+)$/.exec(scope);
      return match === null ? [] : [{ type: match[1], name: match[2], actions: match[3]?.split(',') }];
    });
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: issuer,
      sub: user,
      aud: service,
      exp: now + options.seconds,
      nbf: now - 10,
      iat: now,
      jti: randomUUID(),
      access,
    };
    const unsigned = [{ typ: 'JWT', alg: 'RS256', x5c }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    const token = `${unsigned}.${sign('RSA-SHA256', Buffer.from(unsigned), privateKey).toString('base64url')}`;
    issued++;
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ token, expires_in: options.seconds }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the token server has no port');
  return {
    realm: `http://127.0.0.1:${address.port}/token`,
    service,
    issuer,
    certificate,
    issued: () => issued,
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
