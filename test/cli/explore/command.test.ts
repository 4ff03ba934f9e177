/** What `ocislim explore` says where it cannot run. On a terminal `test/e2e/explore.test.ts` tests it. */
import { expect, test } from 'vitest';
import { callCli } from '../../support/cli.ts';

test('without a terminal the error names the command that prints', async () => {
  const { status, stdout, stderr } = await callCli(['explore', 'oci:none:1']);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toBe(
    'ocislim: explore needs a terminal for its input and output [USAGE]\n' +
      '  Use "ocislim analyze SRC", which prints the same as text or JSON.\n',
  );
});
