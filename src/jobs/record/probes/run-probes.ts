/**
 * Asks a program that runs everything that a plan of probes has: waits until it is ready, sends the probes, follows links, calls the operations
 * of an API, and lets it run on for a while. `trace record` calls it beside the recording.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { linksOf } from '../../../probe/links.ts';
import { probesOfApi } from '../../../probe/openapi.ts';
import {
  type ExecProbe,
  getOf,
  type NetworkProbe,
  type ProbePlan,
  type ProbeResult,
} from '../../../probe/probe.ts';
import type { Answer } from './http-call.ts';
import { type ProbeTimes, Prober, standardTimes, type Target } from './prober.ts';
import { type Readiness, waitUntilReady } from './ready.ts';

/** The most pages of a crawl, and how many links deep it goes. */
const mostPages = 1000;
const deepest = 3;
/** Milliseconds between two looks whether the program is ready, and until it has to be. */
const standardReadiness = { interval: 100, patience: 180_000 };

export interface ProbeRun extends Target {
  readonly plan: ProbePlan;
  /** The health check of the image as a command; null without one. */
  readonly healthcheck: readonly string[] | null;
  /** Whether to knock on the exposed ports where the plan asks nothing. */
  readonly knocks: boolean;
  /** Resolves when a line of the program's output matches. */
  readonly logged: Readiness['logged'];
  /** Is told when the last probe is done. */
  readonly onDone?: () => void;
  readonly times?: ProbeTimes & Partial<Readiness['times']>;
}

/** Returns whether a run has anything to ask. If not, it ends when the program does. */
export function hasProbes(run: Pick<ProbeRun, 'plan' | 'ports' | 'healthcheck' | 'knocks'>): boolean {
  return asksMore(run.plan) || (run.knocks && (run.ports.length > 0 || run.healthcheck !== null));
}

function asksMore({ probes, crawl, apis }: ProbePlan): boolean {
  return probes.length > 0 || crawl || apis.length > 0;
}

/**
 * Asks everything, and returns the results in the order of the questions. A program that ends early is not an error: what could not be asked
 * says so.
 * @throws UNSUPPORTED where the program does not become ready
 */
export async function runProbes(run: ProbeRun): Promise<readonly ProbeResult[]> {
  const { plan, ports, healthcheck, signal, times = standardTimes } = run;
  const prober = new Prober(run, times);
  const network = plan.probes.filter((probe): probe is NetworkProbe => probe.kind !== 'exec');
  const commands = plan.probes.filter((probe): probe is ExecProbe => probe.kind === 'exec');
  const isAsked = asksMore(plan);
  const knocks = isAsked ? [] : ports.map((port) => ({ ...getOf('/', 'port', port), retries: 0 }));
  const needsPort = network.length > 0 || plan.crawl || plan.apis.length > 0;
  const waited = needsPort ? [network[0]?.port ?? prober.port] : ports;
  await waitUntilReady(plan.ready, { ...run, ports: waited, times: { ...standardReadiness, ...times } });
  if (healthcheck !== null)
    await prober.run({ kind: 'exec', origin: 'healthcheck', command: healthcheck, retries: 5 });
  const pages: Page[] = [];
  for (const probe of [...network, ...knocks]) {
    const answer = await prober.ask(probe);
    if (answer !== null && probe.method === 'GET') pages.push({ ...pageOf(probe), answer });
  }
  if (plan.crawl) await crawl(prober, pages, signal);
  for (const api of plan.apis) await callApi(prober, api, signal);
  for (const probe of commands) await prober.run(probe);
  run.onDone?.();
  await delay(plan.after * 1000, undefined, { signal }).catch(() => {});
  return prober.results;
}

/** A page that was fetched, and how many links lead to it. */
interface Page {
  readonly path: string;
  readonly port: number | null;
  readonly depth: number;
  readonly answer: Answer | null;
}

function pageOf({ path, port }: NetworkProbe): Omit<Page, 'answer'> {
  return { path, port, depth: 0 };
}

/** Follows the links of pages breadth first, each path once. Without pages, it begins at the root. */
async function crawl(prober: Prober, begun: readonly Page[], signal: AbortSignal): Promise<void> {
  const queue: Page[] = begun.length > 0 ? [...begun] : [{ path: '/', port: null, depth: 0, answer: null }];
  const seen = new Set(queue.map(({ path, port }) => `${port} ${path}`));
  for (let next = queue.shift(), pages = 0; next !== undefined && !signal.aborted; next = queue.shift()) {
    const { path, port, depth } = next;
    if (next.answer === null && ++pages > mostPages) return;
    const answer = next.answer ?? (await prober.ask(getOf(path, 'crawl', port)));
    if (answer === null || depth >= deepest) continue;
    const text = Buffer.from(answer.body).toString('utf8');
    const links = [...linksOf(text, answer.type, path), ...redirectOf(answer, path)];
    for (const link of links) {
      const key = `${port} ${link}`;
      if (seen.has(key) || seen.size > 2 * mostPages) continue;
      seen.add(key);
      queue.push({ path: link, port, depth: depth + 1, answer: null });
    }
  }
}

/** Where an answer redirects to on its own origin. */
function redirectOf({ location }: Answer, path: string): readonly string[] {
  if (location === null) return [];
  // A server names itself as it was asked: localhost with its port.
  const own = location.replace(/^https?:\/\/localhost(?::\d{1,5})?(?=\/|$)/, '') || '/';
  return linksOf(`<a href="${own.replaceAll('"', '%22')}">`, 'text/html', path);
}

/** Calls the operations of an API. One that the program serves itself is fetched first. */
async function callApi(prober: Prober, api: ProbePlan['apis'][number], signal: AbortSignal): Promise<void> {
  const document = api.kind === 'document' ? api.document : await servedApi(prober, api.path);
  const found = document === null ? null : probesOfApi(document, null);
  if (found === null) {
    if (api.kind === 'path') prober.leave(api.path, 'it is not the JSON of an API with paths');
    return;
  }
  for (const { name, reason } of found.left) prober.leave(name, reason);
  for (const probe of found.probes) if (!signal.aborted) await prober.ask(probe);
}

async function servedApi(prober: Prober, path: string): Promise<unknown> {
  const answer = await prober.ask(getOf(path, 'openapi'));
  try {
    return answer === null ? null : (JSON.parse(Buffer.from(answer.body).toString('utf8')) as unknown);
  } catch {
    return null;
  }
}
