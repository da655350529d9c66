import type { components } from '../../api-specs/generated/mco.ts';

export type Alarm = components['schemas']['alarm'];
