/** Images to be judged, made of the sample analysis and of layers in short. The tests of gates change what each is about. */
import type { Analysis } from '../../../src/analyze/analysis.ts';
import type { GateLimits } from '../../../src/analyze/gates/all.ts';
import type { Breach, Judged } from '../../../src/analyze/gates/gate.ts';
import { judge } from '../../../src/analyze/gates/verdict.ts';
import { sample } from '../../report/analyze/sample.ts';
import type { Short } from '../../support/model/shorthand.ts';
import { layeredOf } from '../rig.ts';

/** What of an image a test is about. */
export interface Case {
  readonly analysis?: Partial<Analysis>;
  readonly config?: Partial<Analysis['image']['config']>;
  readonly name?: string;
  readonly layers?: readonly (readonly Short[])[];
  /** `created_by` of each layer. */
  readonly history?: readonly string[];
  readonly annotations?: Judged['annotations'];
  readonly bases?: Judged['bases'];
}

/** Makes an image to be judged. */
export async function judgedOf(given: Case): Promise<Judged> {
  const { layers = [], history = [], annotations = {}, bases = [] } = given;
  const { image } = sample;
  const changed = { ...image, name: given.name ?? image.name, config: { ...image.config, ...given.config } };
  return {
    analysis: { ...sample, ...given.analysis, image: changed },
    image: await layeredOf(...layers),
    history: history.map((createdBy, i) => ({ createdBy, layer: i + 1 })),
    annotations,
    bases,
  };
}

/** Returns the breaches of one gate. */
export async function breachesOf(limits: GateLimits, given: Case = {}): Promise<readonly Breach[]> {
  const { gates } = judge({ check: limits, warn: {} }, await judgedOf(given));
  return gates.flatMap(({ breaches }) => breaches);
}

/** Returns what the breaches of one gate say. */
export async function messagesOf(limits: GateLimits, given: Case = {}): Promise<readonly string[]> {
  return (await breachesOf(limits, given)).map(({ message }) => message);
}
