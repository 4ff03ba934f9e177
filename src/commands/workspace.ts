/**
 * What the settings of a job stand for while it runs: open places, limits, a listener that collects warnings. Every job makes
 * one workspace and closes it at its end.
 */
import { availableParallelism } from 'node:os';
import { Closeable } from '../closeable.ts';
import type { EncoderPool } from '../codec/encoder-pool.ts';
import { at, OcislimError } from '../errors.ts';
import type { Listener } from '../events.ts';
import { DiskBudget } from '../files/disk-budget.ts';
import type { Image } from '../image/image.ts';
import { openSource, openTarget } from '../jobs/open.ts';
import type { PlaceOptions } from '../jobs/openers.ts';
import { exceededTime, type Limits } from '../limits.ts';
import type { Digest } from '../oci/digest.ts';
import { formatReference, hostOf, type Reference } from '../oci/reference.ts';
import type { Source, Target } from '../place/place.ts';
import type { CredentialLookup } from '../registry/auth/credential.ts';
import { createCredentialLookup } from '../registry/auth/credentials.ts';
import { Secret } from '../registry/auth/secret.ts';
import { RegistryClients } from '../registry/clients.ts';
import type { RegistryOptions } from '../registry/lease.ts';
import { createProxyLookup, type ProxyLookup } from '../registry/http/proxy.ts';
import type { Mirrors } from '../registry/mirrors.ts';
import { type Certificates, createCertificates } from '../registry/tls/certificates.ts';
import { limitsOf } from '../settings/limits.ts';
import type { SecretName } from '../settings/secrets.ts';
import type { ReachingSettings } from '../settings/tables/commands.ts';
import { BlobCache } from '../store/cache/blob-cache.ts';
import { homeOf } from './home.ts';
import type { Surroundings } from './surroundings.ts';
import { version } from './version.ts';

/** The longest delay of a timer, in seconds. Node runs a longer one at once. */
const longestTimer = (2 ** 31 - 1) / 1000;

/** A base image that a job has read. */
export interface BaseRead {
  readonly reference: Reference;
  /** What the reference names: a manifest or an index. */
  readonly digest: Digest;
  /** What it is to the result, for statements. Default: `base`. */
  readonly role?: 'old-base' | 'new-base';
}

/** The parts of the settings that a workspace looks at. */
type WorkspaceSettings = Omit<ReachingSettings, 'quiet' | 'verbose' | 'progress'>;

/** Opens places as the settings say, and closes them at the end of a job. */
export class Workspace extends Closeable {
  readonly settings: WorkspaceSettings;
  readonly env: Surroundings['env'];
  readonly listener: Listener;
  readonly warnings: { code: string; message: string }[] = [];
  /** The base images that were read, as they were named. */
  readonly bases: BaseRead[] = [];
  /** The earlier versions of the image that were read, as they were named; the one before first. */
  readonly versions: { readonly name: string; readonly image: Image }[] = [];
  readonly signal: AbortSignal;
  readonly limits: Limits;
  /** What the run may use of the local disk beside its destination. */
  readonly disk: DiskBudget;
  /** The number of layers and blocks that are worked on at once. */
  readonly jobs: number;
  readonly #surroundings: Surroundings;
  readonly #clients = new RegistryClients();
  readonly #lookups = new Map<string | null, CredentialLookup>();
  readonly #shown = new Map<string | null, Certificates>();
  readonly #proxies: ProxyLookup;
  readonly #opened = new AsyncDisposableStack();

  constructor(settings: WorkspaceSettings, surroundings: Surroundings) {
    super();
    this.settings = settings;
    this.env = surroundings.env;
    this.#surroundings = surroundings;
    this.#proxies = createProxyLookup(surroundings.env);
    const stop = new AbortController();
    this.limits = limitsOf(settings.limit);
    this.disk = new DiskBudget(settings.maxScratch);
    this.jobs = settings.jobs ?? availableParallelism();
    this.signal = AbortSignal.any([surroundings.signal, stop.signal]);
    this.listener = (event) => {
      if (event.type === 'warning') {
        this.warnings.push({ code: event.code, message: event.message });
        if (settings.strict)
          stop.abort(new OcislimError('STRICT', `${event.message} (a warning, made an error by --strict)`));
      }
      surroundings.listener(event);
    };
    this.#stopAfter(this.limits.time, stop);
    for (const warning of surroundings.warnings) this.listener(warning);
    this.#warnOfUncheckedCertificates();
  }

  /** Cancels the job when its time is over. */
  #stopAfter(seconds: number, stop: AbortController): void {
    if (seconds > longestTimer) return;
    const timer = setTimeout(() => {
      stop.abort(exceededTime(this.limits, 'the run takes too long'));
    }, seconds * 1000);
    // A workspace that is never closed must not keep the process alive.
    timer.unref();
    this.#opened.defer(() => clearTimeout(timer));
  }

  #warnOfUncheckedCertificates(): void {
    const { insecure, tlsVerify } = this.settings;
    if (this.env['NODE_TLS_REJECT_UNAUTHORIZED'] !== '0' || insecure || !tlsVerify) return;
    this.listener({
      type: 'warning',
      code: 'SETTING_IGNORED',
      message: 'NODE_TLS_REJECT_UNAUTHORIZED=0 has no effect: certificates are checked',
    });
  }

  /** Opens a source. The workspace closes it. @throws what opening sources throws */
  async openSource(reference: Reference): Promise<Source> {
    return this.#use(await this.openOneOfMany(reference));
  }

  /** Opens a source of many, as `openSource` does. The caller closes it. */
  async openOneOfMany(reference: Reference): Promise<Source> {
    const mirrors: Mirrors = new Map(Object.entries(this.settings.mirror));
    // Credentials that were given for the registry are not shown to its mirrors.
    const options = {
      ...this.#options('srcCreds'),
      credentials: this.#credentials(null),
      certificates: this.#certificates(null),
    };
    return openSource(reference, this.#options('srcCreds'), { mirrors, options });
  }

  /** Opens a target: references that differ in their tags only. The caller closes it. @throws what opening targets throws */
  async openTarget(
    references: readonly Reference[],
    { inPlace = false, pool = null }: { readonly inPlace?: boolean; readonly pool?: EncoderPool | null } = {},
  ): Promise<Target> {
    const where = `destination ${references.map(formatReference).join(', ')}`;
    try {
      return await openTarget(references, { ...this.#options('destCreds'), pool }, this.signal, inPlace);
    } catch (error) {
      const isNameless =
        error instanceof OcislimError && error.code === 'IO' && !error.message.includes('destination');
      throw isNameless ? at(where, error) : error;
    }
  }

  /** Returns how registries are reached with the credentials of sources, for what they list. */
  get registryOptions(): RegistryOptions {
    return this.#options('srcCreds');
  }

  /** Opens a destination for reading, with the credentials of destinations. The caller closes it. */
  openResult(reference: Reference): Promise<Source> {
    return openSource(reference, this.#options('destCreds'));
  }

  /**
   * Opens a third image beside `source`: a base or an original. The credentials of the source are shown to its own registry
   * alone. The workspace closes it.
   */
  async openBeside(source: Reference, reference: Reference): Promise<Source> {
    return this.#use(await this.openOneBeside(source, reference));
  }

  /** Opens a third image beside `source`, one of many, as `openBeside` does. The caller closes it. */
  async openOneBeside(source: Reference, reference: Reference): Promise<Source> {
    if (isAtHostOf(source, reference)) return this.openOneOfMany(reference);
    return openSource(reference, this.optionsBeside(source, reference));
  }

  /** Returns how a place beside `source` is reached: the credentials of the source are shown to its own registry alone. */
  optionsBeside(source: Reference, reference: Reference): PlaceOptions {
    const options = this.#options('srcCreds');
    return isAtHostOf(source, reference) ? options : { ...options, credentials: this.#credentials(null) };
  }

  /** Opens the folder of --cache-dir; null where that is not given. The workspace closes it last. @throws USAGE, IO */
  async openCache(): Promise<BlobCache | null> {
    const { cacheDir: folder, cacheSize: maxBytes } = this.settings;
    if (folder === null) return null;
    if (folder === '') throw new OcislimError('USAGE', '--cache-dir is empty: it takes a folder');
    try {
      return this.#use(await BlobCache.open({ folder, maxBytes, version, listener: this.listener }));
    } catch (error) {
      throw at('--cache-dir', error);
    }
  }

  /** Tells the owner of the terminal that another program is about to write to it. */
  pauseOutput(): void {
    this.#surroundings.pauseOutput();
  }

  close(): Promise<void> {
    return this.#opened.disposeAsync();
  }

  #use<T extends AsyncDisposable>(opened: T): T {
    return this.#opened.use(opened);
  }

  #secret(name: SecretName): string | null {
    return this.#surroundings.secrets.reveal(name);
  }

  #options(side: 'srcCreds' | 'destCreds'): PlaceOptions {
    const { insecure, tlsVerify, clientP12, retryTimes, timeout } = this.settings;
    return {
      listener: this.listener,
      credentials: this.#credentials(this.#secret(side) ?? this.#secret('creds')),
      insecure,
      tlsVerify,
      certificates: this.#certificates(clientP12),
      proxies: this.#proxies,
      retryTimes,
      timeoutMs: timeout * 1000,
      limits: this.limits,
      clients: this.#clients,
      disk: this.disk,
      pipe: this.#surroundings.pipe,
    };
  }

  /** Makes the certificates of both sides once, so that each file is read once. */
  #certificates(clientP12: string | null): Certificates {
    const known = this.#shown.get(clientP12);
    if (known !== undefined) return known;
    const certificates = createCertificates({
      certDir: this.settings.certDir,
      clientP12,
      passphrase: asSecret(this.#secret('clientP12Passphrase')),
      passphraseFile: this.settings.clientP12PassphraseFile,
      env: this.env,
      home: homeOf(this.env),
      signal: this.signal,
      limits: this.limits,
    });
    this.#shown.set(clientP12, certificates);
    return certificates;
  }

  /** Makes one lookup for both sides where their credentials are the same, so that they share tokens and connections. */
  #credentials(creds: string | null): CredentialLookup {
    const known = this.#lookups.get(creds);
    if (known !== undefined) return known;
    const { authfile } = this.settings;
    const home = homeOf(this.env);
    const lookup = createCredentialLookup({
      creds: asSecret(creds),
      authfile,
      env: this.env,
      home,
      limits: this.limits,
    });
    this.#lookups.set(creds, lookup);
    return lookup;
  }
}

function isAtHostOf(source: Reference, reference: Reference): boolean {
  return hostOf(reference) === null || hostOf(reference) === hostOf(source);
}

function asSecret(text: string | null): Secret | null {
  return text === null ? null : new Secret(text);
}
