import { closeSync, openSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { mountsBelow, readMountTable } from '../../../src/jobs/record/sandbox/mount-table.ts';

const row = (id: number, parent: number, point: string, flags: string) =>
  `${id} ${parent} 8:1 / ${point} ${flags} shared:1 - ext4 /dev/sda1 rw`;

it('a bind keeps the flags of the mount around it, and has the mounts below', () => {
  const table = readMountTable(
    [
      row(1, 0, '/', 'rw,relatime'),
      row(2, 1, '/data', 'rw,nosuid,nodev,noatime'),
      row(3, 2, '/data/in\\040side', 'ro,noexec'),
      row(4, 1, '/database', 'ro'),
      '',
    ].join('\n'),
  );
  expect(mountsBelow(table, '/data/x')).toEqual({ flags: ['nosuid', 'nodev'], below: [] });
  expect(mountsBelow(table, '/data')).toEqual({
    flags: ['nosuid', 'nodev'],
    below: [{ point: '/in side', flags: ['ro', 'noexec'] }],
  });
  expect(mountsBelow(table, '/').below.map(({ point }) => point)).toEqual([
    '/data',
    '/data/in side',
    '/database',
  ]);
  expect(mountsBelow([], '/data')).toEqual({ flags: [], below: [] });
});

it.each([
  ['at the same place', row(3, 2, '/a', 'ro'), ['/', '/a']],
  ['above it', row(3, 1, '/', 'ro'), ['/']],
])('a mount that is hidden by a later one %s counts no longer', (_, last, points) => {
  const table = readMountTable([row(1, 0, '/', 'rw'), row(2, 1, '/a', 'nosuid'), last].join('\n'));
  expect(table.map(({ point }) => point)).toEqual(points);
  expect(mountsBelow(table, '/a').flags).toEqual(['ro']);
});

it('a mount is not hidden by one that it was moved into', () => {
  const table = readMountTable([row(5, 6, '/a', 'rw'), row(6, 1, '/', 'rw')].join('\n'));
  expect(table.map(({ point }) => point)).toEqual(['/a', '/']);
});

it('of this machine, those are left which the kernel finds at their places', () => {
  const text = readFileSync('/proc/self/mountinfo', 'utf8');
  const rows = text.split('\n').map((line) => line.split(' '));
  /** The number of the mount that is found at a place; null where this user may not open it. */
  const foundAt = (point: string): string | null => {
    try {
      const fd = openSync(point, 'r');
      const found = /^mnt_id:\t(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1];
      closeSync(fd);
      return found ?? null;
    } catch {
      return null;
    }
  };
  const found = new Map([...new Set(rows.map(([, , , , point = '']) => point))].map((p) => [p, foundAt(p)]));
  const visible = rows.filter(([id = '', , , , point = '']) => id !== '' && found.get(point) === id);
  const table = readMountTable(text).filter(({ point }) => typeof found.get(point) === 'string');
  expect(table.map(({ point }) => point)).toEqual(visible.map(([, , , , point]) => point));
  expect(table.map(({ point }) => point)).toContain('/');
});
