/** The shortest secret that is masked: shorter ones occur everywhere. */
const shortest = 4;

/** Returns the passwords and tokens in a request, in each form in which they travel. */
export function secretsOf(headers: Readonly<Record<string, string>>, body: unknown): readonly string[] {
  const found: string[] = [];
  const [, scheme = '', value = ''] = /^(\S+) (.+)$/.exec(headers['authorization'] ?? '') ?? [];
  if (value !== '') found.push(value);
  if (scheme === 'Basic') {
    const pair = Buffer.from(value, 'base64').toString('utf8');
    found.push(pair.slice(pair.indexOf(':') + 1));
  }
  if (headers['content-type'] === 'application/x-www-form-urlencoded' && body instanceof Uint8Array) {
    const token = new URLSearchParams(new TextDecoder().decode(body)).get('refresh_token');
    if (token !== null) found.push(token);
  }
  return found
    .flatMap((each) => [each, encodeURIComponent(each), Buffer.from(each, 'utf8').toString('base64')])
    .filter((each) => each.length >= shortest);
}

/** Returns a server's text without the secrets that were sent: some servers repeat them. */
export function withoutSecrets(text: string, secrets: Iterable<string>): string {
  let masked = text;
  // The longest first, since one may be part of another.
  for (const secret of [...secrets].toSorted((a, b) => b.length - a.length))
    masked = masked.replaceAll(secret, '***');
  return masked;
}
