import { availableParallelism } from 'node:os';
import { at, OcislimError } from '../errors.ts';
import type { Listener } from '../events.ts';
import { parsePlatform, type Platform } from '../oci/platform.ts';
import { formatReference, parseReference, type Reference } from '../oci/reference.ts';
import { exceeded, type Limits } from '../limits.ts';
import { chooseStyle } from '../report/style.ts';
import { BlobCache } from '../store/cache/blob-cache.ts';
import { openSource, openTarget } from '../jobs/open.ts';
import { RegistryClients } from '../registry/clients.ts';
import type { RegistryOptions } from '../registry/lease.ts';
import type { CredentialLookup } from '../registry/auth/credential.ts';
import { createCredentialLookup } from '../registry/auth/credentials.ts';
import { type Certificates, createCertificates } from '../registry/tls/certificates.ts';
import { parseMirrors } from '../registry/mirrors.ts';
import { createProxyLookup, type ProxyLookup } from '../registry/http/proxy.ts';
import type { Source, Target } from '../place/place.ts';
import type { Console } from './command.ts';
import { readLimits } from './options/limit-option.ts';
import { homeOf } from './home.ts';
import { flag, list, text, type Values } from './options/option.ts';
import { chooseProgressMode, startProgress } from './progress/progress-output.ts';
import type { ProgressMode } from './progress/progress.ts';
import { atLeast, positive } from './options/selections.ts';
import { parseSize } from './options/sizes.ts';
import { version } from './version.ts';

/** Milliseconds; what is longer, Node takes for none at all. */
const longestTimer = 2 ** 31 - 1;

/** What a run needs that the options decide: listeners, registries, workers. Close it when done. */
export class Session {
  readonly listener: Listener;
  readonly warnings: { code: string; message: string }[] = [];
  readonly signal: AbortSignal;
  readonly jobs: number;
  readonly maxScratch: number;
  readonly limits: Limits;
  readonly platforms: readonly Platform[];
  /** Of an index, where --platform asks for none: those that the traces are of. */
  platformsOfIndex: readonly Platform[] = [];
  readonly #clients = new RegistryClients();
  readonly #lookups = new Map<string | null, CredentialLookup>();
  readonly #shown = new Map<string | null, Certificates>();
  readonly #proxies: ProxyLookup;
  readonly #values: Values;
  readonly #console: Console;
  readonly #stop: () => void;
  readonly #pause: () => void;
  readonly #closing: (() => Promise<void>)[] = [];

  constructor(values: Values, console: Console) {
    this.#values = values;
    this.#console = console;
    this.#proxies = createProxyLookup(console.env);
    const strict = new AbortController();
    this.limits = readLimits(values);
    this.#stopAfter(this.limits.time, strict);
    this.signal = AbortSignal.any([console.signal, strict.signal]);
    this.jobs = values['jobs'] === undefined ? availableParallelism() : positive(values['jobs'], '--jobs');
    this.maxScratch = parseSize(text(values, 'max-scratch') ?? '2GB', '--max-scratch');
    this.platforms = list(values, 'platform')
      .flatMap((item) => item.split(','))
      .map(parsePlatform);
    const style = chooseStyle(console.env, console.stderr.isTTY === true);
    const mode = chooseProgressMode(
      (text(values, 'progress') ?? 'auto') as ProgressMode | 'auto',
      console.stderr,
      console.env,
    );
    const start = () =>
      startProgress({
        mode: flag(values, 'quiet') ? 'none' : mode,
        stream: console.stderr,
        style,
        verbose: flag(values, 'verbose'),
      });
    let progress = start();
    this.#stop = () => progress.stop();
    this.#pause = () => {
      progress.stop();
      progress = start();
    };
    this.listener = (event) => {
      if (event.type === 'warning') {
        this.warnings.push({ code: event.code, message: event.message });
        if (flag(values, 'strict'))
          strict.abort(new OcislimError('STRICT', `${event.message} (a warning, made an error by --strict)`));
      }
      progress.listener(event);
    };
    if (
      console.env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0' &&
      !flag(values, 'insecure') &&
      values['tls-verify'] !== false
    )
      this.listener({
        type: 'warning',
        code: 'SETTING_IGNORED',
        message: 'NODE_TLS_REJECT_UNAUTHORIZED=0 has no effect: certificates are checked',
      });
  }

  /** Ends the whole run when its time is over. */
  #stopAfter(seconds: number, controller: AbortController): void {
    if (seconds > longestTimer / 1000) return;
    const timer = setTimeout(() => {
      const seen = `it has been at work for ${seconds} seconds`;
      controller.abort(exceeded('time', this.limits, 'the run takes too long', seen));
    }, seconds * 1000);
    // Who forgets to close the session must not wait for it.
    timer.unref();
    this.beforeClose(async () => clearTimeout(timer));
  }

  openSource(reference: Reference): Promise<Source> {
    const mirrors = parseMirrors(list(this.#values, 'mirror'));
    // What was given for the registry is not shown to its mirrors.
    const options = {
      ...this.#options('src-creds'),
      credentials: this.#credentials(null),
      certificates: this.#certificates(null),
    };
    return openSource(reference, this.#options('src-creds'), { mirrors, options });
  }

  openTarget(references: readonly Reference[]): Promise<Target> {
    const where = `destination ${references.map(formatReference).join(', ')}`;
    return openTarget(references, this.#options('dest-creds'), this.signal).catch((error: unknown) => {
      throw error instanceof OcislimError && error.code === 'IO' && !error.message.includes('destination')
        ? at(where, error)
        : error;
    });
  }

  /** Opens a destination for reading, with what is shown to destinations. */
  openResult(reference: Reference): Promise<Source> {
    return openSource(reference, this.#options('dest-creds'));
  }

  /** Opens an image besides source and destination: what was given for the source is shown to no other registry. */
  openBase(reference: Reference) {
    const source = parseReference(text(this.#values, 'src') ?? '');
    if (reference.kind !== 'registry' || (source.kind === 'registry' && source.host === reference.host))
      return this.openSource(reference);
    return openSource(reference, { ...this.#options('src-creds'), credentials: this.#credentials(null) });
  }

  #options(side: 'src-creds' | 'dest-creds'): RegistryOptions {
    const values = this.#values;
    return {
      listener: this.listener,
      credentials: this.#credentials(text(values, side) ?? text(values, 'creds')),
      insecure: flag(values, 'insecure'),
      tlsVerify: values['tls-verify'] !== false,
      certificates: this.#certificates(text(values, 'client-p12')),
      proxies: this.#proxies,
      retryTimes: atLeast(0, values['retry-times'] ?? 4, '--retry-times'),
      timeoutMs: atLeast(1, values['timeout'] ?? 60, '--timeout') * 1000,
      limits: this.limits,
      clients: this.#clients,
    };
  }

  /** One for both sides, so that each file is read once. */
  #certificates(clientP12: string | null): Certificates {
    const known = this.#shown.get(clientP12);
    if (known !== undefined) return known;
    const { env } = this.#console;
    const certificates = createCertificates({
      certDir: text(this.#values, 'cert-dir'),
      clientP12,
      passphrase: env['OCISLIM_CLIENT_P12_PASSPHRASE'] || null,
      passphraseFile: text(this.#values, 'client-p12-passphrase-file'),
      env,
      home: homeOf(env),
    });
    this.#shown.set(clientP12, certificates);
    return certificates;
  }

  /** One lookup for both sides where their credentials are the same, so that they share tokens and connections. */
  #credentials(creds: string | null): CredentialLookup {
    const known = this.#lookups.get(creds);
    if (known !== undefined) return known;
    const { env } = this.#console;
    const lookup = createCredentialLookup({
      creds,
      authfile: text(this.#values, 'authfile'),
      env,
      home: homeOf(env),
    });
    this.#lookups.set(creds, lookup);
    return lookup;
  }

  /** Null without --cache-dir. Close it when all else is closed. @throws USAGE, IO */
  async openCache(): Promise<BlobCache | null> {
    const folder = text(this.#values, 'cache-dir');
    const maxBytes = parseSize(text(this.#values, 'cache-size') ?? '10GB', '--cache-size');
    if (folder === null) return null;
    if (folder === '') throw new OcislimError('USAGE', '--cache-dir is empty: it takes a folder');
    return BlobCache.open({ folder, maxBytes, version, listener: this.listener }).catch((error: unknown) => {
      throw at('--cache-dir', error);
    });
  }

  /** Something that a command has opened besides, to be closed with the session. */
  beforeClose(close: () => Promise<void>): void {
    this.#closing.push(close);
  }

  async close(): Promise<void> {
    for (const close of this.#closing.splice(0)) await close();
  }

  /** Takes the progress off the screen, where something else is to write; what happens after that shows again. */
  pauseProgress(): void {
    this.#pause();
  }

  /** Takes the progress off the screen: call it before printing a result. */
  stopProgress(): void {
    this.#stop();
  }
}
