/**
 * Reads probes as people write them on a command line: `POST :8080/login =>303`, `tcp://:6379`, `/ready`. The options of `settings` call
 * it, and every mistake is an error that names the option.
 */
import { OcislimError } from '../errors.ts';
import { type Continue, defaultRetries, type NetworkProbe, type Ready } from './probe.ts';

const methods: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'QUERY',
]);

const advice =
  'Write [METHOD] [http[s]://][:PORT]/PATH[ =>STATUS], for example "/", "POST :8080/login =>303" or "tcp://:6379".';

/** Reads a probe of the network. @throws USAGE naming the option */
export function parseNetworkProbe(text: string, where: string): NetworkProbe {
  const wrong = (what: string) =>
    new OcislimError('USAGE', `${where}: ${what}: ${JSON.stringify(text)}`, {
      advice: adviceForSlimToolkit(text.trim()) ?? advice,
    });
  const words = text.trim().split(/\s+/);
  const last = words.at(-1) ?? '';
  const status = last.startsWith('=>') ? last.slice(2) : null;
  if (status !== null) words.pop();
  const method = words.length > 1 ? (words.shift() ?? '').toUpperCase() : null;
  const [target = '', ...more] = words;
  if (more.length > 0) throw wrong('a probe has one address');
  if (method !== null && !methods.has(method)) throw wrong(`${method} is not a method of HTTP`);
  if (status !== null && !/^[1-5]\d\d$/.test(status)) throw wrong('a status has three digits');
  const [, scheme, port, path = ''] =
    /^(?:(https?|tcp|grpc):\/\/(?:localhost|127\.0\.0\.1|\[::1\])?)?(?::(\d{1,5}))?(\/[^#]*)?$/.exec(
      target,
    ) ?? [];
  if (scheme === undefined && port === undefined && path === '')
    throw wrong('a probe names a port or a path');
  const number = port === undefined ? null : Number(port);
  if (number !== null && (number < 1 || number > 65_535)) throw wrong('a port is from 1 to 65535');
  const kind = scheme === 'tcp' || scheme === 'grpc' ? scheme : 'http';
  if (kind !== 'http' && (method !== null || status !== null))
    throw wrong(`${kind} has no method and no status`);
  return {
    kind,
    origin: 'option',
    method: method ?? 'GET',
    scheme: scheme === 'http' || scheme === 'https' ? scheme : null,
    port: number,
    path: kind === 'http' ? path || '/' : path.slice(1),
    headers: {},
    body: null,
    status: status === null ? null : Number(status),
    retries: defaultRetries,
  };
}

/**
 * Says how a probe is written here that was written for SlimToolkit, whose `--http-probe` is a switch and whose probes have colons:
 * `crawl:http:GET:/path`. Null for any other text.
 */
function adviceForSlimToolkit(text: string): string | null {
  if (/^(?:true|false)$/i.test(text))
    return 'Leave it out: without a probe, every port that the image exposes is asked.';
  const [, crawl, scheme = '', method = '', written = ''] =
    /^(crawl:)?(?:(https?):)?(?:([a-z]{1,10}):)?(\/.*)$/i.exec(text) ?? [];
  // Theirs has a word and a colon before the path; two slashes are a URL.
  if (`${crawl ?? ''}${scheme}${method}` === '' || written.startsWith('//')) return null;
  // Words are apart here, so blanks in a path are encoded.
  const path = written.replace(/\s/g, encodeURIComponent);
  const target = scheme === '' ? path : `${scheme.toLowerCase()}://${path}`;
  const probe = JSON.stringify(method === '' ? target : `${method.toUpperCase()} ${target}`);
  return `Write ${probe}${crawl === undefined ? '' : ', and --http-crawl'}.`;
}

/**
 * Reads what shows that a program is ready: a port, a path, a time (`5s`), or a regular expression that a line of its output matches.
 * @throws USAGE naming the option
 */
export function parseReady(text: string, where: string): Ready {
  const [, port] = /^:?(\d{1,5})$/.exec(text) ?? [];
  if (port !== undefined && Number(port) >= 1 && Number(port) <= 65_535)
    return { kind: 'port', port: Number(port) };
  const [, seconds] = /^(\d{1,5}(?:\.\d{1,3})?)s$/.exec(text) ?? [];
  if (seconds !== undefined) return { kind: 'seconds', seconds: Number(seconds) };
  if (/^:?\d+$/.test(text) || text === '')
    throw new OcislimError('USAGE', `${where} takes a port, a path, seconds as 5s, or a regular expression`);
  if (text.startsWith('/')) return { kind: 'path', path: text };
  try {
    void new RegExp(text, 'u');
  } catch (cause) {
    throw new OcislimError('USAGE', `${where}: ${JSON.stringify(text)} is not a regular expression`, {
      cause,
    });
  }
  return { kind: 'log', pattern: text };
}

/** Reads what a run waits for before it ends. @throws USAGE naming the option */
export function parseContinue(text: string, where: string): Continue {
  if (text === 'enter' || text === 'signal' || text === 'probe' || text === 'exec') return { kind: text };
  const [, seconds] = /^(\d{1,5}(?:\.\d{1,3})?)s?$/.exec(text) ?? [];
  if (seconds !== undefined) return { kind: 'seconds', seconds: Number(seconds) };
  throw new OcislimError(
    'USAGE',
    `${where} takes enter, signal, probe, exec or seconds, not ${JSON.stringify(text)}`,
  );
}
