/** The option --file of `slim`: a plan. What reads plans is loaded only where one is given. */
import type { Option } from './option.ts';
import type { Stages } from './stages.ts';

export const planOption: Option<Stages | null> = {
  type: 'string',
  name: 'file',
  alias: 'f',
  value: 'PLAN.yaml',
  describe: 'take all stages from a plan instead of options',
  group: 'What to remove',
  read: async (given, _where, door) =>
    given === undefined ? null : (await import('./plan-file.ts')).readPlan(String(given), door),
};
