/**
 * The part of the report about a recording: how often the image ran, what it was asked, and what the pruned image did. `schema.ts`
 * includes it.
 */
import * as z from 'zod';
import { bytes, count, digest, pathBase64, pathText } from './schema-values.ts';

const seconds = z.number().min(0).nullable();
const secondsDoc = 'null where it is not known, and with SOURCE_DATE_EPOCH.';

const end = {
  status: z.int().describe('The exit status; for a signal 128 plus its number.'),
  signal: z.string().nullable().describe('The signal that ended the program: "SIGTERM".'),
  stopped: z
    .enum(['for', 'signal'])
    .nullable()
    .describe(
      'Why it was told to end: "for" where its time was up, "signal" where it was stopped; null where it ended by itself.',
    ),
  seconds: seconds.describe(`How long it ran; ${secondsDoc}`),
  output: z
    .strictObject({ length: bytes, digest })
    .nullable()
    .describe('Its standard output; null for a program that was told to end.'),
};

const answer = z.strictObject({
  status: z
    .int()
    .nullable()
    .describe('The HTTP status, the exit status, or the health of gRPC; null where no answer came.'),
  length: bytes.nullable().describe('Bytes of the body, or of the standard output.'),
  digest: digest.nullable().describe('Of those bytes.'),
  seconds: seconds.describe(`From the request to the end of the answer; ${secondsDoc}`),
  ok: z.boolean().describe('Whether the answer was the expected one.'),
  error: z
    .string()
    .nullable()
    .describe('Why there is no answer, or what is wrong with it; null where nothing is.'),
});

const probe = z.strictObject({
  kind: z.enum(['http', 'tcp', 'grpc', 'exec']),
  origin: z
    .enum(['option', 'file', 'crawl', 'openapi', 'port', 'healthcheck'])
    .describe('What asked for it. port: the image exposes it, and nothing else was asked.'),
  name: z.string().describe('What was asked: "GET http://:80/", or a command.'),
  originals: z
    .array(answer.nullable())
    .describe('What each run of the original got, in their order; null where it was not asked.'),
  pruned: answer
    .nullable()
    .describe('What the last try got; null where it was not asked, and where nothing was tried.'),
  bodyCompared: z
    .boolean()
    .describe('Whether the body is compared: all runs of the original have it, and it is the same in all.'),
});

const trial = z.strictObject({
  ...end,
  differences: z
    .array(
      z.strictObject({
        kind: z
          .enum(['end', 'output', 'probe'])
          .describe('end: how the program ended. output: its standard output. probe: the answer to a probe.'),
        name: z.string().describe('The name of the probe; "" for another kind.'),
        expected: z.string().describe('What the original did, and'),
        found: z.string().describe('what the pruned image did.'),
      }),
    )
    .describe('In what it differs from all runs of the original.'),
  missing: z
    .array(z.strictObject({ path: pathText, pathBase64 }))
    .describe('Paths that it asked for, which the original has and the pruned image had not.'),
});

/** How the image was recorded, and its pruned form tried. */
export const recording = z.strictObject({
  platform: z.string().describe('The platform that ran.'),
  sandbox: z.enum(['bwrap', 'unshare', 'chroot']),
  command: z.array(z.string()).describe('The program that ran, and its arguments.'),
  paths: count.describe('Paths that the runs of the original used.'),
  runs: z.array(z.strictObject(end)).describe('The runs of the original, in their order.'),
  probes: z.array(probe).describe('What was asked, in the order of the first run.'),
  trials: z
    .array(trial)
    .describe('The tries of pruned images, in their order; the last is of the result. None in a dry run.'),
  seccomp: z
    .strictObject({
      calls: count.describe('System calls that the profile allows.'),
      tried: z.boolean().describe('Whether the last try ran under it.'),
    })
    .nullable()
    .describe('The seccomp profile; null without --seccomp.'),
  alike: z
    .array(z.string())
    .describe('Platforms that were pruned by the same paths, and not tried (--platforms-alike).'),
  losses: z.array(z.string()).describe('What the sandbox could not do as the image says.'),
});
