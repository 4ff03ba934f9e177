import { OcislimError } from '../../errors.ts';
import type { Transform } from '../../image/image.ts';
import { type Command, destination, source } from '../command.ts';
import {
  arranging,
  checking,
  debugging,
  packing,
  pruning,
  rewriting,
  squashSelection,
} from '../options/common-options.ts';
import type { Option, Values } from '../options/option.ts';
import { text } from '../options/option.ts';
import type { Session } from '../session.ts';

const planOption: Option = {
  name: 'file',
  alias: 'f',
  type: 'string',
  value: 'PLAN.yaml',
  describe: 'take all stages from a plan instead of options',
  group: 'What to remove',
};

export const slim: Command = {
  name: 'slim',
  describe: 'all stages in one pull and one push, with safe defaults',
  details:
    'Without options: removes what upper layers hide and the lists and caches of package managers, and packs each layer better in the format that it has. Options add to that: --preset and --rule remove more, --last, --base or --all squash too, --compression chooses the format, --tune and --budget the levels. A plan (-f) says everything itself.',
  positionals: [source, destination],
  options: [
    planOption,
    ...pruning,
    ...squashSelection,
    ...arranging,
    ...packing,
    ...debugging,
    ...checking,
    ...rewriting,
  ],
  examples: [
    ['ocislim slim localhost:5000/app:1 localhost:5000/app:1-slim', 'the safe defaults'],
    [
      'ocislim slim localhost:5000/app:1 -t localhost:5000/app:1-slim --preset docs,logs --last 4 --compression zstd --level 12',
      'more of everything',
    ],
    ['ocislim slim oci:app:1 oci:app:slim -f plan.yaml', 'by a plan that lies beside the Dockerfile'],
  ],
  async run(values, console) {
    const { baseReader, rewrite } = await import('../rewrite/rewrite.ts');
    const file = text(values, 'file');
    if (file !== null) refuseOthers(values);
    return rewrite('slim', values, console, async (session) => {
      if (file === null) return stages(values, session, baseReader(session));
      const { readPlan } = await import('../plan/plan-file.ts');
      return readPlan(file, baseReader(session), session);
    });
  },
};

function refuseOthers(values: Values): void {
  const stageOptions = [...pruning, ...squashSelection, ...arranging, ...packing].filter(
    (option) => option.default === undefined,
  );
  const other = stageOptions.find(({ name }) => values[name] !== undefined);
  if (other !== undefined)
    throw new OcislimError('USAGE', `--file and --${other.name} do not go together: the plan says it all`);
}

async function stages(
  values: Values,
  session: Session,
  readBase: Parameters<typeof import('../options/selections.ts').squashSelection>[1],
): Promise<Transform> {
  const {
    arrangeOptions,
    squashSelection: readSquash,
    pruneOptions,
    tracePrunings,
    packingStage,
    minSavings,
  } = await import('../options/selections.ts');
  const { safePresets } = await import('../../slim/presets.ts');
  const { arrange } = await import('../../slim/arrange.ts');
  const { prune } = await import('../../slim/prune.ts');
  const { squash } = await import('../../slim/squash.ts');
  const { repackBetter } = await import('../../compress/repack.ts');
  const { pipe, withPlan } = await import('../../image/image.ts');
  const all = { kind: 'all' } as const;
  const given = (values['preset'] ?? []) as readonly string[];
  const options = await pruneOptions({ ...values, preset: [...safePresets, ...given], shadowed: true });
  const traces = await tracePrunings(values, session);
  const arranged = arrangeOptions(values);
  const pack = await packingStage(values);
  const savings = await minSavings(values);
  const squashes = squashSelection.some(({ name }) => values[name] !== undefined);
  const dropEmpty = values['empty-layers'] === 'drop';
  const merged = squashes ? await readSquash(values, readBase) : null;
  return pipe(
    prune(all, { ...options, traces }),
    ...(merged === null ? [] : [squash(merged)]),
    ...(arranged === null ? [] : [arrange(all, { ...arranged, always: false })]),
    ...(arranged === null || merged === null ? [] : [arrange(merged, { ...arranged, always: true })]),
    pack === null ? repackBetter(all, savings) : pack(all),
    (image) => (dropEmpty ? withPlan(image, { dropEmpty }) : image),
  );
}
