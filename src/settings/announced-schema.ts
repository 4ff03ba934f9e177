import * as z from 'zod';

// Loads zod: imported by announced.ts where a report is read.

const name = { path: z.string(), pathBase64: z.string().optional() };

/** The part of a report that `verify` reads. Other members are allowed, and dropped: reports of any version are read. */
export const announcedSchema = z.object({
  reportVersion: z.literal(1),
  platforms: z.array(
    z.object({
      slimming: z
        .looseObject({
          removed: z.array(z.object({ ...name, type: z.string(), rule: z.string() })).nullish(),
          linked: z
            .looseObject({
              links: z
                .array(z.object({ ...name, to: z.string(), toBase64: z.string().optional() }))
                .nullish(),
            })
            .nullish(),
          cleared: z.array(z.object({ ...name, oldMode: z.string(), newMode: z.string() })).nullish(),
        })
        .nullish(),
    }),
  ),
});

type AnnouncedPlatform = z.infer<typeof announcedSchema>['platforms'][number];

/** The platforms of reports, each with the file that it was read from, if it was. */
export type AnnouncedPlatforms = readonly (AnnouncedPlatform & { readonly file?: string })[];
