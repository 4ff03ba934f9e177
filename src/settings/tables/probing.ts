/**
 * The options that say what to ask of a program while it is recorded. Their readers are loaded where an option is given; `trace record` makes
 * a plan of them.
 */
import { OcislimError } from '../../errors.ts';
import type { ApiSource, ExecProbe, NetworkProbe } from '../../probe/probe.ts';
import { defaultRetries } from '../../probe/probe.ts';
import { parseCommand } from '../command-words.ts';
import { flag, list, type Option, parsedBy, type Raw } from '../option.ts';

const group = 'Probing';

export const probing = {
  httpProbe: list<readonly NetworkProbe[] | Promise<readonly NetworkProbe[]>>(
    async (texts, where) => {
      if (texts.length === 0) return [];
      const { parseNetworkProbe } = await import('../../probe/written.ts');
      return texts.map((text) => parseNetworkProbe(text, where));
    },
    {
      value: 'PROBE',
      describe: 'record: request [METHOD] [http[s]://][:PORT]/PATH[ =>STATUS] (repeatable)',
      details:
        'Without a port, the first that the image exposes; without a scheme, HTTP, then HTTPS. Without a status, any below 500 is expected. Redirects are answers: they are not followed. `tcp://:PORT` connects only, and `grpc://:PORT[/SERVICE]` asks for the health of gRPC.',
      group,
    },
  ),
  httpProbeFile: list<readonly NetworkProbe[] | Promise<readonly NetworkProbe[]>>(
    async (files, where, door) =>
      files.length === 0 ? [] : (await import('../probe-file.ts')).readProbeFiles(files, where, door),
    {
      value: 'FILE',
      describe: 'record: send the requests of a YAML file (repeatable)',
      details:
        'It is a list of requests with `path` (as in --http-probe), `method`, `headers`, `body`, `status`, `retries`.',
      group,
    },
  ),
  httpCrawl: flag({
    describe: 'record: follow the links and assets of pages on the same origin',
    details: 'It begins at the paths of the probes, or at `/`; at most 1,000 pages, three links deep.',
    group,
  }),
  openapi: list<readonly ApiSource[] | Promise<readonly ApiSource[]>>(
    async (texts, where, door) =>
      texts.length === 0 ? [] : (await import('../probe-file.ts')).readApis(texts, where, door),
    {
      value: 'FILE|/PATH',
      describe: 'record: call the operations of an API by its description (repeatable)',
      details:
        'OpenAPI 3 or Swagger 2, from a file (YAML or JSON), or from a path at which the program serves it (JSON). Called are operations without parameters, and others for which the description has examples.',
      group,
    },
  ),
  execProbe: list<readonly ExecProbe[]>((texts) => texts.map(execOf), {
    value: 'COMMAND',
    describe: 'record: run a command beside the program, and trace it (repeatable)',
    details:
      'Words are split as a shell does. A command with syntax of a shell is given to `/bin/sh -c` of the image, and `["a", "b"]` is taken word by word.',
    group,
  }),
  ready: parsedBy(async () => (await import('../../probe/written.ts')).parseReady, {
    value: 'PORT|/PATH|REGEX|5s',
    describe: 'record: what shows that probing may begin (default: the probed port)',
    details:
      'A port that takes connections, a path that is answered with a status below 400, a line of output that the regular expression matches, or a time.',
    group,
  }),
  continueAfter: parsedBy(async () => (await import('../../probe/written.ts')).parseContinue, {
    value: 'WHAT',
    describe: 'record: run on until enter, signal (SIGUSR1) or seconds (default: probe)',
    details:
      '`probe` and `exec` end the run after the probes. With `enter` and `signal`, exposed ports are published and their addresses shown.',
    group,
  }),
  runFor: seconds('record: run on for this time after the last probe', 3),
};

/** Reads a command: a JSON list of words, words, or a line for the shell of the image. @throws USAGE */
function execOf(text: string): ExecProbe {
  // The first command may come while the program still starts: no port shows that it is ready.
  const probe = { kind: 'exec', origin: 'option', retries: defaultRetries + 2 } as const;
  if (text.trimStart().startsWith('[')) {
    const words = wordsOf(text);
    if (words !== null && words.length > 0) return { ...probe, command: words };
  }
  const command = /[|&;<>()$`*?~\n]/.test(text) ? ['/bin/sh', '-c', text] : parseCommand(text);
  return { ...probe, command };
}

function wordsOf(text: string): readonly string[] | null {
  try {
    const words: unknown = JSON.parse(text);
    return Array.isArray(words) && words.every((word) => typeof word === 'string') ? words : null;
  } catch {
    return null;
  }
}

function seconds(describe: string, standard: number): Option<number> {
  return {
    type: 'number',
    value: 'SECONDS',
    default: standard,
    describe,
    group,
    read: (given: Raw | undefined, where) => {
      const read = Number(given);
      if (read >= 0 && read < 1e6) return read;
      throw new OcislimError('USAGE', `${where} takes a number of seconds`);
    },
  };
}
