import type { Listener } from '../events.ts';
import { redact } from './http/address.ts';
import { withoutSecrets } from './http/secrets.ts';
import { header, headerValues, type HttpAnswer, type Method } from './http/transport.ts';
import { printable } from './printable.ts';

/** The most warnings that one registry may add to the output. */
const mostWarnings = 100;

/** Reports the requests to one registry, and what it warns of, to a listener. Each warning is reported once. */
export class Notices {
  readonly #host: string;
  readonly #listener: Listener;
  readonly #told = new Set<string>();

  constructor(host: string, listener: Listener) {
    this.#host = host;
    this.#listener = listener;
  }

  /** Warns that others could read or change what is sent. */
  insecure(message: string): void {
    if (this.#isNew(message)) this.#listener({ type: 'warning', code: 'INSECURE', message });
  }

  /** Reports an answer with the rate limit and the warnings in its header. */
  answered(method: Method, url: URL, answer: HttpAnswer): void {
    this.#detail(`${method} ${redact(url)} ${answer.status}`);
    const remaining = header(answer, 'ratelimit-remaining');
    if (remaining !== null) this.#detail(`${this.#host}: pulls that remain: ${printable(remaining, 60)}`);
    for (const warning of headerValues(answer, 'warning')) {
      // distribution-spec, "Warnings": 299 - "text"
      const text = /^299 - "((?:[^"\\]|\\.)*)"/.exec(warning)?.[1];
      if (text === undefined || this.#told.size > mostWarnings || !this.#isNew(text)) continue;
      const said = printable(withoutSecrets(text.replace(/\\(.)/g, '$1'), answer.secrets));
      this.#listener({ type: 'warning', code: 'REGISTRY_WARNING', message: `${this.#host} says: ${said}` });
    }
  }

  #detail(message: string): void {
    this.#listener({ type: 'detail', message });
  }

  #isNew(text: string): boolean {
    if (this.#told.has(text)) return false;
    this.#told.add(text);
    return true;
  }
}
