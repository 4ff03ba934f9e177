import * as z from 'zod';

// Loads zod: imported by announcement.ts where a report is read.

const name = { path: z.string(), pathBase64: z.string().optional() };

/** What `verify` reads of a report, whichever ocislim wrote it: other members pass. */
export const announcedSchema = z.looseObject({
  reportVersion: z.literal(1),
  platforms: z.array(
    z.looseObject({
      slimming: z
        .looseObject({
          removed: z.array(z.looseObject({ ...name, type: z.string(), rule: z.string() })).nullish(),
          linked: z
            .looseObject({
              links: z
                .array(z.looseObject({ ...name, to: z.string(), toBase64: z.string().optional() }))
                .nullish(),
            })
            .nullish(),
          cleared: z.array(z.looseObject({ ...name, oldMode: z.string(), newMode: z.string() })).nullish(),
        })
        .nullish(),
    }),
  ),
});

export type AnnouncedPlatforms = z.infer<typeof announcedSchema>['platforms'];
