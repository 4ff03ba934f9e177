import { acr } from './acr.ts';
import { artifactory } from './artifactory.ts';
import { dockerHub } from './docker-hub.ts';
import { ecr } from './ecr.ts';
import { ghcr } from './ghcr.ts';
import { gitlab } from './gitlab.ts';
import { artifactRegistry, gcr } from './google.ts';
import { harbor } from './harbor.ts';
import { openShift } from './open-shift.ts';
import type { Profile } from './profile.ts';
import { quay } from './quay.ts';
import { redHat } from './red-hat.ts';

export const profiles: readonly Profile[] = [
  dockerHub,
  ecr,
  ghcr,
  quay,
  harbor,
  artifactory,
  gitlab,
  acr,
  gcr,
  artifactRegistry,
  openShift,
  redHat,
];
