import type { ImageConfig } from './image-config.ts';
import type { JsonObject } from './json.ts';

/** What an image config says about running the image (image-spec config.md, "config"). */
export interface Runtime {
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly environment: ReadonlyMap<string, string>;
  /** As written: a name or number, maybe with a group after a colon; '' for root. */
  readonly user: string;
  /** '' where none is set, which means the root. */
  readonly workingDirectory: string;
  readonly volumes: readonly string[];
  /** "80/tcp". */
  readonly ports: readonly string[];
  /** Docker's health check: `CMD` with arguments or `CMD-SHELL` with one; empty for none. */
  readonly healthcheck: readonly string[];
  /** Docker's shell for the shell form of instructions; empty where it is not set. */
  readonly shell: readonly string[];
}

/** Reads leniently: what has another type than it should counts as absent, as runtimes have it. */
export function readRuntime({ json }: ImageConfig): Runtime {
  const config = objectOf(json['config']);
  const environment = new Map<string, string>();
  for (const pair of stringsOf(config['Env'])) {
    const equals = pair.indexOf('=');
    if (equals > 0) environment.set(pair.slice(0, equals), pair.slice(equals + 1));
  }
  const healthcheck = stringsOf(objectOf(config['Healthcheck'])['Test']);
  return {
    entrypoint: stringsOf(config['Entrypoint']),
    command: stringsOf(config['Cmd']),
    environment,
    user: textOf(config['User']),
    workingDirectory: textOf(config['WorkingDir']),
    volumes: Object.keys(objectOf(config['Volumes'])),
    ports: Object.keys(objectOf(config['ExposedPorts'])),
    healthcheck: healthcheck[0] === 'NONE' ? [] : healthcheck,
    shell: stringsOf(config['Shell']),
  };
}

function objectOf(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

function stringsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
