/**
 * Makes requests of the description of an API (OpenAPI 3, Swagger 2): each operation that can be called by what the description itself
 * gives as examples. The description may be one that the recorded program serves, so that nothing of its form is taken for granted.
 */
import { type NetworkProbe, defaultRetries } from './probe.ts';

/** The requests, and the operations that cannot be made, with the reason. */
export interface ApiProbes {
  readonly probes: readonly NetworkProbe[];
  readonly left: readonly { readonly name: string; readonly reason: string }[];
}

type JsonObject = Readonly<Record<string, unknown>>;

const methods = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options'] as const;
/** The most operations that are called. */
const most = 1000;
/** The most references that are followed from one value. */
const deepest = 20;

/** Returns the requests of a description. Null for a document that is not one. */
export function probesOfApi(document: unknown, port: number | null): ApiProbes | null {
  const paths = objectOf(objectOf(document)?.['paths']);
  const root = objectOf(document);
  if (paths === null || root === null) return null;
  const api = new Api(root, port);
  for (const [path, item] of Object.entries(paths)) api.add(path, item);
  return { probes: api.probes.slice(0, most), left: api.left };
}

class Api {
  readonly probes: NetworkProbe[] = [];
  readonly left: { name: string; reason: string }[] = [];
  readonly #root: JsonObject;
  readonly #port: number | null;
  readonly #base: string;

  constructor(root: JsonObject, port: number | null) {
    this.#root = root;
    this.#port = port;
    this.#base = basePath(root);
  }

  /** Takes the operations of a path. */
  add(path: string, item: unknown): void {
    const operations = this.#resolve(item);
    if (operations === null || !path.startsWith('/')) return;
    for (const method of methods) {
      const operation = this.#resolve(operations[method]);
      if (operation === null) continue;
      const name = `${method.toUpperCase()} ${path}`;
      const made = this.#probeOf(method, path, { ...operation, shared: operations['parameters'] });
      if (typeof made === 'string') this.left.push({ name, reason: made });
      else this.probes.push(made);
    }
  }

  /** Makes the request of an operation, or says what it lacks. */
  #probeOf(method: string, path: string, operation: JsonObject): NetworkProbe | string {
    let filled = path;
    const query = new URLSearchParams();
    const headers: Record<string, string> = {};
    for (const parameter of this.#parameters(operation)) {
      const { name, place, value, required } = parameter;
      if (value === null) {
        if (required) return `no example of the parameter ${name}`;
        continue;
      }
      if (place === 'path') filled = filled.replaceAll(`{${name}}`, encodeURIComponent(value));
      else if (place === 'query' && required) query.append(name, value);
      else if (place === 'header' && required && isHeader(name, value)) headers[name] = value;
    }
    if (filled.includes('{')) return 'no example of a part of the path';
    const body = this.#bodyOf(operation);
    if (typeof body === 'string') return body;
    if (body !== null) headers['content-type'] = body.type;
    const search = query.size === 0 ? '' : `?${query.toString()}`;
    return {
      kind: 'http',
      origin: 'openapi',
      method: method.toUpperCase(),
      scheme: null,
      port: this.#port,
      path: encodeURI(decodeSafely(`${this.#base}${filled}`)) + search,
      headers,
      body: body?.text ?? null,
      status: null,
      retries: defaultRetries,
    };
  }

  /** Lists the parameters of an operation and of its path, each with an example as text, or null. */
  *#parameters(operation: JsonObject) {
    for (const list of [operation['shared'], operation['parameters']]) {
      if (!Array.isArray(list)) continue;
      for (const item of list as readonly unknown[]) {
        const parameter = this.#resolve(item);
        const name = parameter?.['name'];
        if (parameter === null || typeof name !== 'string' || parameter['in'] === 'body') continue;
        const place = parameter['in'];
        const value = textOf(
          this.#exampleOf(parameter) ?? this.#exampleOf(this.#resolve(parameter['schema'])),
        );
        yield { name, place, value, required: parameter['required'] === true || place === 'path' };
      }
    }
  }

  /** The body by its example; null where no body is needed, and the reason where the description gives no example. */
  #bodyOf(operation: JsonObject): { readonly type: string; readonly text: string } | null | string {
    const request = this.#resolve(operation['requestBody']);
    if (request === null) return null;
    const content = objectOf(request['content']) ?? {};
    for (const [type, media] of Object.entries(content)) {
      const described = this.#resolve(media);
      const example = this.#exampleOf(described) ?? this.#exampleOf(this.#resolve(described?.['schema']));
      if (example === undefined || !/^[\w.+-]+\/[\w.+-]+$/.test(type)) continue;
      return { type, text: typeof example === 'string' ? example : JSON.stringify(example) };
    }
    return request['required'] === true ? 'no example of the body' : null;
  }

  /** Returns the value that a description gives: its example, the first of several, its default, or the first of its choices. */
  #exampleOf(described: JsonObject | null): unknown {
    if (described === null) return undefined;
    const { example, examples, default: standard, enum: choices } = described;
    if (example !== undefined) return example;
    if (Array.isArray(examples)) return examples[0] as unknown;
    const [first] = Object.values(objectOf(examples) ?? {});
    const value = this.#resolve(first)?.['value'];
    if (value !== undefined) return value;
    if (standard !== undefined) return standard;
    return Array.isArray(choices) ? (choices[0] as unknown) : undefined;
  }

  /** Follows references within the document. Null for what is not an object. */
  #resolve(value: unknown): JsonObject | null {
    let found = objectOf(value);
    for (let depth = 0; found !== null && typeof found['$ref'] === 'string'; depth++) {
      const reference = found['$ref'];
      if (depth > deepest || !reference.startsWith('#/')) return null;
      let at: unknown = this.#root;
      for (const part of reference.slice(2).split('/')) {
        const key = decodeSafely(part).replaceAll('~1', '/').replaceAll('~0', '~');
        const holder = objectOf(at);
        at = holder !== null && Object.hasOwn(holder, key) ? holder[key] : undefined;
      }
      found = objectOf(at);
    }
    return found;
  }
}

/** The path before all others: of the first server (OpenAPI 3), or `basePath` (Swagger 2). */
function basePath(root: JsonObject): string {
  const { servers, basePath: base } = root;
  const url = Array.isArray(servers) ? objectOf((servers as readonly unknown[])[0])?.['url'] : base;
  if (typeof url !== 'string' || url.includes('{')) return '';
  const origin = 'http://origin.invalid/';
  return URL.canParse(url, origin) ? decodeSafely(new URL(url, origin).pathname.replace(/\/$/, '')) : '';
}

function decodeSafely(text: string): string {
  try {
    return decodeURI(text);
  } catch {
    return text;
  }
}

function objectOf(value: unknown): JsonObject | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
}

function textOf(value: unknown): string | null {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
}

function isHeader(name: string, value: string): boolean {
  return /^[\w-]+$/.test(name) && /^[ -~]*$/.test(value);
}
