/**
 * Reads the values that edit an image config, in the syntax of Dockerfiles: commands in their JSON or shell form, health checks, ports,
 * signals. The table of options (`tables/configuring.ts`) and plans read by it.
 */
import { posix } from 'node:path';
import { portName } from '../configure/port-name.ts';
import { OcislimError } from '../errors.ts';
import {
  type CommandEdit,
  type HealthcheckEdit,
  type HealthcheckTime,
  healthcheckOptions,
  healthcheckTimes,
} from '../image/config-edit.ts';
import { isJson, wordsOfJson } from './json-words.ts';

/** Reads a command: `["a", "b"]` as its words, other texts as a line for the shell. An empty text or list has no words. @throws USAGE naming the option */
export function parseCommandForm(text: string, where: string): CommandEdit {
  const words = wordsOfJson(text);
  if (words !== null) {
    // Dockerfiles take an entrypoint away by [""].
    if (words.length === 1 && words[0] === '') return { kind: 'exec', words: [] };
    if (words[0] === '') throw usage(where, text, 'its first word is empty');
    return { kind: 'exec', words };
  }
  if (text.trim() === '') return { kind: 'exec', words: [] };
  if (/^\s*\[\s*["']/.test(text))
    throw usage(
      where,
      text,
      isJson(text)
        ? 'its JSON holds something that is not a text'
        : 'it begins like the JSON form and is not JSON',
      'Write \'["/bin/app","--port"]\'.',
    );
  return { kind: 'shell', line: text.trim() };
}

/** Reads a shell, which has the JSON form alone. An empty text or list takes it away. @throws USAGE naming the option */
export function parseShellWords(text: string, where: string): readonly string[] {
  if (text.trim() === '') return [];
  const words = wordsOfJson(text);
  if (words !== null && words[0] !== '') return words;
  throw usage(where, text, 'a shell has the JSON form', 'Write \'["/bin/bash","-c"]\'.');
}

/**
 * Reads a health check: `NONE`, or `CMD` with a command in either form, behind options as `--interval=30s`. An empty text takes it away.
 * @throws USAGE naming the option
 */
export function parseHealthcheck(text: string, where: string): HealthcheckEdit {
  const given = text.trim();
  if (given === '') return { kind: 'remove' };
  if (/^none$/i.test(given)) return { kind: 'none' };
  const [, written = '', command = ''] = /^((?:--\S+\s+)*)cmd\s+(\S[\s\S]*)$/i.exec(given) ?? [];
  if (command === '')
    throw usage(
      where,
      text,
      'it is neither NONE nor CMD with a command',
      `Write ${where} 'CMD curl -f http://localhost/'.`,
    );
  const form = parseCommandForm(command, where);
  if (form.kind === 'exec' && form.words.length === 0) throw usage(where, text, 'its command is empty');
  const times: Partial<Record<HealthcheckTime, number>> = {};
  let retries: number | null = null;
  for (const option of written.split(/\s+/).filter((each) => each !== '')) {
    const [name = '', value = ''] = option.split(/=(.*)/s);
    const time = healthcheckTimes.find((each) => healthcheckOptions[each] === name);
    if (time !== undefined) times[time] = parseGoDuration(value, `${where}: ${name}`);
    else if (name === '--retries' && /^\d{1,9}$/.test(value)) retries = Number(value);
    else throw usage(where, text, `it has the option ${JSON.stringify(option)}`, healthcheckAdvice);
  }
  return { kind: 'check', command: form, times, retries };
}

const healthcheckAdvice =
  'A health check has --interval=30s, --timeout=30s, --start-period=5s, --start-interval=5s and --retries=3.';

const nanoseconds: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** Reads a length of time as Go writes it ("1m30s", "1.5h", "500ms") into nanoseconds. Docker takes none below a millisecond but 0. @throws USAGE */
function parseGoDuration(text: string, where: string): number {
  const parts = [...text.matchAll(/(\d{1,9}(?:\.\d{1,9})?)(ns|us|µs|ms|s|m|h)/g)];
  const isWhole = parts.length > 0 && parts.map(([part]) => part).join('') === text;
  const total = parts.reduce(
    (sum, [, count = '0', unit = '']) => sum + Number(count) * (nanoseconds[unit] ?? 0),
    0,
  );
  const whole = Math.round(total);
  if (text === '0' || (isWhole && (whole === 0 || (whole >= 1e6 && Number.isSafeInteger(whole)))))
    return whole;
  throw usage(
    where,
    text,
    'it is not a length of time of at least a millisecond',
    'Write 30s, 1m30s or 500ms.',
  );
}

/** Reads ports: `80`, `53/udp`, `8000-8010/tcp`. Each gets its protocol; a range becomes its ports. @throws USAGE naming the option */
export function parsePorts(texts: readonly string[], where: string): readonly string[] {
  return texts.flatMap((text) => {
    const [, from = '', to = from, protocol = 'tcp'] =
      /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(text.trim()) ?? [];
    const [first, last] = [Number(from), Number(to)];
    if (from === '' || first < 1 || last > 65_535 || last < first)
      throw usage(where, text, 'it is not a port', 'Write 80, 53/udp or 8000-8010/tcp.');
    return Array.from({ length: last - first + 1 }, (_, i) => `${first + i}/${protocol.toLowerCase()}`);
  });
}

/** Reads ports that are to go. buildah writes a range as one name, which goes too. @throws USAGE naming the option */
export function parseGonePorts(texts: readonly string[], where: string): readonly string[] {
  const ranges = texts.map((text) => text.trim()).filter((text) => text.includes('-'));
  return [...parsePorts(texts, where), ...ranges.map(portName)];
}

/** Reads a working directory: an absolute path, of Windows too, without `.` and `..`, as builders write it. An empty one takes it away. @throws USAGE naming the option */
export function parseImagePath(text: string, where: string): string {
  if (text === '') return text;
  if (!isAbsolute.test(text))
    throw usage(where, text, 'it is not an absolute path in the image', `Write ${where} /${text}.`);
  if (!text.startsWith('/')) return text;
  const path = posix.normalize(text);
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

const isAbsolute = /^(?:\/|[A-Za-z]:[\\/])[^\0]*$/;

/** Reads volumes: paths of the image, without what `docker run -v` mounts there. @throws USAGE naming the option */
export function parseVolumes(texts: readonly string[], where: string): readonly string[] {
  return texts.map((text) => {
    // No container starts whose volume is its root.
    if (!isAbsolute.test(text) || /^\/.*:/s.test(text) || posix.normalize(text) === '/')
      throw usage(where, text, 'it is not the path of a volume in the image', `Write ${where} /data.`);
    return text;
  });
}

/** Reads a user, and after a colon a group, each by name or number. @throws USAGE naming the option */
export function parseUser(text: string, where: string): string {
  if (/^(?:[^\s:\0]+(?::[^\s:\0]+)?)?$/.test(text)) return text;
  throw usage(where, text, 'it is not USER or USER:GROUP');
}

/** The signals of Linux. */
const signals = new Set(
  (
    'HUP INT QUIT ILL TRAP ABRT IOT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF ' +
    'WINCH IO POLL PWR SYS RTMIN RTMAX'
  ).split(' '),
);

/** Reads a signal by its name or number. Names become those of the image specification: "SIGTERM". @throws USAGE naming the option */
export function parseSignal(text: string, where: string): string {
  if (text === '') return text;
  if (/^\d{1,2}$/.test(text) && Number(text) >= 1 && Number(text) <= 64) return String(Number(text));
  const name = text.toUpperCase().replace(/^SIG/, '');
  const realTime = /^RTM(IN\+|AX-)(\d{1,2})$/.exec(name);
  if (signals.has(name) || (realTime !== null && Number(realTime[2]) <= 30)) return `SIG${name}`;
  throw usage(where, text, 'it is not a signal', 'Write SIGTERM, SIGRTMIN+3 or a number.');
}

/** Reads names of variables or labels that go. @throws USAGE naming the option */
export function parseNames(texts: readonly string[], where: string): readonly string[] {
  for (const text of texts)
    if (text === '' || text.includes('='))
      throw usage(where, text, 'it is not the name alone', `Write ${where} NAME.`);
  return texts;
}

function usage(where: string, text: string, why: string, advice?: string): OcislimError {
  return new OcislimError(
    'USAGE',
    `${where} ${JSON.stringify(text)}: ${why}`,
    advice === undefined ? {} : { advice },
  );
}
