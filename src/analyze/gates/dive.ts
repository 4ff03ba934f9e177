/** The three gates of dive. They are met exactly where `dive --ci` passes: its numbers, and its comparisons. The table of gates has them. */
import { formatSize } from '../../units.ts';
import { breach, type Gate } from './gate.ts';

const fix = 'Delete and change files in the instruction that makes them; use COPY --chown and COPY --chmod';
const command = ['prune', '--shadowed'];

export const lowestEfficiency: Gate<number> = {
  title: 'The efficiency that dive computes is at least this, from 0 to 1',
  isDeep: false,
  judge: (limit, { analysis: { dive } }) =>
    limit > dive.efficiency
      ? [
          breach(`the efficiency of dive is ${rounded(dive.efficiency)}, less than ${limit}`, {
            fix,
            command,
          }),
        ]
      : [],
};

export const highestWastedBytes: Gate<number> = {
  title: 'The wasted bytes that dive computes are at most so many',
  isDeep: false,
  judge: (limit, { analysis: { dive } }) =>
    dive.wastedBytes > limit
      ? [
          breach(`dive counts ${formatSize(dive.wastedBytes)} as wasted, more than ${formatSize(limit)}`, {
            fix,
            command,
          }),
        ]
      : [],
};

export const highestUserWastedPercent: Gate<number> = {
  title:
    'The wasted bytes that dive computes are at most such a share, from 0 to 1, of all layers but the lowest',
  isDeep: false,
  // Not a number for an image of one layer without waste: dive lets it pass.
  judge: (limit, { analysis: { dive } }) =>
    dive.wastedUserPercent > limit
      ? [
          breach(
            `dive counts ${rounded(dive.wastedUserPercent)} of all layers but the lowest as wasted, more than ${limit}`,
            { fix, command },
          ),
        ]
      : [],
};

/** Rounds so that a number that is below a limit by little is not shown as the limit. */
function rounded(number: number): string {
  return Number.isFinite(number) ? String(Number(number.toPrecision(6))) : 'all';
}
