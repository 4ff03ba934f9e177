import { OcislimError } from '../../errors.ts';
import type { PackageUsage } from '../../closure/package-usage.ts';
import type { Trace } from '../../trace/trace.ts';
import type { Console } from '../command.ts';
import { flag, text, type Values } from '../options/option.ts';
import { readNamedTrace } from './trace-input.ts';

/** `trace show FILE…`: what traces saw, for a person or as JSON. @throws USAGE, TRACE_INVALID, and whatever reading an image throws */
export async function showTrace(values: Values, console: Console): Promise<number> {
  const { summarizeTrace } = await import('../../trace/trace-summary.ts');
  const { renderTrace, traceJson } = await import('../../report/trace-text.ts');
  const { chooseStyle } = await import('../../report/style.ts');
  const { safeJsonText } = await import('../../report/escape.ts');
  const trace = await readNamedTrace(values, console);
  const image = text(values, 'image');
  const packages = image === null ? null : await usageIn(image, trace, values, console);
  const description = { trace, summary: summarizeTrace(trace), packages };
  if (text(values, 'format') === 'json')
    console.stdout.write(`${safeJsonText(JSON.stringify(traceJson(description), null, 2))}\n`);
  else {
    const style = chooseStyle(console.env, process.stdout.isTTY);
    const limit = flag(values, 'verbose') ? Number.POSITIVE_INFINITY : undefined;
    console.stdout.write(renderTrace(description, style, limit));
  }
  return 0;
}

async function usageIn(
  reference: string,
  trace: Trace,
  values: Values,
  console: Console,
): Promise<readonly PackageUsage[]> {
  const { parsePlatform } = await import('../../oci/platform.ts');
  const { parseReference } = await import('../../oci/reference.ts');
  const { inspectImage } = await import('../../jobs/inspect.ts');
  const { packageProbe, packagesOf } = await import('../../rootfs/packages/package-index.ts');
  const { usageByPackage } = await import('../../closure/package-usage.ts');
  const { readRuntime } = await import('../../oci/runtime.ts');
  const { placeTrace } = await import('../../trace/place.ts');
  const { utf8Bytes } = await import('../../bytes/bytes.ts');
  const { Session } = await import('../session.ts');
  const session = new Session(values, console);
  const [platform = trace.platform === null ? null : parsePlatform(trace.platform), ...more] =
    session.platforms;
  if (more.length > 0) throw new OcislimError('USAGE', 'a trace is of one platform: give one --platform');
  const cache = await session.openCache();
  const source = await session.openSource(parseReference(reference));
  try {
    const { image, fs, facts } = await inspectImage(
      {
        source,
        platform,
        jobs: session.jobs,
        maxScratch: session.maxScratch,
        limits: session.limits,
        cache,
        listener: session.listener,
        signal: session.signal,
      },
      packageProbe,
    );
    const { workingDirectory } = readRuntime(image.config);
    return usageByPackage(packagesOf({ fs, facts }), fs, placeTrace(trace, utf8Bytes(workingDirectory)));
  } finally {
    session.stopProgress();
    await source.close();
    await cache?.close();
  }
}
