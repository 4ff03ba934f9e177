/**
 * Reads what an image config states about running the image. The closure, the attack surface and warnings ask it.
 */
import type { ImageConfig } from './image-config.ts';
import { objectOf } from './json.ts';
import { spellingOf } from './other-case.ts';

/** What an image config states about running the image (image-spec config.md, "config"). */
export interface Runtime {
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  /** Variables by name. Of two with one name the last one counts. */
  readonly environment: ReadonlyMap<string, string>;
  /** As written: a name or number, optionally with a group after a colon; '' for root. */
  readonly user: string;
  /** '' where the config sets none, which means the root directory. */
  readonly workingDirectory: string;
  /** Paths of mount points. */
  readonly volumes: readonly string[];
  /** With their protocol: "80/tcp". */
  readonly ports: readonly string[];
  /** Docker's health check, `CMD` with arguments or `CMD-SHELL` with one; empty where the image has none. */
  readonly healthcheck: readonly string[];
  /** The signal that ends the program, by name or number; '' for SIGTERM. */
  readonly stopSignal: string;
  /** Docker's shell for the shell form of instructions; empty where the config sets none. */
  readonly shell: readonly string[];
  readonly labels: ReadonlyMap<string, string>;
}

/** Reads the settings as leniently as runtimes do: a value of the wrong type counts as absent, and keys may have any case. */
export function readRuntime({ json }: Pick<ImageConfig, 'json'>): Runtime {
  const config = objectOf(json['config']);
  const member = (name: string): unknown => config[spellingOf(config, name)];
  const environment = new Map<string, string>();
  for (const pair of stringsOf(member('Env'))) {
    const equals = pair.indexOf('=');
    if (equals > 0) environment.set(pair.slice(0, equals), pair.slice(equals + 1));
  }
  const check = objectOf(member('Healthcheck'));
  const healthcheck = stringsOf(check[spellingOf(check, 'Test')]);
  return {
    entrypoint: stringsOf(member('Entrypoint')),
    command: stringsOf(member('Cmd')),
    environment,
    user: textOf(member('User')),
    workingDirectory: textOf(member('WorkingDir')),
    volumes: Object.keys(objectOf(member('Volumes'))),
    ports: Object.keys(objectOf(member('ExposedPorts'))),
    healthcheck: healthcheck[0] === 'NONE' ? [] : healthcheck,
    stopSignal: textOf(member('StopSignal')),
    shell: stringsOf(member('Shell')),
    labels: new Map(Object.entries(objectOf(member('Labels'))).map(([key, value]) => [key, textOf(value)])),
  };
}

function stringsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
