/**
 * What is asked of a program while it is recorded, and what it answered: requests, commands and how long to wait. Everything here is
 * plain data and pure functions; `jobs/record/probes` sends the requests, and `settings` reads the options.
 */

/** A request over HTTP, or whether a port takes connections. */
export interface NetworkProbe {
  readonly kind: 'http' | 'tcp' | 'grpc';
  readonly origin: ProbeOrigin;
  /** In upper case. Only of HTTP. */
  readonly method: string;
  /** Null: HTTP, then HTTPS if the answer is not HTTP. */
  readonly scheme: 'http' | 'https' | null;
  /** Null: the first port that the image exposes. */
  readonly port: number | null;
  /** The path with its query, from `/` on; of gRPC, the name of the service, which may be empty. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** The status that must come. Null: any below 500. */
  readonly status: number | null;
  /** How often to ask again where the answer is not the expected one. */
  readonly retries: number;
}

/** A command that runs inside, beside the program. */
export interface ExecProbe {
  readonly kind: 'exec';
  readonly origin: ProbeOrigin;
  readonly command: readonly string[];
  readonly retries: number;
}

export type Probe = NetworkProbe | ExecProbe;

/** Where a probe comes from. `port`: the image exposes it, and nothing else was asked for. */
export type ProbeOrigin = 'option' | 'file' | 'crawl' | 'openapi' | 'port' | 'healthcheck';

/** What a probe got. */
export interface ProbeResult {
  readonly kind: Probe['kind'];
  readonly origin: ProbeOrigin;
  /** What was asked, as a person would write it: "GET http://:80/". */
  readonly name: string;
  /** The HTTP status, the exit status, or gRPC's health; null where no answer came. */
  readonly status: number | null;
  /** Bytes of the body, or of the standard output; null where no answer came. */
  readonly length: number | null;
  /** The digest of those bytes, `sha256:…`; null where no answer came. */
  readonly digest: string | null;
  /** Seconds from the request to the end of the answer, with three decimals. */
  readonly seconds: number;
  /** Whether the answer is the expected one. */
  readonly ok: boolean;
  /** Why there is no answer, or what is wrong with it; null where nothing is. */
  readonly error: string | null;
}

/** What shows that the program is ready to be probed. */
export type Ready =
  | { readonly kind: 'port'; readonly port: number }
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'log'; readonly pattern: string }
  | { readonly kind: 'seconds'; readonly seconds: number };

/** What has to happen before the program is stopped. `probe` and `exec`: nothing more than the probes. */
export type Continue =
  | { readonly kind: 'enter' | 'signal' | 'probe' | 'exec' }
  | { readonly kind: 'seconds'; readonly seconds: number };

/** The description of an API whose operations are called: read from a file already, or a path at which the program serves it. */
export type ApiSource =
  | { readonly kind: 'document'; readonly document: unknown }
  | { readonly kind: 'path'; readonly path: string };

/** Everything that is to be asked. */
export interface ProbePlan {
  readonly probes: readonly Probe[];
  /** Whether to follow the links of the pages that HTTP probes get. */
  readonly crawl: boolean;
  readonly apis: readonly ApiSource[];
  /** Null: the port of the first probe takes connections. */
  readonly ready: Ready | null;
  /** Null: the probes, where there are any. */
  readonly continueAfter: Continue | null;
  /** Seconds that the program runs on after the last probe. */
  readonly after: number;
}

/** Returns what a probe asks, as a person would write it. */
export function nameOfProbe(probe: Probe): string {
  switch (probe.kind) {
    case 'exec':
      return probe.command.join(' ');
    case 'tcp':
      return `tcp://:${probe.port ?? ''}`;
    case 'grpc':
      return `grpc://:${probe.port ?? ''}${probe.path === '' ? '' : `/${probe.path}`}`;
    case 'http':
      return `${probe.method} ${probe.scheme ?? 'http'}://:${probe.port ?? ''}${probe.path}`;
  }
}

/** Returns a plain GET of a path. */
export function getOf(path: string, origin: ProbeOrigin, port: number | null = null): NetworkProbe {
  return {
    kind: 'http',
    origin,
    method: 'GET',
    scheme: null,
    port,
    path,
    headers: {},
    body: null,
    status: null,
    retries: defaultRetries,
  };
}

/** How often an unexpected answer is asked for again, unless a file says otherwise. */
export const defaultRetries = 3;
