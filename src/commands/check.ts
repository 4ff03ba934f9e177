/**
 * Runs `check`: analyzes one image as deep as the gates need, and judges it by them. The command line and programs call it.
 */
import { sinNames } from '../analyze/gates/dockerfile.ts';
import { type GateLimits } from '../analyze/gates/all.ts';
import type { BuildStep, Judged } from '../analyze/gates/gate.ts';
import { isDeep, type Policy, verdictSteps } from '../analyze/gates/verdict.ts';
import type { Image } from '../image/image.ts';
import type { AnalyzedScan } from '../jobs/analyze/analyze-image.ts';
import { readSource } from '../jobs/read-reference.ts';
import type { Judgement } from '../report/verdict/judgement.ts';
import { defaultPolicy } from '../settings/gate-values.ts';
import type { CheckSettings } from '../settings/tables/check.ts';
import { inTurns } from '../steps.ts';
import { analyzeIn, onePlatform } from './analyze.ts';
import { readBases } from './known-bases.ts';
import type { Surroundings } from './surroundings.ts';
import { version } from './version.ts';
import { Workspace } from './workspace.ts';

/** A policy, and where it was written. */
interface Chosen {
  readonly policy: Policy;
  readonly origin: string;
}

/** A verdict, and what it was found on, for what shows both. */
export interface JudgedScan {
  readonly judgement: Judgement;
  readonly analyzed: AnalyzedScan;
}

/** Judges an image. The result is plain data. @throws OcislimError */
export async function checkOne(
  source: string,
  settings: CheckSettings,
  surroundings: Surroundings,
): Promise<Judgement> {
  return (await judgeOne(source, settings, surroundings)).judgement;
}

/** Judges an image, and returns with the verdict what it is about. A report asks for a whole analysis. @throws OcislimError */
export async function judgeOne(
  source: string,
  settings: CheckSettings,
  surroundings: Surroundings,
): Promise<JudgedScan> {
  const platform = onePlatform(settings.platform, 'a check');
  const { policy, origin } = choosePolicy(settings);
  const reference = await readSource(source);
  await using workspace = new Workspace(settings, surroundings);
  for (const message of settings.config?.ignored ?? [])
    workspace.listener({ type: 'warning', code: 'SETTING_IGNORED', message });
  const quick = !isDeep(policy) && settings.report.length === 0;
  const analyzed = await analyzeIn(workspace, { name: source, quick, samples: false, platform });
  const { analysis, scanned } = analyzed;
  const names = [...new Set([policy.check, policy.warn].flatMap(({ baseImages = [] }) => baseImages))];
  const { image } = scanned;
  const judged: Judged = {
    analysis,
    image: scanned,
    history: stepsOf(image),
    annotations: annotationsOf(image),
    bases: await readBases(names, { image, source: reference }, workspace),
  };
  const verdict = await inTurns(verdictSteps(policy, judged), workspace.signal);
  const { digest, platform: found } = analysis.image;
  const tool = { name: 'ocislim', version };
  return { judgement: { image: source, digest, platform: found, origin, verdict, tool }, analyzed };
}

/** Puts the gates of options in the place of those of the file. Without either, the defaults hold. */
function choosePolicy(settings: CheckSettings): Chosen {
  const { config } = settings;
  const options = limitsOfOptions(settings);
  const isGiven = Object.keys(options).length > 0;
  if (config === null && !isGiven) return { policy: defaultPolicy, origin: 'defaults' };
  if (config === null) return { policy: { check: options, warn: {} }, origin: 'options' };
  const { check, warn } = config.policy;
  return {
    policy: { check: { ...check, ...options }, warn },
    origin: isGiven ? `${config.file} and options` : config.file,
  };
}

/** Returns the gates that options ask for. */
function limitsOfOptions(settings: CheckSettings): GateLimits {
  const { maxSize, maxUnpackedSize, maxLayerSize, maxLayers, maxReclaimable, maxDuplicates } = settings;
  const { lowestEfficiency, highestWastedBytes, highestUserWastedPercent } = settings;
  const given = {
    transferSize: maxSize,
    unpackedSize: maxUnpackedSize,
    layerSize: maxLayerSize,
    layers: maxLayers,
    reclaimable: maxReclaimable,
    duplicates: maxDuplicates,
    lowestEfficiency,
    highestWastedBytes,
    highestUserWastedPercent,
    secrets: settings.forbidSecrets || null,
    nonRoot: settings.forbidRoot || null,
    setuid: settings.forbidSetuid ? [] : null,
    forbiddenPaths: someOf(settings.forbidPath),
    forbiddenPackages: someOf(settings.forbidPackage),
    baseImages: someOf(settings.allowBase),
    ports: someOf(settings.allowPort),
    labels: someOf(settings.requireLabel),
    healthcheck: settings.requireHealthcheck || null,
    tag: settings.forbidLatest || null,
    dockerfile: settings.forbidMistakes ? [...sinNames] : null,
  };
  return Object.fromEntries(Object.entries(given).filter(([, limit]) => limit !== null)) as GateLimits;
}

function someOf<T>(list: readonly T[]): readonly T[] | null {
  return list.length === 0 ? null : list;
}

/** Lists the rows of the history, each with the layer that it made. */
function stepsOf({ config, manifest }: Image): readonly BuildStep[] {
  let layer = 0;
  return config.history.map(({ createdBy, emptyLayer }) => {
    const own = emptyLayer || layer >= manifest.layers.length ? null : ++layer;
    return { createdBy: createdBy ?? '', layer: own };
  });
}

function annotationsOf({ manifest }: Image): Readonly<Record<string, string>> {
  const annotations = manifest.json['annotations'];
  if (typeof annotations !== 'object' || annotations === null) return {};
  return Object.fromEntries(
    Object.entries(annotations).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
  );
}
